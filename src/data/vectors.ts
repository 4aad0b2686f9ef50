import {
  type Data,
  Field,
  FixedSizeList,
  Float32,
  Float64,
  List,
  makeData,
  makeVector,
  RecordBatch,
  Schema,
  Struct,
  type Vector,
  vectorFromArray,
} from "apache-arrow";
import { IllegalArgumentError } from "../errors";
import { arrowType } from "./arrow";
import { type DecimalValue, decimalText } from "./decimal";
import type { DataType } from "./types";

/** Rows of equal length, back to back: row `i` is `values.subarray(i * dimension, (i + 1) * dimension)`. */
export interface Matrix<T extends Float32Array | Float64Array = Float32Array | Float64Array> {
  readonly values: T;
  readonly rows: number;
  readonly dimension: number;
}

/**
 * An `array<float>` or `array<double>` Arrow vector over a matrix, without copying.
 * @param nulls rows to mark null; they still take up space in `values`.
 */
export function vectorFromMatrix(matrix: Matrix, nulls: ReadonlySet<number> = new Set()): Vector {
  const { values, rows, dimension } = matrix;
  const isFloat = values instanceof Float32Array;
  const child = makeData({
    type: isFloat ? new Float32() : new Float64(),
    length: rows * dimension,
    nullCount: 0,
    data: values.subarray(0, rows * dimension),
  } as never) as Data;
  const valueOffsets = new Int32Array(rows + 1);
  for (let i = 0; i <= rows; i++) valueOffsets[i] = i * dimension;
  let nullBitmap: Uint8Array | undefined;
  if (nulls.size > 0) {
    nullBitmap = new Uint8Array(Math.ceil(rows / 8));
    for (let i = 0; i < rows; i++) if (!nulls.has(i)) nullBitmap[i >> 3]! |= 1 << (i & 7);
  }
  const type = new List(new Field("element", isFloat ? new Float32() : new Float64(), true));
  return makeVector(makeData({ type, length: rows, nullCount: nulls.size, nullBitmap, valueOffsets, child } as never));
}

/**
 * The rows of an array column as one matrix in float64.
 * @throws IllegalArgumentError if a row is null or has another length than the first; the message names the row.
 */
export function matrixFromVector(vector: Vector, column = "column"): Matrix<Float64Array> {
  const rows = vector.length;
  const first = rows > 0 ? vector.get(0) : null;
  const dimension = first === null ? 0 : (first as Vector).length;
  const values = new Float64Array(rows * dimension);
  let row = 0;
  for (const data of vector.data) {
    const isList = data.type instanceof List || data.type instanceof FixedSizeList;
    if (!isList) throw new IllegalArgumentError(`${column} is not an array of numbers but ${data.type}.`);
    const child = data.children[0]!;
    const flat = child.values as Float32Array | Float64Array;
    for (let i = 0; i < data.length; i++, row++) {
      const valid = data.getValid(i);
      const start = data.type instanceof List ? data.valueOffsets[i]! : (data.offset + i) * dimension;
      const end = data.type instanceof List ? data.valueOffsets[i + 1]! : start + dimension;
      if (!valid || end - start !== dimension || dimension === 0)
        throw notAVector(column, row, valid, end - start, dimension);
      values.set(flat.subarray(start, end), row * dimension);
    }
  }
  return { values, rows, dimension };
}

function notAVector(column: string, row: number, valid: boolean, length: number, dimension: number) {
  const other =
    length === dimension ? "an empty array" : `an array of ${length} values where the first row has ${dimension}`;
  return new IllegalArgumentError(`${column} holds ${valid ? other : "null"}, in row ${row} of the batch.`, {
    remedy: valid
      ? `Every vector of ${column} must have the same length: drop the others first, e.g. by size(col("${column}")).`
      : `Drop such rows first, e.g. filter(col("${column}").isNotNull()).`,
  });
}

/** An Arrow vector of `type` from JavaScript values; null and undefined become null. */
export function vectorFromValues(values: readonly unknown[], type: DataType): Vector {
  // Arrow takes undefined for an empty value in binary columns.
  const present = values.map((value) => value ?? null);
  return vectorFromArray(present, arrowType(type)) as Vector;
}

/** A named column of a batch. */
export interface BatchColumn {
  readonly name: string;
  readonly vector: Vector;
}

/** A record batch of vectors of equal length; each must be one chunk. @param rows how many, where there is no column. */
export function batchFromColumns(columns: readonly BatchColumn[], rows = columns[0]?.vector.length ?? 0): RecordBatch {
  const fields = columns.map(({ name, vector }) => new Field(name, vector.type, true));
  const children = columns.map(({ name, vector }) => {
    if (vector.length !== rows || vector.data.length > 1) {
      throw new IllegalArgumentError(
        `Column ${name} has ${vector.length} values in ${vector.data.length} chunks; one chunk of ${rows} is wanted.`,
      );
    }
    return vector.data[0] ?? (makeData({ type: vector.type, length: 0, nullCount: 0 } as never) as Data);
  });
  const data = makeData({ type: new Struct(fields), length: rows, nullCount: 0, children });
  return new RecordBatch(new Schema(fields), data);
}

/** A batch whose columns are called otherwise, by position; names may come twice. */
export function renamedBatch(batch: RecordBatch, names: readonly string[]): RecordBatch {
  const { fields } = batch.schema;
  if (fields.every((field, i) => field.name === names[i])) return batch;
  const renamed = fields.map((field, i) => new Field(names[i] ?? field.name, field.type, field.nullable));
  const { length, nullCount, children } = batch.data;
  const data = makeData({ type: new Struct(renamed), length, nullCount, children });
  return new RecordBatch(new Schema(renamed, batch.schema.metadata), data);
}

/** A column's values as plain JavaScript: numbers, strings, booleans, bigints, `Uint8Array`, `Date`, arrays, objects. */
export function valuesFromVector(vector: Vector, type: DataType): unknown[] {
  const out = new Array<unknown>(vector.length);
  for (let i = 0; i < vector.length; i++) out[i] = plainValue(vector.get(i), type);
  return out;
}

/** One Arrow value as plain JavaScript; a `long` is a number where it is exact, else a bigint; a decimal is text. */
export function plainValue(value: unknown, type: DataType): unknown {
  if (value === null || value === undefined) return null;
  if (typeof type === "string") {
    if (type === "long") return plainLong(value as bigint | number);
    // Text keeps every digit; a double would not.
    if (type.startsWith("decimal")) return decimalText(value as DecimalValue, Number(type.slice(0, -1).split(",")[1]));
    if (type === "date" || type === "timestamp" || type === "timestamp_ntz") return new Date(Number(value));
    return value;
  }
  switch (type.type) {
    case "array":
      return plainArray(value as Vector, type.elementType);
    case "struct": {
      const row = value as Record<string, unknown>;
      return Object.fromEntries(type.fields.map((f) => [f.name, plainValue(row[f.name], f.type)]));
    }
    case "map": {
      const entries = Object.entries((value as { toJSON(): Record<string, unknown> }).toJSON());
      return new Map(entries.map(([k, v]) => [k, plainValue(v, type.valueType)]));
    }
  }
}

function plainLong(value: bigint | number): bigint | number {
  const asNumber = Number(value);
  return Number.isSafeInteger(asNumber) ? asNumber : value;
}

function plainArray(vector: Vector, elementType: DataType): unknown {
  const isFloat = elementType === "float" || elementType === "double";
  // A typed array keeps 1280 features at 5 KB; an array of boxed numbers takes several times that.
  if (isFloat && vector.nullCount === 0) return vector.toArray();
  return Array.from(vector, (item) => plainValue(item, elementType));
}
