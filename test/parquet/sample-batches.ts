import type { RecordBatch } from "apache-arrow";
import { arrayType, structField, structType } from "../../src/data/types";
import { batchFromColumns, vectorFromMatrix, vectorFromValues } from "../../src/data/vectors";

/** A column of every kind that the workflow writes. */
export const SCHEMA = structType([
  structField("path", "string"),
  structField("n", "long"),
  structField("i", "integer"),
  structField("ok", "boolean"),
  structField("at", "timestamp"),
  structField("bytes", "binary"),
  structField("features", arrayType("float")),
  structField("pca", arrayType("double")),
]);

/** Every fifth row is null in every column that can be; vectors of 4 and 3 values. */
export function batch(start: number, rows: number): RecordBatch {
  const indices = Array.from({ length: rows }, (_, i) => start + i);
  const orNull = <T>(of: (i: number) => T) => indices.map((i) => (i % 5 === 2 ? null : of(i)));
  const floats = Float32Array.from({ length: rows * 4 }, (_, j) => start * 4 + j + 0.25);
  const doubles = Float64Array.from({ length: rows * 3 }, (_, j) => (start * 3 + j) / 3);
  const nulls = new Set(indices.flatMap((i, row) => (i % 5 === 2 ? [row] : [])));
  return batchFromColumns([
    {
      name: "path",
      vector: vectorFromValues(
        orNull((i) => `déjà vu ${i} 🍎%`),
        "string",
      ),
    },
    {
      name: "n",
      vector: vectorFromValues(
        orNull((i) => 2n ** 60n + BigInt(i)),
        "long",
      ),
    },
    {
      name: "i",
      vector: vectorFromValues(
        orNull((i) => -i),
        "integer",
      ),
    },
    {
      name: "ok",
      vector: vectorFromValues(
        orNull((i) => i % 2 === 0),
        "boolean",
      ),
    },
    {
      name: "at",
      vector: vectorFromValues(
        orNull((i) => new Date(1_700_000_000_123 + i)),
        "timestamp",
      ),
    },
    {
      name: "bytes",
      vector: vectorFromValues(
        orNull((i) => Uint8Array.of(i % 256, 0, 255)),
        "binary",
      ),
    },
    { name: "features", vector: vectorFromMatrix({ values: floats, rows, dimension: 4 }, nulls) },
    { name: "pca", vector: vectorFromMatrix({ values: doubles, rows, dimension: 3 }) },
  ]);
}

/** Batches of these sizes, the rows numbered through. */
export async function* batches(...sizes: number[]) {
  let start = 0;
  for (const size of sizes) {
    yield batch(start, size);
    start += size;
  }
}
