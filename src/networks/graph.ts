import {
  type Activation,
  featureLength,
  inferShapes,
  inputShape,
  type Layer,
  type Network,
  type Pair,
  type Shape,
  samePadding,
  type Weights,
} from "./layers";

/** Zeros before and after on each axis. */
export interface Pads {
  readonly rows: Pair;
  readonly columns: Pair;
}

interface Node {
  readonly name: string;
  readonly inputs: readonly string[];
  /** Of the output, without the batch. */
  readonly shape: Shape;
}

/** A convolution over all channels, or with one filter for each channel. Kernel: rows, columns, channels in, out. */
export interface ConvNode extends Node {
  readonly op: "conv" | "depthwiseConv";
  readonly kernel: Float32Array;
  readonly kernelShape: readonly [number, number, number, number];
  readonly bias: Float32Array;
  readonly strides: Pair;
  readonly pads: Pads;
  readonly activation: Activation;
}

/** @property kernel values in x units */
export interface DenseNode extends Node {
  readonly op: "dense";
  readonly kernel: Float32Array;
  readonly bias: Float32Array;
  readonly activation: Activation;
}

/** A batch norm that follows no convolution: `x * scale + shift` for each channel. */
export interface ScaleNode extends Node {
  readonly op: "scale";
  readonly scale: Float64Array;
  readonly shift: Float64Array;
  readonly activation: Activation;
}

export interface PoolNode extends Node {
  readonly op: "maxPool" | "averagePool";
  readonly pool: Pair;
  readonly strides: Pair;
  readonly pads: Pads;
}

/**
 * What a backend builds: batch norms are folded into the convolutions before them, an activation is part of the node
 * that it follows, padding is explicit and part of the convolution.
 */
export type GraphNode =
  | (Node & { readonly op: "input" })
  | ConvNode
  | DenseNode
  | ScaleNode
  | PoolNode
  | (Node & { readonly op: "add" | "multiply" | "activation"; readonly activation: Activation })
  | (Node & { readonly op: "reshape"; readonly shape: readonly [1, 1, number] })
  | (Node & { readonly op: "pad"; readonly pads: Pads })
  | (Node & { readonly op: "globalMaxPool" | "globalAveragePool" | "flatten" });

export interface Graph {
  readonly name: string;
  readonly inputShape: readonly [height: number, width: number, channels: number];
  /** In order: each node comes after its inputs; the last is the output. */
  readonly nodes: readonly GraphNode[];
  /** Values per image that come out. */
  readonly outputLength: number;
}

/** The least deviation that Keras's Normalization divides by. */
const KERAS_EPSILON = 1e-7;

// Layers have no slash in their names, so this is nobody else's.
const FLATTENED = "network/flattened";

const NO_PADS: Pads = { rows: [0, 0], columns: [0, 0] };

/** The graph of a network with its weights. The weights fit: {@link readWeights} and {@link randomWeights} see to it. */
export function buildGraph(network: Network, weights: Weights): Graph {
  const shapes = inferShapes(network.layers);
  const consumers = new Map<string, number>();
  for (const name of network.layers.flatMap((layer) => layer.inputs)) {
    consumers.set(name, (consumers.get(name) ?? 0) + 1);
  }
  const nodes = new Map<string, GraphNode>();
  // A layer that went into the node before it lives on under that node's name.
  const merged = new Map<string, string>();
  for (const layer of network.layers) {
    const inputs = layer.inputs.map((name) => merged.get(name) ?? name);
    const node = lower(layer, inputs, shapes, weights.get(layer.name) ?? {});
    const previous = inputs.length === 1 ? nodes.get(inputs[0]!) : undefined;
    const mayMerge = previous !== undefined && consumers.get(layer.inputs[0]!) === 1;
    const whole = mayMerge ? merge(previous, node) : undefined;
    if (!whole) {
      nodes.set(node.name, node);
      continue;
    }
    nodes.delete(previous!.name);
    nodes.set(whole.name, whole);
    merged.set(layer.name, whole.name);
  }
  const output = network.layers.at(-1)!;
  const last = merged.get(output.name) ?? output.name;
  const outputLength = featureLength(network);
  // A vector for each image, also where the network ends with an image of many channels.
  if (shapes.get(output.name)!.length > 1) {
    nodes.set(FLATTENED, { name: FLATTENED, inputs: [last], shape: [outputLength], op: "flatten" });
  }
  return { name: network.name, inputShape: inputShape(network), nodes: [...nodes.values()], outputLength };
}

/** The two nodes as one, where that is the same computation. */
function merge(previous: GraphNode, next: GraphNode): GraphNode | undefined {
  switch (next.op) {
    case "scale":
      if (!("activation" in previous) || previous.activation !== "linear") return undefined;
      if (previous.op === "scale") return chainScales(previous, next);
      return previous.op === "conv" || previous.op === "depthwiseConv" ? foldScale(previous, next) : undefined;
    case "activation":
      if (next.activation === "linear") return previous;
      if (!("activation" in previous) || previous.activation !== "linear") return undefined;
      return { ...previous, activation: next.activation };
    case "conv":
    case "depthwiseConv":
      if (previous.op !== "pad") return undefined;
      return { ...next, inputs: previous.inputs, pads: addPads(previous.pads, next.pads) };
    default:
      return undefined;
  }
}

/** The last axis of a kernel is the output channel, and for a depthwise kernel (..., channels, 1) the channel before. */
function foldScale(conv: ConvNode, { scale, shift }: ScaleNode): ConvNode {
  const channels = scale.length;
  const kernel = conv.kernel.map((value, i) => value * scale[i % channels]!);
  const bias = conv.bias.map((value, i) => value * scale[i]! + shift[i]!);
  return { ...conv, kernel, bias };
}

function chainScales(first: ScaleNode, { scale, shift }: ScaleNode): ScaleNode {
  return {
    ...first,
    scale: first.scale.map((value, i) => value * scale[i]!),
    shift: first.shift.map((value, i) => value * scale[i]! + shift[i]!),
  };
}

function addPads(a: Pads, b: Pads): Pads {
  const add = (x: Pair, y: Pair): Pair => [x[0] + y[0], x[1] + y[1]];
  return { rows: add(a.rows, b.rows), columns: add(a.columns, b.columns) };
}

function lower(
  layer: Layer,
  inputs: readonly string[],
  shapes: ReadonlyMap<string, Shape>,
  weights: Readonly<Record<string, Float32Array>>,
): GraphNode {
  const shape = shapes.get(layer.name)!;
  const input = layer.inputs[0] === undefined ? shape : shapes.get(layer.inputs[0])!;
  const node = { name: layer.name, inputs, shape };
  switch (layer.kind) {
    case "input":
      return { ...node, op: "input" };
    case "conv2d":
    case "depthwiseConv2d": {
      const channels = input[input.length - 1]!;
      const [op, out] = layer.kind === "conv2d" ? (["conv", layer.filters] as const) : (["depthwiseConv", 1] as const);
      return {
        ...node,
        op,
        kernel: weights.kernel!,
        kernelShape: [...layer.kernel, channels, out],
        bias: weights.bias ?? new Float32Array(op === "conv" ? out : channels),
        strides: layer.strides,
        pads: padsOf(layer.padding, input, layer.kernel, layer.strides),
        activation: layer.activation,
      };
    }
    case "batchNormalization":
      return { ...node, op: "scale", ...scaleAndShift(weights, layer.epsilon), activation: "linear" };
    case "dense":
      return {
        ...node,
        op: "dense",
        kernel: weights.kernel!,
        bias: weights.bias ?? new Float32Array(layer.units),
        activation: layer.activation,
      };
    case "activation":
      return { ...node, op: "activation", activation: layer.activation };
    case "dropout":
      return { ...node, op: "activation", activation: "linear" };
    case "rescaling": {
      const scale = Float64Array.from(
        { length: input[input.length - 1]! },
        (_, i) => layer.scale[i] ?? layer.scale[0]!,
      );
      return { ...node, op: "scale", scale, shift: new Float64Array(scale.length), activation: "linear" };
    }
    case "normalization": {
      const scale = Float64Array.from(weights.variance!, (value) => 1 / Math.max(Math.sqrt(value), KERAS_EPSILON));
      const shift = scale.map((value, i) => -weights.mean![i]! * value);
      return { ...node, op: "scale", scale, shift, activation: "linear" };
    }
    case "add":
    case "multiply":
      return { ...node, op: layer.kind, activation: "linear" };
    case "reshape":
      return { ...node, op: "reshape", shape: layer.shape };
    case "zeroPadding2d":
      return { ...node, op: "pad", pads: { rows: layer.padding[0], columns: layer.padding[1] } };
    case "maxPooling2d":
    case "averagePooling2d":
      return {
        ...node,
        op: layer.kind === "maxPooling2d" ? "maxPool" : "averagePool",
        pool: layer.pool,
        strides: layer.strides,
        pads: padsOf(layer.padding, input, layer.pool, layer.strides),
      };
    case "globalMaxPooling2d":
      return { ...node, op: "globalMaxPool" };
    case "globalAveragePooling2d":
      return { ...node, op: "globalAveragePool" };
    case "flatten":
      return { ...node, op: "flatten" };
  }
}

function padsOf(padding: "same" | "valid", input: Shape, kernel: Pair, strides: Pair): Pads {
  if (padding === "valid" || input.length !== 3) return NO_PADS;
  return {
    rows: samePadding(input[0], kernel[0], strides[0]),
    columns: samePadding(input[1], kernel[1], strides[1]),
  };
}

/** What a trained batch norm does: `gamma * (x - mean) / sqrt(variance + epsilon) + beta`. */
function scaleAndShift(weights: Readonly<Record<string, Float32Array>>, epsilon: number) {
  const { gamma, beta, moving_mean: mean, moving_variance: variance } = weights;
  // In float64, so that folding rounds each weight once.
  const scale = Float64Array.from(gamma!, (value, i) => value / Math.sqrt(variance![i]! + epsilon));
  return { scale, shift: scale.map((value, i) => beta![i]! - mean![i]! * value) };
}
