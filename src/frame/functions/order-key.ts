import { type DataType, simpleString } from "../../data/types";
import { AnalysisError } from "../analysis-error";
import { isArray, isMap, isStruct } from "../coercion";
import { ELEMENT } from "../function-entry";

/**
 * SQL for what orders as Spark orders a value: null parts of arrays and structs come before all others, where DuckDB puts them
 * last. A value that is null itself stays null. -0.0 is not touched.
 * @throws AnalysisError for a type that has no order
 */
export function orderKey(value: string, type: DataType): string {
  if (hasMap(type)) {
    throw new AnalysisError(
      `[DATATYPE_MISMATCH.INVALID_ORDERING_TYPE] Maps, as in ${simpleString(type)}, have no order.`,
      {
        remedy: "Sort or compare by its keys or its values.",
      },
    );
  }
  if (isArray(type)) return `list_transform(${value}, lambda ${ELEMENT}: ${part(ELEMENT, type.elementType)})`;
  if (!isStruct(type)) return value;
  const fields = type.fields.map(({ name, type: field }, i) => {
    return `f${i} := ${part(`struct_extract(${value}, '${name.replaceAll("'", "''")}')`, field)}`;
  });
  return `CASE WHEN ${value} IS NOT NULL THEN struct_pack(${fields.join(", ")}) END`;
}

function part(value: string, type: DataType): string {
  return `struct_pack(present := ${value} IS NOT NULL, part := ${orderKey(value, type)})`;
}

/** True for a type with a map in it. */
export function hasMap(type: DataType): boolean {
  if (isMap(type)) return true;
  if (isArray(type)) return hasMap(type.elementType);
  return isStruct(type) && type.fields.some((field) => hasMap(field.type));
}

/** True for a type of parts. */
export function isNested(type: DataType): boolean {
  return typeof type !== "string";
}
