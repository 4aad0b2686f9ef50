import { dirname, sep } from "node:path";
import type { Graph } from "./graph";
import type { NetworkBackend } from "./network-backend";
import { buildTfjsGraph, type Tf } from "./tfjs-graph";

/** Loads the library. @throws Error where WebAssembly with SIMD is missing */
export async function loadTfjsWasm(): Promise<void> {
  await tfjsWasm();
}

export async function createTfjsWasmBackend(graph: Graph): Promise<NetworkBackend> {
  const tf = await tfjsWasm();
  await tf.setBackend("wasm");
  const built = buildTfjsGraph(tf, graph);
  return {
    name: "tfjs-wasm",
    async run(input, batch) {
      // Another backend of the same library may have run on this thread in between.
      await tf.setBackend("wasm");
      return built.run(input, batch);
    },
    close: async () => built.dispose(),
  };
}

let loading: Promise<Tf> | undefined;

function tfjsWasm(): Promise<Tf> {
  loading ??= load();
  return loading;
}

async function load(): Promise<Tf> {
  const tf = await import("@tensorflow/tfjs-core");
  const { setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
  // The variant with threads starts workers of its own, by ways that browsers have and Node has not.
  tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  setWasmPaths(dirname(require.resolve("@tensorflow/tfjs-backend-wasm")) + sep);
  if (!(await tf.setBackend("wasm"))) throw new Error("tfjs-backend-wasm does not start here");
  return tf;
}
