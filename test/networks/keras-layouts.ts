import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32, deflateRawSync } from "node:zlib";
import type { Group } from "h5wasm";
import { inferShapes, type Layer, type Network, type Weights, weightShapes } from "../../src/networks/layers";

/* Files in the layouts that Keras writes, so that tests need no Keras; keras-files.e2e.test.ts reads Keras's own. */

interface WrittenLayer {
  readonly layer: Layer;
  readonly weights: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly values: Float32Array;
  }[];
}

function writtenLayers(network: Network, weights: Weights): WrittenLayer[] {
  const shapes = inferShapes(network.layers);
  return network.layers.map((layer) => {
    const own = Object.entries(weightShapes(layer, shapes.get(layer.inputs[0] ?? "")));
    return { layer, weights: own.map(([name, shape]) => ({ name, shape, values: weights.get(layer.name)![name]! })) };
  });
}

export interface LegacyOptions {
  /** The layer's name in the file. */
  readonly rename?: (name: string) => string;
  /** A whole model's description, which puts the weights into the group `model_weights`. */
  readonly config?: unknown;
}

/** As Keras 2's `save_weights`, and Keras 3's `save("name.h5")`. */
export async function writeLegacy(path: string, network: Network, weights: Weights, options: LegacyOptions = {}) {
  const { rename = (name) => name, config } = options;
  const file = await newFile(path);
  if (config) file.create_attribute("model_config", JSON.stringify(config));
  const root = config ? file.create_group("model_weights") : file;
  const layers = writtenLayers(network, weights);
  root.create_attribute(
    "layer_names",
    layers.map(({ layer }) => rename(layer.name)),
  );
  for (const { layer, weights: own } of layers) {
    const group = root.create_group(rename(layer.name));
    const names = own.map(({ name }) => `${layer.name}/${name}:0`);
    if (names.length > 0) group.create_attribute("weight_names", names);
    const inner = names.length > 0 ? group.create_group(layer.name) : undefined;
    for (const { name, shape, values } of own) {
      inner!.create_dataset({ name: `${name}:0`, data: values, shape: [...shape], dtype: "<f4" });
    }
  }
  file.close();
}

/** As Keras 3's `save_weights("name.weights.h5")`. @param groupOf each layer's group, such as `conv2d_1` */
export async function writeKeras3(path: string, network: Network, weights: Weights, groupOf: (layer: Layer) => string) {
  const file = await newFile(path);
  const layers = file.create_group("layers");
  for (const { layer, weights: own } of writtenLayers(network, weights)) {
    const vars = layers.create_group(groupOf(layer)).create_group("vars");
    own.forEach(({ shape, values }, i) => {
      vars.create_dataset({ name: String(i), data: values, shape: [...shape], dtype: "<f4" });
    });
  }
  file.close();
}

/** A ZIP archive of some files, stored or deflated. */
export function zipOf(entries: Readonly<Record<string, Buffer>>, compress: boolean): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(entries)) {
    const bytes = compress ? deflateRawSync(content) : content;
    const head = Buffer.alloc(26);
    head.writeUInt16LE(20, 0);
    head.writeUInt16LE(compress ? 8 : 0, 4);
    head.writeUInt32LE(crc32(content), 10);
    head.writeUInt32LE(bytes.length, 14);
    head.writeUInt32LE(content.length, 18);
    head.writeUInt16LE(name.length, 22);
    locals.push(Buffer.from("PK\x03\x04"), head, Buffer.from(name), bytes);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    directory.push(Buffer.from("PK\x01\x02\x14\0"), head, tail, Buffer.from(name));
    offset += 4 + 26 + name.length + bytes.length;
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const end = Buffer.alloc(18);
  const count = Object.keys(entries).length;
  end.writeUInt16LE(count, 4);
  end.writeUInt16LE(count, 6);
  end.writeUInt32LE(size, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...locals, ...directory, Buffer.from("PK\x05\x06"), end]);
}

/** A `.keras` file of a file of weights, which goes. */
export function packKeras(path: string, weightsFile: string, config: unknown, compress = false): void {
  const entries = { "config.json": Buffer.from(JSON.stringify(config)), "model.weights.h5": readFileSync(weightsFile) };
  writeFileSync(path, zipOf(entries, compress));
  rmSync(weightsFile);
}

type Writable = Group & { close(): unknown };

async function newFile(path: string): Promise<Writable> {
  // As src/model/h5-file.ts loads it: the package is an ES module that only `import` finds.
  const h5 = require(join(__dirname, "../../node_modules/h5wasm/dist/node/hdf5_hl.js")) as typeof import("h5wasm");
  await h5.ready;
  return new h5.File(path, "w") as unknown as Writable;
}
