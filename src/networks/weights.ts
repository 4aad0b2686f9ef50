import { createHash } from "node:crypto";
import { PomonaError } from "../errors";
import { openKerasFile, type StoredWeight } from "./keras-file";
import { inferShapes, type Layer, type Network, type Weights, weightShapes } from "./layers";

/** Thrown when weights do not fit the network: another architecture, another width, a file with or without the top. */
export class WeightsShapeError extends PomonaError {
  constructor(
    readonly source: string,
    readonly layer: string,
    /** The weight's name in the layer, such as `kernel`. */
    readonly weight: string,
    /** Undefined where the network has no such layer. */
    readonly expected: readonly number[] | undefined,
    /** Undefined where the file has no such weight. */
    readonly found: readonly number[] | undefined,
    network: string,
  ) {
    const has = found ? `has shape [${found.join(", ")}]` : "is missing";
    const reason = expected
      ? `${weight} of layer ${layer} ${has}, not [${expected.join(", ")}]`
      : `it has the layer ${layer}, which ${network} has not`;
    super(`${source} does not fit ${network}: ${reason}.`, {
      remedy: `Give the Keras weights that were made for ${network}.`,
    });
  }
}

/**
 * Reads the weights of `network` from a file that Keras wrote: see {@link openKerasFile} for the layouts.
 * @throws WeightsFormatError, WeightsShapeError
 */
export async function readWeights(path: string, network: Network): Promise<Weights> {
  const file = await openKerasFile(path);
  try {
    const weightsOf = file.weightsOf(network);
    const weights = mapWeights(network, path, (layer, shapes) => {
      const names = Object.keys(shapes);
      const stored = weightsOf(layer, names.length);
      return Object.fromEntries(names.flatMap((name, i) => (stored[i] ? [[name, stored[i]]] : [])));
    });
    const foreign = file.foreignLayer(network);
    if (foreign !== undefined) throw new WeightsShapeError(path, foreign, "kernel", undefined, undefined, network.name);
    return weights;
  } finally {
    await file.close();
  }
}

/**
 * Whether a whole model in a file scales its input twice, as Keras builds EfficientNet for the published weights; undefined
 * for weights alone, which do not say.
 * @throws WeightsFormatError
 */
export async function scalesInputTwice(path: string): Promise<boolean | undefined> {
  const file = await openKerasFile(path);
  const classes = file.layerClasses;
  await file.close();
  return classes && classes.filter((name) => name === "Rescaling").length > 1;
}

/** Seeded random weights: convolutions and dense layers by He's normal initialisation, batch norms the identity. */
export function randomWeights(network: Network, seed: number): Weights {
  return mapWeights(network, "random weights", (layer, shapes) => {
    const entries = Object.entries(shapes).map(([weight, shape]) => {
      const size = shape.reduce((product, n) => product * n, 1);
      return [weight, { shape, values: randomWeight(weight, shape, size, `${seed}/${layer.name}/${weight}`) }] as const;
    });
    return Object.fromEntries(entries);
  });
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

type Lookup = (
  layer: Layer,
  shapes: Readonly<Record<string, readonly number[]>>,
) => Readonly<Record<string, StoredWeight>>;

function mapWeights(network: Network, source: string, lookup: Lookup): Weights {
  const outputs = inferShapes(network.layers);
  const weights = new Map<string, Record<string, Float32Array>>();
  for (const layer of network.layers) {
    const input = layer.inputs[0] === undefined ? undefined : outputs.get(layer.inputs[0]);
    const shapes = weightShapes(layer, input);
    if (Object.keys(shapes).length === 0) continue;
    const stored = lookup(layer, shapes);
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

/** @see He, Zhang, Ren, Sun, "Delving Deep into Rectifiers", ICCV 2015, https://arxiv.org/abs/1502.01852 */
function randomWeight(name: string, shape: readonly number[], size: number, key: string): Float32Array {
  switch (name) {
    case "gamma":
    case "variance":
    case "moving_variance":
      return new Float32Array(size).fill(1);
    case "kernel": {
      // A depthwise filter (..., channels, 1) sees one channel only.
      const fanIn = shape.length === 4 && shape[3] === 1 ? shape[0]! * shape[1]! : size / shape[shape.length - 1]!;
      const deviation = Math.sqrt(2 / fanIn);
      return normals(key, size, deviation);
    }
    default:
      return new Float32Array(size);
  }
}

/** Normal numbers by Box and Muller, two at a time, from uniform ones by mulberry32 seeded with the key's hash. */
function normals(key: string, size: number, deviation: number): Float32Array {
  const values = new Float32Array(size);
  let state = createHash("sha256").update(key).digest().readUInt32LE();
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < size; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    const angle = 2 * Math.PI * uniform();
    values[i] = radius * Math.cos(angle) * deviation;
    // Beyond the end of an odd number it goes nowhere.
    values[i + 1] = radius * Math.sin(angle) * deviation;
  }
  return values;
}
