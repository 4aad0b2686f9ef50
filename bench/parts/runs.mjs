import { rmSync } from "node:fs";
import { join } from "node:path";
import { inRoot } from "../../scripts/setup/paths.mjs";
import { run } from "../../scripts/setup/processes.mjs";

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
