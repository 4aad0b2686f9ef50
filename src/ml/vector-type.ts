import type { DataType } from "../data/types";

/**
 * The type of vectors, for schemas: `udf(fn, { returns: VectorUDT() })`. In schema text it is `vector`.
 * @see https://spark.apache.org/docs/latest/api/python/reference/api/pyspark.ml.linalg.VectorUDT.html
 */
export function VectorUDT(): DataType {
  return "vector";
}
