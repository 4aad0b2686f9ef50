import type * as Tfjs from "@tensorflow/tfjs-core";
import type { Graph, GraphNode, Pads } from "./graph";
import { type Activation, type Pair, type Shape, samePadding } from "./layers";

/** TensorFlow.js's operations; which backend runs them is set on the library. */
export type Tf = typeof Tfjs;

/** A graph whose weights are tensors of one backend. */
export interface TfjsGraph {
  run(input: Float32Array, batch: number): Promise<Float32Array>;
  dispose(): void;
}

/** Builds a graph from TensorFlow.js operations. The wanted backend must be the active one. */
export function buildTfjsGraph(tf: Tf, graph: Graph): TfjsGraph {
  const shapes = new Map(graph.nodes.map((node) => [node.name, node.shape]));
  const weights: Tfjs.Tensor[] = [];
  const keep = <T extends Tfjs.Tensor>(tensor: T): T => {
    weights.push(tensor);
    return tensor;
  };
  const steps = graph.nodes.map((node) => ({
    node,
    compute: operation(tf, node, shapes.get(node.inputs[0] ?? "") ?? node.shape, keep),
  }));
  const lastUse = lastUses(graph.nodes);
  return {
    async run(input, batch) {
      const output = tf.tidy(() => {
        const values = new Map<string, Tfjs.Tensor>();
        let last: Tfjs.Tensor = tf.tensor4d(input, [batch, ...graph.inputShape]);
        steps.forEach(({ node, compute }, i) => {
          const inputs = node.op === "input" ? [last] : node.inputs.map((name) => values.get(name)!);
          last = compute(inputs);
          values.set(node.name, last);
          // Early, not at the end of the tidy: or all activations of the batch are held at once.
          for (const name of lastUse.get(i) ?? []) if (values.get(name) !== last) values.get(name)!.dispose();
        });
        return last;
      });
      try {
        return (await output.data()) as Float32Array;
      } finally {
        output.dispose();
      }
    },
    dispose: () => {
      for (const tensor of weights) tensor.dispose();
    },
  };
}

/** The nodes whose outputs nobody needs after step `i`. */
function lastUses(nodes: readonly GraphNode[]): ReadonlyMap<number, readonly string[]> {
  const last = new Map<string, number>();
  nodes.forEach((node, i) => {
    for (const name of node.inputs) last.set(name, i);
  });
  const byStep = new Map<number, string[]>();
  for (const [name, step] of last) byStep.set(step, [...(byStep.get(step) ?? []), name]);
  return byStep;
}

type Compute = (inputs: readonly Tfjs.Tensor[]) => Tfjs.Tensor;

function operation(tf: Tf, node: GraphNode, input: Shape, keep: <T extends Tfjs.Tensor>(tensor: T) => T): Compute {
  switch (node.op) {
    case "input":
      return ([x]) => x!;
    case "conv":
    case "depthwiseConv": {
      const filter = keep(tf.tensor4d(node.kernel, [...node.kernelShape]));
      const bias = keep(tf.tensor1d(node.bias));
      const [rows, columns] = node.kernelShape;
      const { mode, before } = padding(tf, node.pads, input, [rows, columns], node.strides);
      const fused = node.op === "conv" ? tf.fused.conv2d : tf.fused.depthwiseConv2d;
      const [strideRows, strideColumns] = node.strides;
      const { inside, after } = splitActivation(tf, node.activation);
      return ([x]) =>
        after(
          fused({
            x: before(x as Tfjs.Tensor4D),
            filter,
            bias,
            strides: [strideRows, strideColumns],
            pad: mode,
            activation: inside,
          }),
        );
    }
    case "dense": {
      const units = node.bias.length;
      const kernel = keep(tf.tensor2d(node.kernel, [node.kernel.length / units, units]));
      const bias = keep(tf.tensor1d(node.bias));
      const { inside, after } = splitActivation(tf, node.activation);
      return ([x]) => after(tf.fused.matMul({ a: x as Tfjs.Tensor2D, b: kernel, bias, activation: inside }));
    }
    case "scale": {
      const scale = keep(tf.tensor1d(Float32Array.from(node.scale)));
      const shift = keep(tf.tensor1d(Float32Array.from(node.shift)));
      return ([x]) => activate(tf, node.activation, tf.add(tf.mul(x!, scale), shift));
    }
    case "add":
      return ([a, b]) => activate(tf, node.activation, tf.add(a!, b!));
    case "multiply":
      return ([a, b]) => activate(tf, node.activation, tf.mul(a!, b!));
    case "reshape":
      return ([x]) => tf.reshape(x!, [x!.shape[0]!, ...node.shape]);
    case "activation":
      return ([x]) => activate(tf, node.activation, x!);
    case "pad": {
      const pads = allPads(node.pads);
      return ([x]) => tf.pad(x as Tfjs.Tensor4D, pads);
    }
    case "maxPool":
    case "averagePool": {
      const { mode } = padding(tf, node.pads, input, node.pool, node.strides);
      const pool = node.op === "maxPool" ? tf.maxPool : tf.avgPool;
      const [size, strides] = [[...node.pool] as [number, number], [...node.strides] as [number, number]];
      return ([x]) => pool(x as Tfjs.Tensor4D, size, strides, mode);
    }
    case "globalMaxPool":
      return ([x]) => tf.max(x!, [1, 2]);
    case "globalAveragePool":
      return ([x]) => tf.mean(x!, [1, 2]);
    case "flatten":
      return ([x]) => tf.reshape(x!, [x!.shape[0]!, -1]);
  }
}

/**
 * How to get these pads: the backends know `same` and `valid` for every kind of convolution, so other pads are an
 * operation of their own before it.
 */
function padding(tf: Tf, pads: Pads, input: Shape, kernel: Pair, strides: Pair) {
  const none = [...pads.rows, ...pads.columns].every((zeros) => zeros === 0);
  if (none) return { mode: "valid" as const, before: (x: Tfjs.Tensor4D) => x };
  const same = [pads.rows, pads.columns].every(
    (pair, axis) => String(pair) === String(samePadding(input[axis]!, kernel[axis]!, strides[axis]!)),
  );
  if (same) return { mode: "same" as const, before: (x: Tfjs.Tensor4D) => x };
  return { mode: "valid" as const, before: (x: Tfjs.Tensor4D) => tf.pad(x, allPads(pads)) };
}

function allPads({ rows, columns }: Pads): [number, number][] {
  return [
    [0, 0],
    [rows[0], rows[1]],
    [columns[0], columns[1]],
    [0, 0],
  ];
}

/** What the fused operations do themselves, and what is done after them. */
function splitActivation(tf: Tf, activation: Activation) {
  return activation === "swish" || activation === "sigmoid"
    ? { inside: "linear" as const, after: (x: Tfjs.Tensor) => activate(tf, activation, x) }
    : { inside: activation, after: (x: Tfjs.Tensor) => x };
}

function activate(tf: Tf, activation: Activation, x: Tfjs.Tensor): Tfjs.Tensor {
  switch (activation) {
    case "linear":
      return x;
    case "relu":
      return tf.relu(x);
    case "relu6":
      return tf.relu6(x);
    case "swish":
      return tf.mul(x, tf.sigmoid(x));
    case "sigmoid":
      return tf.sigmoid(x);
  }
}
