#!/usr/bin/env node
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { inRoot } from "../scripts/setup/paths.mjs";
import { installPeer } from "../scripts/setup/peer.mjs";
import { run } from "../scripts/setup/processes.mjs";
import { median } from "./parts/report.mjs";
import { findWeights, pomona } from "./parts/runs.mjs";
import { makeSample } from "./parts/sample.mjs";
import { inWorkFolder } from "./parts/work-folder.mjs";

const help = `npm run bench:spark -- [--weights FILE.h5] [options]

Times the workflow on a standalone Spark cluster of this machine, two executors of one core: ours, with functions in Node beside the executors,
against the PySpark program (Keras in a pandas UDF, Spark ML's StandardScaler and PCA), both as clients of the same server, on the same images; and ours
on local[2], for what the way over Spark costs. Each is a process and a session of its own; the session's start does not count, but what is sent to the
executors and loaded there does; the package is installed there, as TensorFlow is. Both clients of the server run once before, uncounted: the JVMs of a
cluster that did nothing yet are slow. The cluster is set for many small files on few cores, for both: fewer tasks list folders and read files.
What goes first changes from round to round; ratios are taken within a round, figures are medians.

  --weights FILE    Keras weights, .h5: the PySpark program needs them  [../shared/models or POMONA_WEIGHTS_DIR]
  --per-class N     images of each class                                 [15]
  --k N             components of the PCA                                [100]
  --rounds N        rounds                                               [3]
  --quick           2 images of each class, k = 5
  --json            one JSON object instead of lines
  --help            this text`;

const { values } = parseArgs({
  options: {
    weights: { type: "string" },
    "per-class": { type: "string" },
    k: { type: "string" },
    rounds: { type: "string", default: "3" },
    quick: { type: "boolean" },
    json: { type: "boolean" },
    help: { type: "boolean", short: "h" },
  },
});
const size = (name, usual, quick) => Number(values[name] ?? (values.quick ? quick : usual));
const note = (text) => console.error(text);

/** How many times faster than PySpark the featurize stage is meant to be. */
const TARGET = 5;
const PARTITIONS = 24;
/** Of the cluster, for both: what Spark does by default is for files of many megabytes on many cores. */
const FOR_SMALL_FILES = [
  "spark.sql.sources.parallelPartitionDiscovery.parallelism=8",
  `spark.sql.files.openCostInBytes=${512 * 1024}`,
];

if (values.help) console.log(help);
else await inWorkFolder("spark", bench);

async function bench(work) {
  const folder = (name) => {
    mkdirSync(join(work, name));
    return join(work, name);
  };
  const all = folder("images");
  const sample = await makeSample(all, size("per-class", 15, 2));
  const weights = values.weights ?? findWeights();
  if (!weights)
    throw new Error("Name Keras weights, --weights FILE.h5: without them PySpark's program would fetch its own.");
  note(`${sample.images} ${sample.kind} images of ${sample.classes} classes, weights: ${weights}`);
  const peer = await installPeer();
  const start = ["--workers", "2", "--cores", "1", "--memory", "3g", "--port", "0"];
  const settings = [`spark.pyspark.python=${peer.python}`, "spark.eventLog.enabled=false", ...FOR_SMALL_FILES];
  const k = size("k", 100, 5);
  const server = await pomona(
    ["spark", "start", "--json", "--quiet", ...start, ...settings.flatMap((each) => ["--conf", each])],
    work,
  );
  const ours = async (master, name, images, k) =>
    lastJson(
      await run(process.execPath, [
        inRoot("bench", "parts", "spark-run.mjs"),
        JSON.stringify({ master, images, output: join(work, name), weights, partitions: PARTITIONS, k }),
      ]),
    );
  const theirs = async (images, k) => {
    const program = inRoot("bench", "peer", "spark_connect_workflow.py");
    const args = [images, join(work, "peer"), weights, "--k", String(k), "--partitions", String(PARTITIONS)];
    return lastJson(await run(server.python, [program, ...args], { env: { SPARK_REMOTE: server.url } }));
  };
  const subjects = {
    spark: (...of) => ours(server.url, "spark", ...of),
    local: (...of) => ours("local[2]", "local", ...of),
    pyspark: theirs,
  };
  try {
    for (const name of ["spark", "pyspark"]) await subjects[name](all, k);
    const rounds = [];
    for (let i = 0; i < Number(values.rounds); i++) {
      const round = {};
      const names = Object.keys(subjects);
      for (const name of i % 2 ? names.reverse() : names) {
        round[name] = await subjects[name](all, k);
        note(
          `round ${i + 1}: ${name} featurize ${round[name].featurizeImagesPerSecond.toFixed(1)} images/s, scaler and PCA ${round[name].reduceSeconds.toFixed(1)} s`,
        );
      }
      rounds.push(round);
    }
    report(rounds, sample);
  } finally {
    await run(process.execPath, [inRoot("dist", "cli", "main.js"), "spark", "stop", "--port", String(server.port)]);
  }
}

function report(rounds, sample) {
  const of = (figure) => median(rounds.map(figure));
  const speed = (name) => of((round) => round[name].featurizeImagesPerSecond);
  const reduce = (name) => of((round) => round[name].reduceSeconds);
  const summary = {
    featurizeOverPySpark: of((r) => r.spark.featurizeImagesPerSecond / r.pyspark.featurizeImagesPerSecond),
    featurizeOverLocal: of((r) => r.spark.featurizeImagesPerSecond / r.local.featurizeImagesPerSecond),
    reduceOverPySpark: of((r) => r.pyspark.reduceSeconds / r.spark.reduceSeconds),
    reduceOverLocal: of((r) => r.local.reduceSeconds / r.spark.reduceSeconds),
    varianceDifference: Math.max(...rounds.map((r) => difference(r.spark, r.pyspark))),
    varianceDifferenceLocal: Math.max(...rounds.map((r) => difference(r.spark, r.local))),
  };
  const differences = [summary.varianceDifference, summary.varianceDifferenceLocal];
  if (!differences.every((difference) => difference < 1e-5))
    throw new Error(`They did not compute the same, so that no ratio means anything: ${JSON.stringify(rounds)}`);
  if (values.json) return console.log(JSON.stringify({ sample, target: TARGET, ...summary, rounds }));
  const [spark, local, pyspark] = ["spark", "local", "pyspark"].map((name) => speed(name).toFixed(1));
  const percent = (ratio) => `${(100 * (1 - ratio)).toFixed(0)} %`;
  console.log(
    `featurize        on Spark ${spark} images/s, PySpark's program ${pyspark}: ${summary.featurizeOverPySpark.toFixed(1)} times as fast (target ${TARGET})`,
  );
  console.log(
    `                 local[2] ${local} images/s: the way over Spark costs ${percent(summary.featurizeOverLocal)}`,
  );
  console.log(
    `scaler and PCA   on Spark ${reduce("spark").toFixed(1)} s, PySpark's program ${reduce("pyspark").toFixed(1)} s: ${summary.reduceOverPySpark.toFixed(1)} times as fast`,
  );
  console.log(
    `                 local[2] ${reduce("local").toFixed(1)} s: ${(1 / summary.reduceOverLocal).toFixed(1)} times as long on Spark`,
  );
  console.log(
    `explained variance differs from PySpark's by at most ${summary.varianceDifference.toExponential(1)}, from local[2]'s by ${summary.varianceDifferenceLocal.toExponential(1)}`,
  );
}

function difference(ours, theirs) {
  return Math.max(...ours.explainedVariance.map((v, i) => Math.abs(v - theirs.explainedVariance[i])));
}

function lastJson(printed) {
  return JSON.parse(printed.trimEnd().split("\n").at(-1));
}
