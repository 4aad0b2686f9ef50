import type { RecordBatch } from "apache-arrow";
import { defineBuiltin, type TableFunction } from "../data/batch-function";
import { arrayType, type StructType, structField } from "../data/types";
import { batchFromColumns, type Matrix, matrixFromVector, vectorFromMatrix, vectorFromValues } from "../data/vectors";
import { IllegalArgumentError } from "../errors";
import { type Moments, mergeMoments, momentsOf, packedLength, type Scatter } from "./moments";
import { type ScatterAccumulator, startScatter } from "./scatter";
import { readRows } from "./vector-column";

/** @property column the array column to summarise */
export type StatisticsParams = { readonly column: string };

/** Schema of `ml.moments`: one row a partition, none where the partition is empty. */
export const MOMENTS_SCHEMA: StructType = {
  type: "struct",
  fields: [
    structField("count", "long", false),
    structField("mean", arrayType("double"), false),
    structField("m2", arrayType("double"), false),
  ],
};

/**
 * Schema of `ml.scatter`: one row a partition, none where the partition is empty. `scatter` is the packed upper
 * triangle as little-endian float64: an array of 820,000 elements would be slow to write as Parquet.
 */
export const SCATTER_SCHEMA: StructType = {
  type: "struct",
  fields: [
    structField("count", "long", false),
    structField("mean", arrayType("double"), false),
    structField("scatter", "binary", false),
  ],
};

/** Table function `ml.moments`: a partition's rows become their {@link Moments}. */
export const moments = defineBuiltin<StatisticsParams>({
  shape: "table",
  name: "ml.moments",
  returns: () => MOMENTS_SCHEMA,
  async create({ column }): Promise<TableFunction> {
    let total: Moments | undefined;
    return {
      apply(batch) {
        const rows = readColumn(batch, column, total?.mean.length);
        if (rows.rows === 0) return undefined;
        const part = momentsOf(rows);
        total = total ? mergeMoments(total, part) : part;
        return undefined;
      },
      finish: () => total && momentsRow(total),
    };
  },
});

/** Table function `ml.scatter`: a partition's rows become their {@link Scatter}. */
export const scatter = defineBuiltin<StatisticsParams>({
  shape: "table",
  name: "ml.scatter",
  returns: () => SCATTER_SCHEMA,
  async create({ column }): Promise<TableFunction> {
    let gathered: { readonly dimension: number; readonly accumulator: ScatterAccumulator } | undefined;
    return {
      apply(batch) {
        const rows = readColumn(batch, column, gathered?.dimension);
        if (rows.rows === 0) return undefined;
        gathered ??= { dimension: rows.dimension, accumulator: startScatter(rows.dimension) };
        gathered.accumulator.add(rows);
        return undefined;
      },
      finish: () => gathered && scatterRow(gathered.accumulator.finish()),
    };
  },
});

/** The partials in a batch of `ml.moments` rows. */
export function readMoments(batch: RecordBatch): Moments[] {
  const { counts, means } = readCommon(batch);
  const m2 = rowsOf(matrixFromVector(batch.getChild("m2")!, "m2"));
  return counts.map((count, i) => ({ count, mean: means[i]!, m2: m2[i]! }));
}

/** The partials in a batch of `ml.scatter` rows. */
export function readScatter(batch: RecordBatch): Scatter[] {
  const { counts, means } = readCommon(batch);
  const values = batch.getChild("scatter")!;
  return counts.map((count, i) => {
    const bytes = values.get(i) as Uint8Array;
    // A copy, since the bytes may start anywhere and a view of float64 may not.
    const packed = new Float64Array(bytes.slice().buffer);
    if (packed.length !== packedLength(means[i]!.length)) {
      throw new IllegalArgumentError(`A partial co-moment matrix has ${packed.length} values, of another dimension.`);
    }
    return { count, mean: means[i]!, packed };
  });
}

function readColumn(batch: RecordBatch, column: string, dimension: number | undefined): Matrix<Float64Array> {
  const vector = batch.getChild(column);
  if (!vector) throw new IllegalArgumentError(`There is no column ${column} among ${batch.schema.names.join(", ")}.`);
  return readRows(vector, column, dimension);
}

function momentsRow({ count, mean, m2 }: Moments): RecordBatch {
  return batchFromColumns(
    [
      { name: "count", vector: vectorFromValues([BigInt(count)], "long") },
      { name: "mean", vector: vectorFromMatrix({ values: mean, rows: 1, dimension: mean.length }) },
      { name: "m2", vector: vectorFromMatrix({ values: m2, rows: 1, dimension: m2.length }) },
    ],
    1,
  );
}

function scatterRow({ count, mean, packed }: Scatter): RecordBatch {
  const bytes = new Uint8Array(packed.buffer, packed.byteOffset, packed.byteLength);
  return batchFromColumns(
    [
      { name: "count", vector: vectorFromValues([BigInt(count)], "long") },
      { name: "mean", vector: vectorFromMatrix({ values: mean, rows: 1, dimension: mean.length }) },
      { name: "scatter", vector: vectorFromValues([bytes], "binary") },
    ],
    1,
  );
}

function readCommon(batch: RecordBatch): { counts: number[]; means: Float64Array[] } {
  return {
    counts: Array.from(batch.getChild("count")!, Number),
    means: rowsOf(matrixFromVector(batch.getChild("mean")!, "mean")),
  };
}

function rowsOf({ values, rows, dimension }: Matrix<Float64Array>): Float64Array[] {
  return Array.from({ length: rows }, (_, i) => values.slice(i * dimension, (i + 1) * dimension));
}
