import type { Vector } from "apache-arrow";
import { type Matrix, matrixFromVector } from "../data/vectors";
import { IllegalArgumentError } from "../errors";

/**
 * The rows of an array column in float64, all of one length, all finite.
 * @param dimension the length the rows must have; absent: that of the first row
 * @throws IllegalArgumentError for a null row, a null or non-finite value, or another length; it names the column
 */
export function readRows(vector: Vector, column: string, dimension?: number): Matrix<Float64Array> {
  checkElements(vector, column);
  const matrix = matrixFromVector(vector, column);
  if (dimension !== undefined && matrix.rows > 0 && matrix.dimension !== dimension) {
    throw new IllegalArgumentError(`${column} holds vectors of ${matrix.dimension} values, not ${dimension}.`, {
      remedy: "Use the column, or one made the same way, that the model was fitted on.",
    });
  }
  const { values } = matrix;
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) throw notFinite(column, values[i]!, Math.floor(i / matrix.dimension));
  }
  return matrix;
}

/** A null inside an array has no number in the vector's memory: what stands there must not be read. */
function checkElements(vector: Vector, column: string): void {
  let row = 0;
  for (const data of vector.data) {
    if ((data.children[0]?.nullCount ?? 0) > 0) {
      for (let i = 0; i < data.length; i++) {
        const item = vector.get(row + i) as Vector | null;
        if (item !== null && item.nullCount > 0) throw notFinite(column, null, row + i);
      }
    }
    row += data.length;
  }
}

function notFinite(column: string, value: number | null, row: number): IllegalArgumentError {
  return new IllegalArgumentError(`${column} holds ${value} inside an array, in row ${row} of the batch.`, {
    remedy: `Find out where it comes from, or drop such rows before: every value of ${column} must be a finite number.`,
  });
}
