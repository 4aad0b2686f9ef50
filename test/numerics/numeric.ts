import type { Matrix } from "../../src/data/vectors";

/** The upper triangle of a square matrix, row by row. */
export function packUpper(values: ArrayLike<number>, n: number): Float64Array {
  const packed: number[] = [];
  for (let i = 0; i < n; i++) for (let j = i; j < n; j++) packed.push(values[i * n + j]!);
  return Float64Array.from(packed);
}

/** How far rows are from orthonormal. */
export function orthogonality({ values, rows, dimension }: Matrix<Float64Array>): number {
  let worst = 0;
  for (let i = 0; i < rows; i++) {
    for (let j = i; j < rows; j++) {
      let sum = i === j ? -1 : 0;
      for (let c = 0; c < dimension; c++) sum += values[i * dimension + c]! * values[j * dimension + c]!;
      worst = Math.max(worst, Math.abs(sum));
    }
  }
  return worst;
}

/** The largest distance of A v from value v, for each vector, relative to the largest value. */
export function residual(a: ArrayLike<number>, n: number, values: Float64Array, vectors: Float64Array): number {
  const norm = values.reduce((most, value) => Math.max(most, Math.abs(value)), Number.MIN_VALUE);
  let worst = 0;
  for (let from = 0, k = 0; from < vectors.length; from += n, k++) {
    let sum = 0;
    for (let i = 0; i < n; i++) {
      let product = 0;
      for (let j = 0; j < n; j++) product += a[i * n + j]! * vectors[from + j]!;
      sum += ((product - values[k]! * vectors[from + i]!) / norm) ** 2;
    }
    // NaN must not pass for small.
    worst = sum >= 0 ? Math.max(worst, Math.sqrt(sum)) : Number.POSITIVE_INFINITY;
  }
  return worst;
}

/** Largest difference of two arrays of the same length, relative to the largest magnitude in the second. */
export function relativeDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let difference = 0;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const d = Math.abs(a[i]! - b[i]!);
    // NaN must not pass for small.
    difference = d >= 0 ? Math.max(difference, d) : Number.POSITIVE_INFINITY;
    largest = Math.max(largest, Math.abs(b[i]!));
  }
  return largest === 0 ? difference : difference / largest;
}

/** Largest difference of an element to its counterpart, relative to that counterpart or, where that is less, `least`. */
export function elementwiseDifference(a: ArrayLike<number>, b: ArrayLike<number>, least = 0): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  for (let i = 0; i < a.length; i++) {
    const d = Math.abs(a[i]! - b[i]!) / Math.max(Math.abs(b[i]!), least);
    worst = d >= 0 ? Math.max(worst, d) : Number.POSITIVE_INFINITY;
  }
  return worst;
}

/** Largest difference between rows of `a` and rows of `b`, whichever sign brings them nearer. */
export function differenceUpToSign(a: Float64Array, b: ArrayLike<number>, length: number): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  for (let from = 0; from < a.length; from += length) {
    let same = 0;
    let opposite = 0;
    for (let j = from; j < from + length; j++) {
      same = Math.max(same, Math.abs(a[j]! - b[j]!));
      opposite = Math.max(opposite, Math.abs(a[j]! + b[j]!));
    }
    const least = Math.min(same, opposite);
    worst = least >= 0 ? Math.max(worst, least) : Number.POSITIVE_INFINITY;
  }
  return worst;
}
