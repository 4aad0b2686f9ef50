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

/** `swish`: `x * sigmoid(x)`, also known as SiLU. */
export type Activation = "linear" | "relu" | "relu6" | "swish" | "sigmoid";

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
  /** @property reluLayer true where Keras has its layer ReLU and not Activation, which shows in its summary */
  | (LayerBase & { readonly kind: "activation"; readonly activation: Activation; readonly reluLayer?: boolean })
  | (LayerBase & { readonly kind: "add" })
  /** The product of two; the second may have one row and one column. */
  | (LayerBase & { readonly kind: "multiply" })
  /** A vector as an image of one pixel. */
  | (LayerBase & { readonly kind: "reshape"; readonly shape: readonly [1, 1, number] })
  /** Nothing, but in training. */
  | (LayerBase & { readonly kind: "dropout" })
  /** `x * scale`, one for all channels or one each. */
  | (LayerBase & { readonly kind: "rescaling"; readonly scale: readonly number[] })
  /** `(x - mean) / sqrt(variance)` for each channel. */
  | (LayerBase & { readonly kind: "normalization" })
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
  /** What Keras calls the model, such as `mobilenetv2_1.00_224`. */
  readonly title: string;
  readonly preprocessing: Preprocessing;
  /** In Keras's order: each layer comes after its inputs; the first is the only `input`, the last is the output. */
  readonly layers: readonly Layer[];
  /** The files that have these weights: the first one is fetched where none is there. */
  readonly imagenet: readonly [PublishedWeights, ...PublishedWeights[]];
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
    case "normalization":
      return { mean: [channels], variance: [channels] };
    case "input":
    case "activation":
    case "add":
    case "multiply":
    case "reshape":
    case "dropout":
    case "rescaling":
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

/** The shape of what the network gives for one image. */
export function outputShapeOf(network: Network): Shape {
  const last = network.layers.at(-1);
  const shape = last && inferShapes(network.layers).get(last.name);
  if (!shape) throw new Error(`${network.name} has no layers.`);
  return shape;
}

/** Values that the network gives for one image. */
export function featureLength(network: Network): number {
  return outputShapeOf(network).reduce((product: number, size) => product * size, 1);
}

/**
 * Layers in the order of Keras's `model.layers`: the farther from the output the earlier, and among equally far ones as a
 * walk from the output to the inputs meets them. Weights in files are in this order.
 * @see https://github.com/keras-team/keras/blob/v3.15.0/keras/src/ops/function.py map_graph
 */
export function inKerasOrder(layers: readonly Layer[]): Layer[] {
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  const met = new Map<string, number>();
  const meet = (name: string) => {
    if (met.has(name)) return;
    met.set(name, met.size);
    byName.get(name)!.inputs.forEach(meet);
  };
  meet(layers.at(-1)!.name);
  const depths = new Map<string, number>();
  // Each layer comes after its inputs, so from the last to the first each one's depth is final when it is reached.
  for (const { name, inputs } of [...layers].reverse()) {
    const depth = depths.get(name) ?? 0;
    depths.set(name, depth);
    for (const input of inputs) depths.set(input, Math.max(depth + 1, depths.get(input) ?? 0));
  }
  const order = (a: Layer, b: Layer) =>
    depths.get(b.name)! - depths.get(a.name)! || met.get(a.name)! - met.get(b.name)!;
  return layers.filter(({ name }) => met.has(name)).sort(order);
}

/** Zeros before and after on one axis for padding `same`: half on each side, the odd one after. As in TensorFlow. */
export function samePadding(size: number, kernel: number, stride: number): Pair {
  const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + kernel - size);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}

/** What a layer gives for inputs of these shapes. @throws Error where it cannot take them */
export function outputShape(layer: Layer, inputs: readonly Shape[]): Shape {
  switch (layer.kind) {
    case "input":
      return layer.shape;
    case "batchNormalization":
    case "activation":
    case "dropout":
    case "rescaling":
    case "normalization":
      return only(layer, inputs);
    case "reshape": {
      const shape = only(layer, inputs);
      if (String(shape) !== String(layer.shape[2])) throw new Error(`Layer ${layer.name} reshapes [${shape}].`);
      return layer.shape;
    }
    case "multiply": {
      const [first, second] = inputs;
      const fits = first?.length === 3 && second?.length === 3 && inputs.length === 2 && first[2] === second[2];
      if (!fits || (String(second) !== String(first) && (second[0] !== 1 || second[1] !== 1))) {
        throw new Error(`Layer ${layer.name} multiplies ${inputs.map((s) => `[${s}]`).join(" and ")}.`);
      }
      return first;
    }
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
