import type { DataType, StructField, StructType } from "../data/types";
import { escapeControls } from "./control-characters";

/**
 * A schema as `printSchema` shows it, Spark's exact text with a line break at the end.
 * @param level how deep; 0 or less for all of it
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.DataFrame.printSchema.html
 */
export function schemaTree(schema: StructType, level = 0): string {
  const lines = ["root"];
  const depth = level > 0 ? level : Number.POSITIVE_INFINITY;
  for (const field of schema.fields) addField(lines, " |", field, depth);
  return `${lines.join("\n")}\n`;
}

function addField(lines: string[], prefix: string, field: StructField, depth: number): void {
  const name = escapeControls(field.name);
  lines.push(`${prefix}-- ${name}: ${typeName(field.type)} (nullable = ${field.nullable})`);
  addChildren(lines, `${prefix}    |`, field.type, depth - 1);
}

function addChildren(lines: string[], prefix: string, type: DataType, depth: number): void {
  if (typeof type === "string" || depth <= 0) return;
  const below = (child: DataType) => addChildren(lines, `${prefix}    |`, child, depth - 1);
  switch (type.type) {
    case "array":
      lines.push(`${prefix}-- element: ${typeName(type.elementType)} (containsNull = ${type.containsNull})`);
      below(type.elementType);
      return;
    case "map":
      lines.push(`${prefix}-- key: ${typeName(type.keyType)}`);
      below(type.keyType);
      lines.push(`${prefix}-- value: ${typeName(type.valueType)} (valueContainsNull = ${type.valueContainsNull})`);
      below(type.valueType);
      return;
    case "struct":
      for (const field of type.fields) addField(lines, prefix, field, depth);
  }
}

function typeName(type: DataType): string {
  return typeof type === "string" ? type : type.type;
}
