import { type Activation, inKerasOrder, type Layer, outputShape, type Padding, type Pair, type Shape } from "./layers";

/** How a network is wanted: the parameters that Keras's functions share. */
export interface NetworkForm {
  /** Rows, columns, 3 channels. */
  readonly inputShape: readonly [height: number, width: number, channels: 3];
  /** What becomes of the last feature map: the average or the greatest value of each channel, or the map itself. */
  readonly pooling: Pooling;
  /** True for the published ImageNet weights, with which Keras builds some networks otherwise. */
  readonly imagenet: boolean;
}

export const POOLINGS = ["avg", "max", "none"] as const;
export type Pooling = (typeof POOLINGS)[number];

/** Layers as they are put one upon the other; each function gives the name of the layer it added. */
export interface LayerList {
  /** The layer that was added last. */
  last(): string;
  shape(name: string): Shape;
  add(layer: Layer): string;
  conv(name: string, options: ConvOptions): string;
  depthwise(name: string, options: Omit<ConvOptions, "filters">): string;
  normalize(name: string, epsilon: number): string;
  activate(name: string, activation: Activation, reluLayer?: boolean): string;
  /** The pooling that the form wants, or nothing. */
  pool(pooling: Pooling, names: { readonly avg: string; readonly max: string }): void;
  /** The layers in Keras's order. */
  done(): Layer[];
}

export interface ConvOptions {
  readonly filters: number;
  readonly size: number;
  /** @default 1 */
  readonly stride?: number;
  /** @default "same" */
  readonly padding?: Padding;
  /** @default false */
  readonly useBias?: boolean;
  /** @default "linear" */
  readonly activation?: Activation;
  /** @default the layer that was added last */
  readonly input?: string;
}

/** Begins a network with Keras's input layer. */
export function layerList(inputShape: readonly [number, number, number]): LayerList {
  const layers: Layer[] = [];
  const shapes = new Map<string, Shape>();
  const list: LayerList = {
    last: () => layers.at(-1)!.name,
    shape: (name) => shapes.get(name)!,
    add(layer) {
      shapes.set(layer.name, outputShape(layer, layer.inputs.map(list.shape)));
      layers.push(layer);
      return layer.name;
    },
    conv: (name, options) => list.add({ ...sliding(name, options), kind: "conv2d", filters: options.filters }),
    depthwise: (name, options) => list.add({ ...sliding(name, options), kind: "depthwiseConv2d" }),
    normalize: (name, epsilon) => list.add({ kind: "batchNormalization", name, inputs: [list.last()], epsilon }),
    activate: (name, activation, reluLayer = false) =>
      list.add({ kind: "activation", name, inputs: [list.last()], activation, ...(reluLayer && { reluLayer }) }),
    pool(pooling, names) {
      if (pooling === "none") return;
      const kind = pooling === "avg" ? "globalAveragePooling2d" : "globalMaxPooling2d";
      list.add({ kind, name: names[pooling], inputs: [list.last()] });
    },
    done: () => inKerasOrder(layers),
  };
  const sliding = (name: string, options: Omit<ConvOptions, "filters">) => ({
    name,
    inputs: [options.input ?? list.last()],
    kernel: [options.size, options.size] as Pair,
    strides: [options.stride ?? 1, options.stride ?? 1] as Pair,
    padding: options.padding ?? "same",
    useBias: options.useBias ?? false,
    activation: options.activation ?? "linear",
  });
  list.add({ kind: "input", name: "input_layer", inputs: [], shape: inputShape });
  return list;
}

/** The zeros before a convolution of stride 2 without padding: none before an even axis, as the networks were trained. */
export function correctPad([height, width]: readonly number[], kernel: number): readonly [Pair, Pair] {
  const half = Math.floor(kernel / 2);
  const along = (size: number): Pair => [half - (1 - (size % 2)), half];
  return [along(height!), along(width!)];
}
