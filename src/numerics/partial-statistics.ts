import type { RecordBatch } from "apache-arrow";
import { defineBuiltin, type TableFunction } from "../data/batch-function";
import { arrayType, type StructType, structField } from "../data/types";
import { batchFromColumns, type Matrix, matrixFromVector, vectorFromMatrix, vectorFromValues } from "../data/vectors";
import { IllegalArgumentError } from "../errors";
import {
  checkDimension,
  columnMeans,
  type Moments,
  mergeMoments,
  mergeScatter,
  momentsOf,
  packedLength,
  type Scatter,
} from "./moments";
import type { PrincipalInput } from "./pca";
import { type ScatterAccumulator, startScatter } from "./scatter";
import { checkVectorField, readRows } from "./vector-rows";

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
 * Schema of `ml.scatter`: one row a partition, none where the partition is empty. A partition with more rows than half
 * the dimension gives its `scatter`, the packed upper triangle; one with fewer gives its `rows`, which are smaller. Both
 * are little-endian float64: an array of 820,000 elements would be slow to write as Parquet.
 */
export const SCATTER_SCHEMA: StructType = {
  type: "struct",
  fields: [
    structField("count", "long", false),
    structField("mean", arrayType("double"), false),
    structField("scatter", "binary"),
    structField("rows", "binary"),
  ],
};

/** Table function `ml.moments`: a partition's rows become their {@link Moments}. */
export const moments = defineBuiltin<StatisticsParams>({
  shape: "table",
  name: "ml.moments",
  returns({ column }, { fields }) {
    checkVectorField(fields, column, "StandardScaler");
    return MOMENTS_SCHEMA;
  },
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

/** Table function `ml.scatter`: a partition's rows become what {@link gatherScatter} reads. */
export const scatter = defineBuiltin<StatisticsParams>({
  shape: "table",
  name: "ml.scatter",
  returns({ column }, { fields }) {
    checkVectorField(fields, column, "PCA");
    return SCATTER_SCHEMA;
  },
  async create({ column }): Promise<TableFunction> {
    let dimension: number | undefined;
    let few: Matrix<Float64Array> | undefined;
    let many: ScatterAccumulator | undefined;
    return {
      apply(batch) {
        const rows = readColumn(batch, column, dimension);
        if (rows.rows === 0) return undefined;
        dimension = rows.dimension;
        if (many) {
          many.add(rows);
          return undefined;
        }
        few = few ? appended(few, rows) : rows;
        if (few.values.length > packedLength(dimension)) {
          many = startScatter(dimension);
          many.add(few);
          few = undefined;
        }
        return undefined;
      },
      finish: () => (many ? scatterRow(many.finish()) : few && rowsRow(few)),
    };
  },
});

/** Merges partial statistics, batch by batch of what the table functions made. */
export interface Gathering<T> {
  add(batch: RecordBatch): void;
  /** The statistic of all rows; undefined if there were none. */
  finish(): T | undefined;
}

/** Merges rows of `ml.moments`. */
export function gatherMoments(): Gathering<Moments> {
  let total: Moments | undefined;
  return {
    add(batch) {
      const means = rowsOf(batch, "mean");
      const m2 = rowsOf(batch, "m2");
      countsOf(batch).forEach((count, i) => {
        const part = { count, mean: means[i]!, m2: m2[i]! };
        total = total ? mergeMoments(total, part) : part;
      });
    },
    finish: () => total,
  };
}

/** Merges rows of `ml.scatter`. Rows that partitions gave are kept as they are while all together are fewer than columns. */
export function gatherScatter(): Gathering<PrincipalInput> {
  let total: Scatter | undefined;
  let few: Matrix<Float64Array>[] = [];
  let accumulator: ScatterAccumulator | undefined;
  let dimension: number | undefined;

  function addRows(rows: Matrix<Float64Array>): void {
    few.push(rows);
    if (accumulator || total || countRows(few) >= rows.dimension) accumulate(rows.dimension);
  }

  function accumulate(width: number): void {
    accumulator ??= startScatter(width);
    for (const rows of few) accumulator.add(rows);
    few = [];
  }

  return {
    add(batch) {
      const means = rowsOf(batch, "mean");
      for (const [i, count] of countsOf(batch).entries()) {
        const mean = means[i]!;
        dimension ??= mean.length;
        checkDimension(dimension, mean.length);
        const packed = float64At(batch, "scatter", i);
        if (packed) {
          const part = { count, mean, packed };
          total = total ? mergeScatter(total, part) : part;
          if (few.length > 0) accumulate(dimension);
        } else {
          addRows({ values: float64At(batch, "rows", i)!, rows: count, dimension });
        }
      }
    },
    finish() {
      if (few.length > 0) return { kind: "rows", rows: joined(few) };
      const rest = accumulator?.finish();
      const all = total && rest ? mergeScatter(total, rest) : (total ?? rest);
      return all && { kind: "scatter", ...all };
    },
  };
}

function countRows(parts: readonly Matrix<Float64Array>[]): number {
  return parts.reduce((sum, { rows }) => sum + rows, 0);
}

function joined(parts: readonly Matrix<Float64Array>[]): Matrix<Float64Array> {
  const { dimension } = parts[0]!;
  const rows = countRows(parts);
  const values = new Float64Array(rows * dimension);
  let at = 0;
  for (const part of parts) {
    values.set(part.values, at);
    at += part.values.length;
  }
  return { values, rows, dimension };
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
  return comomentRow(count, mean, { scatter: packed });
}

function rowsRow(rows: Matrix<Float64Array>): RecordBatch {
  return comomentRow(rows.rows, columnMeans(rows.values, rows.rows, rows.dimension), { rows: rows.values });
}

function comomentRow(
  count: number,
  mean: Float64Array,
  { scatter, rows }: { scatter?: Float64Array; rows?: Float64Array },
): RecordBatch {
  const bytes = (a?: Float64Array) =>
    vectorFromValues([a ? new Uint8Array(a.buffer, a.byteOffset, a.byteLength) : null], "binary");
  return batchFromColumns(
    [
      { name: "count", vector: vectorFromValues([BigInt(count)], "long") },
      { name: "mean", vector: vectorFromMatrix({ values: mean, rows: 1, dimension: mean.length }) },
      { name: "scatter", vector: bytes(scatter) },
      { name: "rows", vector: bytes(rows) },
    ],
    1,
  );
}

function appended(a: Matrix<Float64Array>, b: Matrix<Float64Array>): Matrix<Float64Array> {
  const values = new Float64Array(a.values.length + b.values.length);
  values.set(a.values);
  values.set(b.values, a.values.length);
  return { values, rows: a.rows + b.rows, dimension: a.dimension };
}

function countsOf(batch: RecordBatch): number[] {
  return Array.from(batch.getChild("count")!, Number);
}

function rowsOf(batch: RecordBatch, column: string): Float64Array[] {
  const { values, rows, dimension } = matrixFromVector(batch.getChild(column)!, column);
  return Array.from({ length: rows }, (_, i) => values.slice(i * dimension, (i + 1) * dimension));
}

function float64At(batch: RecordBatch, column: string, row: number): Float64Array | undefined {
  const bytes = batch.getChild(column)!.get(row) as Uint8Array | null;
  // A copy, since the bytes may start anywhere and a view of float64 may not.
  return bytes ? new Float64Array(bytes.slice().buffer) : undefined;
}
