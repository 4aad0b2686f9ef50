import { arrayType, type DataType, type StructField, simpleString } from "../../data/types";
import { AnalysisError } from "../../frame/analysis-error";
import type { Expression } from "../../frame/plan";
import { quotedName, sameName } from "../../frame/resolve";

/** What is inside a value. */
export interface Part {
  readonly value: Expression;
  readonly type: DataType;
}

/**
 * A struct's field, that field of each struct in an array, or a map's value for a key of text.
 * @param text the value as Spark writes it, for messages
 * @throws AnalysisError where there is no such field, or nothing to look inside
 */
export function partOf(child: Expression, type: DataType, name: string, text: string): Part {
  if (typeof type === "object") {
    if (type.type === "struct") {
      const found = fieldNamed(type.fields, name);
      return { value: { kind: "field", child, field: found.name, each: false }, type: found.type };
    }
    if (type.type === "array" && typeof type.elementType === "object" && type.elementType.type === "struct") {
      const found = fieldNamed(type.elementType.fields, name);
      return { value: { kind: "field", child, field: found.name, each: true }, type: arrayType(found.type) };
    }
    if (type.type === "map" && type.keyType === "string") {
      const key: Expression = { kind: "literal", value: name };
      return { value: { kind: "call", fn: "getitem", args: [child, key] }, type: type.valueType };
    }
  }
  throw new AnalysisError(
    `[INVALID_EXTRACT_BASE_FIELD_TYPE] Can't extract a value from "${text}". Need a complex type [STRUCT, ARRAY, MAP] but got "${sqlType(type)}".`,
    { remedy: `There is no ${quotedName(name)} in it. A name with a dot in it is written in backquotes: \`a.b\`.` },
  );
}

/** True where text names a part of such a value, so that `getItem("x")` is a field and not an element. */
export function hasFields(type: DataType): boolean {
  if (typeof type !== "object") return false;
  return (
    type.type === "struct" ||
    (type.type === "array" && typeof type.elementType === "object" && type.elementType.type === "struct")
  );
}

function fieldNamed(fields: readonly StructField[], name: string): StructField {
  const matches = fields.filter((field) => sameName(field.name, name));
  const [found] = matches;
  if (!found) {
    throw new AnalysisError(
      `[FIELD_NOT_FOUND] No such struct field ${quotedName(name)} in ${fields.map((f) => quotedName(f.name)).join(", ")}.`,
    );
  }
  if (matches.length > 1) {
    throw new AnalysisError(
      `[AMBIGUOUS_REFERENCE_TO_FIELDS] Ambiguous reference to the field ${quotedName(name)}. It appears ${matches.length} times in the schema.`,
    );
  }
  return found;
}

/** A type as Spark writes it in messages: `ARRAY<STRUCT<f: INT>>`. */
export function sqlType(type: DataType): string {
  if (typeof type === "object") {
    switch (type.type) {
      case "array":
        return `ARRAY<${sqlType(type.elementType)}>`;
      case "map":
        return `MAP<${sqlType(type.keyType)}, ${sqlType(type.valueType)}>`;
      case "struct":
        return `STRUCT<${type.fields.map((f) => `${f.name}: ${sqlType(f.type)}`).join(", ")}>`;
    }
  }
  return simpleString(type).toUpperCase();
}
