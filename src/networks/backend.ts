import { IllegalArgumentError, OptionalPackageError, PomonaError } from "../errors";
import type { Graph } from "./graph";
import { type BackendName, INSTALLABLE_BACKENDS, type NetworkBackend } from "./network-backend";
import { onnxModel } from "./onnx-model";

export interface BackendOptions {
  /**
   * Which library runs the network; `auto` takes the first of {@link INSTALLABLE_BACKENDS} that loads.
   * @default "auto"
   */
  readonly backend?: BackendName | "auto";
  /**
   * Threads of one run. Workers run side by side, so more than one seldom helps. tfjs-wasm always has one; for
   * tfjs-node it holds for the process, see {@link prepareProcess}.
   * @default 1
   */
  readonly threads?: number;
}

/** Thrown when a backend's library does not load here. */
export class BackendUnavailableError extends PomonaError {
  constructor(
    /** Each backend that was tried, with the reason. */
    readonly reasons: Readonly<Partial<Record<BackendName, string>>>,
    cause?: unknown,
  ) {
    const list = Object.entries(reasons).map(([name, reason]) => `  - ${name}: ${reason}`);
    super(`No backend to run the network on:\n${list.join("\n")}`, {
      remedy: 'Install what is missing (in a checkout, "npm run setup" does), or choose another backend.',
      cause,
    });
  }
}

/** A network with weights, in the forms that backends build from; each is made or read when it is asked for. */
export interface StoredNetwork {
  readonly inputShape: Graph["inputShape"];
  graph(): Promise<Graph>;
  /** The ONNX model: its bytes, or the path of a file. */
  onnxModel(): Promise<Uint8Array | string>;
}

/** Builds a network on a backend. @throws BackendUnavailableError */
export async function createBackend(
  network: Graph | StoredNetwork,
  options: BackendOptions = {},
): Promise<NetworkBackend> {
  const { backend = "auto", threads = 1 } = options;
  if (!Number.isInteger(threads) || threads < 1) {
    throw new IllegalArgumentError(`threads must be a whole number from 1 up, not ${threads}.`);
  }
  const stored = "nodes" in network ? networkOfGraph(network) : network;
  return build(await chooseBackend(backend), stored, threads);
}

/** The first of the wanted backends whose library loads. @throws BackendUnavailableError */
export async function chooseBackend(wanted: BackendName | "auto" = "auto"): Promise<BackendName> {
  const names = wanted === "auto" ? INSTALLABLE_BACKENDS : [checkedName(wanted)];
  const reasons: Partial<Record<BackendName, string>> = {};
  let cause: unknown;
  for (const name of names) {
    try {
      await load(name);
      return name;
    } catch (error) {
      const lines = (error instanceof Error ? error.message : String(error)).split("\n");
      // An optional package's second line is the command that installs it.
      reasons[name] = lines.slice(0, error instanceof OptionalPackageError ? 2 : 1).join(" ");
      cause = error;
    }
  }
  throw new BackendUnavailableError(reasons, cause);
}

function checkedName(name: string): BackendName {
  const known = INSTALLABLE_BACKENDS.find((candidate) => candidate === name);
  if (known) return known;
  throw new IllegalArgumentError(`Unknown backend ${JSON.stringify(name)}.`, {
    remedy: `Use one of auto, ${INSTALLABLE_BACKENDS.join(", ")}.`,
  });
}

/** Each library loads when it is wanted, and only then: TensorFlow alone takes 300 MB. */
async function load(name: BackendName): Promise<void> {
  switch (name) {
    case "onnxruntime-node":
      return (await import("./backend-onnx")).loadOnnxRuntime();
    case "tfjs-node":
      return (await import("./backend-tfjs-node")).loadTfjsNode();
    case "tfjs-wasm":
      return (await import("./backend-tfjs-wasm")).loadTfjsWasm();
  }
}

async function build(name: BackendName, network: StoredNetwork, threads: number): Promise<NetworkBackend> {
  switch (name) {
    case "onnxruntime-node":
      return (await import("./backend-onnx")).createOnnxBackend(await network.onnxModel(), network.inputShape, threads);
    case "tfjs-node":
      return (await import("./backend-tfjs-node")).createTfjsNodeBackend(await network.graph());
    case "tfjs-wasm":
      return (await import("./backend-tfjs-wasm")).createTfjsWasmBackend(await network.graph());
  }
}

/** A graph that is at hand. */
function networkOfGraph(graph: Graph): StoredNetwork {
  return { inputShape: graph.inputShape, graph: async () => graph, onnxModel: async () => onnxModel(graph) };
}
