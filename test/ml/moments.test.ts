import { beforeAll, describe, expect, it } from "vitest";
import {
  createProjection,
  mergeMoments,
  mergeScatter,
  momentsOf,
  type Scatter,
  sampleStd,
  startScatter,
} from "../../src/ml";
import { type NumpyArray, numpy, packUpper, relativeDifference } from "./numpy";

/** 1000 rows of 37 values (not a multiple of the tile width) with means up to 1e3 and a constant column. */
const MAKE = `
rng = np.random.default_rng(7)
x = rng.normal(size=(1000, 37)) * rng.uniform(0.001, 5, 37) + rng.normal(size=37) * 10.0 ** rng.integers(-2, 4, 37)
x[:, 5] = 0.1
d = x - x.mean(axis=0)
w = rng.normal(size=(11, 37))
out = dict(x=x, mean=x.mean(axis=0), std=x.std(axis=0, ddof=1), scatter=d.T @ d, w=w, projected=x @ w.T)
`;

describe("partial statistics", () => {
  let data: Record<string, NumpyArray>;
  beforeAll(() => {
    data = numpy(MAKE);
  });
  const part = (from: number, to: number) => {
    const { values, shape } = data.x!;
    const d = shape[1]!;
    return { values: values.slice(from * d, to * d), rows: to - from, dimension: d };
  };
  const scatterOf = (from: number, to: number, batch = to - from): Scatter => {
    const accumulator = startScatter(37);
    for (let at = from; at < to; at += batch) accumulator.add(part(at, Math.min(to, at + batch)));
    return accumulator.finish();
  };

  it("gives numpy's mean and standard deviation", () => {
    const all = momentsOf(part(0, 1000));
    expect(all.count).toBe(1000);
    expect(relativeDifference(all.mean, data.mean!.values)).toBeLessThan(1e-14);
    const std = sampleStd(all);
    const others = (a: Float64Array) => a.filter((_, j) => j !== 5);
    // numpy sums column 5 without a shift, and its deviation is rounding error instead of 0.
    expect(relativeDifference(others(std), others(data.std!.values))).toBeLessThan(1e-9);
    expect(std[5]).toBe(0);
    expect(all.mean[5]).toBe(0.1);
  });

  it.each([[1], [3], [256], [257], [999], [1000]])("gives numpy's scatter matrix, in batches of %i rows", (batch) => {
    const all = scatterOf(0, 1000, batch);
    expect(all.count).toBe(1000);
    expect(relativeDifference(all.mean, data.mean!.values)).toBeLessThan(1e-14);
    expect(relativeDifference(all.packed, packUpper(data.scatter!))).toBeLessThan(1e-12);
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
    const far = numpy(`
x = np.random.default_rng(9).normal(size=(1000, 8))
d = x - x.mean(axis=0)
out = dict(x=np.round(x * 2.0 ** 20) / 2.0 ** 20 + 1e6, scatter=d.T @ d)`);
    const accumulator = startScatter(8);
    accumulator.add({ values: far.x!.values, rows: 1000, dimension: 8 });
    // Sums of raw squares would be off by 1e-3 here. Rounding x to steps of 1e-6 moves the matrix itself by 1e-8.
    expect(relativeDifference(accumulator.finish().packed, packUpper(far.scatter!))).toBeLessThan(1e-7);
  });

  it("projects as numpy does, each row by itself", () => {
    const projection = createProjection({ values: data.w!.values, rows: 11, dimension: 37 });
    const all = projection(part(0, 1000));
    expect(all).toMatchObject({ rows: 1000, dimension: 11 });
    expect(relativeDifference(all.values, data.projected!.values)).toBeLessThan(1e-14);
    const alone = projection(part(123, 124));
    expect(Array.from(alone.values)).toEqual(Array.from(all.values.subarray(123 * 11, 124 * 11)));
  });

  it("projects vectors longer than one stretch", () => {
    const long = numpy(
      "rng = np.random.default_rng(3)\nx = rng.normal(size=(70, 1281)); w = rng.normal(size=(5, 1281))\nout = dict(x=x, w=w, y=x @ w.T)",
    );
    const projected = createProjection({ values: long.w!.values, rows: 5, dimension: 1281 })({
      values: long.x!.values,
      rows: 70,
      dimension: 1281,
    });
    expect(relativeDifference(projected.values, long.y!.values)).toBeLessThan(1e-13);
  });

  it("refuses to merge rows of different lengths", () => {
    const other = momentsOf({ values: new Float64Array(4), rows: 2, dimension: 2 });
    expect(() => mergeMoments(momentsOf(part(0, 10)), other)).toThrow(/37 values and others 2/);
  });
});
