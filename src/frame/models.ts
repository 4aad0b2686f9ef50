import { arrayType } from "../data/types";
import { IllegalArgumentError, nearest } from "../errors";
import { BACKENDS as INSTALLABLE_BACKENDS } from "../model/backend";
import { networkByName } from "../model/networks";
import { resolveWeights, WeightsUnavailableError } from "../model/weights-lookup";
import { Column } from "./column";
import { type ColumnOrName, named } from "./functions/call";

/** What runs a network. `auto` takes the fastest that is installed, and the log says which. */
export const BACKENDS = ["auto", ...INSTALLABLE_BACKENDS] as const;
export type Backend = (typeof BACKENDS)[number];

/** The networks' names in `src/model`. */
const MODEL_NAMES = { mobileNetV2: "MobileNetV2", vgg16: "VGG16" } as const;

/** How a pretrained network is used. */
export interface NetworkOptions {
  /**
   * `imagenet` for the official Keras weights, `random` for a dry run, or the path or URL of a Keras HDF5 file.
   * @default "imagenet"
   */
  readonly weights?: "imagenet" | "random" | (string & {});
  /** What runs the network. @default "auto" */
  readonly backend?: Backend;
  /** What an image that cannot be decoded does: fail the job, or become null. @default "fail" */
  readonly onError?: "fail" | "null";
  /** With `onError: "null"`, the column that takes the reason. @default "error" */
  readonly errorCol?: string;
  /** The column that names the image in errors; null where there is none. @default "path" */
  readonly pathCol?: string | null;
  /** Images that go through the network at a time. @default 8 */
  readonly batchSize?: number;
}

/** Turns a column of image files (their bytes) into a column of features, one `Float32Array` per image. */
export type Featurizer = (content: ColumnOrName) => Column<string, Float32Array>;

/**
 * MobileNetV2 without its last layer: 1280 values per image, which is resized to 224 x 224 as Pillow does.
 *
 *     images.select("path", mobileNetV2({ weights: "imagenet" })(col("content")).alias("features"))
 *
 * @throws IllegalArgumentError for an unknown backend. Weights are looked up when an action starts:
 * `WeightsUnavailableError` names each place tried.
 * @see https://keras.io/api/applications/mobilenet/#mobilenetv2-function
 */
export function mobileNetV2(options: NetworkOptions = {}): Featurizer {
  return featurizer(MODEL_NAMES.mobileNetV2, options);
}

/**
 * VGG16 without its dense layers, the greatest value of each of the last 512 maps (Keras' `pooling="max"`): 512 values per
 * image, which is resized to 224 x 224 as Pillow does.
 * @throws as {@link mobileNetV2}
 * @see https://keras.io/api/applications/vgg/#vgg16-function
 */
export function vgg16(options: NetworkOptions = {}): Featurizer {
  return featurizer(MODEL_NAMES.vgg16, options);
}

/** Every network by its name here. */
export const NETWORKS = { mobileNetV2, vgg16 } as const;
export type NetworkName = keyof typeof NETWORKS;

/**
 * `"imagenet"` where a network's weights are found or can be fetched, else `"random"`, with a warning on standard error: for
 * notebooks that must run anywhere, such as in a course or in CI. Features of random weights mean nothing.
 * @param network a name of {@link NETWORKS}
 * @throws CancelledError if `signal` is aborted
 */
export async function availableWeights(
  network: NetworkName,
  options: { readonly signal?: AbortSignal } = {},
): Promise<"imagenet" | "random"> {
  try {
    await resolveWeights("imagenet", networkByName(MODEL_NAMES[network]), options);
    return "imagenet";
  } catch (error) {
    if (!(error instanceof WeightsUnavailableError)) throw error;
    console.warn(`${error.message}\nGoing on with RANDOM weights: the features will mean nothing.`);
    return "random";
  }
}

function featurizer(network: string, options: NetworkOptions): Featurizer {
  const { weights = "imagenet", backend = "auto", onError = "fail", errorCol = "error", pathCol = "path" } = options;
  checkOneOf("backend", backend, BACKENDS);
  checkOneOf("onError", onError, ["fail", "null"]);
  const batchSize = options.batchSize === undefined ? {} : { batchSize: options.batchSize };
  return (content) =>
    new Column<string, Float32Array>({
      kind: "batch",
      fn: { kind: "builtin", name: "image.features", params: { network, weights, backend, ...batchSize } },
      args: [named(content), ...(pathCol === null ? [] : [named(pathCol)])],
      returns: arrayType("float"),
      onError: onError === "null" ? { kind: "null", errorColumn: errorCol } : { kind: "fail" },
    });
}

function checkOneOf(option: string, value: string, known: readonly string[]): void {
  if (known.includes(value)) return;
  const [near] = nearest(value, known);
  throw new IllegalArgumentError(`Unknown ${option}: ${JSON.stringify(value)}.`, {
    remedy: near ? `Did you mean ${JSON.stringify(near)}?` : `Known: ${known.join(", ")}.`,
  });
}
