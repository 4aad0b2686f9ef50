import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeImage, writeTensor } from "../../src/image";
import {
  buildGraph,
  createBackend,
  type Graph,
  INSTALLABLE_BACKENDS,
  inputShape,
  type Network,
  networkByName,
  prepareProcess,
  readWeights,
  resolveWeights,
  scalesInputTwice,
} from "../../src/networks";
import { golden } from "../support/golden";
import { runPython } from "../support/python";
import { REFERENCE } from "../support/reference";
import { differenceFrom, formulaPixels, type Sampled } from "./formula";

/* Files that Keras itself saves from a seed, and Keras's features of the same images. */

const folder = mkdtempSync(join(tmpdir(), "pomona-keras-files-"));
afterAll(() => rmSync(folder, { recursive: true }));
prepareProcess();

const GOLDEN = join(__dirname, "../golden");

const NAMES = ["MobileNetV2", "VGG16", "ResNet50", "EfficientNetB0"];

/** Saves networks in every layout, with weights by formula: whole models too, and MobileNetV2 with its classifier. */
const SAVE = `
import sys
golden, folder, *names = sys.argv[1:]
sys.path.insert(0, golden)
import json, keras
import numpy as np
from _formula import set_weights
from _imagenet import imagenet

def save(name):
    # As in a process of its own.
    keras.backend.clear_session()
    function = getattr(keras.applications, name)
    # A second model in the process, so that Keras numbers the layers that it names itself.
    function(weights=None, include_top=False, input_shape=(32, 32, 3))
    model = function(weights=None, include_top=False, input_shape=(64, 47, 3), pooling="avg")
    set_weights(model)
    model.save(f"{folder}/{name}.keras")
    model.save(f"{folder}/{name}.h5")
    model.save_weights(f"{folder}/{name}.weights.h5")
    if name == "EfficientNetB0":
        keras.applications.EfficientNetB1(weights=None, include_top=False, input_shape=(32, 32, 3)).save(f"{folder}/deeper.h5")
        model, _ = imagenet(name, (40, 33, 3))
        set_weights(model)
        model.save(f"{folder}/imagenet.keras")
        model.save(f"{folder}/imagenet.h5")
    if name == "MobileNetV2":
        function(weights=None, alpha=0.5, include_top=False, input_shape=(64, 64, 3)).save(f"{folder}/narrow.h5")
        top = function(weights=None, input_shape=(64, 47, 3), classes=7)
        top.set_weights(model.get_weights() + [w for w in top.layers[-1].get_weights()])
        top.save(f"{folder}/top.h5")
        top.save(f"{folder}/top.keras")

for name in names:
    save(name)
`;
beforeAll(() => void runPython(SAVE, [GOLDEN, folder, ...NAMES]), 600_000);

const { cases } = golden<{
  readonly cases: readonly (Sampled & {
    network: string;
    imagenet: boolean;
    inputShape: readonly number[];
    pooling: string;
  })[];
}>("networks");

/** What was read, for the next backend: by file and form of the network. */
const graphs = new Map<string, Promise<Graph>>();

function graphOf(network: Network, file: string): Promise<Graph> {
  const key = JSON.stringify([file, network.layers]);
  const known = graphs.get(key) ?? readWeights(file, network).then((weights) => buildGraph(network, weights));
  graphs.set(key, known);
  return known;
}

async function difference(
  network: Network,
  file: string,
  expected: Sampled,
  backend: (typeof INSTALLABLE_BACKENDS)[number],
) {
  const running = await createBackend(await graphOf(network, file), { backend });
  const [height, width] = inputShape(network);
  const input = new Float32Array(height * width * 3);
  const image = { width, height, data: formulaPixels(height, width, 5000) };
  writeTensor(image, width, height, network.preprocessing, input, 0);
  const output = await running.run(input, 1);
  await running.close();
  return differenceFrom(output, expected);
}

describe.each(NAMES)("%s, saved by Keras", (name) => {
  afterAll(() => graphs.clear());
  const own = cases.filter((one) => one.network === name && !one.imagenet);

  it.each([".keras", ".h5", ".weights.h5"])("is read from %s", async (extension) => {
    const expected = own.find(({ inputShape: [height] }) => height === 64)!;
    expect(await difference(networkByName(name, expected), join(folder, name + extension), expected, INSTALLABLE_BACKENDS[0])).toBeLessThan(5e-5); // biome-ignore format: one
  });

  it.each(INSTALLABLE_BACKENDS)(
    "gives Keras's features of every form on %s",
    async (backend) => {
      for (const expected of own) {
        const network = networkByName(name, expected);
        expect(await difference(network, join(folder, `${name}.h5`), expected, backend)).toBeLessThan(1e-4);
      }
    },
    600_000,
  );
});

describe("files of other forms", () => {
  it("says of a whole EfficientNetB0 whether it was built for ImageNet", async () => {
    const expected = cases.find((one) => one.imagenet)!;
    for (const extension of ["keras", "h5"]) {
      const file = join(folder, `imagenet.${extension}`);
      expect(await scalesInputTwice(file)).toBe(true);
      expect(
        await difference(networkByName("EfficientNetB0", expected), file, expected, INSTALLABLE_BACKENDS[0]),
      ).toBeLessThan(5e-5);
      expect(await scalesInputTwice(join(folder, `EfficientNetB0.${extension}`))).toBe(false);
    }
    expect(await scalesInputTwice(join(folder, "EfficientNetB0.weights.h5"))).toBeUndefined();
  });

  it("refuses EfficientNetB1 for EfficientNetB0, all of whose layers it has under the same names", async () => {
    const network = networkByName("EfficientNetB0", { inputShape: [32, 32, 3] });
    await expect(readWeights(join(folder, "deeper.h5"), network)).rejects.toMatchObject({
      name: "WeightsShapeError",
      layer: "block1b_dwconv",
    });
  });

  it("reads a network with its classifier, and refuses another width", async () => {
    const expected = cases.find((one) => one.network === "MobileNetV2" && one.inputShape[0] === 64)!;
    const network = networkByName("MobileNetV2", expected);
    for (const file of ["top.h5", "top.keras"]) {
      expect(await difference(network, join(folder, file), expected, INSTALLABLE_BACKENDS[0])).toBeLessThan(5e-5);
    }
    await expect(readWeights(join(folder, "narrow.h5"), network)).rejects.toMatchObject({
      name: "WeightsShapeError",
      layer: "Conv1",
      expected: [3, 3, 3, 32],
      found: [3, 3, 3, 16],
    });
  });
});

describe("the workflow's weights", () => {
  it.each(INSTALLABLE_BACKENDS)(
    "give Keras's features of 48 photographs on %s",
    async (backend) => {
      const network = networkByName("MobileNetV2");
      const weights = await resolveWeights(join(REFERENCE, "models", network.imagenet[0].file), network);
      if (weights.kind !== "file") throw new Error("The weights are a file.");
      const running = await createBackend(buildGraph(network, await readWeights(weights.path, network)), { backend });
      const read = `
import json, sys, pyarrow.parquet as pq
print(json.dumps(pq.read_table(sys.argv[1], columns=["path", "features"]).to_pylist()))
`;
      const table = join(REFERENCE, "reference/mobilenetv2-features.parquet");
      const rows = JSON.parse(runPython(read, [table])) as { path: string; features: number[] }[];
      expect(rows.length).toBe(48);
      const input = new Float32Array(224 * 224 * 3);
      for (const { path, features } of rows) {
        const image = await decodeImage(readFileSync(join(REFERENCE, "data/fruits-360", path)), { path });
        writeTensor(image, 224, 224, network.preprocessing, input, 0);
        const output = await running.run(input, 1);
        const furthest = output.reduce((most, value, i) => Math.max(most, Math.abs(value - features[i]!)), 0);
        expect(furthest, path).toBeLessThan(1e-3);
      }
      await running.close();
    },
    600_000,
  );
});
