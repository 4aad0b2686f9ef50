import { serialize } from "node:v8";
import { type RecordBatch, type Vector, vectorFromArray } from "apache-arrow";
import { describe, expect, it } from "vitest";
import { arrowType } from "../../src/data/arrow";
import type { BuiltinColumnFunction, BuiltinTableFunction, Json, WorkerContext } from "../../src/data/batch-function";
import { arrayType } from "../../src/data/types";
import { batchFromColumns, matrixFromVector, vectorFromMatrix } from "../../src/data/vectors";
import { IllegalArgumentError } from "../../src/errors";
import {
  type Gathering,
  gatherMoments,
  gatherScatter,
  moments,
  project,
  scatter,
  standardScale,
} from "../../src/numerics";
import { PLACE } from "../support/place";
import { uniform } from "./data-sets";
import { packUpper, relativeDifference } from "./numeric";

/** A worker whose files are these values. */
function worker(files: Readonly<Record<string, unknown>> = {}): WorkerContext {
  return {
    log: () => {},
    readFile: () => Promise.reject(new Error("not needed")),
    fetch: async ({ url }) => serialize(files[url]),
    fetchFile: () => Promise.reject(new Error("not needed")),
    signal: new AbortController().signal,
  };
}

const shipped = (url: string) => ({ url, sha256: "", bytes: 0 });

async function applyColumn(fn: unknown, params: Json, column: Vector, files: Readonly<Record<string, unknown>>) {
  const created = await (fn as BuiltinColumnFunction).create(params, worker(files));
  return created.apply(
    [column],
    (_row, error) => {
      throw error;
    },
    PLACE,
  );
}

async function runTable(fn: unknown, batches: readonly RecordBatch[]): Promise<RecordBatch | undefined> {
  const created = await (fn as BuiltinTableFunction).create({ column: "features" }, worker());
  for (const batch of batches) expect(await created.apply(batch, PLACE)).toBeUndefined();
  return created.finish?.();
}

function gathered<T>(gathering: Gathering<T>, partials: readonly (RecordBatch | undefined)[]): T {
  for (const partial of partials) gathering.add(partial!);
  return gathering.finish()!;
}

const features = (vector: Vector) => batchFromColumns([{ name: "features", vector }]);
const arrays = (rows: readonly unknown[], type: "float" | "double" = "double") =>
  vectorFromArray(rows as unknown[], arrowType(arrayType(type))) as Vector;

describe("ml.moments and ml.scatter", () => {
  it("agree with sums one by one on array<float>, over batches of several sizes and an empty one", async () => {
    const x = Float32Array.from(uniform(50 * 6), (u) => u * 6 + 3);
    const mean = Float64Array.from(
      { length: 6 },
      (_, j) => x.reduce((sum, v, i) => sum + (i % 6 === j ? v : 0), 0) / 50,
    );
    const products = new Float64Array(36);
    for (let row = 0; row < 50; row++) {
      const deviation = (j: number) => x[row * 6 + j]! - mean[j]!;
      for (let at = 0; at < 36; at++) products[at]! += deviation(Math.floor(at / 6)) * deviation(at % 6);
    }
    const m2 = Float64Array.from({ length: 6 }, (_, j) => products[j * 7]!);
    const batches = [0, 1, 20, 20, 50].map((from, i, bounds) => {
      const to = bounds[i + 1] ?? 50;
      return features(vectorFromMatrix({ values: x.subarray(from * 6, to * 6), rows: to - from, dimension: 6 }));
    });
    const found = gathered(gatherMoments(), [await runTable(moments, batches)]);
    expect(found.count).toBe(50);
    expect(relativeDifference(found.mean, mean)).toBeLessThan(1e-14);
    expect(relativeDifference(found.m2, m2)).toBeLessThan(1e-14);
    // One row goes as it is; 19 and 30 rows of 6 values go as a matrix.
    const split = [batches.slice(0, 1), batches.slice(1, 3), batches.slice(3)];
    const partials = await Promise.all([...split, batches].map((part) => runTable(scatter, part)));
    expect(partials.map((p) => p!.getChild("rows")!.get(0) !== null)).toEqual([true, false, false, false]);
    for (const found of [
      gathered(gatherScatter(), partials.slice(0, 3)),
      gathered(gatherScatter(), partials.slice(3)),
    ]) {
      if (found.kind !== "scatter") throw new Error(found.kind);
      expect(found.count).toBe(50);
      expect(relativeDifference(found.mean, mean)).toBeLessThan(1e-14);
      expect(relativeDifference(found.packed, packUpper(products, 6))).toBeLessThan(1e-13);
    }
  });

  it("keep rows as they are while all partitions have fewer than columns", async () => {
    const x = uniform(7 * 8);
    const part = (from: number, to: number) =>
      runTable(scatter, [
        features(vectorFromMatrix({ values: x.subarray(from * 8, to * 8), rows: to - from, dimension: 8 })),
      ]);
    const [first, second, third] = await Promise.all([part(0, 3), part(3, 6), part(6, 7)]);
    const few = gathered(gatherScatter(), [first, second, third]);
    expect(few).toEqual({ kind: "rows", rows: { values: x, rows: 7, dimension: 8 } });
    const many = gathered(gatherScatter(), [first, second, third, third]);
    expect(many).toMatchObject({ kind: "scatter", count: 8 });
  });

  it("give no row for an empty partition", async () => {
    expect(await runTable(moments, [])).toBeUndefined();
    expect(
      await runTable(scatter, [features(vectorFromMatrix({ values: new Float64Array(0), rows: 0, dimension: 0 }))]),
    ).toBeUndefined();
  });

  it.each([
    ["null", [[1, 2], null, [3, 4]], /features holds null, in row 1 .*\n.*isNotNull/],
    ["a shorter array", [[1, 2], [3]], /features holds an array of 1 values where the first row has 2, in row 1/],
    [
      "null inside an array",
      [
        [1, 2],
        [3, 4],
        [5, null],
      ],
      /features holds null inside an array, in row 2/,
    ],
    [
      "NaN",
      [
        [1, 2],
        [Number.NaN, 4],
      ],
      /features holds NaN inside an array, in row 1 .*\n.*finite/,
    ],
    ["infinity", [[1, Number.POSITIVE_INFINITY]], /features holds Infinity inside an array, in row 0/],
    ["arrays of no values", [[], []], /features holds an empty array/],
  ])("refuse %s, naming column and row", async (_, rows, message) => {
    for (const fn of [moments, scatter]) {
      const running = runTable(fn, [features(arrays(rows))]);
      await expect(running).rejects.toThrow(IllegalArgumentError);
      await expect(running).rejects.toThrow(message);
    }
  });

  it("refuse a batch of longer vectors than the one before", async () => {
    await expect(runTable(moments, [features(arrays([[1, 2]])), features(arrays([[1, 2, 3]]))])).rejects.toThrow(
      /features holds vectors of 3 values, not 2/,
    );
  });
});

describe("ml.standardScale", () => {
  const values = { mean: Float64Array.from([1, 10, 5]), std: Float64Array.from([2, 0, 0.5]) };
  const scale = async (withMean: boolean, withStd: boolean) => {
    const params = { column: "features", values: shipped("file:/values"), withMean, withStd };
    const out = await applyColumn(
      standardScale,
      params,
      arrays([
        [3, 10, 4],
        [1, 11, 5],
      ]),
      { "file:/values": values },
    );
    return Array.from(matrixFromVector(out).values);
  };

  it("subtracts and divides as asked, and gives 0 for a component without variance", async () => {
    expect(await scale(true, true)).toEqual([1, 0, -2, 0, 0, 0]);
    expect(await scale(false, true)).toEqual([1.5, 0, 8, 0.5, 0, 10]);
    expect(await scale(true, false)).toEqual([2, 0, -1, 0, 1, 0]);
    expect(await scale(false, false)).toEqual([3, 10, 4, 1, 11, 5]);
  });

  it("reads a column of several chunks, the first of them a slice", async () => {
    const column = arrays([
      [1, 2, 3],
      [3, 5, 8],
    ])
      .concat(arrays([[7, 9, 11]]))
      .slice(1) as Vector;
    expect(column.data).toHaveLength(2);
    const params = { column: "features", values: shipped("file:/values"), withMean: true, withStd: false };
    const out = await applyColumn(standardScale, params, column, { "file:/values": values });
    expect(Array.from(matrixFromVector(out).values)).toEqual([2, -5, 3, 6, -1, 6]);
  });

  it("refuses vectors of another length than the model's, and a broadcast of something else", async () => {
    const params = { column: "features", values: shipped("file:/values"), withMean: true, withStd: true };
    await expect(applyColumn(standardScale, params, arrays([[1, 2]]), { "file:/values": values })).rejects.toThrow(
      /features holds vectors of 2 values, not 3/,
    );
    await expect(applyColumn(standardScale, params, arrays([]), { "file:/values": [1] })).rejects.toThrow(
      /file:\/values does not hold/,
    );
  });
});

describe("ml.project", () => {
  it("gives the inner products with each component, without centring, also for no rows", async () => {
    const components = { values: Float64Array.from([1, 0, 0, 0.5, 0.5, 2]), rows: 2, dimension: 3 };
    const params = { column: "scaled", components: shipped("file:/components") };
    const run = async (rows: readonly unknown[]) =>
      applyColumn(project, params, arrays(rows), { "file:/components": components });
    expect(
      Array.from(
        matrixFromVector(
          await run([
            [3, 10, 4],
            [1, 11, 5],
          ]),
        ).values,
      ),
    ).toEqual([3, 14.5, 1, 16]);
    expect((await run([])).length).toBe(0);
    await expect(run([[1, 2]])).rejects.toThrow(/scaled holds vectors of 2 values, not 3/);
  });
});
