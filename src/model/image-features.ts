import type { Vector } from "apache-arrow";
import {
  type ColumnFunction,
  type DriverContext,
  defineBuiltin,
  type RowError,
  type WorkerContext,
} from "../data/batch-function";
import { arrayType } from "../data/types";
import { vectorFromMatrix } from "../data/vectors";
import { IllegalArgumentError, throwIfAborted } from "../errors";
import { decodeImage, type RgbImage } from "../image/decode";
import { writeTensor } from "../image/preprocess";
import { type BackendName, chooseBackend, createBackend, type NetworkBackend, prepareProcess } from "./backend";
import { cachedGraph } from "./graph-cache";
import { featureLength, inputShape, type Network } from "./layers";
import { networkByName } from "./networks";
import { type ResolvedWeights, resolveWeights } from "./weights-lookup";

/** Parameters of the built-in function `image.features`. */
export type ImageFeaturesParams = {
  /** A network's name, such as `MobileNetV2`. */
  readonly network: string;
  /** `imagenet`, `random`, or the path or URL of a Keras HDF5 file: see `resolveWeights`. */
  readonly weights: string;
  /** @default "auto" */
  readonly backend?: BackendName | "auto";
  /**
   * Images that go through the network at a time. More take more memory, and are no faster on one thread.
   * @default 2 on onnxruntime-node, 4 on the others
   */
  readonly batchSize?: number;
  /** For weights "random". @default 42 */
  readonly seed?: number;
  /** Where downloaded weights are kept. @default ~/.cache/pomona/weights */
  readonly cacheDir?: string;
  /** Most pixels of an image. @default 178,956,970, as in Pillow */
  readonly maxPixels?: number;
  /** What `prepare` decided; not for users. */
  readonly resolved?: ResolvedWeights;
};

/** As measured with two workers: beyond these, what the layers pass on does not stay in the processor's cache. */
export const DEFAULT_BATCH_SIZES: Readonly<Record<BackendName, number>> = {
  "onnxruntime-node": 2,
  "tfjs-node": 4,
  "tfjs-wasm": 4,
};

/**
 * Column function: image files to feature vectors. Arguments: content (binary), and optionally path (string, for error messages).
 * A null content gives null features; an image that cannot be decoded is reported as a row error.
 */
export const imageFeatures = defineBuiltin<ImageFeaturesParams>({
  shape: "column",
  name: "image.features",
  returns: () => arrayType("float"),
  prepare,
  metadata: ({ network, backend, resolved }) => ({
    "pomona.model": network,
    "pomona.backend": backend ?? "auto",
    ...(resolved ? { "pomona.weights.sha256": resolved.sha256, "pomona.weights.origin": resolved.origin } : {}),
  }),
  create,
});

async function prepare(params: ImageFeaturesParams, context: DriverContext): Promise<ImageFeaturesParams> {
  const { batchSize } = params;
  if (batchSize !== undefined && (!Number.isInteger(batchSize) || batchSize < 1)) {
    throw new IllegalArgumentError(`batchSize must be a whole number from 1 up, not ${batchSize}.`);
  }
  const network = networkByName(params.network);
  prepareProcess();
  const backend = await chooseBackend(params.backend);
  const resolved = params.resolved ?? (await resolveFor(params, network, context));
  // Makes the graph once, for the workers to read: weights of another shape are an error now, and not in every worker.
  await cachedGraph(network, resolved, params);
  context.log("info", `${network.name} runs on ${backend} with weights from ${resolved.origin}.`);
  return { ...params, backend, batchSize: batchSize ?? DEFAULT_BATCH_SIZES[backend], resolved };
}

async function create(params: ImageFeaturesParams, context: WorkerContext): Promise<ColumnFunction> {
  const network = networkByName(params.network);
  const resolved = params.resolved ?? (await resolveFor(params, network, context));
  const graph = await cachedGraph(network, resolved, params);
  const backend = await createBackend(graph, { backend: params.backend });
  const batchSize = params.batchSize ?? DEFAULT_BATCH_SIZES[backend.name];
  const featurize = featurizer(network, backend, batchSize, params.maxPixels, context.signal);
  return {
    apply: ([content, path], rowError) => {
      if (!content) throw new IllegalArgumentError("image.features takes a column of image files.");
      return featurize(content, path, rowError);
    },
    close: () => backend.close(),
  };
}

/** Images that are decoded at a time, while the network runs on those before. */
const DECODE_AHEAD = 16;

/** Some rows: those whose content decoded, and why others did not. */
interface Decoded {
  readonly images: readonly { readonly row: number; readonly image: RgbImage }[];
  readonly failures: readonly { readonly row: number; readonly error: Error }[];
}

function featurizer(
  network: Network,
  backend: NetworkBackend,
  batchSize: number,
  maxPixels: number | undefined,
  signal: AbortSignal,
) {
  const [height, width, channels] = inputShape(network);
  const dimension = featureLength(network);
  const imageSize = height * width * channels;
  const input = new Float32Array(batchSize * imageSize);

  return async (content: Vector, path: Vector | undefined, rowError: RowError): Promise<Vector> => {
    const rows = content.length;
    const values = new Float32Array(rows * dimension);
    const nulls = new Set<number>();
    for (let row = 0; row < rows; row++) nulls.add(row);
    const decodeFrom = (row: number) => decodeRows(content, path, row, Math.min(row + DECODE_AHEAD, rows), maxPixels);
    let pending = decodeFrom(0);
    for (let start = 0; start < rows; start += DECODE_AHEAD) {
      const { images, failures } = await pending;
      // The next images are decoded on other threads while the network runs on this one.
      if (start + DECODE_AHEAD < rows) pending = decodeFrom(start + DECODE_AHEAD);
      for (const { row, error } of failures) rowError(row, error);
      for (let first = 0; first < images.length; first += batchSize) {
        throwIfAborted(signal);
        const batch = images.slice(first, first + batchSize);
        batch.forEach(({ image }, i) => {
          writeTensor(image, width, height, network.preprocessing, input, i * imageSize);
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

async function decodeRows(
  content: Vector,
  path: Vector | undefined,
  from: number,
  to: number,
  maxPixels: number | undefined,
): Promise<Decoded> {
  const images: { row: number; image: RgbImage }[] = [];
  const failures: { row: number; error: Error }[] = [];
  const decodeRow = async (row: number) => {
    const bytes = content.get(row) as Uint8Array | null;
    if (bytes === null) return;
    const name = (path?.get(row) as string | null | undefined) ?? undefined;
    try {
      images.push({ row, image: await decodeImage(bytes, { path: name, maxPixels }) });
    } catch (error) {
      failures.push({ row, error: error instanceof Error ? error : new Error(String(error)) });
    }
  };
  await Promise.all(Array.from({ length: to - from }, (_, i) => decodeRow(from + i)));
  // In the order of the rows, not in that in which they were done: a batch gives the same numbers every time.
  images.sort((a, b) => a.row - b.row);
  failures.sort((a, b) => a.row - b.row);
  return { images, failures };
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
