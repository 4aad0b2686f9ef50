import type { DataType } from "../../data/types";
import { isArray, isFloating, isStruct } from "../../frame/coercion";
import { ELEMENT } from "../../frame/function-entry";
import { isNested, orderKey } from "../../frame/functions/order-key";
import { quotedIdentifier, quotedText } from "./sql-text";

/**
 * Spark's order of floating numbers in DuckDB: NaN equals NaN and is above all numbers, -0.0 equals 0.0. DuckDB's operators
 * have that order, but two things around them spoil it.
 */

/**
 * A column of a file, such that DuckDB does not see what the file's footer says of it. Most writers leave NaN out of the least
 * and the greatest value in a footer, and DuckDB would skip rows, or take a condition as settled, by those.
 */
export function apartFromFooter(column: string, type: DataType): string {
  if (isFloating(type)) return `-(-${column})`;
  if (!isStruct(type) || !hasFloats(type)) return column;
  const fields = type.fields.map(({ name, type: field }) => {
    const value = apartFromFooter(`struct_extract(${column}, ${quotedText(name)})`, field);
    return `${quotedIdentifier(name)} := ${value}`;
  });
  return `CASE WHEN ${column} IS NOT NULL THEN struct_pack(${fields.join(", ")}) END`;
}

/**
 * Something to sort by: DuckDB reads a column back from the sorted keys, in which -0.0 became 0.0.
 * @throws AnalysisError for a type that has no order
 */
export function sortKey(value: string, type: DataType): string {
  if (isNested(type)) return orderKey(value, type);
  return hasFloats(type) ? `CASE WHEN ${value} IS NOT NULL THEN ${value} END` : value;
}

/** Something to group by, which Spark shows with 0.0 in place of -0.0. */
export function groupKey(value: string, type: DataType): string {
  if (isFloating(type)) return `(${value} + CAST(0 AS ${type}))`;
  if (!hasFloats(type)) return value;
  if (isArray(type)) return `list_transform(${value}, lambda ${ELEMENT}: ${groupKey(ELEMENT, type.elementType)})`;
  if (!isStruct(type)) return value;
  const fields = type.fields.map(({ name, type: field }) => {
    return `${quotedIdentifier(name)} := ${groupKey(`struct_extract(${value}, ${quotedText(name)})`, field)}`;
  });
  return `CASE WHEN ${value} IS NOT NULL THEN struct_pack(${fields.join(", ")}) END`;
}

function hasFloats(type: DataType): boolean {
  if (isArray(type)) return hasFloats(type.elementType);
  return isStruct(type) ? type.fields.some((field) => hasFloats(field.type)) : isFloating(type);
}
