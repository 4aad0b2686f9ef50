import type { Matrix } from "../data/vectors";
import { IllegalArgumentError } from "../errors";
import { symmetricEigen } from "./eigen";
import type { Scatter } from "./moments";

/** The leading directions of variance. */
export interface PrincipalComponents {
  /** k rows of d values: each a direction of length 1, the one with most variance first. */
  readonly components: Matrix<Float64Array>;
  /** The share of the total variance along each component. */
  readonly explainedVariance: Float64Array;
}

/**
 * The principal components of the rows behind a scatter matrix: eigenvectors of their covariance. As in Spark's
 * `RowMatrix.computePrincipalComponentsAndExplainedVariance`, the shares are of the variance in all directions.
 * @param k how many (a whole number from 1), or (below 1) the share of variance that they must reach together
 * @throws IllegalArgumentError for fewer than two rows, no variance, or more components than dimensions
 */
export async function principalComponents(
  scatter: Scatter,
  k: number,
  signal?: AbortSignal,
): Promise<PrincipalComponents> {
  const dimension = scatter.mean.length;
  if (scatter.count < 2) {
    throw new IllegalArgumentError(`PCA needs at least two rows, not ${scatter.count}.`);
  }
  if (k > dimension) {
    throw new IllegalArgumentError(`k is ${k}, but the vectors have only ${dimension} values.`, {
      remedy: `Ask for at most ${dimension} components.`,
    });
  }
  if (!scatter.packed.some((value) => value !== 0)) {
    throw new IllegalArgumentError("All rows are equal: there is no variance to find directions of.");
  }
  const { values, vectors, count } = await symmetricEigen(scatter.packed, dimension, {
    count: (all) => (k < 1 ? componentsFor(shares(all), k) : k),
    ...(signal ? { signal } : {}),
  });
  return {
    components: { values: vectors, rows: count, dimension },
    explainedVariance: shares(values).slice(0, count),
  };
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
