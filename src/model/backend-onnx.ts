import type { InferenceSession } from "onnxruntime-node";
import type { NetworkBackend } from "./backend";
import type { Graph } from "./graph";
import { ONNX_INPUT, ONNX_OUTPUT, onnxModel } from "./onnx-model";

/** Loads the library. @throws Error where it is not installed or not built for this machine */
export async function loadOnnxRuntime(): Promise<void> {
  await import("onnxruntime-node");
}

export async function createOnnxBackend(graph: Graph, threads: number): Promise<NetworkBackend> {
  const { InferenceSession, Tensor } = await import("onnxruntime-node");
  const session: InferenceSession = await InferenceSession.create(onnxModel(graph), {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "all",
    logSeverityLevel: 3,
  });
  return {
    name: "onnxruntime-node",
    async run(input, batch) {
      const tensor = new Tensor("float32", input, [batch, ...graph.inputShape]);
      const output = await session.run({ [ONNX_INPUT]: tensor });
      return output[ONNX_OUTPUT]!.data as Float32Array;
    },
    close: () => session.release(),
  };
}
