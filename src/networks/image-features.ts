import { basename, isAbsolute } from "node:path";
import { deserialize } from "node:v8";
import type { Vector } from "apache-arrow";
import {
  type ColumnFunction,
  type DriverContext,
  defineBuiltin,
  type RowError,
  type UserCall,
  type WorkerContext,
} from "../data/batch-function";
import type { ShippedFile } from "../data/shipped-file";
import { arrayType } from "../data/types";
import { vectorFromMatrix } from "../data/vectors";
import { IllegalArgumentError, throwIfAborted } from "../errors";
import { chooseBackend, createBackend, type StoredNetwork } from "./backend";
import { buildGraph, type Graph } from "./graph";
import { featureLength, inputShape, type Network } from "./layers";
import { cachedModel } from "./model-cache";
import { type BackendName, modelForm, type NetworkBackend, prepareProcess } from "./network-backend";
import { type InputOptions, networkInputs } from "./network-inputs";
import { networkByName } from "./networks";
import { randomWeights, scalesInputTwice } from "./weights";
import { type ResolvedWeights, resolveWeights } from "./weights-lookup";

/** Parameters of the built-in function `image.features`. */
export type ImageFeaturesParams = {
  /** A network's name, such as `MobileNetV2`. */
  readonly network: string;
  /** Rows, columns, 3 channels. @default [224, 224, 3] */
  readonly inputShape?: readonly number[];
  /** `avg`, `max` or `none`. @default the network's */
  readonly pooling?: string;
  /** `imagenet`, `random`, or the path or URL of a Keras file: see `resolveWeights`. Prepared ones say no path. */
  readonly weights: string;
  /** @default "auto" */
  readonly backend?: BackendName | "auto";
  /**
   * Images that go through the network at a time. More take more memory, and are no faster on one thread.
   * @default see {@link DEFAULT_BATCH_SIZES}
   */
  readonly batchSize?: number;
  /** For weights "random". @default 42 */
  readonly seed?: number;
  /** Where downloaded weights are kept; not in prepared parameters. @default ~/.cache/pomona/weights */
  readonly cacheDir?: string;
  /** Most pixels of an image. @default 178,956,970, as in Pillow */
  readonly maxPixels?: number;
  /** What `prepare` decided; not for users. */
  readonly resolved?: WeightsSaid;
  /** What `prepare` shipped: the network with its weights, in the form that the backend builds from; none of random ones. */
  readonly model?: ShippedFile;
  /** What `prepare` decided: that the network is built as for the published weights. */
  readonly imagenet?: boolean;
};

/** What a task and a file say of weights: where they come from is a URL, or a file's name alone. */
type WeightsSaid = Pick<ResolvedWeights, "sha256" | "origin"> & { readonly seed?: number };

/**
 * As measured: an image costs TensorFlow.js more alone, and onnxruntime nothing (VGG16, ResNet50, MobileNetV2), with the same
 * features to the bit. A stop waits for the batch that runs.
 */
export const DEFAULT_BATCH_SIZES: Readonly<Record<BackendName, number>> = {
  "onnxruntime-node": 1,
  "tfjs-node": 4,
  "tfjs-wasm": 4,
};

/**
 * Column function: images to feature vectors. Arguments: image files (binary) or what goes into the network as it is (arrays
 * of rows x columns x 3 numbers), and optionally path (string, for error messages). Uses: `preprocess`, which makes of a
 * decoded image another one or what goes into the network. A null gives null features; an image that cannot be decoded is
 * reported as a row error.
 */
export const imageFeatures = defineBuiltin<ImageFeaturesParams>({
  shape: "column",
  name: "image.features",
  returns: () => arrayType("float"),
  prepare,
  metadata: ({ network, inputShape, pooling, backend, resolved }) => ({
    "pomona.model": network,
    ...(inputShape ? { "pomona.model.inputShape": inputShape.join(",") } : {}),
    ...(pooling ? { "pomona.model.pooling": pooling } : {}),
    "pomona.backend": backend ?? "auto",
    ...(resolved ? { "pomona.weights.sha256": resolved.sha256, "pomona.weights.origin": resolved.origin } : {}),
  }),
  create,
});

async function prepare(params: ImageFeaturesParams, context: DriverContext): Promise<ImageFeaturesParams> {
  const { batchSize, cacheDir: _, ...others } = params;
  if (batchSize !== undefined && (!Number.isInteger(batchSize) || batchSize < 1)) {
    throw new IllegalArgumentError(`batchSize must be a whole number from 1 up, not ${batchSize}.`);
  }
  const asked = networkOf({ ...params, imagenet: params.weights === "imagenet" });
  prepareProcess();
  const backend = await chooseBackend(await wantedBackend(params, context));
  const weights = await resolveFor(params, asked, context);
  const imagenet = params.weights === "imagenet" || (await savedForImagenet(asked, weights));
  const network = networkOf({ ...params, imagenet });
  const { sha256 } = weights;
  context.log("info", `${network.name} runs on ${backend} with weights from ${weights.origin}.`);
  // Where the driver has a file means nothing on workers, nor to who reads what they write.
  const origin = isAbsolute(weights.origin) ? basename(weights.origin) : weights.origin;
  const isNamed = params.weights === "imagenet" || params.weights === "random";
  const decided = {
    ...others,
    weights: isNamed ? params.weights : origin,
    backend,
    batchSize: batchSize ?? DEFAULT_BATCH_SIZES[backend],
    imagenet,
  };
  // Workers draw random weights as fast as they would fetch them.
  if (weights.kind === "random") return { ...decided, resolved: { sha256, origin, seed: weights.seed } };
  // Made once, for the workers to fetch: weights of another shape are an error now, and not in every worker.
  const model = await context.ship(await cachedModel(network, weights, modelForm(backend), params));
  return { ...decided, resolved: { sha256, origin }, model };
}

/** What is left to us is what workers can have. */
async function wantedBackend({ backend = "auto" }: ImageFeaturesParams, { hasNatives }: DriverContext) {
  return backend === "auto" && hasNatives && !(await hasNatives()) ? "tfjs-wasm" : backend;
}

function networkOf({ network, inputShape, pooling, imagenet }: ImageFeaturesParams): Network {
  return networkByName(network, {
    ...(inputShape && { inputShape }),
    ...(pooling !== undefined && { pooling }),
    ...(imagenet !== undefined && { imagenet }),
  });
}

/** A whole model in a file says how it was built; weights alone are taken as Keras takes them from a path. */
async function savedForImagenet(network: Network, resolved: ResolvedWeights): Promise<boolean> {
  if (resolved.kind !== "file" || !network.layers.some(({ kind }) => kind === "rescaling")) return false;
  return (await scalesInputTwice(resolved.path)) ?? false;
}

async function create(
  params: ImageFeaturesParams,
  context: WorkerContext,
  uses: Readonly<Record<string, UserCall>> = {},
): Promise<ColumnFunction> {
  const network = networkOf(params);
  const backend = await createBackend(shippedNetwork(network, params, context), { backend: params.backend });
  const batchSize = params.batchSize ?? DEFAULT_BATCH_SIZES[backend.name];
  const inputs = { network, maxPixels: params.maxPixels, preprocess: uses.preprocess };
  const featurize = featurizer(inputs, featureLength(network), backend, batchSize, context);
  return {
    apply: ([content, path], rowError) => {
      if (!content) throw new IllegalArgumentError("image.features takes a column of image files.");
      return featurize(content, path, rowError);
    },
    close: () => backend.close(),
  };
}

function shippedNetwork(
  network: Network,
  { model, resolved }: ImageFeaturesParams,
  context: WorkerContext,
): Graph | StoredNetwork {
  if (resolved?.seed !== undefined) return buildGraph(network, randomWeights(network, resolved.seed));
  if (!model) throw new IllegalArgumentError("image.features runs on workers after the driver has prepared it.");
  return {
    inputShape: inputShape(network),
    graph: async () => deserialize(await context.fetch(model)) as Graph,
    onnxModel: () => context.fetchFile(model),
  };
}

/** Rows that are made ready at a time, while the network runs on those before. */
const READY_AHEAD = 16;

function featurizer(
  inputs: InputOptions,
  dimension: number,
  backend: NetworkBackend,
  batchSize: number,
  context: WorkerContext,
) {
  const imageSize = inputShape(inputs.network).reduce((product, size) => product * size, 1);
  const input = new Float32Array(batchSize * imageSize);

  return async (content: Vector, path: Vector | undefined, rowError: RowError): Promise<Vector> => {
    const rows = content.length;
    const values = new Float32Array(rows * dimension);
    const nulls = new Set<number>();
    for (let row = 0; row < rows; row++) nulls.add(row);
    const rowsFrom = (row: number) => networkInputs(content, path, row, Math.min(row + READY_AHEAD, rows), inputs);
    let pending = rowsFrom(0);
    for (let start = 0; start < rows; start += READY_AHEAD) {
      const { ready, failures } = await pending;
      // The next images are decoded on other threads while the network runs on this one.
      if (start + READY_AHEAD < rows) pending = rowsFrom(start + READY_AHEAD);
      for (const { row, error } of failures) rowError(row, error);
      for (let first = 0; first < ready.length; first += batchSize) {
        // Of the task that runs now: the function outlives the one it was made for.
        throwIfAborted(context.signal);
        const batch = ready.slice(first, first + batchSize);
        batch.forEach(({ write }, i) => {
          write(input, i * imageSize);
        });
        const features = await backend.run(input.subarray(0, batch.length * imageSize), batch.length);
        batch.forEach(({ row }, i) => {
          values.set(features.subarray(i * dimension, (i + 1) * dimension), row * dimension);
          nulls.delete(row);
        });
      }
    }
    return vectorFromMatrix({ values, rows, dimension }, nulls);
  };
}

function resolveFor(params: ImageFeaturesParams, network: Network, context: DriverContext): Promise<ResolvedWeights> {
  const { weights, seed, cacheDir } = params;
  const log: DriverContext["log"] = (level, message) => context.log(level, message);
  return resolveWeights(weights, network, {
    seed,
    cacheDir,
    log,
    signal: context.signal,
    onProgress: progressLog(log),
  });
}

/** A line in the log for each tenth of a download. */
function progressLog(log: DriverContext["log"]) {
  let shown = 0;
  return ({ receivedBytes, totalBytes }: { receivedBytes: number; totalBytes: number | undefined }) => {
    if (totalBytes === undefined) return;
    const tenths = Math.floor((receivedBytes / totalBytes) * 10);
    if (tenths <= shown) return;
    shown = tenths;
    log("info", `Weights: ${tenths * 10} % of ${(totalBytes / 1e6).toFixed(1)} MB`);
  };
}
