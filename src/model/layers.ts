import type { Preprocessing } from "../image/preprocess";

/**
 * A network as data: a list of layers in the vocabulary of Keras, from which each backend builds what it runs. Tensors
 * are NHWC, shapes leave the batch out.
 * @see https://keras.io/api/layers/
 */

/** Rows, columns, channels; or the length of a vector. */
export type Shape = readonly [height: number, width: number, channels: number] | readonly [length: number];

export type Pair = readonly [number, number];

/** `valid`: no padding; `same`: zeros all around so that the output has `ceil(input / stride)` rows and columns. */
export type Padding = "valid" | "same";

export type Activation = "linear" | "relu" | "relu6";

interface LayerBase {
  /** Unique in the network; the name that the layer's weights have in a Keras file. */
  readonly name: string;
  /** The layers whose outputs come in. */
  readonly inputs: readonly string[];
}

export type Layer =
  | (LayerBase & { readonly kind: "input"; readonly shape: readonly [number, number, number] })
  | (LayerBase & {
      readonly kind: "conv2d";
      readonly filters: number;
      readonly kernel: Pair;
      readonly strides: Pair;
      readonly padding: Padding;
      readonly useBias: boolean;
      readonly activation: Activation;
    })
  /** One filter for each channel. */
  | (LayerBase & {
      readonly kind: "depthwiseConv2d";
      readonly kernel: Pair;
      readonly strides: Pair;
      readonly padding: Padding;
      readonly useBias: boolean;
      readonly activation: Activation;
    })
  | (LayerBase & { readonly kind: "batchNormalization"; readonly epsilon: number })
  | (LayerBase & { readonly kind: "activation"; readonly activation: Activation })
  | (LayerBase & { readonly kind: "add" })
  /** @property padding rows before and after, columns before and after */
  | (LayerBase & { readonly kind: "zeroPadding2d"; readonly padding: readonly [Pair, Pair] })
  | (LayerBase & {
      readonly kind: "maxPooling2d" | "averagePooling2d";
      readonly pool: Pair;
      readonly strides: Pair;
      readonly padding: Padding;
    })
  | (LayerBase & { readonly kind: "globalMaxPooling2d" | "globalAveragePooling2d" | "flatten" })
  | (LayerBase & {
      readonly kind: "dense";
      readonly units: number;
      readonly useBias: boolean;
      readonly activation: Activation;
    });

/** A file of weights that the network's authors or Keras publish. */
export interface PublishedWeights {
  /** The file's name, which it keeps in folders and caches. */
  readonly file: string;
  readonly url: string;
  /** As Keras states it. Absent where Keras states none. */
  readonly md5?: string;
}

export interface Network {
  /** The name that users give, such as `MobileNetV2`. */
  readonly name: string;
  readonly preprocessing: Preprocessing;
  /** In order: each layer comes after its inputs; the first is the only `input`, the last is the output. */
  readonly layers: readonly Layer[];
  readonly imagenet: PublishedWeights;
}

/** Weights by layer name and, in the layer, by Keras's name: kernel, bias, gamma, beta, moving_mean, moving_variance. */
export type Weights = ReadonlyMap<string, Readonly<Record<string, Float32Array>>>;

/** The weights a layer has, by name in Keras's order, with their shapes. */
export function weightShapes(layer: Layer, input: Shape | undefined): Readonly<Record<string, readonly number[]>> {
  const channels = input?.[input.length - 1] ?? 0;
  switch (layer.kind) {
    case "conv2d":
      return {
        kernel: [...layer.kernel, channels, layer.filters],
        ...(layer.useBias ? { bias: [layer.filters] } : {}),
      };
    case "depthwiseConv2d":
      return { kernel: [...layer.kernel, channels, 1], ...(layer.useBias ? { bias: [channels] } : {}) };
    case "batchNormalization":
      return { gamma: [channels], beta: [channels], moving_mean: [channels], moving_variance: [channels] };
    case "dense":
      return { kernel: [channels, layer.units], ...(layer.useBias ? { bias: [layer.units] } : {}) };
    case "input":
    case "activation":
    case "add":
    case "zeroPadding2d":
    case "maxPooling2d":
    case "averagePooling2d":
    case "globalMaxPooling2d":
    case "globalAveragePooling2d":
    case "flatten":
      return {};
  }
}

/**
 * The output shape of every layer, by name.
 * @throws Error for a list that is no network: an unknown input, a name given twice, shapes that do not meet
 */
export function inferShapes(layers: readonly Layer[]): ReadonlyMap<string, Shape> {
  const shapes = new Map<string, Shape>();
  for (const layer of layers) {
    if (shapes.has(layer.name)) throw new Error(`Two layers are named ${layer.name}.`);
    const inputs = layer.inputs.map((name) => {
      const shape = shapes.get(name);
      if (!shape) throw new Error(`Layer ${layer.name} takes ${name}, and no layer before it has that name.`);
      return shape;
    });
    shapes.set(layer.name, outputShape(layer, inputs));
  }
  return shapes;
}

/** Height, width and channels of the network's input. */
export function inputShape(network: Network): readonly [number, number, number] {
  const first = network.layers[0];
  if (first?.kind !== "input") throw new Error(`${network.name} does not begin with an input layer.`);
  return first.shape;
}

/** The length of the feature vector that the network gives for one image. */
export function featureLength(network: Network): number {
  const last = network.layers.at(-1);
  const shape = last && inferShapes(network.layers).get(last.name);
  if (shape?.length !== 1) throw new Error(`${network.name} does not end with a vector.`);
  return shape[0];
}

/** Zeros before and after on one axis for padding `same`: half on each side, the odd one after. As in TensorFlow. */
export function samePadding(size: number, kernel: number, stride: number): Pair {
  const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + kernel - size);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}

function outputShape(layer: Layer, inputs: readonly Shape[]): Shape {
  switch (layer.kind) {
    case "input":
      return layer.shape;
    case "batchNormalization":
    case "activation":
      return only(layer, inputs);
    case "add": {
      const [first, second] = inputs;
      if (!first || !second || inputs.length !== 2 || String(first) !== String(second)) {
        throw new Error(`Layer ${layer.name} adds ${inputs.map((s) => `[${s}]`).join(" and ")}.`);
      }
      return first;
    }
    case "zeroPadding2d": {
      const [height, width, channels] = image(layer, inputs);
      const [[top, bottom], [left, right]] = layer.padding;
      return [height + top + bottom, width + left + right, channels];
    }
    case "conv2d": {
      const [height, width] = image(layer, inputs);
      return [...slide([height, width], layer.kernel, layer.strides, layer.padding), layer.filters];
    }
    case "depthwiseConv2d": {
      const [height, width, channels] = image(layer, inputs);
      return [...slide([height, width], layer.kernel, layer.strides, layer.padding), channels];
    }
    case "maxPooling2d":
    case "averagePooling2d": {
      const [height, width, channels] = image(layer, inputs);
      return [...slide([height, width], layer.pool, layer.strides, layer.padding), channels];
    }
    case "globalMaxPooling2d":
    case "globalAveragePooling2d":
      return [image(layer, inputs)[2]];
    case "flatten":
      return [only(layer, inputs).reduce((product: number, size) => product * size, 1)];
    case "dense": {
      const shape = only(layer, inputs);
      if (shape.length !== 1) throw new Error(`Dense layer ${layer.name} takes a vector, not [${shape}].`);
      return [layer.units];
    }
  }
}

function slide(size: Pair, kernel: Pair, strides: Pair, padding: Padding): Pair {
  const along = (axis: 0 | 1) =>
    padding === "same"
      ? Math.ceil(size[axis] / strides[axis])
      : Math.floor((size[axis] - kernel[axis]) / strides[axis]) + 1;
  return [along(0), along(1)];
}

function only(layer: Layer, inputs: readonly Shape[]): Shape {
  const [shape] = inputs;
  if (!shape || inputs.length !== 1) throw new Error(`Layer ${layer.name} takes one input, not ${inputs.length}.`);
  return shape;
}

function image(layer: Layer, inputs: readonly Shape[]): readonly [number, number, number] {
  const shape = only(layer, inputs);
  if (shape.length !== 3) throw new Error(`Layer ${layer.name} takes rows, columns and channels, not [${shape}].`);
  return shape;
}
