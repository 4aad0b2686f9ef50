import type { DataType, StructField, StructType } from "../../data/types";
import { simpleString } from "../../data/types";
import { AnalysisError } from "../../frame/analysis-error";
import { sameName } from "../../frame/resolve";

/**
 * The columns of all schemas, as Spark's `mergeSchema` puts them together: new ones behind those that are there, and equal
 * types, but for fields inside of structs and digits of decimals.
 * @throws AnalysisError that names the column, both types and a file
 */
export function mergedSchema(schemas: readonly { readonly schema: StructType; readonly url: string }[]): StructType {
  const [first, ...rest] = schemas;
  let merged: readonly StructField[] = first?.schema.fields ?? [];
  for (const { schema, url } of rest) merged = mergedFields(merged, schema.fields, "", url);
  return { type: "struct", fields: merged };
}

/** @throws AnalysisError for two columns, or fields of a struct, whose names differ by case at most */
export function refuseSameNames(fields: readonly StructField[], where: string): void {
  for (const [i, field] of fields.entries()) {
    for (const inner of structsIn(field.type)) refuseSameNames(inner.fields, where);
    if (!fields.slice(0, i).some((earlier) => sameName(earlier.name, field.name))) continue;
    throw new AnalysisError(`[COLUMN_ALREADY_EXISTS] The column \`${field.name}\` is there twice in ${where}.`, {
      remedy: "Names differ by more than case, as in Spark; write the file with other names.",
    });
  }
}

function structsIn(type: DataType): StructType[] {
  if (typeof type === "string") return [];
  if (type.type === "array") return structsIn(type.elementType);
  return type.type === "map" ? [...structsIn(type.keyType), ...structsIn(type.valueType)] : [type];
}

function mergedFields(
  left: readonly StructField[],
  right: readonly StructField[],
  path: string,
  url: string,
): StructField[] {
  const both = left.map((field) => {
    const other = right.find((candidate) => sameName(candidate.name, field.name));
    return other ? { ...field, type: mergedType(field.type, other.type, `${path}${field.name}`, url) } : field;
  });
  return [...both, ...right.filter((field) => !left.some((candidate) => sameName(candidate.name, field.name)))];
}

function mergedType(a: DataType, b: DataType, path: string, url: string): DataType {
  if (typeof a === "object" && typeof b === "object") {
    if (a.type === "struct" && b.type === "struct") {
      return { type: "struct", fields: mergedFields(a.fields, b.fields, `${path}.`, url) };
    }
    if (a.type === "array" && b.type === "array") {
      const elementType = mergedType(a.elementType, b.elementType, path, url);
      return { type: "array", elementType, containsNull: a.containsNull || b.containsNull };
    }
    if (a.type === "map" && b.type === "map") {
      return {
        type: "map",
        keyType: mergedType(a.keyType, b.keyType, path, url),
        valueType: mergedType(a.valueType, b.valueType, path, url),
        valueContainsNull: a.valueContainsNull || b.valueContainsNull,
      };
    }
  }
  if (a === b) return a;
  const [p, q] = [decimal(a), decimal(b)];
  if (p && q && p.scale === q.scale) return `decimal(${Math.max(p.precision, q.precision)},${p.scale})`;
  throw new AnalysisError(
    `[CANNOT_MERGE_SCHEMAS] Column \`${path}\` is ${simpleString(a)} in other files and ${simpleString(b)} in ${url}.`,
    { remedy: "Read the files apart and cast the column, or name its type: schema(...)." },
  );
}

/** Digits of a decimal type. */
export function decimal(type: DataType): { readonly precision: number; readonly scale: number } | undefined {
  const parts = typeof type === "string" ? /^decimal\((\d+),(\d+)\)$/.exec(type) : null;
  return parts ? { precision: Number(parts[1]), scale: Number(parts[2]) } : undefined;
}
