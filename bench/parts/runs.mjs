import { existsSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { inRoot } from "../../scripts/setup/paths.mjs";
import { run } from "../../scripts/setup/processes.mjs";

/** The Keras weights beside the checkout or where `POMONA_WEIGHTS_DIR` says; else undefined. */
export function findWeights() {
  const name = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5";
  const folders = [process.env.POMONA_WEIGHTS_DIR, inRoot("..", "shared", "models")];
  return folders.map((folder) => folder && join(folder, name)).find((file) => file && existsSync(file));
}

/**
 * The PySpark program on `cores` cores.
 * @returns rows, featurizeSeconds, featurizeImagesPerSecond, reduceSeconds, startSeconds, totalSeconds
 */
export async function runPeer({ peer, images, work, weights, cores, k }) {
  const output = join(work, "peer");
  const args = [inRoot("bench", "peer", "pyspark_workflow.py"), images, output, weights];
  const options = ["--cores", String(cores), "--k", String(k)];
  const printed = await run(peer.python, [...args, ...options], { cwd: work, env: peer.env });
  for (const folder of [output, `${output}_pca`]) rmSync(folder, { recursive: true, force: true });
  return lastJson(printed);
}

/** The peers in plain Python: the script of each, and what to call it. */
export const PYTHON_PEERS = {
  multiprocessing: { script: "onnx_multiprocessing.py", title: "Python: multiprocessing, onnxruntime" },
  daft: { script: "daft_featurize.py", title: "Daft, onnxruntime" },
};

/**
 * The featurize stage by a peer in Python, with as many processes as ours has workers.
 * @returns {Promise<{ rows: number, seconds: number, imagesPerSecond: number }>}
 */
export async function runPythonPeer(name, { python, images, work, model, cores, batch }) {
  const output = join(work, name);
  const args = [inRoot("bench", "peer", PYTHON_PEERS[name].script), images, output, model];
  const printed = await run(python, [...args, "--cores", String(cores), "--batch", String(batch)], { cwd: work });
  rmSync(output, { recursive: true, force: true });
  return lastJson(printed);
}

/** Writes the network with its weights as the ONNX model that ours runs, for peers that read one. */
export async function writeOnnxModel(path, weights) {
  const require = createRequire(import.meta.url);
  const { buildGraph, networkByName, readWeights } = require(inRoot("dist", "networks"));
  const { onnxModel } = require(inRoot("dist", "networks", "onnx-model.js"));
  const network = networkByName("MobileNetV2");
  writeFileSync(path, onnxModel(buildGraph(network, await readWeights(weights, network))));
}

/** Our command line, both stages. @returns {Promise<{ featurize: object, pca: object }>} what each printed */
export async function runOurs({ images, work, weights, backend, cores, k }) {
  const features = join(work, "features");
  const reduced = join(work, "pca");
  const common = ["--master", `local[${cores}]`, "--mode", "overwrite", "--json", "--quiet"];
  const network = ["--weights", weights, "--backend", backend, "--partitions", "24"];
  const featurize = await pomona(["featurize", images, features, ...network, ...common], work);
  const pca = await pomona(["pca", features, reduced, "--k", String(k), ...common], work);
  const stageImagesPerSecond = featurize.rows / featurize.writeSeconds;
  return { featurize: { ...featurize, stageImagesPerSecond }, pca };
}

/** A command of our command line. @returns the JSON it printed */
export async function pomona(args, work) {
  return lastJson(await run(process.execPath, [inRoot("dist", "cli", "main.js"), ...args], { cwd: work }));
}

/**
 * Inference alone: as many threads as ours has workers, each with a network of one thread, side by side.
 * @returns {Promise<{ imagesPerSecond: number, images: number, seconds: number }>}
 */
export async function runBare({ work, weights, backend, cores, batch, seconds }) {
  const script = inRoot("bench", "parts", "bare-inference.mjs");
  const args = [backend, weights, String(cores), String(batch), String(seconds)];
  return lastJson(await run(process.execPath, [script, ...args], { cwd: work }));
}

function lastJson(printed) {
  const line = printed
    .trimEnd()
    .split("\n")
    .findLast((text) => text.startsWith("{"));
  if (!line) throw new Error(`No JSON in the output:\n${printed.slice(-2000)}`);
  return JSON.parse(line);
}
