// Inference alone: node bare-inference.mjs BACKEND WEIGHTS.h5 THREADS BATCH SECONDS; prints one JSON object.
// Each worker thread builds its own network of one thread and runs it on the same batch until the time is over.
import { createRequire } from "node:module";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { inRoot } from "../../scripts/setup/paths.mjs";

const require = createRequire(import.meta.url);
const { createBackend, prepareProcess } = require(inRoot("dist", "networks"));

if (isMainThread) await lead(process.argv.slice(2));
else await work(workerData);

async function lead([backend, weights, threads, batch, seconds]) {
  prepareProcess(1);
  const gate = new SharedArrayBuffer(4);
  const data = { backend, weights, batch: Number(batch), seconds: Number(seconds), gate };
  const workers = Array.from({ length: Number(threads) }, () => {
    return new Worker(new URL(import.meta.url), { workerData: data });
  });
  // All start together when the last is warm, so that nobody measures while another one loads.
  await Promise.all(workers.map((worker) => message(worker)));
  const results = workers.map((worker) => message(worker));
  Atomics.store(new Int32Array(gate), 0, 1);
  Atomics.notify(new Int32Array(gate), 0);
  const done = await Promise.all(results);
  await Promise.all(workers.map((worker) => worker.terminate()));
  const images = done.reduce((sum, { images }) => sum + images, 0);
  const imagesPerSecond = done.reduce((sum, { images, seconds }) => sum + images / seconds, 0);
  console.log(JSON.stringify({ images, seconds: Math.max(...done.map((one) => one.seconds)), imagesPerSecond }));
}

function message(worker) {
  return new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
}

async function work({ backend, weights, batch, seconds, gate }) {
  const { buildGraph } = require(inRoot("dist", "networks", "graph.js"));
  const { networkByName } = require(inRoot("dist", "networks", "networks.js"));
  const { readWeights } = require(inRoot("dist", "networks", "weights.js"));
  const mobileNet = networkByName("MobileNetV2");
  const network = await createBackend(buildGraph(mobileNet, await readWeights(weights, mobileNet)), { backend });
  const input = Float32Array.from({ length: batch * 224 * 224 * 3 }, (_, i) => Math.sin(i));
  for (let i = 0; i < 5; i++) await network.run(input, batch);
  parentPort.postMessage("warm");
  Atomics.wait(new Int32Array(gate), 0, 0);
  const started = performance.now();
  let images = 0;
  let elapsed = 0;
  while (elapsed < seconds) {
    await network.run(input, batch);
    images += batch;
    elapsed = (performance.now() - started) / 1000;
  }
  parentPort.postMessage({ images, seconds: elapsed });
}
