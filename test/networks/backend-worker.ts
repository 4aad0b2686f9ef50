import { parentPort, workerData } from "node:worker_threads";
import { type BackendName, buildGraph, createBackend, networkByName } from "../../src/networks";
import { formulaWeights } from "./formula";

/** Runs a batch through MobileNetV2 with weights by formula on a backend, in a worker thread, and posts the features. */
async function main() {
  const { backend, input, inputShape } = workerData as {
    backend: BackendName;
    input: Float32Array;
    inputShape: readonly number[];
  };
  const network = networkByName("MobileNetV2", { inputShape });
  const running = await createBackend(buildGraph(network, formulaWeights(network)), { backend });
  const features = await running.run(input, 1);
  parentPort!.postMessage(features.slice());
  await running.close();
}

void main();
