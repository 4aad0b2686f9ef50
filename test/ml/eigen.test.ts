import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CancelledError } from "../../src/errors";
import { principalComponents, startScatter, symmetricEigen } from "../../src/ml";
import { type Tridiagonal, tridiagonalQl, tridiagonalValues } from "../../src/ml/tridiagonal-ql";
import { inverseIteration, tridiagonalVectors } from "../../src/ml/tridiagonal-vectors";
import { REFERENCE } from "../support/reference";
import {
  differenceUpToSign,
  elementwiseDifference,
  type NumpyArray,
  numpy,
  packUpper,
  relativeDifference,
} from "./numpy";

/** How far vectors are from orthonormal, and from solving A v = value v (relative to the norm of A). */
function quality(a: NumpyArray, values: Float64Array, vectors: Float64Array, count: number) {
  const n = a.shape[0]!;
  const result = numpy(
    `scale = max(np.abs(values).max(), 1e-300)
a, values = a / scale, values[:${count}] / scale
out = dict(orthogonality=np.array([np.abs(v @ v.T - np.eye(${count})).max()]),
  residual=np.array([np.linalg.norm(a @ v.T - v.T * values, axis=0).max()]))`,
    { a, values: { values, shape: [n] }, v: { values: vectors, shape: [count, n] } },
  );
  return { orthogonality: result.orthogonality!.values[0]!, residual: result.residual!.values[0]! };
}

describe("symmetricEigen", () => {
  // Orders around the tile width (4) and the panel width (32).
  it.each([1, 2, 3, 4, 5, 31, 32, 33, 34, 63, 64, 65, 97, 150])("agrees with numpy at order %i", async (n) => {
    const { a, values } = numpy(
      `b = np.random.default_rng(${n}).normal(size=(${n}, ${n})); a = b + b.T\nout = dict(a=a, values=np.linalg.eigvalsh(a)[::-1])`,
    );
    const eigen = await symmetricEigen(packUpper(a!), n, { count: n });
    expect(relativeDifference(eigen.values, values!.values)).toBeLessThan(1e-13);
    const { orthogonality, residual } = quality(a!, eigen.values, eigen.vectors, n);
    expect(orthogonality).toBeLessThan(1e-12);
    expect(residual).toBeLessThan(1e-12);
  });

  it.each([
    ["clusters of equal eigenvalues", "np.repeat([5.0, 5.0, 2.0, 1.0], 50)"],
    ["clusters that differ by rounding", "np.repeat([5.0, 2.0], 100) + np.arange(200) * 1e-15"],
    ["a spectrum over 24 decades", "10.0 ** -np.linspace(0, 24, 200)"],
    ["eigenvalues of both signs, in pairs", "np.concatenate([np.arange(100) - 50.0, np.arange(100) - 50.0])"],
    ["rank 3", "np.concatenate([[3.0, 2.0, 1.0], np.zeros(197)])"],
    ["all equal", "np.full(200, 7.0)"],
    ["huge numbers", "np.linspace(1, 2, 200) * 1e200"],
    ["tiny numbers", "np.linspace(1, 2, 200) * 1e-200"],
  ])("is orthonormal and exact for %s", async (_, spectrum) => {
    const { a, values } = numpy(`
q, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(200, 200)))
a = (q * (${spectrum})) @ q.T
a = (a + a.T) / 2
out = dict(a=a, values=np.linalg.eigvalsh(a)[::-1])`);
    const eigen = await symmetricEigen(packUpper(a!), 200, { count: 200 });
    expect(relativeDifference(eigen.values, values!.values)).toBeLessThan(1e-13);
    const { orthogonality, residual } = quality(a!, eigen.values, eigen.vectors, 200);
    expect(orthogonality).toBeLessThan(1e-12);
    expect(residual).toBeLessThan(1e-12);
  });

  it.each([
    ["the zero matrix", "np.zeros((40, 40))"],
    ["the identity", "np.eye(40)"],
    ["a diagonal", "np.diag(np.arange(40.0))"],
    ["all ones", "np.ones((40, 40))"],
    ["zero rows between others", "np.outer(np.arange(40) % 3, np.arange(40) % 3) * 1.0"],
  ])("handles %s", async (_, matrix) => {
    const { a, values } = numpy(`a = ${matrix}\nout = dict(a=a, values=np.linalg.eigvalsh(a)[::-1])`);
    const eigen = await symmetricEigen(packUpper(a!), 40, { count: 40 });
    expect(relativeDifference(eigen.values, values!.values)).toBeLessThan(1e-14);
    const { orthogonality, residual } = quality(a!, eigen.values, eigen.vectors, 40);
    expect(orthogonality).toBeLessThan(1e-13);
    expect(residual).toBeLessThan(1e-13);
  });

  it("makes the component of largest magnitude positive", async () => {
    const { a } = numpy("b = np.random.default_rng(5).normal(size=(50, 50)); a = b + b.T\nout = dict(a=a)");
    const { vectors } = await symmetricEigen(packUpper(a!), 50, { count: 50 });
    for (let i = 0; i < 50; i++) {
      const row = Array.from(vectors.subarray(i * 50, (i + 1) * 50));
      expect(Math.max(...row)).toBe(Math.max(...row.map(Math.abs)));
    }
  });

  it("stops when asked to", async () => {
    const abort = new AbortController();
    const running = symmetricEigen(new Float64Array((600 * 601) / 2).fill(1), 600, { count: 5, signal: abort.signal });
    abort.abort();
    await expect(running).rejects.toThrow(CancelledError);
  });
});

describe("tridiagonal eigenvectors", () => {
  /** Wilkinson's matrix of order 21, `copies` times, joined by `glue`: the classic hard case of inverse iteration. */
  function gluedWilkinson(copies: number, glue: number): Tridiagonal {
    const diagonal = Float64Array.from({ length: 21 * copies }, (_, i) => Math.abs(10 - (i % 21)));
    const off = Float64Array.from({ length: 21 * copies }, (_, i) => ((i + 1) % 21 === 0 ? glue : 1));
    return { diagonal, off };
  }

  it.each([
    [10, 1e-4, true],
    [10, 1e-8, true],
    [10, 1e-12, true],
    [10, 1e-14, true],
    [10, 1e-18, true],
    // Here inverse iteration gives up, and the QL method takes its place.
    [20, 1e-12, false],
  ])("are orthonormal for %i Wilkinson matrices glued by %s", (copies, glue, isIterated) => {
    const matrix = gluedWilkinson(copies, glue);
    const n = 21 * copies;
    const { a, values } = numpy(
      `a = np.diag(d) + np.diag(e[:-1], 1) + np.diag(e[:-1], -1)\nout = dict(a=a, values=np.linalg.eigvalsh(a)[::-1])`,
      { d: { values: matrix.diagonal, shape: [n] }, e: { values: matrix.off, shape: [n] } },
    );
    const placed = tridiagonalValues(matrix);
    const found = Float64Array.from(placed, ({ value }) => value);
    expect(relativeDifference(found, values!.values)).toBeLessThan(1e-13);
    expect(inverseIteration(matrix, placed, n) !== undefined).toBe(isIterated);
    const { orthogonality, residual } = quality(a!, found, tridiagonalVectors(matrix, placed, n), n);
    expect(orthogonality).toBeLessThan(1e-10);
    expect(residual).toBeLessThan(1e-12);
  });

  it("come from the QL method alone as well", () => {
    const matrix = gluedWilkinson(4, 1e-9);
    const n = 84;
    const { a } = numpy("out = dict(a=np.diag(d) + np.diag(e[:-1], 1) + np.diag(e[:-1], -1))", {
      d: { values: matrix.diagonal, shape: [n] },
      e: { values: matrix.off, shape: [n] },
    });
    const { values, vectors } = tridiagonalQl(matrix);
    expect(
      relativeDifference(
        values,
        tridiagonalValues(matrix).map((p) => p.value),
      ),
    ).toBeLessThan(1e-14);
    const { orthogonality, residual } = quality(a!, values, vectors, n);
    expect(orthogonality).toBeLessThan(1e-13);
    expect(residual).toBeLessThan(1e-13);
  });

  it("are refused where they are not orthogonal", () => {
    const matrix = gluedWilkinson(1, 1);
    const [first] = tridiagonalValues(matrix);
    // The same eigenvalue twice, once far from its place, cannot give two orthogonal vectors that both solve.
    expect(inverseIteration(matrix, [first!, { value: first!.value - 0.05, block: first!.block }], 2)).toBeUndefined();
  });
});

describe("principalComponents", () => {
  async function pcaOf(x: NumpyArray, k: number) {
    const [rows, dimension] = x.shape as [number, number];
    const accumulator = startScatter(dimension);
    accumulator.add({ values: x.values, rows, dimension });
    return principalComponents(accumulator.finish(), k);
  }
  const NUMPY_PCA = (k: number) => `
d = x - x.mean(axis=0)
s, v = np.linalg.svd(d, full_matrices=False)[1:]
out.update(explained=(s ** 2 / (s ** 2).sum())[:${k}], components=v[:${k}])`;

  it("agrees with numpy on a decaying spectrum", async () => {
    const data = numpy(`
rng = np.random.default_rng(11)
q, _ = np.linalg.qr(rng.normal(size=(200, 200)))
x = (rng.normal(size=(3000, 200)) * 0.9 ** np.arange(200)) @ q + 100
x[:, 17] = 3.25
out["x"] = x
${NUMPY_PCA(60)}`);
    const { components, explainedVariance } = await pcaOf(data.x!, 60);
    expect(elementwiseDifference(explainedVariance, data.explained!.values)).toBeLessThan(1e-6);
    expect(differenceUpToSign(components.values, data.components!.values, 200)).toBeLessThan(1e-4);
  });

  it("takes as many components as a share of the variance needs", async () => {
    const data = numpy(`
x = np.random.default_rng(2).normal(size=(500, 30)) * 0.8 ** np.arange(30)
out["x"] = x
${NUMPY_PCA(30)}
out["k"] = np.array([np.argmax(np.cumsum(out["explained"]) >= 0.9) + 1])`);
    const { components, explainedVariance } = await pcaOf(data.x!, 0.9);
    expect(components.rows).toBe(data.k!.values[0]);
    expect(explainedVariance.reduce((a, b) => a + b)).toBeGreaterThanOrEqual(0.9);
  });

  /** Features of 48 images by Keras. */
  const LOAD = `import pyarrow.parquet as pq
x = np.array(pq.read_table(${JSON.stringify(join(REFERENCE, "reference", "mobilenetv2-features.parquet"))})["features"].to_pylist())`;

  it("agrees with numpy on the features of fewer images than dimensions", async () => {
    const data = numpy(`${LOAD}\nout["x"] = x\n${NUMPY_PCA(47)}`);
    const { components, explainedVariance } = await pcaOf(data.x!, 47);
    expect(elementwiseDifference(explainedVariance, data.explained!.values)).toBeLessThan(1e-6);
    expect(differenceUpToSign(components.values, data.components!.values, 1280)).toBeLessThan(1e-4);
  });

  it("gives orthonormal components beyond the rank", async () => {
    const data = numpy(`${LOAD}\nout["x"] = x\nd = x - x.mean(axis=0)\nout["a"] = d.T @ d`);
    const { components, explainedVariance } = await pcaOf(data.x!, 100);
    expect(Math.max(...explainedVariance.subarray(47))).toBeLessThan(1e-14);
    const total = data.a!.values.filter((_, i) => i % 1281 === 0).reduce((a, b) => a + b);
    const eigenvalues = new Float64Array(1280);
    eigenvalues.set(explainedVariance.map((share) => share * total));
    const { orthogonality, residual } = quality(data.a!, eigenvalues, components.values, 100);
    expect(orthogonality).toBeLessThan(1e-12);
    expect(residual).toBeLessThan(1e-12);
  });

  it("says why it cannot", async () => {
    const x = { values: Float64Array.from([1, 2, 3, 5, 8, 13]), shape: [2, 3] };
    await expect(pcaOf(x, 4)).rejects.toThrow(/k is 4, but the vectors have only 3 values/);
    await expect(pcaOf({ values: new Float64Array(3), shape: [1, 3] }, 1)).rejects.toThrow(/at least two rows/);
    await expect(pcaOf({ values: new Float64Array(6), shape: [2, 3] }, 1)).rejects.toThrow(/no variance/);
  });
});
