import { createHash } from "node:crypto";
import { PomonaError } from "../errors";
import { type H5Group, openH5 } from "./h5-file";
import { inferShapes, type Network, type Weights, weightShapes } from "./layers";

/** Thrown when weights do not fit the network: another architecture, another width, a file with or without the top. */
export class WeightsShapeError extends PomonaError {
  constructor(
    readonly source: string,
    readonly layer: string,
    /** The weight's name in the layer, such as `kernel`. */
    readonly weight: string,
    readonly expected: readonly number[],
    /** Undefined where the file has no such weight. */
    readonly found: readonly number[] | undefined,
    network: string,
  ) {
    const has = found ? `has shape [${found.join(", ")}]` : "is missing";
    super(`${source} does not fit ${network}: ${weight} of layer ${layer} ${has}, not [${expected.join(", ")}].`, {
      remedy: `Give the Keras weights that were made for ${network}.`,
    });
  }
}

/** Thrown for a file that is not Keras weights in the legacy HDF5 layout. */
export class WeightsFormatError extends PomonaError {
  constructor(
    readonly source: string,
    reason: string,
    cause?: unknown,
  ) {
    super(`${source} cannot be read as Keras weights: ${reason}.`, {
      remedy: 'Give a file in Keras\'s HDF5 layout, as published by Keras or written by `model.save("name.h5")`.',
      cause,
    });
  }
}

/**
 * Reads the weights of `network` from a Keras HDF5 file: attribute `layer_names`, a group a layer, attribute
 * `weight_names` in each; at the root (weights alone) or in the group `model_weights` (a whole model). Layers go by name;
 * what the network does not have, such as a classifier, is left out.
 * @throws WeightsFormatError, WeightsShapeError
 */
export async function readWeights(path: string, network: Network): Promise<Weights> {
  const file = await openH5(path).catch((error: unknown) => {
    throw new WeightsFormatError(path, "it is not an HDF5 file, or it is cut short", error);
  });
  try {
    const root = file.group("model_weights") ?? file.root;
    const layerNames = root.attribute("layer_names");
    if (!layerNames) throw new WeightsFormatError(path, "it has no attribute layer_names");
    const inFile = new Set(layerNames);
    return mapWeights(network, (layer, names) => {
      const group = inFile.has(layer) ? root.group(layer) : undefined;
      return group ? layerWeights(group, names) : {};
    }, path); // biome-ignore format: the function is the point
  } finally {
    file.close();
  }
}

/** Seeded random weights: convolutions and dense layers by He's normal initialisation, batch norms the identity. */
export function randomWeights(network: Network, seed: number): Weights {
  return mapWeights(network, (layer, _names, shapes) => {
    const entries = Object.entries(shapes).map(([weight, shape]) => {
      const size = shape.reduce((product, n) => product * n, 1);
      return [weight, { shape, values: randomWeight(weight, shape, size, `${seed}/${layer}/${weight}`) }] as const;
    });
    return Object.fromEntries(entries);
  }, "random weights"); // biome-ignore format: the function is the point
}

/** SHA-256 of all weights, for weights that have no file: of each layer in order, each weight's bytes in order. */
export function hashWeights(weights: Weights): string {
  const hash = createHash("sha256");
  for (const layer of weights.values()) {
    for (const { buffer, byteOffset, byteLength } of Object.values(layer)) {
      hash.update(new Uint8Array(buffer, byteOffset, byteLength));
    }
  }
  return hash.digest("hex");
}

interface StoredWeight {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

type Lookup = (
  layer: string,
  names: readonly string[],
  shapes: Readonly<Record<string, readonly number[]>>,
) => Readonly<Record<string, StoredWeight>>;

function mapWeights(network: Network, lookup: Lookup, source: string): Weights {
  const outputs = inferShapes(network.layers);
  const weights = new Map<string, Record<string, Float32Array>>();
  for (const layer of network.layers) {
    const input = layer.inputs[0] === undefined ? undefined : outputs.get(layer.inputs[0]);
    const shapes = weightShapes(layer, input);
    const names = Object.keys(shapes);
    if (names.length === 0) continue;
    const stored = lookup(layer.name, names, shapes);
    const found: Record<string, Float32Array> = {};
    for (const [name, shape] of Object.entries(shapes)) {
      const weight = stored[name];
      if (!weight || String(weight.shape) !== String(shape)) {
        throw new WeightsShapeError(source, layer.name, name, shape, weight?.shape, network.name);
      }
      found[name] = weight.values;
    }
    weights.set(layer.name, found);
  }
  return weights;
}

/**
 * A layer's weights by their short names. Files write `block1_conv1/kernel:0`, `Conv1/kernel` or `depthwise_kernel:0`,
 * so weights go by their place, which is the same in all: kernel, bias; gamma, beta, mean, variance.
 */
function layerWeights(group: H5Group, names: readonly string[]): Record<string, StoredWeight> {
  const stored = group.attribute("weight_names") ?? [];
  const entries = names.flatMap((name, i) => {
    const path = stored[i];
    const dataset = path === undefined ? undefined : group.float32(path);
    return dataset ? [[name, dataset] as const] : [];
  });
  return Object.fromEntries(entries);
}

/** @see He, Zhang, Ren, Sun, "Delving Deep into Rectifiers", ICCV 2015, https://arxiv.org/abs/1502.01852 */
function randomWeight(name: string, shape: readonly number[], size: number, key: string): Float32Array {
  switch (name) {
    case "gamma":
    case "moving_variance":
      return new Float32Array(size).fill(1);
    case "kernel": {
      // A depthwise filter (..., channels, 1) sees one channel only.
      const fanIn = shape.length === 4 && shape[3] === 1 ? shape[0]! * shape[1]! : size / shape[shape.length - 1]!;
      const deviation = Math.sqrt(2 / fanIn);
      const next = normals(key);
      return Float32Array.from({ length: size }, () => next() * deviation);
    }
    default:
      return new Float32Array(size);
  }
}

/** Standard normal numbers by Box and Muller, from uniform ones by mulberry32 seeded with the key's hash. */
function normals(key: string): () => number {
  let state = createHash("sha256").update(key).digest().readUInt32LE();
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  let spare: number | undefined;
  return () => {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    const angle = 2 * Math.PI * uniform();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}
