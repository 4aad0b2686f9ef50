import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { buildSync } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeImage, writeTensor } from "../../src/image";
import {
  BACKENDS,
  buildGraph,
  chooseBackend,
  createBackend,
  type Graph,
  inputShape,
  loadWeights,
  MOBILENET_V2,
  type Network,
  prepareProcess,
  readWeights,
  resolveWeights,
  VGG16,
} from "../../src/model";
import { maxDifference } from "../image/pillow";
import { runPython } from "../support/python";
import { EVERY_LAYER, KERAS_EVERY_LAYER } from "./every-layer";
import { MODELS, type ReferenceImage, referenceImages } from "./reference";

const folder = mkdtempSync(join(tmpdir(), "pomona-backends-"));
afterAll(() => rmSync(folder, { recursive: true }));

// Inside the checkout, so that the bundle finds its packages.
const workerScript = join(__dirname, "../../node_modules/.cache/pomona-test", `backend-worker-${process.pid}.js`);
// Bundled, because workers load no TypeScript.
buildSync({
  entryPoints: [join(__dirname, "backend-worker.ts")],
  outfile: workerScript,
  bundle: true,
  platform: "node",
  packages: "external",
});
afterAll(() => rmSync(workerScript));

prepareProcess();

describe.each(BACKENDS)("%s", (name) => {
  let images: ReferenceImage[];
  let graph: Graph;
  let input: Float32Array;

  beforeAll(async () => {
    images = referenceImages();
    graph = await mobileNet();
    input = await tensors(images, MOBILENET_V2);
  });

  it.each([1, 7, 16])("agrees with Keras on MobileNetV2, %i images at a time", async (batch) => {
    const backend = await createBackend(graph, { backend: name });
    expect(backend.name).toBe(name);
    const size = 224 * 224 * 3;
    // The smallest batch on a few images only: it is the slowest.
    const count = batch === 1 ? 4 : images.length;
    for (let start = 0; start < count; start += batch) {
      const end = Math.min(start + batch, count);
      const features = await backend.run(input.subarray(start * size, end * size), end - start);
      const expected = images.slice(start, end).flatMap((image) => image.features);
      expect(maxDifference(features, expected)).toBeLessThan(1e-3);
    }
    await backend.close();
  });

  it("agrees with Keras on a network with every kind of layer", async () => {
    const file = kerasFile("every-layer", KERAS_EVERY_LAYER);
    await expectKeras(EVERY_LAYER, file, name, 3);
  });

  it("runs in two worker threads at once", async () => {
    const expected = images.slice(0, 4).flatMap((image) => image.features);
    const results = await Promise.all([
      inWorker(name, input.slice(0, 602_112)),
      inWorker(name, input.slice(0, 602_112)),
    ]);
    for (const features of results) expect(maxDifference(features, expected)).toBeLessThan(1e-3);
  });
});

describe("VGG16", () => {
  it("agrees with Keras, with seeded random weights", async () => {
    const file = kerasFile("vgg16", KERAS_VGG16);
    const [image] = referenceImages();
    const input = await tensors([image!], VGG16);
    const keras = new Float32Array(new Uint8Array(readFileSync(`${file}.input`)).buffer);
    // Keras's own decoding, resizing and preprocessing went into this.
    expect(maxDifference(input, keras)).toBe(0);
    await expectKeras(VGG16, file, "onnxruntime-node", 1);
  });
});

describe("chooseBackend", () => {
  it("takes the fastest one", async () => {
    expect(await chooseBackend("auto")).toBe("onnxruntime-node");
  });

  it("names the backends there are", async () => {
    await expect(chooseBackend("cuda" as never)).rejects.toThrow(
      /Unknown backend "cuda"[\s\S]*onnxruntime-node, tfjs-node/,
    );
  });
});

const KERAS_VGG16 = `
import numpy as np, keras, sys
from PIL import Image
path = sys.argv[1]
keras.utils.set_random_seed(7)
model = keras.applications.VGG16(weights=None, include_top=False, pooling="max", input_shape=(224, 224, 3))
for layer in model.layers:
    if layer.weights:
        kernel, bias = layer.get_weights()
        fan_in = np.prod(kernel.shape[:3])
        layer.set_weights([(np.random.standard_normal(kernel.shape) * np.sqrt(2 / fan_in)).astype("float32"), np.random.uniform(-1, 1, bias.shape).astype("float32")])
model.save(path)
image = Image.open(sys.argv[2]).convert("RGB").resize((224, 224))
x = keras.applications.vgg16.preprocess_input(np.asarray(image, dtype="float32")[None])
open(path + ".input", "wb").write(np.ascontiguousarray(x, "float32").tobytes())
open(path + ".output", "wb").write(model.predict(x, verbose=0).astype("float32").tobytes())
`;

/** Runs a Keras program that writes a model, an input and its output; gives the model's path. */
function kerasFile(name: string, source: string): string {
  const path = join(folder, `${name}.h5`);
  if (existsSync(path)) return path;
  const [image] = referenceImages();
  const imagePath = join(MODELS, "../data/fruits-360", image!.path);
  runPython(source, [path, imagePath]);
  return path;
}

async function expectKeras(network: Network, file: string, backend: (typeof BACKENDS)[number], batch: number) {
  const graph = buildGraph(network, await readWeights(file, network));
  const running = await createBackend(graph, { backend });
  const input = new Float32Array(new Uint8Array(readFileSync(`${file}.input`)).buffer);
  const expected = new Float32Array(new Uint8Array(readFileSync(`${file}.output`)).buffer);
  const output = await running.run(input, batch);
  const largest = expected.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  expect(maxDifference(output, expected) / Math.max(1, largest)).toBeLessThan(1e-5);
  await running.close();
}

async function mobileNet(): Promise<Graph> {
  const file = join(MODELS, MOBILENET_V2.imagenet.file);
  return buildGraph(MOBILENET_V2, await loadWeights(await resolveWeights(file, MOBILENET_V2), MOBILENET_V2));
}

async function tensors(images: readonly ReferenceImage[], network: Network): Promise<Float32Array> {
  const [height, width, channels] = inputShape(network);
  const out = new Float32Array(images.length * height * width * channels);
  for (const [i, { content, path }] of images.entries()) {
    const image = await decodeImage(content, { path });
    writeTensor(image, width, height, network.preprocessing, out, i * height * width * channels);
  }
  return out;
}

/** Four images through a backend of their own in a worker thread. */
function inWorker(backend: string, input: Float32Array): Promise<Float32Array> {
  const file = join(MODELS, MOBILENET_V2.imagenet.file);
  const worker = new Worker(workerScript, { workerData: { backend, input, batch: 4, file } });
  return new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", (code) => reject(new Error(`The worker ended with ${code} and gave nothing.`)));
  });
}
