#!/usr/bin/env node
import { copyFileSync, existsSync, linkSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { region, signedFetch, startS3Server } from "../scripts/s3-server.mjs";
import { installBenchPeers } from "../scripts/setup/bench-peers.mjs";
import { cacheEntry } from "../scripts/setup/cache.mjs";
import { inRoot } from "../scripts/setup/paths.mjs";
import { run } from "../scripts/setup/processes.mjs";
import { installS5cmd } from "../scripts/setup/s5cmd.mjs";
import { pomona } from "./parts/runs.mjs";
import { makeSample } from "./parts/sample.mjs";
import { inWorkFolder } from "./parts/work-folder.mjs";

const help = `npm run bench:s3 [-- options]

Times work in S3 on a local server (versitygw, with connections that are kept), on the same machine and beside its peers:
copies of small files up, across and down, beside aws s3 cp --recursive and s5cmd; featurize from and to S3 beside from and
to disk; a listing beside aws s3api list-objects-v2 and s5cmd ls, with the memory that ours takes; the first row of a large
Parquet file. Each is a process of its own, whose start counts (but for the first row). Ratios are taken within a round,
figures are medians over the rounds.

  --parts LIST      among copy, featurize, list, parquet                    [all]
  --per-class N     images of each class                                    [15]
  --keys N          keys of the listing                                     [100000]
  --megabytes N     size of the Parquet file, kept in the cache folder      [1000]
  --rounds N        rounds                                                  [3]
  --weights W       the network's weights                                   [random]
  --quick           one round of 2 images a class, 5000 keys, 50 MB
  --json            one JSON object instead of lines
  --help            this text`;

const { values } = parseArgs({
  options: {
    parts: { type: "string", default: "copy,featurize,list,parquet" },
    "per-class": { type: "string" },
    keys: { type: "string" },
    megabytes: { type: "string" },
    rounds: { type: "string" },
    weights: { type: "string", default: "random" },
    quick: { type: "boolean" },
    json: { type: "boolean" },
    help: { type: "boolean", short: "h" },
  },
});
const size = (name, usual, quick) => Number(values[name] ?? (values.quick ? quick : usual));
const note = (text) => console.error(text);
const keys = { accessKey: "POMONABENCH", secretKey: "pomona-bench-secret" };

if (values.help) console.log(help);
else await inWorkFolder("s3", bench);

async function bench(work) {
  const aws = join(await installBenchPeers(), "..", "aws");
  const s5cmd = await installS5cmd();
  // As S3 does; without it every request opens a connection.
  process.env.VGW_KEEP_ALIVE = "true";
  const server = await startS3Server("versitygw", { folder: join(work, "server"), ...keys });
  try {
    Object.assign(process.env, {
      ...{ AWS_ENDPOINT_URL_S3: server.endpoint, S3_ENDPOINT_URL: server.endpoint, AWS_EC2_METADATA_DISABLED: "true" },
      ...{ AWS_ACCESS_KEY_ID: keys.accessKey, AWS_SECRET_ACCESS_KEY: keys.secretKey },
      ...{ AWS_REGION: region, AWS_DEFAULT_REGION: region, AWS_CONFIG_FILE: "/dev/null" },
    });
    for (const bucket of ["bench", "other"])
      await signedFetch({ endpoint: server.endpoint, ...keys }, { method: "PUT", key: bucket });
    const images = join(work, "images");
    mkdirSync(images);
    const sample = await makeSample(images, size("per-class", 15, 2));
    note(`${sample.images} ${sample.kind} images of ${sample.classes} classes`);
    const place = { work, images, aws, s5cmd, bucket: join(work, "server", "root", "bench") };
    const parts = { copy, featurize, list, parquet };
    const result = { sample };
    for (const name of values.parts.split(",").filter(Boolean)) {
      if (!parts[name]) throw new Error(`--parts has ${name}, which is none of ${Object.keys(parts).join(", ")}.`);
      result[name] = await parts[name](place);
    }
    if (values.json) console.log(JSON.stringify(result));
  } finally {
    await server.stop();
  }
}

function say(text) {
  if (values.json) note(text);
  else console.log(text);
}

function rounds() {
  return size("rounds", 3, 1);
}

/** @returns what it printed */
function ours(...args) {
  return run(process.execPath, [inRoot("bench", "parts", "s3-ours.mjs"), ...args]);
}

async function copy({ work, images, aws, s5cmd }) {
  const down = join(work, "down");
  const awsCopy = (from, to) => run(aws, ["s3", "cp", "--recursive", "--only-show-errors", from, to]);
  const s5Copy = (from, to) =>
    run(s5cmd, ["--log", "error", "cp", from.startsWith("s3:") ? `${from}/*` : `${from}/`, `${to}/`]);
  const ways = { ours: (from, to) => ours("copy", from, to), aws: awsCopy, s5cmd: s5Copy };
  const result = {};
  for (const [direction, from, to] of [
    ["up", () => images, (name) => `s3://bench/${name}`],
    ["across", (name) => `s3://bench/${name}`, (name) => `s3://other/${name}`],
    ["down", (name) => `s3://bench/${name}`, () => down],
  ]) {
    result[direction] = await inTurns(ways, async (name, way) => {
      rmSync(down, { recursive: true, force: true });
      await way(from(name), to(name));
    });
    const { ours: own, aws: first, s5cmd: second } = result[direction].medians;
    const faster = first < second ? "aws" : "s5cmd";
    const ratio = median(result[direction].rounds.map((round) => round[faster] / round.ours));
    result[direction].ratio = ratio;
    say(
      `copy ${direction.padEnd(6)} ours ${own.toFixed(2)} s, aws s3 cp ${first.toFixed(2)} s, s5cmd ${second.toFixed(2)} s: ` +
        `${ratio.toFixed(2)} times the speed of ${faster}, the faster one`,
    );
  }
  return result;
}

async function featurize({ work, images }) {
  const common = ["--weights", values.weights, "--partitions", "24", "--mode", "overwrite", "--json", "--quiet"];
  await ours("copy", images, "s3://bench/Test");
  const rate = async (from, to) => {
    const { rows, writeSeconds } = await pomona(["featurize", from, to, ...common], work);
    return rows / writeSeconds;
  };
  const found = [];
  for (let i = 0; i < rounds(); i++) {
    const round = {};
    for (const where of i % 2 ? ["s3", "disk"] : ["disk", "s3"])
      round[where] =
        where === "s3" ? await rate("s3://bench/Test", "s3://bench/features") : await rate(images, "features");
    found.push(round);
  }
  const ratio = median(found.map(({ s3, disk }) => s3 / disk));
  const [s3, disk] = ["s3", "disk"].map((where) => median(found.map((round) => round[where])));
  say(`featurize   S3 ${s3.toFixed(1)} images/s, disk ${disk.toFixed(1)} images/s: ${(ratio * 100).toFixed(0)} %`);
  return { rounds: found, ratio };
}

async function list({ bucket, aws, s5cmd }) {
  const count = size("keys", 100_000, 5000);
  for (let i = 0; i < count; i++) {
    const folder = join(bucket, "keys", `class ${i % 100}`);
    if (i < 100) mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${i}_100.jpg`), "");
  }
  let memory;
  const query = ["s3api", "list-objects-v2", "--bucket", "bench", "--prefix", "keys/", "--query", "length(Contents)"];
  const ways = {
    ours: async () => {
      memory = JSON.parse(await ours("list", "s3://bench/keys"));
      if (memory.keys !== count) throw new Error(`${memory.keys} of ${count} keys were listed.`);
    },
    aws: () => run(aws, query),
    s5cmd: () => run(s5cmd, ["ls", "s3://bench/keys/*"]),
  };
  const result = await inTurns(ways, (_, way) => way());
  const { ours: own, aws: first, s5cmd: second } = result.medians;
  say(
    `list ${count} keys: ours ${own.toFixed(2)} s (peak ${memory.peak.toFixed(0)} MB, ${memory.megabytes.toFixed(0)} MB of it the listing's), ` +
      `aws ${first.toFixed(2)} s, s5cmd ${second.toFixed(2)} s`,
  );
  return { ...result, memory };
}

async function parquet({ bucket }) {
  const megabytes = size("megabytes", 1000, 50);
  const file = join(await largeParquet(megabytes), "large.parquet");
  const at = join(bucket, "large.parquet");
  try {
    linkSync(file, at);
  } catch {
    copyFileSync(file, at);
  }
  const seconds = [];
  for (let i = 0; i < rounds(); i++)
    seconds.push(JSON.parse(await ours("first-row", "s3://bench/large.parquet")).seconds);
  const bytes = statSync(at).size;
  say(`first row of ${(bytes / 1e6).toFixed(0)} MB of Parquet: ${median(seconds).toFixed(2)} s`);
  return { bytes, seconds };
}

/** A Parquet file of paths, labels and vectors that do not compress, made once by DuckDB. @returns its folder */
function largeParquet(megabytes) {
  return cacheEntry(`bench-parquet-${megabytes}`, async (folder) => {
    note(`Making ${megabytes} MB of Parquet (once) in ${folder}`);
    const { DuckDBInstance } = createRequire(import.meta.url)("@duckdb/node-api");
    const connection = await (await DuckDBInstance.create(":memory:")).connect();
    const rows = Math.round((megabytes * 1e6) / (128 * 4));
    await connection.run(
      `COPY (SELECT 's3://bucket/Test/' || i || '.jpg' AS path, 'class ' || (i % 141) AS label,
        list_transform(range(128), x -> random()::FLOAT) AS features FROM range(${rows}) t(i))
      TO '${join(folder, "large.parquet")}' (FORMAT parquet, COMPRESSION snappy)`,
    );
    connection.closeSync();
    if (!existsSync(join(folder, "large.parquet"))) throw new Error("DuckDB wrote no file.");
  });
}

/** Seconds of each way in each round, in turns; the order changes from round to round. */
async function inTurns(ways, work) {
  const found = [];
  for (let i = 0; i < rounds(); i++) {
    const names = Object.keys(ways);
    const round = {};
    for (const name of [...names.slice(i % names.length), ...names.slice(0, i % names.length)]) {
      const started = performance.now();
      await work(name, ways[name]);
      round[name] = (performance.now() - started) / 1000;
    }
    found.push(round);
  }
  const medians = Object.fromEntries(
    Object.keys(ways).map((name) => [name, median(found.map((round) => round[name]))]),
  );
  return { rounds: found, medians };
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
