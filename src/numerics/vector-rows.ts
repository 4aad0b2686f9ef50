import type { Vector } from "apache-arrow";
import { type Matrix, matrixFromVector, VectorRowError } from "../data/matrix";
import { arrayType, type DataType, type StructField, simpleString } from "../data/types";
import { IllegalArgumentError } from "../errors";

/**
 * The rows of a column of arrays or vectors in float64, all of one length, all finite.
 * @param dimension the length the rows must have; absent: that of the first row
 * @throws VectorRowError for a null row, a null or non-finite value, or another length than the first
 * @throws IllegalArgumentError where all have another length than `dimension`
 */
export function readRows(vector: Vector, column: string, dimension?: number): Matrix<Float64Array> {
  const matrix = matrixFromVector(vector, column);
  if (dimension !== undefined && matrix.rows > 0 && matrix.dimension !== dimension) {
    throw new IllegalArgumentError(`${column} holds vectors of ${matrix.dimension} values, not ${dimension}.`, {
      remedy: "Use the column, or one made the same way, that the model was fitted on.",
    });
  }
  const { values } = matrix;
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) {
      throw new VectorRowError(
        column,
        Math.floor(i / matrix.dimension),
        `${values[i]} inside an array`,
        `Find out where it comes from, or drop such rows before: every value of ${column} must be a finite number.`,
      );
    }
  }
  return matrix;
}

/** Types that a vector's values may have; all are widened to double. */
const NUMBERS = new Set(["byte", "short", "integer", "long", "float", "double"]);

/**
 * The type of what is computed from a column: vectors give vectors, arrays of numbers arrays of doubles.
 * @param owner who takes the column, for the message
 * @throws IllegalArgumentError for any other type
 */
export function vectorResultType(column: string, type: DataType | undefined, owner: string): DataType {
  if (type === "vector") return "vector";
  if (typeof type === "object" && type.type === "array" && typeof type.elementType === "string") {
    const { elementType } = type;
    if (NUMBERS.has(elementType) || elementType.startsWith("decimal")) return arrayType("double");
  }
  throw new IllegalArgumentError(
    `Column ${column} is ${type === undefined ? "missing" : simpleString(type)}, and ${owner} takes vectors or arrays of numbers.`,
    { remedy: `Cast it first, e.g. col("${column}").cast("array<double>"), or make one with VectorAssembler.` },
  );
}

/** Checks the column of an input's fields. @throws IllegalArgumentError */
export function checkVectorField(fields: readonly StructField[], column: string, owner: string): void {
  vectorResultType(column, fields.find(({ name }) => name.toLowerCase() === column.toLowerCase())?.type, owner);
}
