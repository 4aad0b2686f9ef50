import { makeData, makeVector, type RecordBatch, type Vector } from "apache-arrow";
import { arrowType } from "../data/arrow";
import type { DataType, StructType } from "../data/types";
import { batchFromColumns } from "../data/vectors";

/**
 * A value of a text file, as it goes into a column: a long, a timestamp (microseconds) and a decimal (its digits without the
 * point) are bigints, a date is days, a struct its fields' values in order, a map its entries.
 */
export type Value = null | boolean | number | bigint | string | Uint8Array | readonly Value[];

/** A batch of columns of values. */
export function batchOfColumns(schema: StructType, columns: readonly (readonly Value[])[], rows: number): RecordBatch {
  return batchFromColumns(
    schema.fields.map((field, i) => ({ name: field.name, vector: vectorOf(field.type, columns[i] ?? []) })),
    rows,
  );
}

type AnyData = ReturnType<typeof makeData>;

/** Arrow's own builders take milliseconds for every time and go value by value; this keeps microseconds. */
function vectorOf(type: DataType, values: readonly Value[]): Vector {
  return makeVector(dataOf(type, values) as never) as Vector;
}

function dataOf(type: DataType, values: readonly Value[]): AnyData {
  const length = values.length;
  const nullBitmap = new Uint8Array(Math.ceil(length / 64) * 8);
  let nullCount = 0;
  for (let i = 0; i < length; i++) {
    if (values[i] === null || values[i] === undefined) nullCount++;
    else nullBitmap[i >> 3] = (nullBitmap[i >> 3] ?? 0) | (1 << (i & 7));
  }
  const common = { type: arrowType(type), length, nullCount, nullBitmap };
  const make = (parts: object) => makeData({ ...common, ...parts } as never) as AnyData;
  if (typeof type !== "string") {
    switch (type.type) {
      case "struct": {
        const children = type.fields.map((field, f) =>
          dataOf(
            field.type,
            values.map((value) => (value === null ? null : ((value as readonly Value[])[f] ?? null))),
          ),
        );
        return make({ children });
      }
      case "array": {
        const { offsets, items } = flattened(values);
        return make({ valueOffsets: offsets, child: dataOf(type.elementType, items) });
      }
      case "map": {
        const { offsets, items } = flattened(values);
        const entries: StructType = {
          type: "struct",
          fields: [
            { name: "key", type: type.keyType, nullable: false, metadata: {} },
            { name: "value", type: type.valueType, nullable: type.valueContainsNull, metadata: {} },
          ],
        };
        return make({ valueOffsets: offsets, child: dataOf(entries, items) });
      }
    }
  }
  if (type.startsWith("decimal")) return make({ data: decimalWords(values) });
  switch (type) {
    case "string":
      return make(bytesOf(values.map((value) => (value === null ? null : Buffer.from(value as string, "utf8")))));
    case "binary":
      return make(bytesOf(values as (Uint8Array | null)[]));
    case "boolean": {
      const data = new Uint8Array(Math.ceil(length / 64) * 8);
      values.forEach((value, i) => {
        if (value === true) data[i >> 3] = (data[i >> 3] ?? 0) | (1 << (i & 7));
      });
      return make({ data });
    }
    case "byte":
      return make({ data: Int8Array.from(values as number[]) });
    case "short":
      return make({ data: Int16Array.from(values as number[]) });
    case "integer":
    case "date":
      return make({ data: Int32Array.from(values as number[]) });
    case "float":
      return make({ data: Float32Array.from(values as number[]) });
    case "double":
      return make({ data: Float64Array.from(values as number[]) });
    case "void":
      return makeData({ type: arrowType(type), length } as never) as AnyData;
    default: {
      const data = new BigInt64Array(length);
      values.forEach((value, i) => {
        if (value !== null) data[i] = value as bigint;
      });
      return make({ data });
    }
  }
}

function flattened(values: readonly Value[]): { offsets: Int32Array; items: Value[] } {
  const offsets = new Int32Array(values.length + 1);
  const items: Value[] = [];
  values.forEach((value, i) => {
    for (const item of (value ?? []) as readonly Value[]) items.push(item);
    offsets[i + 1] = items.length;
  });
  return { offsets, items };
}

function bytesOf(values: readonly (Uint8Array | null)[]): { valueOffsets: Int32Array; data: Uint8Array } {
  const valueOffsets = new Int32Array(values.length + 1);
  let total = 0;
  values.forEach((value, i) => {
    total += value?.byteLength ?? 0;
    valueOffsets[i + 1] = total;
  });
  const data = new Uint8Array(total);
  values.forEach((value, i) => {
    if (value) data.set(value, valueOffsets[i]);
  });
  return { valueOffsets, data };
}

function decimalWords(values: readonly Value[]): Uint32Array {
  const words = new Uint32Array(values.length * 4);
  values.forEach((value, i) => {
    let rest = BigInt.asUintN(128, (value ?? 0n) as bigint);
    for (let word = 0; word < 4; word++, rest >>= 32n) words[i * 4 + word] = Number(rest & 0xffff_ffffn);
  });
  return words;
}
