import { inferShapes, type Network, type Weights, weightShapes } from "../../src/networks/layers";

/* Weights and pixels by a formula of whole numbers, the same ones as in test/golden/_formula.py. */

/** Numbers from -1 to below 1, each one exact in float32, scaled in float64 as Python does. */
function uniform(key: number, length: number, scale: number, shift: number): Float32Array {
  const out = new Float32Array(length);
  const start = (key * 40503 + 1) >>> 0;
  for (let i = 0; i < length; i++) {
    let h = (Math.imul(i, 2654435761) + start) | 0;
    h ^= h >>> 16;
    h = Math.imul(h, 0x7feb352d);
    h ^= h >>> 15;
    h = Math.imul(h, 0x846ca68b);
    h ^= h >>> 16;
    out[i] = ((h >>> 8) / 8388608 - 1) * scale + shift;
  }
  return out;
}

/** Every weight of a network; layers are counted in Keras's order. */
export function formulaWeights(network: Network): Weights {
  const shapes = inferShapes(network.layers);
  const weights = new Map<string, Record<string, Float32Array>>();
  for (const layer of network.layers) {
    const own = Object.entries(weightShapes(layer, shapes.get(layer.inputs[0] ?? "")));
    if (own.length === 0) continue;
    const number = weights.size;
    const values = own.map(([name, shape], place) => [name, weight(name, shape, number * 8 + place)] as const);
    weights.set(layer.name, Object.fromEntries(values));
  }
  return weights;
}

function weight(name: string, shape: readonly number[], key: number): Float32Array {
  const size = shape.reduce((product, n) => product * n, 1);
  switch (name) {
    case "kernel": {
      const depthwise = shape.length === 4 && shape[3] === 1;
      const fanIn = depthwise ? shape[0]! * shape[1]! : size / shape.at(-1)!;
      return uniform(key, size, Math.sqrt(6 / fanIn), 0);
    }
    case "gamma":
      return uniform(key, size, 0.2, 1);
    case "moving_variance":
      return uniform(key, size, 0.5, 1);
    case "mean":
      return uniform(key, size, 0.05, 0.45);
    case "variance":
      return uniform(key, size, 0.01, 0.05);
    default:
      return uniform(key, size, 0.1, 0);
  }
}

/** Numbers from -1 to below 1. */
export function formulaNumbers(key: number, length: number): Float32Array {
  return uniform(key, length, 1, 0);
}

/** An RGB image of bytes. */
export function formulaPixels(height: number, width: number, key: number): Uint8Array {
  return Uint8Array.from(uniform(key, height * width * 3, 128, 128), Math.floor);
}

/** Some of many values, as Python's `sample` takes them. */
export interface Sampled {
  readonly length: number;
  readonly largest: number;
  readonly stride: number;
  readonly shares: readonly number[];
}

/** The greatest difference to what Keras gave, as a share of its greatest value. */
export function differenceFrom(values: Float32Array, expected: Sampled): number {
  if (values.length !== expected.length) throw new Error(`${values.length} values, not ${expected.length}`);
  const found = values.filter((_, i) => i % expected.stride === 0);
  return expected.shares.reduce((most, share, i) => Math.max(most, Math.abs(found[i]! / expected.largest - share)), 0);
}
