import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { CancelledError, IllegalArgumentError } from "../../src/errors";
import {
  type DownloadProgress,
  loadWeights,
  MOBILENET_V2,
  type Network,
  randomWeights,
  readWeights,
  resolveWeights,
  VGG16,
  WeightsChecksumError,
  WeightsFormatError,
  WeightsShapeError,
  WeightsUnavailableError,
} from "../../src/model";
import { hashWeights } from "../../src/model/weights";
import { runPython } from "../support/python";
import { EVERY_LAYER } from "./every-layer";
import { MODELS } from "./reference";

const folder = mkdtempSync(join(tmpdir(), "pomona-weights-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Where weights are looked for last, before the official address. */
const BESIDE = join(__dirname, "../../../shared/models");
const official = join(MODELS, MOBILENET_V2.imagenet.file);

describe("readWeights", () => {
  it("reads the numbers that Keras reads, from a file of weights", async () => {
    const weights = await readWeights(official, MOBILENET_V2);
    const keras = runPython(
      `
import hashlib, keras, sys
model = keras.applications.MobileNetV2(weights=sys.argv[1])
for layer in model.layers[:-1]:
    for weight in layer.get_weights():
        print(layer.name, hashlib.sha256(weight.tobytes()).hexdigest())
`,
      [official],
    );
    const ours = [...weights].flatMap(([layer, byName]) =>
      Object.values(byName).map(
        (values) => `${layer} ${createHash("sha256").update(new Uint8Array(values.buffer)).digest("hex")}`,
      ),
    );
    expect(ours).toEqual(keras.trim().split("\n"));
  });

  it("names layer and shapes when a file is for another width", async () => {
    const path = join(folder, "narrow.h5");
    runPython(
      "import keras, sys; keras.applications.MobileNetV2(weights=None, alpha=0.5, include_top=False, input_shape=(224, 224, 3)).save(sys.argv[1])",
      [path],
    );
    const error = await readWeights(path, MOBILENET_V2).then(
      () => undefined,
      (e: unknown) => e,
    );
    expect(error).toBeInstanceOf(WeightsShapeError);
    expect(error).toMatchObject({ layer: "Conv1", weight: "kernel", expected: [3, 3, 3, 32], found: [3, 3, 3, 16] });
    expect((error as Error).message).toContain("kernel of layer Conv1 has shape [3, 3, 3, 16], not [3, 3, 3, 32]");
  });

  it("names the layer that a file of another network does not have", async () => {
    await expect(readWeights(official, VGG16)).rejects.toMatchObject({
      name: "WeightsShapeError",
      layer: "block1_conv1",
      found: undefined,
    });
  });

  it("refuses what is no HDF5, a file cut short, and HDF5 of another layout", async () => {
    const text = join(folder, "text.h5");
    writeFileSync(text, "not weights");
    await expect(readWeights(text, MOBILENET_V2)).rejects.toThrow(WeightsFormatError);

    const short = join(folder, "short.h5");
    writeFileSync(short, readFileSync(official));
    truncateSync(short, 5_000_000);
    await expect(readWeights(short, MOBILENET_V2)).rejects.toThrow(WeightsFormatError);

    const other = join(folder, "other.weights.h5");
    runPython(
      "import keras, sys; keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save_weights(sys.argv[1])",
      [other],
    );
    await expect(readWeights(other, MOBILENET_V2)).rejects.toThrow("has no attribute layer_names");
  });
});

describe("randomWeights", () => {
  it("has He's deviation, the identity as batch norm, and the same numbers for the same seed", () => {
    const mobile = randomWeights(MOBILENET_V2, 5);
    expect(new Set(mobile.get("bn_Conv1")!.moving_variance)).toEqual(new Set([1]));
    // Values that go into one output: 320 channels of one pixel; nine pixels of one channel.
    expect(deviation(mobile.get("Conv_1")!.kernel!) / Math.sqrt(2 / 320)).toBeCloseTo(1, 2);
    expect(deviation(mobile.get("block_5_depthwise")!.kernel!) / Math.sqrt(2 / 9)).toBeCloseTo(1, 1);
    expect(hashWeights(randomWeights(MOBILENET_V2, 5))).toBe(hashWeights(mobile));
    expect(hashWeights(randomWeights(MOBILENET_V2, 6))).not.toBe(hashWeights(mobile));
  });
});

function deviation(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
}

describe("resolveWeights", () => {
  const sha256 = createHash("sha256").update(readFileSync(official)).digest("hex");
  let cacheDir: string;
  let server: Server | undefined;

  beforeEach(() => {
    delete process.env.POMONA_WEIGHTS_DIR;
    cacheDir = mkdtempSync(join(folder, "cache-"));
  });
  afterEach(() => {
    delete process.env.POMONA_WEIGHTS_DIR;
    server?.closeAllConnections();
    server?.close();
  });

  it("takes a path and a file: URL, and hashes the file", async () => {
    const expected = { kind: "file", path: official, sha256, origin: official };
    expect(await resolveWeights(official, MOBILENET_V2)).toEqual(expected);
    expect(await resolveWeights(pathToFileURL(official).href, MOBILENET_V2)).toEqual(expected);
    await expect(resolveWeights("/no/such/file.h5", MOBILENET_V2)).rejects.toThrow("/no/such/file.h5: no such file");
  });

  it("looks for imagenet in POMONA_WEIGHTS_DIR, then in the cache, then beside the checkout", async () => {
    const environment = mkdtempSync(join(folder, "environment-"));
    const { file } = MOBILENET_V2.imagenet;
    const find = async () => (await resolveWeights("imagenet", MOBILENET_V2, { cacheDir })).origin;
    if (existsSync(join(BESIDE, file))) expect(await find()).toBe(join(BESIDE, file));
    else await expect(find()).rejects.toThrow(`${join(BESIDE, file)}: no such file`);
    writeFileSync(join(cacheDir, file), "cached");
    expect(await find()).toBe(join(cacheDir, file));
    process.env.POMONA_WEIGHTS_DIR = environment;
    expect(await find()).toBe(join(cacheDir, file));
    writeFileSync(join(environment, file), "chosen");
    expect(await find()).toBe(join(environment, file));
  });

  it("downloads from the official address into the cache once, with progress and the checksum", async () => {
    const content = Buffer.alloc(300_000, "weights");
    const md5 = createHash("md5").update(content).digest("hex");
    let requests = 0;
    const url = await serve((_request, response) => {
      requests++;
      response.setHeader("content-length", content.length);
      response.end(content);
    });
    const seen: DownloadProgress[] = [];
    const options = { cacheDir, onProgress: (progress: DownloadProgress) => void seen.push(progress) };
    const found = await resolveWeights("imagenet", publishedAt(url, md5), options);
    expect(found).toMatchObject({ path: join(cacheDir, "unpublished.h5"), origin: url });
    expect(found.sha256).toBe(createHash("sha256").update(content).digest("hex"));
    expect(seen.at(-1)).toEqual({ url, receivedBytes: 300_000, totalBytes: 300_000 });
    await resolveWeights("imagenet", publishedAt(url, md5), options);
    await resolveWeights(url, MOBILENET_V2, { cacheDir });
    await resolveWeights(url, MOBILENET_V2, { cacheDir });
    expect(requests).toBe(2);
  });

  it("keeps nothing of a download with another checksum, or cut short", async () => {
    const url = await serve((request, response) => {
      if (request.url?.includes("short")) {
        response.setHeader("content-length", 100);
        response.write("half");
        setTimeout(() => response.destroy(), 50);
      } else response.end("something else");
    });
    const wrong = publishedAt(url, "0".repeat(32));
    await expect(resolveWeights("imagenet", wrong, { cacheDir })).rejects.toThrow(WeightsChecksumError);
    await expect(resolveWeights(`${url}?short`, MOBILENET_V2, { cacheDir })).rejects.toThrow(WeightsUnavailableError);
    expect(runPython("import os, sys; print(os.listdir(sys.argv[1]))", [cacheDir]).trim()).toBe("[]");
  });

  it("lists every place that was tried", async () => {
    const url = await serve((_request, response) => {
      response.statusCode = 404;
      response.end();
    });
    process.env.POMONA_WEIGHTS_DIR = join(folder, "empty");
    const error = await resolveWeights("imagenet", publishedAt(url), { cacheDir }).then(
      () => undefined,
      (e: unknown) => e,
    );
    expect(error).toBeInstanceOf(WeightsUnavailableError);
    expect((error as WeightsUnavailableError).tried).toEqual([
      `${join(folder, "empty", "unpublished.h5")}: no such file`,
      `${join(cacheDir, "unpublished.h5")}: no such file`,
      `${join(BESIDE, "unpublished.h5")}: no such file`,
      `${url}: HTTP 404 Not Found`,
    ]);
  });

  it("stops a download when it is aborted", async () => {
    const url = await serve((_request, response) => void response.write("a little"));
    const controller = new AbortController();
    const resolving = resolveWeights(url, MOBILENET_V2, { cacheDir, signal: controller.signal });
    setTimeout(() => controller.abort(), 100);
    await expect(resolving).rejects.toThrow(CancelledError);
  });

  it("warns that random weights are random", async () => {
    const lines: string[] = [];
    const log = (level: string, message: string) => void lines.push(`${level}: ${message}`);
    const first = await resolveWeights("random", EVERY_LAYER, { log, seed: 3 });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^warn: .*RANDOM weights \(seed 3\)/);
    expect(first).toMatchObject({ kind: "random", seed: 3, origin: "random, seed 3" });
    expect(await resolveWeights("random", EVERY_LAYER, { seed: 3 })).toEqual(first);
    expect((await resolveWeights("random", EVERY_LAYER, { seed: 4 })).sha256).not.toBe(first.sha256);
    expect(await loadWeights(first, EVERY_LAYER)).toEqual(randomWeights(EVERY_LAYER, 3));
  });

  it("refuses other kinds of addresses", async () => {
    await expect(resolveWeights("ftp://host/weights.h5", MOBILENET_V2)).rejects.toThrow(IllegalArgumentError);
  });

  async function serve(listener: RequestListener): Promise<string> {
    server = createServer(listener);
    await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/weights.h5`;
  }

  function publishedAt(url: string, md5?: string): Network {
    return { ...MOBILENET_V2, imagenet: { file: "unpublished.h5", url, ...(md5 ? { md5 } : {}) } };
  }
});
