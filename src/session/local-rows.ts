import type { Json } from "../data/batch-function";
import { isMLVector } from "../data/linalg";
import { type DataType, type StructType, structField } from "../data/types";
import { IllegalArgumentError } from "../errors";
import { parseDataType, parseSchema } from "../frame/ddl";
import { inferSchema } from "./inferred-schema";
import { rowValue } from "./row-values";

/** Rows as a plan carries them, with their schema. */
export interface LocalRows {
  readonly schema: StructType;
  readonly rows: readonly (readonly Json[])[];
}

/**
 * Rows of JavaScript values for a plan, each value checked against its column's type, as PySpark does.
 * @param rows objects, or arrays in the schema's order; with a single type as schema, plain values
 * @param schema a schema, its text (`"path STRING, size INT"`), a single type (`"int"`, whose column is `value`), or column
 *   names for arrays. Absent: found from the values, a whole number being `long` and any other `double`.
 * @throws IllegalArgumentError where a type can't be found, rows differ, or a value is not of its column's type
 */
export function localRows(rows: readonly unknown[], schema?: StructType | string | readonly string[]): LocalRows {
  if (!Array.isArray(rows)) throw new IllegalArgumentError("createDataFrame takes an array of rows.");
  const single = typeof schema === "string" ? singleType(schema) : undefined;
  if (single)
    return ofSchema(
      rows.map((value) => [value]),
      { type: "struct", fields: [structField("value", single)] },
    );
  if (typeof schema === "string") return ofSchema(rows, parseSchema(schema));
  if (schema !== undefined && !isNames(schema)) return ofSchema(rows, schema);
  const names = columnNames(rows, schema);
  const table = rows.map((row, i) => valuesByName(row, names, i));
  return ofSchema(table, inferSchema(names, table));
}

/** The type that a text names by itself, such as `int` or `array<int>`, where it is no list of columns. */
function singleType(text: string): DataType | undefined {
  if (!/^\s*\w+\s*(?:[<(].*)?$/s.test(text) || /^\s*struct\b/i.test(text)) return undefined;
  return parseDataType(text);
}

function ofSchema(rows: readonly unknown[], schema: StructType): LocalRows {
  const names = schema.fields.map((field) => field.name);
  const table = rows.map((row, i) => {
    const values = valuesByName(row, names, i);
    return schema.fields.map((field, j) => rowValue(values[j], field, { row: i, path: field.name }));
  });
  return { schema, rows: table };
}

function valuesByName(row: unknown, names: readonly string[], index: number): readonly unknown[] {
  if (Array.isArray(row)) {
    if (row.length === names.length) return row;
    throw new IllegalArgumentError(
      `[LENGTH_SHOULD_BE_THE_SAME] Row ${index} has ${row.length} values for ${names.length} columns.`,
    );
  }
  assertRow(row, index);
  return names.map((name) => (Object.hasOwn(row, name) || name in row ? row[name] : undefined));
}

function assertRow(row: unknown, index: number): asserts row is Readonly<Record<string, unknown>> {
  const isRow =
    typeof row === "object" &&
    row !== null &&
    !(row instanceof Date || row instanceof Map || ArrayBuffer.isView(row) || isMLVector(row));
  if (isRow) return;
  throw new IllegalArgumentError(
    `[CANNOT_INFER_SCHEMA_FOR_TYPE] Row ${index} is ${row === null ? "null" : `a ${typeof row}`}, no object and no array.`,
    { remedy: 'Give objects, [{ size: 1 }], or a single type for plain values: createDataFrame([1, 2], "int").' },
  );
}

function columnNames(rows: readonly unknown[], given: readonly string[] | undefined): readonly string[] {
  const first = rows[0];
  if (first === undefined) {
    throw new IllegalArgumentError("[CANNOT_INFER_EMPTY_SCHEMA] No rows, and so no schema to find in them.", {
      remedy: 'Give one: createDataFrame([], "path STRING, label STRING").',
    });
  }
  if (Array.isArray(first)) return [...(given ?? []), ...first.map((_, i) => `_${i + 1}`).slice(given?.length ?? 0)];
  if (given) {
    throw new IllegalArgumentError("A list of names is for rows that are arrays; objects have names.", {
      remedy: "Leave the list out, and select or rename the columns afterwards.",
    });
  }
  rows.forEach(assertRow);
  return [...new Set(rows.flatMap((row) => Object.keys(row as object)))];
}

function isNames(schema: StructType | readonly string[]): schema is readonly string[] {
  return Array.isArray(schema);
}
