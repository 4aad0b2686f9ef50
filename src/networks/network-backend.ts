/** From the fastest to the slowest: the order in which `auto` tries them. */
export const INSTALLABLE_BACKENDS = ["onnxruntime-node", "tfjs-node", "tfjs-wasm"] as const;

export type BackendName = (typeof INSTALLABLE_BACKENDS)[number];

/** A network, ready to run on one thread. */
export interface NetworkBackend {
  readonly name: BackendName;
  /**
   * Runs a batch.
   * @param input `batch` images back to back, each rows x columns x channels, preprocessed. Not kept after the result.
   * @returns `batch` vectors back to back
   */
  run(input: Float32Array, batch: number): Promise<Float32Array>;
  close(): Promise<void>;
}

/**
 * Sets what libraries read once from the process: to call on the main thread before the first worker starts.
 * TensorFlow takes the number of its threads from the environment when it loads, and a worker thread cannot set that.
 */
export function prepareProcess(threads = 1): void {
  process.env.TF_NUM_INTRAOP_THREADS ??= String(threads);
  process.env.TF_NUM_INTEROP_THREADS ??= String(threads);
  process.env.TF_CPP_MIN_LOG_LEVEL ??= "2";
  // onnxruntime 1.30 otherwise reports usage over the network, and leaves a file in the working directory.
  process.env.ORT_DISABLE_TELEMETRY ??= "1";
}

/** What a backend builds from: an ONNX model, or a graph as `v8.serialize` writes it. */
export type ModelForm = "onnx" | "v8";

export function modelForm(backend: BackendName): ModelForm {
  return backend === "onnxruntime-node" ? "onnx" : "v8";
}
