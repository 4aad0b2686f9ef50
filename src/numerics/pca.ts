import type { Matrix } from "../data/vectors";
import { IllegalArgumentError } from "../errors";
import { type SymmetricEigenOptions, symmetricEigen } from "./eigen";
import { fewRowsEigen } from "./few-rows";
import type { Scatter } from "./moments";

/** The leading directions of variance. */
export interface PrincipalComponents {
  /** k rows of d values: each a direction of length 1, the one with most variance first. */
  readonly components: Matrix<Float64Array>;
  /** The share of the total variance along each component. */
  readonly explainedVariance: Float64Array;
}

/** What a PCA is computed from: co-moments, or the rows themselves where they are fewer than the columns. */
export type PrincipalInput =
  | ({ readonly kind: "scatter" } & Scatter)
  | { readonly kind: "rows"; readonly rows: Matrix<Float64Array> };

/**
 * The principal components of rows: eigenvectors of their covariance. As in Spark's
 * `RowMatrix.computePrincipalComponentsAndExplainedVariance`, the shares are of the variance in all directions.
 * @param k how many (a whole number from 1), or (below 1) the share of variance that they must reach together
 * @throws IllegalArgumentError for fewer than two rows, no variance, values too large to square, or more components than
 * dimensions
 */
export async function principalComponents(
  input: PrincipalInput,
  k: number,
  options: Omit<SymmetricEigenOptions, "count"> = {},
): Promise<PrincipalComponents> {
  const { rows, dimension } = input.kind === "rows" ? input.rows : { rows: input.count, dimension: input.mean.length };
  if (rows < 2) throw new IllegalArgumentError(`PCA needs at least two rows, not ${rows}.`);
  if (k > dimension) {
    throw new IllegalArgumentError(`k is ${k}, but the vectors have only ${dimension} values.`, {
      remedy: `Ask for at most ${dimension} components.`,
    });
  }
  const countFor = (values: Float64Array) => (k < 1 ? componentsFor(shares(values), k) : k);
  const { values, vectors, count } =
    input.kind === "rows"
      ? await fewRowsEigen(input.rows, countFor, options)
      : await symmetricEigen(checkedScatter(input), dimension, { ...options, count: countFor });
  if (!(values[0]! > 0)) {
    throw new IllegalArgumentError("All rows are equal: there is no variance to find directions of.");
  }
  const explainedVariance = new Float64Array(count);
  explainedVariance.set(shares(values).subarray(0, count));
  return { components: { values: vectors, rows: count, dimension }, explainedVariance };
}

function checkedScatter({ packed }: Scatter): Float64Array {
  if (!packed.every(Number.isFinite)) {
    throw new IllegalArgumentError("The values are too large for their squares to be added up.", {
      remedy: "Scale them first, to magnitudes below 1e150.",
    });
  }
  return packed;
}

/** Shares of the total. What rounding left below 0 counts as 0. */
function shares(eigenvalues: Float64Array): Float64Array {
  const positive = eigenvalues.map((value) => Math.max(value, 0));
  const total = positive.reduce((sum, value) => sum + value, 0);
  return positive.map((value) => value / total);
}

/** The least number of components that together have `share` of the variance. */
function componentsFor(explained: Float64Array, share: number): number {
  let sum = 0;
  const last = explained.findIndex((part) => {
    sum += part;
    return sum >= share;
  });
  return last < 0 ? explained.length : last + 1;
}
