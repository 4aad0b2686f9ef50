import type { Json } from "../data/batch-function";
import { isMLVector, SparseVector } from "../data/linalg";
import { arrayType, type DataType, type StructType, structField } from "../data/types";
import { IllegalArgumentError } from "../errors";
import { parseSchema } from "../frame/ddl";

/** Rows as a plan carries them, with their schema. */
export interface LocalRows {
  readonly schema: StructType;
  readonly rows: readonly (readonly Json[])[];
}

/**
 * Rows of JavaScript values for a plan.
 * @param rows objects, or arrays in the schema's order
 * @param schema a schema, its text (`"path STRING, size INT"`), or column names for arrays. Absent: found from the values,
 *   a whole number being `long` and any other `double`, as PySpark does.
 * @throws IllegalArgumentError where a type can't be found or rows differ
 */
export function localRows(
  rows: readonly (Readonly<Record<string, unknown>> | readonly unknown[])[],
  schema?: StructType | string | readonly string[],
): LocalRows {
  const declared = typeof schema === "string" ? parseSchema(schema) : Array.isArray(schema) ? undefined : schema;
  const names = declared
    ? (declared as StructType).fields.map((f) => f.name)
    : ((schema as readonly string[] | undefined) ?? columnNames(rows));
  const table = rows.map((row, i) => {
    if (Array.isArray(row) && row.length !== names.length) {
      throw new IllegalArgumentError(`Row ${i} has ${row.length} values for ${names.length} columns.`);
    }
    return names.map((name, j) => (Array.isArray(row) ? row[j] : (row as Record<string, unknown>)[name]) ?? null);
  });
  const found = (declared as StructType | undefined) ?? inferSchema(names, table);
  return { schema: found, rows: table.map((row) => row.map((value, j) => toJson(value, found.fields[j]!.type))) };
}

function columnNames(rows: readonly (Readonly<Record<string, unknown>> | readonly unknown[])[]): string[] {
  const first = rows[0];
  if (first === undefined) {
    throw new IllegalArgumentError("No rows, and so no schema to find in them.", {
      remedy: 'Give one: createDataFrame([], "path STRING, label STRING").',
    });
  }
  if (Array.isArray(first)) return first.map((_, i) => `_${i + 1}`);
  return [...new Set(rows.flatMap((row) => Object.keys(row)))];
}

function inferSchema(names: readonly string[], table: readonly (readonly unknown[])[]): StructType {
  const fields = names.map((name, j) => {
    const types = table.map((row) => typeOf(row[j], name)).filter((type): type is DataType => type !== undefined);
    if (types.length === 0) {
      throw new IllegalArgumentError(`Every value of column \`${name}\` is null, so its type can't be found.`, {
        remedy: 'Give the schema, e.g. createDataFrame(rows, "name STRING").',
      });
    }
    return structField(
      name,
      types.reduce((a, b) => commonType(a, b, name)),
    );
  });
  return { type: "struct", fields };
}

function typeOf(value: unknown, name: string): DataType | undefined {
  if (value === null || value === undefined) return undefined;
  switch (typeof value) {
    case "string":
      return "string";
    case "boolean":
      return "boolean";
    case "bigint":
      return "long";
    case "number":
      return Number.isSafeInteger(value) ? "long" : "double";
  }
  if (value instanceof Date) return "timestamp";
  if (isMLVector(value)) return "vector";
  if (value instanceof Float32Array) return arrayType("float");
  if (value instanceof Float64Array) return arrayType("double");
  if (value instanceof Uint8Array) return "binary";
  if (Array.isArray(value)) {
    const types = value.map((item) => typeOf(item, name)).filter((type): type is DataType => type !== undefined);
    return types.length === 0 ? undefined : arrayType(types.reduce((a, b) => commonType(a, b, name)));
  }
  if (Object.getPrototypeOf(value) === Object.prototype) {
    const fields = Object.entries(value as object).map(([key, item]) => structField(key, typeOf(item, key) ?? "void"));
    return { type: "struct", fields };
  }
  throw new IllegalArgumentError(`Column \`${name}\` holds ${String(value)}, which has no data type.`);
}

function commonType(a: DataType, b: DataType, name: string): DataType {
  if (JSON.stringify(a) === JSON.stringify(b)) return a;
  const isNumber = (type: DataType) => type === "long" || type === "double";
  if (isNumber(a) && isNumber(b)) return "double";
  if (typeof a === "object" && typeof b === "object" && a.type === "array" && b.type === "array") {
    return arrayType(commonType(a.elementType, b.elementType, name));
  }
  throw new IllegalArgumentError(
    `Column \`${name}\` holds values of different types: ${JSON.stringify(a)} and ${JSON.stringify(b)}.`,
    { remedy: "Make them one type, or give the schema." },
  );
}

function toJson(value: unknown, type: DataType): Json {
  if (value === null || value === undefined) return null;
  if (value instanceof Date) return value.toISOString();
  if (typeof value === "bigint") return value.toString();
  // JSON has no words for these, and would make nulls of three of them.
  if (typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0)))
    return Object.is(value, -0) ? "-0" : String(value);
  if (value instanceof Uint8Array && type === "binary") return Buffer.from(value).toString("base64");
  if (value instanceof SparseVector) {
    return { size: value.size, indices: Array.from(value.indices), values: Array.from(value.values) };
  }
  if (ArrayBuffer.isView(value))
    return Array.from(value as unknown as ArrayLike<number>, (item) => toJson(item, "double"));
  if (Array.isArray(value)) {
    const element = typeof type === "object" && type.type === "array" ? type.elementType : "void";
    return value.map((item) => toJson(item, element));
  }
  if (value instanceof Map) return Object.fromEntries([...value].map(([k, v]) => [String(k), toJson(v, "void")]));
  if (typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, toJson(v, "void")]));
  }
  return value as Json;
}
