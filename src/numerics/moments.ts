import type { Matrix } from "../data/vectors";
import { IllegalArgumentError } from "../errors";

/**
 * Partial statistics over some rows, in float64, and how two of them become one.
 *
 * Rows are taken relative to their own mean before anything is squared, and partials are merged by the pairwise rule
 * of Chan, Golub and LeVeque ("Updating Formulae and a Pairwise Algorithm for Computing Sample Variances", 1979), so
 * that a large mean does not eat up the digits of a small variance. A constant column has exactly its value as mean and exactly 0 as deviation.
 */
export interface Moments {
  /** Rows seen. */
  readonly count: number;
  /** Mean of each column. */
  readonly mean: Float64Array;
  /** Sum of squared deviations from the mean, of each column. */
  readonly m2: Float64Array;
}

/** Like {@link Moments}, with the sums of products of the deviations of all pairs of columns. */
export interface Scatter {
  readonly count: number;
  readonly mean: Float64Array;
  /** The upper triangle, row by row: (0,0), (0,1), .., (0,d-1), (1,1), .. */
  readonly packed: Float64Array;
}

/** The moments of a matrix's rows. */
export function momentsOf(matrix: Matrix<Float64Array>): Moments {
  const { values, rows, dimension } = matrix;
  const mean = columnMeans(values, rows, dimension);
  const m2 = new Float64Array(dimension);
  const rest = new Float64Array(dimension);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let j = 0; j < dimension; j++, at++) {
      const deviation = values[at]! - mean[j]!;
      rest[j]! += deviation;
      m2[j]! += deviation * deviation;
    }
  }
  // The deviations' own sum is what rounding left in the mean (the corrected two-pass algorithm, Chan et al. 1983).
  for (let j = 0; j < dimension; j++) m2[j]! -= (rest[j]! * rest[j]!) / rows;
  return { count: rows, mean, m2 };
}

/** The mean of each column, summed relative to the first row. */
export function columnMeans(values: Float64Array, rows: number, dimension: number): Float64Array {
  const shift = values.subarray(0, dimension);
  const sum = new Float64Array(dimension);
  for (let row = 1, at = dimension; row < rows; row++) {
    for (let j = 0; j < dimension; j++, at++) sum[j]! += values[at]! - shift[j]!;
  }
  for (let j = 0; j < dimension; j++) sum[j] = shift[j]! + sum[j]! / rows;
  return sum;
}

/** The moments of both sets of rows together. */
export function mergeMoments(a: Moments, b: Moments): Moments {
  checkDimension(a.mean.length, b.mean.length);
  const count = a.count + b.count;
  const mean = new Float64Array(a.mean.length);
  const m2 = new Float64Array(a.mean.length);
  for (let j = 0; j < mean.length; j++) {
    const delta = b.mean[j]! - a.mean[j]!;
    mean[j] = a.mean[j]! + delta * (b.count / count);
    m2[j] = a.m2[j]! + b.m2[j]! + delta * delta * ((a.count * b.count) / count);
  }
  return { count, mean, m2 };
}

/** The scatter of both sets of rows together. */
export function mergeScatter(a: Scatter, b: Scatter): Scatter {
  checkDimension(a.mean.length, b.mean.length);
  const dimension = a.mean.length;
  const count = a.count + b.count;
  const weight = (a.count * b.count) / count;
  const delta = new Float64Array(dimension);
  const mean = new Float64Array(dimension);
  for (let j = 0; j < dimension; j++) {
    delta[j] = b.mean[j]! - a.mean[j]!;
    mean[j] = a.mean[j]! + delta[j]! * (b.count / count);
  }
  const packed = new Float64Array(a.packed.length);
  for (let i = 0, at = 0; i < dimension; i++) {
    const factor = weight * delta[i]!;
    for (let j = i; j < dimension; j++, at++) packed[at] = a.packed[at]! + b.packed[at]! + factor * delta[j]!;
  }
  return { count, mean, packed };
}

/** The sample standard deviation (n - 1) of each column, as Spark's `StandardScaler` has it; 0 for a single row. */
export function sampleStd(moments: Moments): Float64Array {
  if (moments.count < 2) return new Float64Array(moments.mean.length);
  return moments.m2.map((m2) => Math.sqrt(Math.max(m2, 0) / (moments.count - 1)));
}

/** Values in the packed upper triangle of a symmetric matrix of this order. */
export function packedLength(dimension: number): number {
  return (dimension * (dimension + 1)) / 2;
}

/** @throws IllegalArgumentError where partials are of vectors of different lengths */
export function checkDimension(a: number, b: number): void {
  if (a !== b) {
    throw new IllegalArgumentError(`Some rows have ${a} values and others ${b}.`, {
      remedy: "Every vector of the column must have the same length.",
    });
  }
}
