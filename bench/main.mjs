#!/usr/bin/env node
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { installBenchPeers } from "../scripts/setup/bench-peers.mjs";
import { inRoot } from "../scripts/setup/paths.mjs";
import { installPeer } from "../scripts/setup/peer.mjs";
import { setup } from "../scripts/setup.mjs";
import { formatTable, summarize } from "./parts/report.mjs";
import { findWeights, PYTHON_PEERS, runBare, runOurs, runPeer, runPythonPeer, writeOnnxModel } from "./parts/runs.mjs";
import { makeSample } from "./parts/sample.mjs";

const help = `npm run bench [-- options]

Times the same job on the same images: PySpark with Keras, two peers in Python (onnxruntime with multiprocessing; Daft with
onnxruntime in a user function), Pomona on each backend, and inference alone. Each has as many workers as cores, of one thread.
Each round runs them one after the other; ratios are taken within a round, figures are medians over the rounds.
A featurize stage is from the reading to the written files, with the loading of weights and models on the workers;
the start of the session is in neither. Scale + PCA is our whole command, with its start, beside Spark's stages alone.

  --per-class N     images of each class                                    [15]
  --rounds N        rounds                                                  [3]
  --peer-rounds N   in how many of them PySpark runs; 0: not at all         [2]
  --python LIST     peers among multiprocessing, daft; "" for none          [both]
  --backends LIST   among onnxruntime-node, tfjs-node, tfjs-wasm            [all three]
  --cores N         Spark cores, and our workers                            [2, or fewer where there are fewer]
  --batch N         images in a batch of the bare inference                 [as ours on that backend]
  --seconds N       how long a bare inference runs                          [8]
  --weights FILE    Keras weights, .h5       [../shared/models or POMONA_WEIGHTS_DIR]
  --json            one JSON object instead of the table
  --help            this text`;

const { values } = parseArgs({
  options: {
    "per-class": { type: "string", default: "15" },
    rounds: { type: "string", default: "3" },
    "peer-rounds": { type: "string", default: "2" },
    python: { type: "string", default: Object.keys(PYTHON_PEERS).join(",") },
    backends: { type: "string", default: "onnxruntime-node,tfjs-node,tfjs-wasm" },
    cores: { type: "string", default: String(Math.min(2, availableParallelism())) },
    batch: { type: "string" },
    seconds: { type: "string", default: "8" },
    weights: { type: "string" },
    json: { type: "boolean" },
    help: { type: "boolean", short: "h" },
  },
});
const note = (text) => console.error(text);

if (values.help) console.log(help);
else {
  const work = mkdtempSync(join(tmpdir(), "pomona-bench-"));
  try {
    await bench(work);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function bench(work) {
  const weights = values.weights ? resolve(values.weights) : findWeights();
  if (!weights) throw new Error("No weights found: name a Keras file with --weights.");
  // Set-up speaks on stdout, which belongs to the figures here.
  const { log } = console;
  console.log = note;
  const { ready, missing } = await setup();
  console.log = log;
  if (!ready) throw new Error("Set-up failed; nothing was measured.");
  const images = join(work, "images");
  mkdirSync(images);
  const sample = await makeSample(images, Number(values["per-class"]));
  note(
    `${sample.images} ${sample.kind} images of ${sample.classes} classes; ${cpus()[0]?.model}, ${cpus().length} CPUs`,
  );
  const peer = Number(values["peer-rounds"]) > 0 ? await installPeer() : undefined;
  const backends = values.backends.split(",").filter((name) => !missing.includes(name));
  const pythonPeers = values.python.split(",").filter(Boolean);
  const python = pythonPeers.length > 0 ? await installBenchPeers() : undefined;
  const model = join(work, "mobilenet-v2.onnx");
  if (python) await writeOnnxModel(model, weights);
  const k = Math.min(100, sample.images - 1);
  const common = { images, work, weights, cores: Number(values.cores), k, python, pythonPeers, model };
  const rounds = [];
  for (let i = 0; i < Number(values.rounds); i++) {
    rounds.push(await round(i, { ...common, peer: i < Number(values["peer-rounds"]) ? peer : undefined }, backends));
  }
  const summary = summarize(rounds);
  console.log(values.json ? JSON.stringify({ sample, ...summary, rounds }) : `\n${formatTable(summary)}`);
}

/** One round. Which of a pair goes first changes from round to round. */
async function round(index, options, backends) {
  const result = { backends: {}, python: {} };
  if (options.peer) {
    result.peer = await runPeer(options);
    note(
      `round ${index + 1}: PySpark ${result.peer.featurizeImagesPerSecond} images/s, reduce ${result.peer.reduceSeconds} s`,
    );
  }
  const runPython = async () => {
    for (const name of options.pythonPeers) {
      result.python[name] = await runPythonPeer(name, { ...options, batch: batchOf("onnxruntime-node") });
      note(`round ${index + 1}: ${name} ${result.python[name].imagesPerSecond.toFixed(1)} images/s`);
    }
  };
  if (index % 2 === 0) await runPython();
  for (const backend of backends) {
    const bareOptions = { ...options, backend, batch: batchOf(backend), seconds: Number(values.seconds) };
    const first = index % 2 ? await runBare(bareOptions) : undefined;
    const ours = await runOurs({ ...options, backend });
    if (ours.featurize.rows !== ours.pca.rows) throw new Error(`${backend}: the stages differ in rows.`);
    const bare = first ?? (await runBare(bareOptions));
    result.backends[backend] = { ours, bare };
    const figures = [ours.featurize.stageImagesPerSecond, bare.imagesPerSecond].map((rate) => rate.toFixed(1));
    note(
      `round ${index + 1}: ${backend} ${figures[0]} images/s, bare ${figures[1]}, reduce ${ours.pca.seconds.toFixed(2)} s`,
    );
  }
  if (index % 2 === 1) await runPython();
  return result;
}

/** Batches as large as ours, so that only what surrounds the inference differs. Read late: set-up builds dist. */
function batchOf(backend) {
  if (values.batch) return Number(values.batch);
  return createRequire(import.meta.url)(inRoot("dist", "networks", "image-features.js")).DEFAULT_BATCH_SIZES[backend];
}
