import type { DataType, StructField, StructType } from "../data/types";
import { escapeControls } from "./show";

/**
 * A schema as `printSchema` shows it, Spark's exact text with a line break at the end.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.DataFrame.printSchema.html
 */
export function schemaTree(schema: StructType): string {
  const lines = ["root"];
  for (const field of schema.fields) addField(lines, " |", field);
  return `${lines.join("\n")}\n`;
}

function addField(lines: string[], prefix: string, field: StructField): void {
  const name = escapeControls(field.name);
  lines.push(`${prefix}-- ${name}: ${typeName(field.type)} (nullable = ${field.nullable})`);
  addChildren(lines, `${prefix}    |`, field.type);
}

function addChildren(lines: string[], prefix: string, type: DataType): void {
  if (typeof type === "string") return;
  switch (type.type) {
    case "array":
      lines.push(`${prefix}-- element: ${typeName(type.elementType)} (containsNull = ${type.containsNull})`);
      addChildren(lines, `${prefix}    |`, type.elementType);
      return;
    case "map":
      lines.push(`${prefix}-- key: ${typeName(type.keyType)}`);
      addChildren(lines, `${prefix}    |`, type.keyType);
      lines.push(`${prefix}-- value: ${typeName(type.valueType)} (valueContainsNull = ${type.valueContainsNull})`);
      addChildren(lines, `${prefix}    |`, type.valueType);
      return;
    case "struct":
      for (const field of type.fields) addField(lines, prefix, field);
  }
}

function typeName(type: DataType): string {
  return typeof type === "string" ? type : type.type;
}
