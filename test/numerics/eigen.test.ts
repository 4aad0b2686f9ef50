import { describe, expect, it } from "vitest";
import { CancelledError } from "../../src/errors";
import { symmetricEigen } from "../../src/numerics";
import { type Tridiagonal, tridiagonalQl, tridiagonalValues } from "../../src/numerics/tridiagonal-ql";
import { inverseIteration, tridiagonalVectors } from "../../src/numerics/tridiagonal-vectors";
import { uniform } from "./data-sets";
import { orthogonality, packUpper, relativeDifference, residual } from "./numeric";

/*
 * n orthonormal vectors that solve A v = value v are all eigenvectors, and the values all eigenvalues: where they do to
 * rounding error, nothing else needs to say what is right.
 */
async function expectSolved(a: Float64Array, n: number, bound = 1e-12): Promise<Float64Array> {
  const { values, vectors } = await symmetricEigen(packUpper(a, n), n, { count: n });
  expect(orthogonality({ values: vectors, rows: n, dimension: n })).toBeLessThan(bound);
  expect(residual(a, n, values, vectors)).toBeLessThan(bound);
  expect(Array.from(values)).toEqual(Array.from(values).sort((x, y) => y - x));
  return values;
}

function symmetric(n: number, element: (i: number, j: number) => number): Float64Array {
  const a = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let j = i; j < n; j++) a[i * n + j] = a[j * n + i] = element(i, j);
  return a;
}

/** A full matrix of these eigenvalues: their diagonal between reflections. */
function withSpectrum(spectrum: ArrayLike<number>): Float64Array {
  const n = spectrum.length;
  let a: Float64Array = new Float64Array(n * n);
  for (let i = 0; i < n; i++) a[i * n + i] = spectrum[i]!;
  for (const seed of [3, 17, 31]) {
    const v = uniform(n, seed);
    const square = v.reduce((sum, x) => sum + x * x, 0);
    const av = Float64Array.from(v, (_, i) => v.reduce((sum, x, j) => sum + a[i * n + j]! * x, 0));
    const vav = v.reduce((sum, x, i) => sum + x * av[i]!, 0);
    a = symmetric(n, (i, j) => {
      const crossed = (2 / square) * (v[i]! * av[j]! + av[i]! * v[j]!);
      return a[i * n + j]! - crossed + ((4 * vav) / square / square) * v[i]! * v[j]!;
    });
  }
  return a;
}

const sequence = (n: number, value: (i: number) => number) => Float64Array.from({ length: n }, (_, i) => value(i));

describe("symmetricEigen", () => {
  // Orders around the tile width (4) and the panel width (32).
  it.each([1, 2, 3, 4, 5, 31, 32, 33, 34, 63, 64, 65, 97, 150])("solves order %i", async (n) => {
    const x = uniform(n * n, n);
    await expectSolved(
      symmetric(n, (i, j) => x[i * n + j]!),
      n,
    );
  });

  it.each([
    ["clusters of equal eigenvalues", sequence(120, (i) => [5, 5, 2, 1][i >> 5]!)],
    ["clusters that differ by rounding", sequence(120, (i) => (i < 60 ? 5 : 2) + i * 1e-15)],
    ["a spectrum over 24 decades", sequence(120, (i) => 10 ** (-i / 5))],
    ["eigenvalues of both signs, in pairs", sequence(120, (i) => (i % 60) - 30)],
    ["rank 3", sequence(120, (i) => Math.max(0, 3 - i))],
    ["all equal", sequence(120, () => 7)],
    ["huge numbers", sequence(120, (i) => (1 + i / 120) * 1e200)],
    ["tiny numbers", sequence(120, (i) => (1 + i / 120) * 1e-200)],
  ])("finds %s", async (_, spectrum) => {
    const values = await expectSolved(withSpectrum(spectrum), spectrum.length);
    const sorted = spectrum.slice().sort().reverse();
    expect(relativeDifference(values, sorted)).toBeLessThan(1e-13);
  });

  it.each([
    ["the zero matrix", () => 0],
    ["the identity", (i: number, j: number) => Number(i === j)],
    ["a diagonal", (i: number, j: number) => (i === j ? i : 0)],
    ["all ones", () => 1],
    ["zero rows between others", (i: number, j: number) => (i % 3) * (j % 3)],
  ])("handles %s", async (_, element) => {
    await expectSolved(symmetric(40, element), 40, 1e-13);
  });

  it("finds eigenvalues in the noise that stands for zeros", async () => {
    // Co-moments of fewer rows than columns: small rows before large ones, and the other way round.
    for (const [rows, n] of [
      [90, 230],
      [114, 300],
      [17, 200],
    ] as const) {
      const x = uniform(rows * n);
      const product = (i: number, j: number) => {
        let sum = 0;
        for (let r = 0; r < rows; r++) sum += x[r * n + i]! * x[r * n + j]!;
        return sum;
      };
      await expectSolved(symmetric(n, product), n);
      await expectSolved(
        symmetric(n, (i, j) => product(n - 1 - i, n - 1 - j) * 2 ** -((i + j) % 60)),
        n,
      );
    }
  });

  it("makes the component of largest magnitude positive", async () => {
    const x = uniform(50 * 50, 9);
    const a = symmetric(50, (i, j) => x[i * 50 + j]!);
    const { vectors } = await symmetricEigen(packUpper(a, 50), 50, { count: 50 });
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

  function full({ diagonal, off }: Tridiagonal): Float64Array {
    return symmetric(diagonal.length, (i, j) => (i === j ? diagonal[i]! : j === i + 1 ? off[i]! : 0));
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
    const placed = tridiagonalValues(matrix);
    const found = Float64Array.from(placed, ({ value }) => value);
    expect(inverseIteration(matrix, placed, n) !== undefined).toBe(isIterated);
    const vectors = tridiagonalVectors(matrix, placed, n);
    expect(orthogonality({ values: vectors, rows: n, dimension: n })).toBeLessThan(1e-10);
    expect(residual(full(matrix), n, found, vectors)).toBeLessThan(1e-12);
  });

  it("come from the QL method alone as well, whichever end is larger", () => {
    const glued = gluedWilkinson(4, 1e-9);
    const n = 84;
    const falling = { diagonal: glued.diagonal.map((x, i) => x * 2 ** -i), off: glued.off.map((x, i) => x * 2 ** -i) };
    for (const matrix of [glued, falling]) {
      const { values, vectors } = tridiagonalQl(matrix);
      const alone = tridiagonalValues(matrix).map(({ value }) => value);
      expect(relativeDifference(values, alone)).toBeLessThan(1e-14);
      expect(orthogonality({ values: vectors, rows: n, dimension: n })).toBeLessThan(1e-13);
      expect(residual(full(matrix), n, values, vectors)).toBeLessThan(1e-13);
    }
  });

  it("are refused where they are not orthogonal", () => {
    const matrix = gluedWilkinson(1, 1);
    const [first] = tridiagonalValues(matrix);
    // The same eigenvalue twice, once far from its place, cannot give two orthogonal vectors that both solve.
    expect(inverseIteration(matrix, [first!, { value: first!.value - 0.05, block: first!.block }], 2)).toBeUndefined();
  });
});
