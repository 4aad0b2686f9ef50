import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Binary, Utf8, type Vector, vectorFromArray } from "apache-arrow";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BuiltinColumnFunction, DriverContext, UserCall, WorkerContext } from "../../src/data/batch-function";
import { arrayType } from "../../src/data/types";
import { vectorFromMatrix, vectorFromValues } from "../../src/data/vectors";
import { CancelledError, IllegalArgumentError } from "../../src/errors";
import { CorruptImageError, decodeImage, type RgbImage, resize } from "../../src/image";
import {
  type ImageFeaturesParams,
  imageFeatures,
  networkByName,
  WeightsShapeError,
  WeightsUnavailableError,
} from "../../src/networks";
import { golden } from "../support/golden";
import { PLACE } from "../support/place";
import { differenceFrom, formulaWeights, type Sampled } from "./formula";
import { writeLegacy } from "./keras-layouts";

const builtin = imageFeatures as unknown as BuiltinColumnFunction<ImageFeaturesParams>;
const network = "MobileNetV2";
const folder = mkdtempSync(join(tmpdir(), "pomona-image-features-"));
afterAll(() => rmSync(folder, { recursive: true }));
const weights = join(folder, "weights.h5");

interface KerasImage {
  readonly path: string;
  readonly content: Buffer;
  readonly features: Sampled;
  /** Of the bytes divided by 255. */
  readonly unit: Sampled;
  /** Of the left half with red and blue exchanged. */
  readonly swapped: Sampled;
}

describe("image.features", () => {
  let images: KerasImage[];
  let prepared: ImageFeaturesParams;
  const lines: string[] = [];

  beforeAll(async () => {
    const mobileNet = networkByName(network);
    await writeLegacy(weights, mobileNet, formulaWeights(mobileNet));
    const kept = golden<{ images: readonly (Omit<KerasImage, "content"> & { content: string })[] }>("image-features");
    // More rows than are made ready at a time.
    images = Array.from({ length: 3 }, () => kept.images)
      .flat()
      .map((image, i) => ({ ...image, path: `image-${i}`, content: Buffer.from(image.content, "base64") }));
    const log = (level: string, message: string) => void lines.push(`${level}: ${message}`);
    prepared = await builtin.prepare!({ network, weights, batchSize: 5 }, { log, ship });
  });

  it("decides weights and backend on the driver, in plain data, and says so", () => {
    expect(JSON.parse(JSON.stringify(prepared))).toEqual(prepared);
    expect(prepared.imagenet).toBe(false);
    expect(prepared).toMatchObject({
      backend: "onnxruntime-node",
      weights: "weights.h5",
      resolved: { origin: "weights.h5" },
    });
    expect(lines).toEqual([`info: MobileNetV2 runs on onnxruntime-node with weights from ${weights}.`]);
    expect(builtin.metadata!(prepared)).toEqual({
      "pomona.model": "MobileNetV2",
      "pomona.backend": "onnxruntime-node",
      "pomona.weights.sha256": createHash("sha256").update(readFileSync(weights)).digest("hex"),
      "pomona.weights.origin": "weights.h5",
    });
    expect(builtin.returns(prepared, [])).toEqual({ type: "array", elementType: "float", containsNull: true });
  });

  it("says no path of the driver's, but where the model is fetched", async () => {
    const { model, ...others } = await builtin.prepare!(
      { network, weights, cacheDir: join(folder, "named") },
      { log: () => {}, ship },
    );
    expect(model).toBeDefined();
    expect(JSON.stringify(others)).not.toContain(folder);
  });

  it("gives Keras's features, row by row, whatever the batch", async () => {
    const fn = await builtin.create(prepared, context());
    for (const rows of [images, images.slice(1, 2)]) {
      const vector = await fn.apply(columns(rows), fail, PLACE);
      expect(vector.length).toBe(rows.length);
      expect(vector.nullCount).toBe(0);
      rows.forEach((image, i) => {
        expect(differenceFrom(floats(vector, i)!, image.features), image.path).toBeLessThan(1e-4);
      });
    }
    expect((await fn.apply(columns([]), fail, PLACE)).length).toBe(0);
    await fn.close?.();
  });

  it("reports an image that cannot be decoded, with its path, and keeps the others", async () => {
    const fn = await builtin.create(prepared, context());
    const rows = images.slice(0, 12).map(({ path, content }, i) => ({
      path,
      content: i === 1 ? content.subarray(0, 300) : i === 7 ? Buffer.alloc(0) : i === 11 ? null : content,
    }));
    const errors: [number, Error][] = [];
    const vector = await fn.apply(columns(rows), (row, error) => void errors.push([row, error]), PLACE);
    expect(errors.map(([row]) => row)).toEqual([1, 7]);
    for (const [row, error] of errors) {
      expect(error).toBeInstanceOf(CorruptImageError);
      expect(error).toMatchObject({ path: rows[row]!.path });
    }
    expect(vector.nullCount).toBe(3);
    rows.forEach((_, i) => {
      if ([1, 7, 11].includes(i)) expect(vector.get(i)).toBeNull();
      else expect(differenceFrom(floats(vector, i)!, images[i]!.features)).toBeLessThan(1e-4);
    });

    await expect(fn.apply(columns(rows), fail, PLACE)).rejects.toThrow(CorruptImageError);
    // What was under way when that was thrown does no harm to the next batch.
    const next = await fn.apply(columns(images.slice(0, 6)), fail, PLACE);
    expect(differenceFrom(floats(next, 5)!, images[5]!.features)).toBeLessThan(1e-4);
    await fn.close?.();
  });

  it("gives the user's function the decoded image, and takes another image or numbers from it", async () => {
    const rows = images.slice(0, 6);
    const swap: UserCall = async (_row, image) => {
      const { width, height, data } = image as RgbImage;
      const half = Math.floor(width / 2);
      const out = new Uint8Array(half * height * 3);
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < half; x++) {
          for (let c = 0; c < 3; c++) out[(y * half + x) * 3 + c] = data[(y * width + x) * 3 + 2 - c]!;
        }
      }
      return { width: half, height, data: out };
    };
    const unit: UserCall = async (_row, image) => {
      return Float32Array.from(resize(image as RgbImage, 224, 224).data, (byte) => byte / 255);
    };
    for (const [preprocess, wanted] of [
      [swap, "swapped"],
      [unit, "unit"],
    ] as const) {
      // biome-ignore format: two pairs
      const fn = await builtin.create(prepared, context(), { preprocess });
      const vector = await fn.apply(columns(rows), fail, PLACE);
      rows.forEach((image, i) => {
        expect(differenceFrom(floats(vector, i)!, image[wanted]), `${wanted} ${i}`).toBeLessThan(1e-4);
      });
      await fn.close?.();
    }
    const errors: [number, Error][] = [];
    const results = [undefined, [1, 2, 3], "x", Array.from({ length: 150528 }, (_, i) => (i === 9 ? null : 0)), {}];
    const wrong = await builtin.create(prepared, context(), { preprocess: async (row) => results[row] });
    const vector = await wrong.apply(
      columns(images.slice(0, 5)),
      (row, error) => void errors.push([row, error]),
      PLACE,
    );
    expect(vector.nullCount).toBe(5);
    expect(errors.map(([, error]) => error.message.split("\n")[0])).toEqual([
      "MobileNetV2 takes 224 x 224 x 3 = 150528 numbers; preprocess returned nothing.",
      "MobileNetV2 takes 224 x 224 x 3 = 150528 numbers; preprocess returned 3 values.",
      "MobileNetV2 takes 224 x 224 x 3 = 150528 numbers; preprocess returned string.",
      "MobileNetV2 takes numbers; preprocess returned null among them.",
      "MobileNetV2 takes 224 x 224 x 3 = 150528 numbers; preprocess returned object.",
    ]);
    await wrong.close?.();
  });

  it("takes arrays of numbers as they are, and no other column", async () => {
    const fn = await builtin.create(prepared, context());
    const [first, second] = await Promise.all(
      images.slice(0, 2).map(async ({ content }) => {
        const { data: pixels } = resize(await decodeImage(content), 224, 224);
        return Float32Array.from(pixels, (byte) => Math.fround(byte / 127.5) - 1);
      }),
    );
    const values = new Float32Array(3 * 150_528);
    values.set(first!, 0);
    values.set(second!, 2 * 150_528);
    const vector = await fn.apply(
      [vectorFromMatrix({ values, rows: 3, dimension: 150_528 }, new Set([1]))],
      fail,
      PLACE,
    );
    expect(vector.nullCount).toBe(1);
    expect(differenceFrom(floats(vector, 0)!, images[0]!.features)).toBeLessThan(1e-4);
    expect(differenceFrom(floats(vector, 2)!, images[1]!.features)).toBeLessThan(1e-4);
    const bytes = vectorFromValues([Array.from(first!, (v) => Math.round((v + 1) * 127.5))], arrayType("integer"));
    expect((await fn.apply([bytes], fail, PLACE)).length).toBe(1);
    const short = vectorFromMatrix({ values: values.subarray(0, 10), rows: 2, dimension: 5 });
    await expect(fn.apply([short], fail, PLACE)).rejects.toThrow("the column holds 5 values");
    for (const [type, value] of [
      ["string", "a.jpg"],
      ["double", 1],
      [arrayType("string"), ["1"]],
      [arrayType("long"), [1n]],
    ] as const) {
      // biome-ignore format: one table
      await expect(fn.apply([vectorFromValues([value], type)], fail, PLACE)).rejects.toThrow(
        /takes a column of image files \(binary\) or of numbers, not/,
      );
    }
    await fn.close?.();
  });

  it("stops between batches when the task is cancelled, and serves the next task", async () => {
    let task = new AbortController();
    const shared: WorkerContext = {
      ...context(),
      get signal() {
        return task.signal;
      },
    };
    const fn = await builtin.create(prepared, shared);
    task.abort();
    await expect(fn.apply(columns(images), fail, PLACE)).rejects.toThrow(CancelledError);
    task = new AbortController();
    const vector = await fn.apply(columns(images.slice(0, 1)), fail, PLACE);
    expect(differenceFrom(floats(vector, 0)!, images[0]!.features)).toBeLessThan(1e-4);
    await fn.close?.();
  });

  it("makes what it keeps of the weights anew where that is damaged", async () => {
    const cacheDir = join(folder, "cache");
    const form = { network, weights, cacheDir, inputShape: [32, 32, 3] };
    const features = async () => {
      const params = await builtin.prepare!(form, { log: () => {}, ship });
      const fn = await builtin.create(params, context());
      return floats(await fn.apply(columns(images.slice(1, 2)), fail, PLACE), 0);
    };
    const expected = await features();
    const files = readdirSync(join(cacheDir, "graphs"));
    expect(files.map((file) => file.split(".").at(-1)).sort()).toEqual(["onnx", "sha256"]);
    for (const file of files) {
      const path = join(cacheDir, "graphs", file);
      const whole = readFileSync(path);
      whole[whole.length >> 1]! ^= 1;
      writeFileSync(path, whole);
      expect(await features()).toEqual(expected);
    }
  });

  it("fails before any task for weights that are not there or do not fit, and for wrong parameters", async () => {
    const driver = { log: () => {}, ship };
    const prepare = (params: Partial<ImageFeaturesParams>) => builtin.prepare!({ network, weights, ...params }, driver);
    await expect(prepare({ weights: "/no/such.h5" })).rejects.toThrow(WeightsUnavailableError);
    await expect(prepare({ network: "VGG16" })).rejects.toThrow(WeightsShapeError);
    await expect(prepare({ network: "MobileNet" })).rejects.toThrow("Did you mean MobileNetV2?");
    await expect(prepare({ batchSize: 0 })).rejects.toThrow(IllegalArgumentError);
    await expect(prepare({ inputShape: [224, 224, 1] })).rejects.toThrow("must have 3 channels");
    await expect(prepare({ pooling: "mean" })).rejects.toThrow(IllegalArgumentError);
  });
});

/** Bytes into a file of the test's folder; a file stays where it is. */
const ship: DriverContext["ship"] = async (content) => {
  if ("path" in content) return { url: content.path, sha256: content.sha256, bytes: statSync(content.path).size };
  const sha256 = createHash("sha256").update(content).digest("hex");
  writeFileSync(join(folder, sha256), content);
  return { url: join(folder, sha256), sha256, bytes: content.length };
};

function context(): WorkerContext {
  return {
    log: () => {},
    readFile: () => Promise.reject(new Error("not needed")),
    fetch: async ({ url }) => readFileSync(url),
    fetchFile: async ({ url }) => url,
    signal: new AbortController().signal,
  };
}

function columns(rows: readonly { readonly path: string; readonly content: Uint8Array | null }[]): [Vector, Vector] {
  return [
    vectorFromArray(rows.map(({ content }) => content), new Binary()),
    vectorFromArray(rows.map(({ path }) => path), new Utf8()),
  ]; // biome-ignore format: two columns
}

function floats(vector: Vector, row: number): Float32Array | undefined {
  return (vector.get(row) as Vector | null)?.toArray() as Float32Array | undefined;
}

function fail(_row: number, error: Error): never {
  throw error;
}
