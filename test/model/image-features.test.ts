import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Binary, Utf8, type Vector, vectorFromArray } from "apache-arrow";
import { beforeAll, describe, expect, it } from "vitest";
import type { BuiltinColumnFunction, WorkerContext } from "../../src/data/batch-function";
import { CancelledError, IllegalArgumentError } from "../../src/errors";
import { CorruptImageError } from "../../src/image";
import { type ImageFeaturesParams, imageFeatures, WeightsShapeError, WeightsUnavailableError } from "../../src/model";
import { maxDifference } from "../image/pillow";
import { MODELS, type ReferenceImage, referenceImages } from "./reference";

const builtin = imageFeatures as unknown as BuiltinColumnFunction<ImageFeaturesParams>;
const weights = `${MODELS}/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5`;
const network = "MobileNetV2";

describe("image.features", () => {
  let images: ReferenceImage[];
  let prepared: ImageFeaturesParams;
  const lines: string[] = [];

  beforeAll(async () => {
    images = referenceImages();
    const log = (level: string, message: string) => void lines.push(`${level}: ${message}`);
    prepared = await builtin.prepare!({ network, weights, batchSize: 5 }, { log });
  });

  it("decides weights and backend on the driver, in plain data, and says so", () => {
    expect(JSON.parse(JSON.stringify(prepared))).toEqual(prepared);
    expect(prepared).toMatchObject({ backend: "onnxruntime-node", resolved: { kind: "file", path: weights } });
    expect(lines).toEqual([`info: MobileNetV2 runs on onnxruntime-node with weights from ${weights}.`]);
    expect(builtin.metadata!(prepared)).toEqual({
      "pomona.model": "MobileNetV2",
      "pomona.backend": "onnxruntime-node",
      "pomona.weights.sha256": createHash("sha256").update(readFileSync(weights)).digest("hex"),
      "pomona.weights.origin": weights,
    });
    expect(builtin.returns(prepared)).toEqual({ type: "array", elementType: "float", containsNull: true });
  });

  it("gives Keras's features, row by row, whatever the batch", async () => {
    const fn = await builtin.create(prepared, context());
    for (const rows of [images.slice(0, 12), images.slice(12, 13), images.slice(13)]) {
      const vector = await fn.apply(columns(rows), fail);
      expect(vector.length).toBe(rows.length);
      expect(vector.nullCount).toBe(0);
      rows.forEach((image, i) => {
        expect(maxDifference(floats(vector, i)!, image.features), image.path).toBeLessThan(1e-3);
      });
    }
    expect((await fn.apply(columns([]), fail)).length).toBe(0);
    await fn.close?.();
  });

  it("reports an image that cannot be decoded, with its path, and keeps the others", async () => {
    const fn = await builtin.create(prepared, context());
    const rows = images.slice(0, 12).map(({ path, content }, i) => ({
      path,
      content: i === 1 ? content.subarray(0, 900) : i === 7 ? Buffer.alloc(0) : i === 11 ? null : content,
    }));
    const errors: [number, Error][] = [];
    const vector = await fn.apply(columns(rows), (row, error) => void errors.push([row, error]));
    expect(errors.map(([row]) => row)).toEqual([1, 7]);
    for (const [row, error] of errors) {
      expect(error).toBeInstanceOf(CorruptImageError);
      expect(error).toMatchObject({ path: rows[row]!.path });
    }
    expect(vector.nullCount).toBe(3);
    rows.forEach((_, i) => {
      if ([1, 7, 11].includes(i)) expect(vector.get(i)).toBeNull();
      else expect(maxDifference(floats(vector, i)!, images[i]!.features)).toBeLessThan(1e-3);
    });

    await expect(fn.apply(columns(rows), fail)).rejects.toThrow(CorruptImageError);
    // What was under way when that was thrown does no harm to the next batch.
    const next = await fn.apply(columns(images.slice(0, 6)), fail);
    expect(maxDifference(floats(next, 5)!, images[5]!.features)).toBeLessThan(1e-3);
    await fn.close?.();
  });

  it("stops between batches when the task is cancelled", async () => {
    const controller = new AbortController();
    const fn = await builtin.create(prepared, { ...context(), signal: controller.signal });
    controller.abort();
    await expect(fn.apply(columns(images), fail)).rejects.toThrow(CancelledError);
    await fn.close?.();
  });

  it("fails before any task for weights that are not there or do not fit, and for wrong parameters", async () => {
    const driver = { log: () => {} };
    const prepare = (params: Partial<ImageFeaturesParams>) => builtin.prepare!({ network, weights, ...params }, driver);
    await expect(prepare({ weights: "/no/such.h5" })).rejects.toThrow(WeightsUnavailableError);
    await expect(prepare({ network: "VGG16" })).rejects.toThrow(WeightsShapeError);
    await expect(prepare({ network: "MobileNet" })).rejects.toThrow("Did you mean MobileNetV2?");
    await expect(prepare({ batchSize: 0 })).rejects.toThrow(IllegalArgumentError);
  });
});

function context(): WorkerContext {
  return {
    log: () => {},
    readFile: () => Promise.reject(new Error("not needed")),
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
