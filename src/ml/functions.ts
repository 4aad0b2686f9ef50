import type { DenseVector } from "../data/linalg";
import { arrayType } from "../data/types";
import { IllegalArgumentError } from "../errors";
import { Column } from "../frame/column";
import { type ColumnOrName, named } from "../frame/functions/call";
import { expressionText } from "../frame/plan";

/**
 * Arrays of numbers as dense vectors. Nothing here needs them, since every estimator takes arrays; files for Spark ML may.
 * @throws IllegalArgumentError at analysis, for another type than an array of numbers
 * @see https://spark.apache.org/docs/latest/api/python/reference/api/pyspark.ml.functions.array_to_vector.html
 */
export function arrayToVector(column: ColumnOrName): Column<string, DenseVector> {
  const arg = named(column);
  return new Column<string, DenseVector>({
    kind: "batch",
    fn: { kind: "builtin", name: "ml.arrayToVector", params: { column: expressionText(arg) } },
    args: [arg],
    returns: "vector",
    onError: { kind: "fail" },
  });
}

/**
 * Vectors, dense or sparse, as arrays with all their values.
 * @param dtype the type of the values, by numpy's names
 * @throws IllegalArgumentError at analysis, for another type than a vector
 * @see https://spark.apache.org/docs/latest/api/python/reference/api/pyspark.ml.functions.vector_to_array.html
 */
export function vectorToArray(
  column: ColumnOrName,
  dtype: "float64" | "float32" = "float64",
): Column<string, Float64Array | Float32Array> {
  const type = ({ float64: "double", float32: "float" } as const)[dtype];
  if (type === undefined) {
    throw new IllegalArgumentError(`vectorToArray knows no ${JSON.stringify(dtype)}.`, {
      remedy: 'Give "float64" or "float32".',
    });
  }
  const arg = named(column);
  return new Column<string, Float64Array | Float32Array>({
    kind: "batch",
    fn: { kind: "builtin", name: "ml.vectorToArray", params: { column: expressionText(arg), type } },
    args: [arg],
    returns: arrayType(type, false),
    onError: { kind: "fail" },
  });
}
