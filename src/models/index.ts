import { arrayType } from "../data/types";
import { IllegalArgumentError, nearest } from "../errors";
import { Column } from "../frame/column";
import { type ColumnOrName, named } from "../frame/functions/call";
import { inferShapes, inputShape, type Network, outputShapeOf } from "../networks/layers";
import { INSTALLABLE_BACKENDS } from "../networks/network-backend";
import { networkByName } from "../networks/networks";
import { parameterCount, type SummaryOptions, summaryText } from "../networks/summary";
import { resolveWeights, WeightsUnavailableError } from "../networks/weights-lookup";
import { defineRowFunction, type ModuleFunction, type UserFunctionOptions } from "../user-functions";

export type { SummaryOptions } from "../networks/summary";

/** What runs a network. `auto` takes the fastest that is installed, and the log says which. */
export const BACKENDS = ["auto", ...INSTALLABLE_BACKENDS] as const;
export type Backend = (typeof BACKENDS)[number];

/** The networks' names in `src/networks`. */
const MODEL_NAMES = {
  mobileNetV2: "MobileNetV2",
  vgg16: "VGG16",
  resNet50: "ResNet50",
  efficientNetB0: "EfficientNetB0",
} as const;

/** A decoded image: RGB bytes, `height` rows of `width` pixels. */
export interface ImagePixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/**
 * What is done to a decoded image before the network. It gives either another image, which is then resized and scaled as the
 * network wants it; or what goes into the network as it is: rows x columns x 3 numbers.
 */
export type Preprocess = (
  image: ImagePixels,
) => ImagePixels | Float32Array | readonly number[] | Promise<ImagePixels | Float32Array | readonly number[]>;

/** How a pretrained network is used. */
export interface NetworkOptions {
  /**
   * `imagenet` for the official Keras weights, `random` for a dry run, or the path or URL of a file that Keras wrote: `.h5`,
   * `.weights.h5` or `.keras`.
   * @default "imagenet"
   */
  readonly weights?: "imagenet" | "random" | (string & {});
  /**
   * Rows, columns and channels (always 3) that the network takes; images are resized to that as Pillow does. From 32 x 32 up.
   * @default [224, 224, 3]
   */
  readonly inputShape?: readonly [rows: number, columns: number, channels: number];
  /**
   * What becomes of the last feature map: the average (`avg`) or the greatest value (`max`) of each channel; or `none`, the map
   * itself, rows x columns x channels values, one row after the other, each pixel's channels together: as numpy's
   * `features.ravel()` of what Keras gives for `pooling=None`. Null is `none`.
   * @default "avg"; "max" for VGG16
   */
  readonly pooling?: "avg" | "max" | "none" | null;
  /** The network's classifier is never part of it. @default false */
  readonly includeTop?: false;
  /** The width. Only 1, which other widths' weights do not fit. @default 1 */
  readonly alpha?: 1;
  /**
   * What is done to a decoded image before the network, instead of what Keras's `preprocess_input` does where it gives numbers.
   * It travels to the workers as other functions of yours do: see `broadcast` and `imports`.
   */
  readonly preprocess?: Preprocess | ModuleFunction;
  /** Values of the notebook that `preprocess` uses. @see UserFunctionOptions */
  readonly broadcast?: UserFunctionOptions["broadcast"];
  /** Modules that `preprocess` uses, such as `["pomona/images"]`. @see UserFunctionOptions */
  readonly imports?: UserFunctionOptions["imports"];
  /** What runs the network. @default "auto" */
  readonly backend?: Backend;
  /** What an image that cannot be decoded does: fail the job, or become null. @default "fail" */
  readonly onError?: "fail" | "null";
  /** With `onError: "null"`, the column that takes the reason. @default "error" */
  readonly errorCol?: string;
  /** The column that names the image in errors; null for none. @default "path", where there is one */
  readonly pathCol?: string | null;
  /** Images that go through the network at a time. @default what is fastest on the backend */
  readonly batchSize?: number;
}

/**
 * Turns a column of image files (their bytes) into a column of features, one `Float32Array` per image. A column of arrays of
 * rows x columns x 3 numbers goes into the network as it is, as with Keras's `model.predict(x)`.
 */
export interface Featurizer {
  (content: ColumnOrName): Column<string, Float32Array>;
  /** Rows, columns, channels of the input, without the batch. */
  readonly inputShape: readonly [number, number, number];
  /** What the network gives for an image: `[channels]`, or `[rows, columns, channels]` with pooling `none`. */
  readonly outputShape: readonly number[];
  /** Numbers in the weights. */
  countParams(): number;
  /** Prints layers, output shapes and parameters as Keras 3 does. It needs no weights. */
  summary(options?: SummaryOptions): void;
}

/**
 * MobileNetV2 without its classifier: 1280 values per image, which is resized to 224 x 224 as Pillow does.
 *
 *     const model = mobileNetV2({ weights: "imagenet" });
 *     model.summary();
 *     images.select("path", model(col("content")).alias("features"))
 *
 * @throws IllegalArgumentError for an unknown backend, pooling or input shape. Weights are looked up when an action starts:
 * `WeightsUnavailableError` names each place tried.
 * @throws CapturedVariableError if `preprocess` uses a variable that does not travel
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

/**
 * ResNet50 without its classifier, the average of each of the last 2048 maps: 2048 values per image.
 * @throws as {@link mobileNetV2}
 * @see https://keras.io/api/applications/resnet/#resnet50-function
 */
export function resNet50(options: NetworkOptions = {}): Featurizer {
  return featurizer(MODEL_NAMES.resNet50, options);
}

/**
 * EfficientNetB0 without its classifier, the average of each of the last 1280 maps: 1280 values per image. It scales its input
 * itself; as in Keras, otherwise with `imagenet` weights than with weights from a path, unless the file is a whole model.
 * @throws as {@link mobileNetV2}
 * @see https://keras.io/api/applications/efficientnet/#efficientnetb0-function
 */
export function efficientNetB0(options: NetworkOptions = {}): Featurizer {
  return featurizer(MODEL_NAMES.efficientNetB0, options);
}

/** Every network by its name here. */
export const NETWORKS = { mobileNetV2, vgg16, resNet50, efficientNetB0 } as const;
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

function featurizer(name: string, options: NetworkOptions): Featurizer {
  const { weights = "imagenet", backend = "auto", onError = "fail", errorCol = "error" } = options;
  checkOneOf("backend", backend, BACKENDS);
  checkOneOf("onError", onError, ["fail", "null"]);
  refuseOtherNetworks(name, options);
  const form = {
    ...(options.inputShape && { inputShape: options.inputShape }),
    ...(options.pooling !== undefined && { pooling: options.pooling ?? "none" }),
  };
  const network = networkByName(name, { ...form, imagenet: weights === "imagenet" });
  const batchSize = options.batchSize === undefined ? {} : { batchSize: options.batchSize };
  const uses = userFunctions(options);
  const apply = (content: ColumnOrName) =>
    new Column<string, Float32Array>({
      kind: "batch",
      fn: {
        kind: "builtin",
        name: "image.features",
        params: { network: name, ...form, weights, backend, ...batchSize },
        ...uses,
      },
      args: [named(content), ...(options.pathCol ? [named(options.pathCol)] : [])],
      ...(options.pathCol === undefined && { argIfThere: "path" }),
      returns: arrayType("float"),
      onError: onError === "null" ? { kind: "null", errorColumn: errorCol } : { kind: "fail" },
    });
  return Object.assign(apply, {
    inputShape: inputShape(network),
    outputShape: outputShapeOf(network),
    countParams: () => countParams(network),
    summary: (how: SummaryOptions = {}) => (how.printFn ?? console.log)(summaryText(network, how)),
  });
}

/** `preprocess` and what travels with it. */
function userFunctions({ preprocess, broadcast, imports }: NetworkOptions) {
  if (preprocess) {
    return {
      uses: {
        preprocess: defineRowFunction(preprocess, { ...(broadcast && { broadcast }), ...(imports && { imports }) }),
      },
    };
  }
  if (broadcast || imports) {
    throw new IllegalArgumentError("broadcast and imports are for the function preprocess, and there is none.", {
      remedy: "Leave them out, or give preprocess too.",
    });
  }
  return {};
}

/** What Keras has and these functions have not, by name: TypeScript says so too, but a cell may come from elsewhere. */
function refuseOtherNetworks(name: string, options: NetworkOptions): void {
  const given = options as Readonly<Record<string, unknown>>;
  if (given.alpha !== undefined && given.alpha !== 1) {
    throw new IllegalArgumentError(`alpha of ${name} cannot be ${String(given.alpha)}: only the width 1.0 is built.`, {
      remedy: "Leave alpha out.",
    });
  }
  if (given.includeTop !== undefined && given.includeTop !== false) {
    throw new IllegalArgumentError(`${name} has no classifier here (includeTop).`, {
      remedy: "Leave includeTop out: the features are what comes before the classifier.",
    });
  }
}

function countParams(network: Network): number {
  const shapes = inferShapes(network.layers);
  return network.layers.reduce((sum, layer) => {
    const { trainable, fixed } = parameterCount(layer, shapes.get(layer.inputs[0] ?? ""));
    return sum + trainable + fixed;
  }, 0);
}

function checkOneOf(option: string, value: string, known: readonly string[]): void {
  if (known.includes(value)) return;
  const [near] = nearest(value, known);
  throw new IllegalArgumentError(`Unknown ${option}: ${JSON.stringify(value)}.`, {
    remedy: near ? `Did you mean ${JSON.stringify(near)}?` : `Known: ${known.join(", ")}.`,
  });
}
