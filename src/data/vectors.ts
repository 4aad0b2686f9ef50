import {
  type Data,
  Field,
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
import { DENSE, SPARSE, SparseVector } from "./linalg";
import { plainValue } from "./plain-value";
import type { DataType } from "./types";

export { type Matrix, matrixFromVector, vectorFromMatrix } from "./matrix";

/** An Arrow vector of `type` from JavaScript values; null and undefined become null. */
export function vectorFromValues(values: readonly unknown[], type: DataType): Vector {
  if (type === "timestamp" || type === "timestamp_ntz") return timesVector(values, type);
  // Arrow takes undefined for an empty value in binary columns.
  const present = values.map((value) => withStructs(value ?? null, type));
  return vectorFromArray(present, arrowType(type)) as Vector;
}

/** Milliseconds as microseconds; Arrow's own way is over a double, which is inexact from the year 2255 on. */
function timesVector(values: readonly unknown[], type: "timestamp" | "timestamp_ntz"): Vector {
  const data = new BigInt64Array(values.length);
  const nullBitmap = new Uint8Array(Math.ceil(values.length / 8));
  let nullCount = 0;
  values.forEach((value, i) => {
    if (value === null || value === undefined) {
      nullCount++;
      return;
    }
    nullBitmap[i >> 3]! |= 1 << (i & 7);
    const milliseconds = Number(value);
    const whole = Math.floor(milliseconds);
    data[i] = BigInt(whole) * 1000n + BigInt(Math.round((milliseconds - whole) * 1000));
  });
  return makeVector(makeData({ type: arrowType(type), length: values.length, nullCount, nullBitmap, data } as never));
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

/** Arrow's builders take a vector as the struct that it lies in. */
function withStructs(value: unknown, type: DataType): unknown {
  if (value === null || value === undefined) return null;
  if (type === "vector") {
    if (value instanceof SparseVector) {
      const { size, indices, values } = value;
      return { type: SPARSE, size, indices, values };
    }
    return { type: DENSE, size: null, indices: null, values: value };
  }
  if (typeof type === "string" || !holdsVector(type)) return value;
  switch (type.type) {
    case "array":
      return Array.from(value as Iterable<unknown>, (item) => withStructs(item, type.elementType));
    case "struct":
      return Object.fromEntries(
        type.fields.map((f) => [f.name, withStructs((value as Record<string, unknown>)[f.name], f.type)]),
      );
    case "map":
      return new Map(
        [...(value as Map<unknown, unknown>)].map(([key, item]) => [key, withStructs(item, type.valueType)]),
      );
  }
}

function holdsVector(type: DataType): boolean {
  if (typeof type === "string") return type === "vector";
  switch (type.type) {
    case "array":
      return holdsVector(type.elementType);
    case "map":
      return holdsVector(type.valueType);
    case "struct":
      return type.fields.some((field) => holdsVector(field.type));
  }
}
