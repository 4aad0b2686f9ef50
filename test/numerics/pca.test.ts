import { describe, expect, it } from "vitest";
import type { Matrix } from "../../src/data/vectors";
import { CancelledError } from "../../src/errors";
import { type PrincipalInput, principalComponents, startScatter } from "../../src/numerics";
import { golden } from "../support/golden";
import { matrixOf } from "./data-sets";
import { elementwiseDifference, orthogonality } from "./numeric";

/** What numpy's SVD says of a matrix; null where all rows are equal. */
interface Case {
  readonly kind: string;
  readonly rows: number;
  readonly columns: number;
  readonly k: number;
  readonly shares: readonly number[] | null;
}

const cases = golden<readonly Case[]>("pca");
const kinds = [...new Set(cases.map(({ kind }) => kind))];

function asScatter(matrix: Matrix<Float64Array>): PrincipalInput {
  const accumulator = startScatter(matrix.dimension);
  accumulator.add(matrix);
  return { kind: "scatter", ...accumulator.finish() };
}

/** From the co-moments, and from the rows where they are few. */
function inputsOf(matrix: Matrix<Float64Array>): PrincipalInput[] {
  if (matrix.dimension > 2000) return [{ kind: "rows", rows: matrix }];
  const scatter = asScatter(matrix);
  return matrix.rows < matrix.dimension ? [scatter, { kind: "rows", rows: matrix }] : [scatter];
}

/** How far each direction v is from solving X'X v = share total v, relative to the total; X has its means taken off. */
function residual(matrix: Matrix<Float64Array>, components: Matrix<Float64Array>, explained: Float64Array): number {
  const { rows, dimension } = matrix;
  const x = matrix.values.slice();
  for (let j = 0; j < dimension; j++) {
    let mean = 0;
    for (let i = 0; i < rows; i++) mean += (x[i * dimension + j]! - x[j]!) / rows;
    mean += x[j]!;
    for (let i = 0; i < rows; i++) x[i * dimension + j]! -= mean;
  }
  const most = x.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  const total = x.reduce((sum, value) => sum + (value / most) ** 2, 0);
  let worst = 0;
  for (let c = 0; c < components.rows; c++) {
    const v = components.values.subarray(c * dimension, (c + 1) * dimension);
    const out = v.map((value) => -explained[c]! * value);
    for (let i = 0; i < rows; i++) {
      let along = 0;
      for (let j = 0; j < dimension; j++) along += (x[i * dimension + j]! / most) * v[j]!;
      for (let j = 0; j < dimension; j++) out[j]! += ((x[i * dimension + j]! / most) * along) / total;
    }
    const length = Math.hypot(...out);
    worst = length >= 0 ? Math.max(worst, length) : Number.POSITIVE_INFINITY;
  }
  return worst;
}

describe("principalComponents", () => {
  it.each(kinds)("agree with numpy's SVD and solve the eigenproblem: %s", async (kind) => {
    for (const { rows, columns, k, shares } of cases.filter((c) => c.kind === kind)) {
      const matrix = matrixOf(kind, rows, columns);
      for (const input of inputsOf(matrix)) {
        const about = `${rows} x ${columns} from ${input.kind}`;
        if (shares === null) {
          await expect(principalComponents(input, k), about).rejects.toThrow(/no variance/);
          continue;
        }
        const { components, explainedVariance } = await principalComponents(input, k);
        expect(components, about).toMatchObject({ rows: k, dimension: columns });
        expect(elementwiseDifference(explainedVariance, shares, 1e-5), about).toBeLessThan(1e-9);
        expect(orthogonality(components), about).toBeLessThan(1e-12);
        expect(residual(matrix, components, explainedVariance), about).toBeLessThan(1e-12);
      }
    }
  });

  it("are the same from few rows as from co-moments, sign and all", async () => {
    const matrix = matrixOf("uniform", 100, 300);
    const [first, second] = await Promise.all(inputsOf(matrix).map((input) => principalComponents(input, 60)));
    expect(elementwiseDifference(second!.components.values, first!.components.values, 1)).toBeLessThan(1e-11);
  });

  it("keep small shares exact where rows are few", async () => {
    // Orthogonal rows of falling length: the squares of these are the eigenvalues, all but the means' part.
    const rows = 24;
    const values = new Float64Array(2 * rows * 100);
    for (let i = 0; i < rows; i++) {
      values[2 * i * 100 + i] = 2 ** -i;
      values[(2 * i + 1) * 100 + i] = -(2 ** -i);
    }
    const input = { kind: "rows", rows: { values, rows: 2 * rows, dimension: 100 } } as const;
    const { explainedVariance } = await principalComponents(input, rows);
    const expected = Float64Array.from({ length: rows }, (_, i) => (4 ** -i * 3) / 4 / (1 - 4 ** -rows));
    expect(elementwiseDifference(explainedVariance, expected)).toBeLessThan(1e-12);
  });

  it("are as many as a share of the variance needs", async () => {
    for (const input of inputsOf(matrixOf("falling", 40, 60))) {
      const all = await principalComponents(input, 40);
      const needed = all.explainedVariance.findIndex((_, i, a) => a.slice(0, i + 1).reduce((x, y) => x + y) >= 0.9) + 1;
      const some = await principalComponents(input, 0.9);
      expect(some.components.rows).toBe(needed);
      expect(elementwiseDifference(some.explainedVariance, all.explainedVariance.subarray(0, needed))).toBeLessThan(
        1e-14,
      );
    }
  });

  it("say why there are none", async () => {
    const x = { values: Float64Array.from([1, 2, 3, 5, 8, 13]), rows: 2, dimension: 3 };
    for (const input of inputsOf(x)) {
      await expect(principalComponents(input, 4)).rejects.toThrow(/k is 4, but the vectors have only 3 values/);
    }
    for (const input of inputsOf({ values: new Float64Array(3), rows: 1, dimension: 3 })) {
      await expect(principalComponents(input, 1)).rejects.toThrow(/at least two rows/);
    }
    const huge = asScatter({ values: Float64Array.from([1e200, -1e200]), rows: 2, dimension: 1 });
    await expect(principalComponents(huge, 1)).rejects.toThrow(/too large for their squares/);
  });

  it("stop when asked to", async () => {
    const abort = new AbortController();
    const rows = matrixOf("uniform", 300, 600);
    const running = principalComponents({ kind: "rows", rows }, 5, { signal: abort.signal });
    abort.abort();
    await expect(running).rejects.toThrow(CancelledError);
  });
});
