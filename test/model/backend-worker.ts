import { parentPort, workerData } from "node:worker_threads";
import { type BackendName, buildGraph, createBackend, MOBILENET_V2, readWeights } from "../../src/model";

/** Runs a batch through MobileNetV2 on a backend, in a worker thread, and posts the features. */
async function main() {
  const { backend, input, batch, file } = workerData as {
    backend: BackendName;
    input: Float32Array;
    batch: number;
    file: string;
  };
  const graph = buildGraph(MOBILENET_V2, await readWeights(file, MOBILENET_V2));
  const running = await createBackend(graph, { backend });
  const features = await running.run(input, batch);
  parentPort!.postMessage(features.slice());
  await running.close();
}

void main();
