import { randomUUID } from "node:crypto";
import { open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PomonaError } from "../errors";
import { type H5File, type H5Group, openH5 } from "./h5-file";
import { inferShapes, type Layer, type Network, weightShapes } from "./layers";
import { kerasClass } from "./summary";
import { isZip, zipEntry } from "./zip-entry";

/** Thrown for a file that is not Keras weights in one of the layouts that Keras writes. */
export class WeightsFormatError extends PomonaError {
  constructor(
    readonly source: string,
    reason: string,
    cause?: unknown,
  ) {
    super(`${source} cannot be read as Keras weights: ${reason}.`, {
      remedy:
        'Give a file as published by Keras, or written by `model.save("name.keras")`, `model.save("name.h5")` or `model.save_weights("name.weights.h5")`.',
      cause,
    });
  }
}

export interface StoredWeight {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** A file that Keras wrote, open. */
export interface KerasFile {
  /** The weights that the file has for a layer, in Keras's order; empty where it has none. */
  weightsOf(network: Network): (layer: Layer, count: number) => readonly (StoredWeight | undefined)[];
  /**
   * A layer with weights that stands before the network's last one and is none of the network's: the file is of a deeper
   * one, such as VGG19, whose other layers have the same names and shapes. What comes behind is a head.
   */
  foreignLayer(network: Network): string | undefined;
  /** The classes of the saved model's layers, in order; undefined for a file of weights alone. */
  readonly layerClasses: readonly string[] | undefined;
  close(): Promise<void>;
}

/**
 * Opens weights or a whole model that Keras saved, in any of its layouts:
 * - HDF5 as Keras 2 wrote it and Keras publishes: attribute `layer_names`, a group a layer, attribute `weight_names` in
 *   each; at the root or, in a whole model, in `model_weights`;
 * - `*.weights.h5` of Keras 3: `layers/<class>_<n>/vars/<i>`;
 * - `*.keras`: an archive of such a file and the model's description.
 * @throws WeightsFormatError
 */
export async function openKerasFile(path: string): Promise<KerasFile> {
  if (!(await beginsAsZip(path))) return kerasFile(await open5(path, path), path, undefined, async () => {});
  let weights: Buffer | undefined;
  let config: Buffer | undefined;
  try {
    const archive = await readFile(path);
    weights = zipEntry(archive, "model.weights.h5");
    config = zipEntry(archive, "config.json");
  } catch (error) {
    throw new WeightsFormatError(path, error instanceof Error ? error.message : String(error), error);
  }
  if (!weights) throw new WeightsFormatError(path, "the archive has no model.weights.h5");
  // h5wasm opens files by their path.
  const unpacked = join(tmpdir(), `pomona-${randomUUID()}.h5`);
  const remove = () => rm(unpacked, { force: true });
  try {
    await writeFile(unpacked, weights);
    return kerasFile(await open5(unpacked, path), path, config?.toString("utf8"), remove);
  } catch (error) {
    await remove();
    throw error;
  }
}

async function open5(file: string, source: string): Promise<H5File> {
  return openH5(file).catch((error: unknown) => {
    throw new WeightsFormatError(source, "it is not an HDF5 file, or it is cut short", error);
  });
}

function kerasFile(file: H5File, source: string, config: string | undefined, remove: () => Promise<void>): KerasFile {
  const close = async () => {
    file.close();
    await remove();
  };
  const { root } = file;
  const legacy = root.group("model_weights") ?? root;
  const names = legacy.attribute("layer_names");
  const layers = root.group("layers") ?? root.group("_layer_checkpoint_dependencies");
  if (!names && !layers) {
    void close();
    throw new WeightsFormatError(source, "it has neither the attribute layer_names nor the group layers");
  }
  return {
    weightsOf: names
      ? (network) => legacyWeights(legacy, names, network)
      : (network) => orderedWeights(layers as H5Group, network),
    // Keras 3 numbers layers, so that one too many changes the shape of the next.
    foreignLayer: names ? (network) => foreignLayer(legacy, names, network) : () => undefined,
    layerClasses: classesOf(config ?? root.text("model_config")),
    close,
  };
}

/**
 * The names in the file of the network's layers with weights. Layers go by name; what the network does not have, such as
 * a classifier, is left out. Where names differ and there are as many layers, they go by their order, as Keras has it.
 */
function legacyNames(root: H5Group, names: readonly string[], network: Network) {
  const stored = names.filter((name) => (root.group(name)?.attribute("weight_names") ?? []).length > 0);
  const weighted = layersWithWeights(network);
  const inFile = new Set(stored);
  // Keras numbers the layers that it names itself: `normalization_3`.
  const numbered = (name: string) => stored.find((other) => other.replace(/_\d+$/, "") === name);
  const byName = weighted.every((name) => inFile.has(name));
  const byOrder = !byName && stored.length === weighted.length;
  const found = new Map(
    weighted.map((name, i) => [name, byOrder ? stored[i] : inFile.has(name) ? name : numbered(name)]),
  );
  return { stored, found };
}

function legacyWeights(root: H5Group, names: readonly string[], network: Network) {
  const { found } = legacyNames(root, names, network);
  return (layer: Layer, count: number) => {
    const name = found.get(layer.name);
    const group = name === undefined ? undefined : root.group(name);
    // Files write `block1_conv1/kernel:0`, `Conv1/kernel` or `depthwise_kernel:0`, so weights go by their place, which is the
    // same in all: kernel, bias; gamma, beta, mean, variance.
    const paths = group?.attribute("weight_names") ?? [];
    return Array.from({ length: count }, (_, i) => (paths[i] === undefined ? undefined : group?.float32(paths[i])));
  };
}

function foreignLayer(root: H5Group, names: readonly string[], network: Network): string | undefined {
  const { stored, found } = legacyNames(root, names, network);
  const own = new Set(found.values());
  const last = Math.max(...stored.map((name, i) => (own.has(name) ? i : -1)));
  return stored.find((name, i) => i < last && !own.has(name));
}

/** Keras 3 numbers the layers of each class: `conv2d`, `conv2d_1`, ... */
function orderedWeights(layers: H5Group, network: Network) {
  const used = new Map<string, number>();
  const groups = new Map<string, string>();
  for (const layer of network.layers) {
    const name = snakeCase(kerasClass(layer));
    const number = used.get(name) ?? 0;
    used.set(name, number + 1);
    groups.set(layer.name, number === 0 ? name : `${name}_${number}`);
  }
  return (layer: Layer, count: number) =>
    Array.from({ length: count }, (_, i) => layers.float32(`${groups.get(layer.name)}/vars/${i}`));
}

function layersWithWeights(network: Network): string[] {
  const shapes = inferShapes(network.layers);
  return network.layers
    .filter((layer) => Object.keys(weightShapes(layer, shapes.get(layer.inputs[0] ?? ""))).length > 0)
    .map(({ name }) => name);
}

/** @see https://github.com/keras-team/keras/blob/v3.15.0/keras/src/utils/naming.py to_snake_case */
function snakeCase(name: string): string {
  return name
    .replace(/\W+/g, "")
    .replace(/(.)([A-Z][a-z]+)/g, "$1_$2")
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase();
}

function classesOf(config: string | undefined): readonly string[] | undefined {
  if (config === undefined) return undefined;
  try {
    const layers = (JSON.parse(config) as { config?: { layers?: unknown } }).config?.layers;
    if (!Array.isArray(layers)) return undefined;
    return layers.map((layer) => String((layer as { class_name?: unknown } | null)?.class_name));
  } catch {
    return undefined; // the weights are what is wanted
  }
}

async function beginsAsZip(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const head = new Uint8Array(4);
    await file.read(head, 0, 4, 0);
    return isZip(head);
  } finally {
    await file.close();
  }
}
