import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { CancelledError, IllegalArgumentError } from "../../src/errors";
import {
  type DownloadProgress,
  type Network,
  networkByName,
  randomWeights,
  readWeights,
  resolveWeights,
  scalesInputTwice,
  WeightsChecksumError,
  WeightsFormatError,
  WeightsShapeError,
  WeightsUnavailableError,
} from "../../src/networks";
import { kerasClass } from "../../src/networks/summary";
import { hashWeights } from "../../src/networks/weights";
import { EVERY_LAYER } from "./every-layer";
import { formulaWeights } from "./formula";
import { packKeras, writeKeras3, writeLegacy } from "./keras-layouts";

const folder = mkdtempSync(join(tmpdir(), "pomona-weights-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Where weights are looked for last, before the official address. */
const BESIDE = join(__dirname, "../../../shared/models");

const mobileNet = networkByName("MobileNetV2");
const efficientNet = networkByName("EfficientNetB0", { inputShape: [32, 32, 3] });
const vgg = networkByName("VGG16");

describe("readWeights", () => {
  const everyLayer = formulaWeights(EVERY_LAYER);
  const inFolder = (name: string) => join(folder, name);

  it.each([
    ["weights alone", {}],
    ["a whole model", { config: { config: { layers: [] } } }],
    ["layers that Keras numbered otherwise", { rename: (name: string) => `${name}_7` }],
    ["other names, as many layers", { rename: (name: string) => `other_${name}` }],
  ])("reads legacy HDF5: %s", async (what, options) => {
    const path = inFolder(`${what}.h5`);
    await writeLegacy(path, EVERY_LAYER, everyLayer, options);
    expect(await readWeights(path, EVERY_LAYER)).toEqual(everyLayer);
  });

  it.each([false, true])("reads Keras 3's weights and whole models, deflated %s", async (deflated) => {
    // Keras numbers the layers of a class, written as Python writes names.
    const counts = new Map<string, number>();
    const names = new Map(
      EVERY_LAYER.layers.map((layer) => {
        const snake: Record<string, string> = { Conv2D: "conv2d", DepthwiseConv2D: "depthwise_conv2d", ReLU: "re_lu", BatchNormalization: "batch_normalization", Dense: "dense" }; // biome-ignore format: one table
        const name = snake[kerasClass(layer)] ?? `other_${kerasClass(layer)}`;
        const count = counts.get(name) ?? 0;
        counts.set(name, count + 1);
        return [layer.name, count === 0 ? name : `${name}_${count}`];
      }),
    );
    const weights = inFolder("every.weights.h5");
    await writeKeras3(weights, EVERY_LAYER, everyLayer, (layer) => names.get(layer.name)!);
    expect(await readWeights(weights, EVERY_LAYER)).toEqual(everyLayer);
    const whole = inFolder("every.keras");
    packKeras(whole, weights, { config: { layers: [{ class_name: "Rescaling" }] } }, deflated);
    expect(await readWeights(whole, EVERY_LAYER)).toEqual(everyLayer);
    expect(await scalesInputTwice(whole)).toBe(false);
    truncateSync(whole, 4000);
    await expect(readWeights(whole, EVERY_LAYER)).rejects.toThrow(WeightsFormatError);
  });

  it("knows whether a saved EfficientNet scales its input as for ImageNet", async () => {
    const path = inFolder("efficientnet.h5");
    const twice = networkByName("EfficientNetB0", { inputShape: [32, 32, 3], imagenet: true });
    const config = { config: { layers: twice.layers.map((layer) => ({ class_name: kerasClass(layer) })) } };
    await writeLegacy(path, efficientNet, formulaWeights(efficientNet), { config });
    expect(await scalesInputTwice(path)).toBe(true);
    await writeLegacy(path, EVERY_LAYER, everyLayer);
    expect(await scalesInputTwice(path)).toBeUndefined();
  });

  it("names layer and shapes when a file is for another width", async () => {
    const path = inFolder("narrow.h5");
    const layers = EVERY_LAYER.layers.map((layer) => (layer.name === "conv" ? { ...layer, filters: 4 } : layer));
    const narrow = { ...EVERY_LAYER, layers } as Network;
    await writeLegacy(path, narrow, formulaWeights(narrow));
    const error = await readWeights(path, EVERY_LAYER).then(
      () => undefined,
      (e: unknown) => e,
    );
    expect(error).toBeInstanceOf(WeightsShapeError);
    expect(error).toMatchObject({ layer: "conv", weight: "kernel", expected: [3, 2, 3, 8], found: [3, 2, 3, 4] });
    expect((error as Error).message).toContain("kernel of layer conv has shape [3, 2, 3, 4], not [3, 2, 3, 8]");
  });

  it("names the layer that a file of another network does not have", async () => {
    const path = inFolder("another.h5");
    await writeLegacy(path, EVERY_LAYER, everyLayer);
    await expect(readWeights(path, vgg)).rejects.toMatchObject({
      name: "WeightsShapeError",
      layer: "block1_conv1",
      found: undefined,
    });
  });

  it("refuses a deeper network's file, whose other layers have the same names and shapes, and takes one with a head", async () => {
    const [bn] = EVERY_LAYER.layers.filter(({ name }) => name === "conv_bn");
    const at = EVERY_LAYER.layers.indexOf(bn!) + 1;
    const withLayer = (layer: object, where: number): Network => ({
      ...EVERY_LAYER,
      layers: [
        ...EVERY_LAYER.layers.slice(0, where),
        layer as Network["layers"][number],
        ...EVERY_LAYER.layers.slice(where),
      ],
    });
    const deeper = withLayer({ ...bn, name: "conv_bn2", inputs: ["conv"] }, at);
    await writeLegacy(inFolder("deeper.h5"), deeper, formulaWeights(deeper));
    // Keras 3.15: "Layer count mismatch when loading weights from file."
    await expect(readWeights(inFolder("deeper.h5"), EVERY_LAYER)).rejects.toMatchObject({
      name: "WeightsShapeError",
      layer: "conv_bn2",
      message: expect.stringContaining("it has the layer conv_bn2, which EveryLayer has not"),
    });
    const head = { kind: "dense", name: "head", inputs: ["flatten"], units: 2, useBias: true, activation: "linear" };
    const headed = withLayer(head, EVERY_LAYER.layers.length);
    const path = inFolder("headed.h5");
    await writeLegacy(path, headed, formulaWeights(headed));
    expect(await readWeights(path, EVERY_LAYER)).toEqual(everyLayer);
  });

  it("refuses what is no HDF5, a file cut short, and files of another layout", async () => {
    const text = inFolder("text.h5");
    writeFileSync(text, "not weights");
    await expect(readWeights(text, mobileNet)).rejects.toThrow(WeightsFormatError);

    const short = inFolder("short.h5");
    await writeLegacy(short, EVERY_LAYER, everyLayer);
    truncateSync(short, 5_000);
    await expect(readWeights(short, EVERY_LAYER)).rejects.toThrow(WeightsFormatError);

    const empty = inFolder("empty.weights.h5");
    await writeKeras3(empty, { ...EVERY_LAYER, layers: [] }, new Map(), () => "");
    await expect(readWeights(empty, EVERY_LAYER)).rejects.toThrow(WeightsShapeError);

    const zip = inFolder("other.keras");
    packKeras(zip, empty, {});
    await expect(readWeights(zip, EVERY_LAYER)).rejects.toThrow(WeightsShapeError);
  });
});

describe("randomWeights", () => {
  it("has He's deviation, the identity as batch norm, and the same numbers for the same seed", () => {
    const mobile = randomWeights(mobileNet, 5);
    expect(new Set(mobile.get("bn_Conv1")!.moving_variance)).toEqual(new Set([1]));
    // Values that go into one output: 320 channels of one pixel; nine pixels of one channel.
    expect(deviation(mobile.get("Conv_1")!.kernel!) / Math.sqrt(2 / 320)).toBeCloseTo(1, 2);
    expect(deviation(mobile.get("block_5_depthwise")!.kernel!) / Math.sqrt(2 / 9)).toBeCloseTo(1, 1);
    expect(hashWeights(randomWeights(mobileNet, 5))).toBe(hashWeights(mobile));
    expect(hashWeights(randomWeights(mobileNet, 6))).not.toBe(hashWeights(mobile));
  });
});

function deviation(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
}

describe("resolveWeights", () => {
  const official = join(folder, "official.h5");
  writeFileSync(official, "stands for a file of weights");
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
    expect(await resolveWeights(official, mobileNet)).toEqual(expected);
    expect(await resolveWeights(pathToFileURL(official).href, mobileNet)).toEqual(expected);
    await expect(resolveWeights("/no/such/file.h5", mobileNet)).rejects.toThrow("/no/such/file.h5: no such file");
  });

  it("looks for imagenet in POMONA_WEIGHTS_DIR, then in the cache, then beside the checkout", async () => {
    const environment = mkdtempSync(join(folder, "environment-"));
    const { file } = mobileNet.imagenet[0];
    const find = async () => (await resolveWeights("imagenet", mobileNet, { cacheDir })).origin;
    if (existsSync(join(BESIDE, file))) expect(await find()).toBe(join(BESIDE, file));
    else await expect(find()).rejects.toThrow(`${join(BESIDE, file)}: no such file`);
    writeFileSync(join(cacheDir, file), "cached");
    expect(await find()).toBe(join(cacheDir, file));
    process.env.POMONA_WEIGHTS_DIR = environment;
    expect(await find()).toBe(join(cacheDir, file));
    writeFileSync(join(environment, file), "chosen");
    expect(await find()).toBe(join(environment, file));
    // The same weights without the classifier, where nobody has the file with it.
    const bare = vgg.imagenet[1]!.file;
    writeFileSync(join(cacheDir, bare), "with the classifier");
    expect((await resolveWeights("imagenet", vgg, { cacheDir })).origin).toBe(join(cacheDir, bare));
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
    await resolveWeights(url, mobileNet, { cacheDir });
    await resolveWeights(url, mobileNet, { cacheDir });
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
    await expect(resolveWeights(`${url}?short`, mobileNet, { cacheDir })).rejects.toThrow(WeightsUnavailableError);
    expect(readdirSync(cacheDir)).toEqual([]);
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
    const resolving = resolveWeights(url, mobileNet, { cacheDir, signal: controller.signal });
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
    expect(first.sha256).toBe(hashWeights(randomWeights(EVERY_LAYER, 3)));
  });

  it("refuses other kinds of addresses", async () => {
    await expect(resolveWeights("ftp://host/weights.h5", mobileNet)).rejects.toThrow(IllegalArgumentError);
  });

  async function serve(listener: RequestListener): Promise<string> {
    server = createServer(listener);
    await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/weights.h5`;
  }

  function publishedAt(url: string, md5?: string): Network {
    return { ...mobileNet, imagenet: [{ file: "unpublished.h5", url, ...(md5 ? { md5 } : {}) }] };
  }
});
