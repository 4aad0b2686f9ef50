import { describe, expect, it } from "vitest";
import {
  createProjection,
  mergeMoments,
  mergeScatter,
  momentsOf,
  type Scatter,
  sampleStd,
  startScatter,
} from "../../src/numerics";
import { golden } from "../support/golden";
import { uniform } from "./data-sets";
import { relativeDifference } from "./numeric";

/** What numpy says of the rows below. */
interface Answer {
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** The upper triangle, row by row. */
  readonly scatter: readonly number[];
  /** Rows 120 to 139 along `WEIGHTS`. */
  readonly projected: readonly number[];
}

/** 1000 rows of 37 values (not a multiple of the tile width) with means from -500 to 580 and a constant column. */
const X = uniform(1000 * 37).map((u, i) => (i % 37 === 5 ? 0.1 : u * (1 + (i % 37) * 0.125) + ((i % 37) * 30 - 500)));
const WEIGHTS = { values: uniform(11 * 37, 7), rows: 11, dimension: 37 };

describe("partial statistics", () => {
  const data = golden<Answer>("moments");
  const part = (from: number, to: number) => {
    return { values: X.slice(from * 37, to * 37), rows: to - from, dimension: 37 };
  };
  const scatterOf = (from: number, to: number, batch = to - from): Scatter => {
    const accumulator = startScatter(37);
    for (let at = from; at < to; at += batch) accumulator.add(part(at, Math.min(to, at + batch)));
    return accumulator.finish();
  };

  it("gives numpy's mean and standard deviation", () => {
    const all = momentsOf(part(0, 1000));
    expect(all.count).toBe(1000);
    expect(relativeDifference(all.mean, data.mean)).toBeLessThan(1e-14);
    const std = sampleStd(all);
    const others = (a: ArrayLike<number>) => Array.from(a).filter((_, j) => j !== 5);
    // numpy sums column 5 without a shift, and its deviation is rounding error instead of 0.
    expect(relativeDifference(others(std), others(data.std))).toBeLessThan(1e-9);
    expect(std[5]).toBe(0);
    expect(all.mean[5]).toBe(0.1);
  });

  it.each([[1], [3], [256], [257], [999], [1000]])("gives numpy's scatter matrix, in batches of %i rows", (batch) => {
    const all = scatterOf(0, 1000, batch);
    expect(all.count).toBe(1000);
    expect(relativeDifference(all.mean, data.mean)).toBeLessThan(1e-14);
    expect(relativeDifference(all.packed, data.scatter)).toBeLessThan(1e-12);
  });

  it.each([
    ["in two", [500]],
    ["with a part of one row", [1]],
    ["unevenly", [10, 11, 300, 301, 990]],
    ["in many", Array.from({ length: 99 }, (_, i) => (i + 1) * 10)],
  ])("merges to the same, split %s", (_, cuts) => {
    const bounds = [0, ...cuts, 1000];
    const spans = cuts.concat(1000).map((to, i) => [bounds[i]!, to] as const);
    const whole = momentsOf(part(0, 1000));
    const merged = spans.map(([from, to]) => momentsOf(part(from, to))).reduce(mergeMoments);
    expect(merged.count).toBe(1000);
    expect(relativeDifference(merged.mean, whole.mean)).toBeLessThan(1e-12);
    expect(relativeDifference(merged.m2, whole.m2)).toBeLessThan(1e-12);
    expect(merged.m2[5]).toBe(0);
    const scatter = spans.map(([from, to]) => scatterOf(from, to)).reduce(mergeScatter);
    expect(relativeDifference(scatter.mean, whole.mean)).toBeLessThan(1e-12);
    expect(relativeDifference(scatter.packed, scatterOf(0, 1000).packed)).toBeLessThan(1e-12);
  });

  it("keeps the digits of a small variance beside a large mean", () => {
    const near = uniform(1000 * 8).map((u) => Math.round(u * 2 ** 20) / 2 ** 20);
    const scatterAt = (offset: number) => {
      const accumulator = startScatter(8);
      accumulator.add({ values: near.map((value) => value + offset), rows: 1000, dimension: 8 });
      return accumulator.finish().packed;
    };
    // Every value is exact in both places. Sums of raw squares would be off by 1e-3 here.
    expect(relativeDifference(scatterAt(2 ** 20), scatterAt(0))).toBeLessThan(1e-9);
  });

  it("projects as numpy does, each row by itself", () => {
    const projection = createProjection(WEIGHTS);
    const all = projection(part(0, 1000));
    expect(all).toMatchObject({ rows: 1000, dimension: 11 });
    expect(relativeDifference(all.values.subarray(120 * 11, 140 * 11), data.projected)).toBeLessThan(1e-14);
    const alone = projection(part(123, 124));
    expect(Array.from(alone.values)).toEqual(Array.from(all.values.subarray(123 * 11, 124 * 11)));
  });

  it("projects vectors longer than one stretch", () => {
    const [x, w] = [uniform(70 * 1281), uniform(5 * 1281, 7)];
    const projected = createProjection({ values: w, rows: 5, dimension: 1281 })({
      values: x,
      rows: 70,
      dimension: 1281,
    });
    const expected = Float64Array.from({ length: 70 * 5 }, (_, i) => {
      let sum = 0;
      for (let j = 0; j < 1281; j++) sum += x[Math.floor(i / 5) * 1281 + j]! * w[(i % 5) * 1281 + j]!;
      return sum;
    });
    expect(relativeDifference(projected.values, expected)).toBeLessThan(1e-13);
  });

  it("refuses to merge rows of different lengths", () => {
    const other = momentsOf({ values: new Float64Array(4), rows: 2, dimension: 2 });
    expect(() => mergeMoments(momentsOf(part(0, 10)), other)).toThrow(/37 values and others 2/);
  });
});
