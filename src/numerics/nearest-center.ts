import { type Matrix, VectorRowError } from "../data/matrix";
import { createProjection } from "./project";

export const DISTANCE_MEASURES = ["euclidean", "cosine"] as const;
/** Squared Euclidean distance, or 1 less the cosine of the angle. */
export type DistanceMeasure = (typeof DISTANCE_MEASURES)[number];

/** For each row, the center that is nearest (of equally near ones the first), and its distance. */
export interface Nearest {
  readonly center: Int32Array;
  readonly distance: Float64Array;
}

/**
 * The function that finds the nearest of some centers. Inner products, which are fast, say which centers may be the nearest;
 * among those the distance itself decides, so that rounding chooses no other center than the exact rule would.
 */
export function nearestCenter(
  centers: Matrix<Float64Array>,
  measure: DistanceMeasure,
): (rows: Matrix<Float64Array>) => Nearest {
  const { rows: k, dimension, values } = centers;
  const products = createProjection(centers);
  const squares = Float64Array.from({ length: k }, (_, c) => squareOf(values, c * dimension, dimension));
  return (rows) => {
    const center = new Int32Array(rows.rows);
    const distance = new Float64Array(rows.rows);
    const { values: inner } = products(rows);
    for (let row = 0; row < rows.rows; row++) {
      const square = squareOf(rows.values, row * dimension, dimension);
      let least = Number.POSITIVE_INFINITY;
      let error = 0;
      for (let c = 0; c < k; c++) {
        least = Math.min(least, squares[c]! - 2 * inner[row * k + c]!);
        error = Math.max(error, (square + squares[c]!) * 1e-12);
      }
      let best = Number.POSITIVE_INFINITY;
      for (let c = 0; c < k; c++) {
        if (squares[c]! - 2 * inner[row * k + c]! > least + error) continue;
        const exact = distanceOf(rows.values, row * dimension, values, c * dimension, dimension);
        if (exact < best) {
          best = exact;
          center[row] = c;
        }
      }
      // Both have length 1 where angles count: |x - c|² = 2 - 2 x'c.
      distance[row] = measure === "cosine" ? best / 2 : best;
    }
    return { center, distance };
  };
}

/** The rows made of length 1 where angles count. @throws VectorRowError for a row of zeros, which has no direction */
export function comparable(rows: Matrix<Float64Array>, measure: DistanceMeasure, column: string): Matrix<Float64Array> {
  if (measure === "euclidean") return rows;
  const { values, dimension } = rows;
  for (let row = 0; row < rows.rows; row++) {
    const length = Math.sqrt(squareOf(values, row * dimension, dimension));
    if (length === 0) {
      throw new VectorRowError(column, row, "nothing but zeros", "Drop such rows first: they have no direction.");
    }
    for (let j = 0; j < dimension; j++) values[row * dimension + j]! /= length;
  }
  return rows;
}

/** The squared distance of two stretches of values. */
export function distanceOf(a: Float64Array, atA: number, b: Float64Array, atB: number, length: number): number {
  let sum = 0;
  for (let j = 0; j < length; j++) {
    const step = a[atA + j]! - b[atB + j]!;
    sum += step * step;
  }
  return sum;
}

function squareOf(values: Float64Array, at: number, length: number): number {
  let sum = 0;
  for (let j = at; j < at + length; j++) sum += values[j]! * values[j]!;
  return sum;
}
