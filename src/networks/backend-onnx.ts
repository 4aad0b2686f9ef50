import type { InferenceSession } from "onnxruntime-node";
import { OptionalPackageError } from "../errors";
import type { Graph } from "./graph";
import type { NetworkBackend } from "./network-backend";
import { ONNX_INPUT, ONNX_OUTPUT } from "./onnx-model";

/** Loads the library. @throws OptionalPackageError where it is not installed or not built for this machine */
export async function loadOnnxRuntime(): Promise<void> {
  try {
    await import("onnxruntime-node");
  } catch (cause) {
    // Its install script fetches what is not used here, from where not everyone may go.
    const command = "ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node@1.30.0";
    throw new OptionalPackageError("onnxruntime-node@1.30.0", "The backend onnxruntime-node", { command, cause });
  }
}

/** @param model its bytes, or the path of a file */
export async function createOnnxBackend(
  model: Uint8Array | string,
  inputShape: Graph["inputShape"],
  threads: number,
): Promise<NetworkBackend> {
  const { InferenceSession, Tensor } = await import("onnxruntime-node");
  const options: InferenceSession.SessionOptions = {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "all",
    logSeverityLevel: 3,
  };
  const create = (from: Uint8Array | string): Promise<InferenceSession> =>
    typeof from === "string" ? InferenceSession.create(from, options) : InferenceSession.create(from, options);
  const session = await create(model);
  return {
    name: "onnxruntime-node",
    async run(input, batch) {
      const tensor = new Tensor("float32", input, [batch, ...inputShape]);
      const output = await session.run({ [ONNX_INPUT]: tensor });
      return output[ONNX_OUTPUT]!.data as Float32Array;
    },
    close: () => session.release(),
  };
}
