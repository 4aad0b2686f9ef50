import util from "node:util";
import { isMainThread } from "node:worker_threads";
import { OptionalPackageError } from "../errors";
import type { Graph } from "./graph";
import { type NetworkBackend, prepareProcess } from "./network-backend";
import { buildTfjsGraph, type Tf } from "./tfjs-graph";

/** Loads the library. @throws Error where its native addon was not built or TensorFlow's library is missing */
export async function loadTfjsNode(): Promise<void> {
  await tfjsNode();
}

export async function createTfjsNodeBackend(graph: Graph): Promise<NetworkBackend> {
  const tf = await tfjsNode();
  useTensorFlow(tf);
  const built = buildTfjsGraph(tf, graph);
  return {
    name: "tfjs-node",
    run(input, batch) {
      // Another backend of the same library may have run on this thread in between.
      useTensorFlow(tf);
      return built.run(input, batch);
    },
    close: async () => built.dispose(),
  };
}

/** In effect at once: only a backend that starts in the background, which this is not, is worth waiting for. */
function useTensorFlow(tf: Tf): void {
  void tf.setBackend("tensorflow");
}

let loading: Promise<Tf> | undefined;

function tfjsNode(): Promise<Tf> {
  loading ??= load();
  return loading;
}

async function load(): Promise<Tf> {
  // On the main thread it is not too late: TensorFlow reads the environment when it loads.
  if (isMainThread) prepareProcess();
  restoreIsNullOrUndefined();
  const tf = await importTfjsNode();
  warmUp(tf);
  return tf;
}

async function importTfjsNode(): Promise<Tf> {
  try {
    return await import("@tensorflow/tfjs-node");
  } catch (cause) {
    throw new OptionalPackageError("@tensorflow/tfjs-node@4.22.0", "The backend tfjs-node", { cause });
  }
}

/**
 * Node 23 took this function away, and tfjs-node 4.22 still calls it; Node 22 warns of it.
 * @see https://github.com/tensorflow/tfjs/issues/8609
 */
function restoreIsNullOrUndefined(): void {
  const removed = util as { isNullOrUndefined?: (value: unknown) => boolean };
  removed.isNullOrUndefined = (value) => value === null || value === undefined;
}

/**
 * Runs each operation once on a pixel. The addon keeps the names of operations' attributes in one set for the whole process,
 * without a lock: when the driver's thread has filled it before workers start, they only read it.
 */
function warmUp(tf: Tf): void {
  useTensorFlow(tf);
  tf.tidy(() => {
    const x = tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3, 1]);
    const filter = tf.tensor4d([1, 1, 1, 1], [2, 2, 1, 1]);
    const options = { x, filter, bias: tf.ones([1]), strides: 1, activation: "relu6" } as const;
    const a = tf.fused.conv2d({ ...options, pad: "same" });
    const b = tf.fused.depthwiseConv2d({ ...options, pad: "valid", activation: "relu" });
    const c = tf.add(tf.pad(b, [[0, 0], [0, 1], [1, 0], [0, 0]]), tf.mul(tf.maxPool(a, 1, 1, "same"), tf.avgPool(a, 1, 1, "valid"))); // biome-ignore format: small
    const d = tf.fused.matMul({ a: tf.reshape(c, [1, -1]), b: tf.ones([9, 1]), bias: tf.ones([1]) });
    return tf.add(tf.add(d, tf.max(c, [1, 2])), tf.mean(c, [1, 2])).dataSync();
  });
}
