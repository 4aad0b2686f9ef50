import { isMLVector } from "../data/linalg";
import { arrayType, type DataType, type StructField, type StructType, simpleString, structField } from "../data/types";
import { IllegalArgumentError } from "../errors";

/** The schema of values: each column's type is what all its values have in common. @throws IllegalArgumentError */
export function inferSchema(names: readonly string[], table: readonly (readonly unknown[])[]): StructType {
  const fields = names.map((name, j) => {
    const type = table.reduce<DataType>((found, row) => mergedType(found, typeOf(row[j], name), name), "void");
    if (hasUnknown(type)) {
      throw new IllegalArgumentError(
        type === "void"
          ? `[CANNOT_DETERMINE_TYPE] Every value of column \`${name}\` is null, so its type can't be found.`
          : `[CANNOT_DETERMINE_TYPE] Column \`${name}\` is ${simpleString(type)}: in some places every value is null, so their type can't be found.`,
        { remedy: 'Give the schema, e.g. createDataFrame(rows, "name STRING").' },
      );
    }
    return structField(name, type);
  });
  return { type: "struct", fields };
}

/** Typed arrays and what is in them, as Spark has what Python's `array` holds. */
const TYPED_ARRAYS: readonly (readonly [new () => unknown, DataType])[] = [
  [Float32Array, "float"],
  [Float64Array, "double"],
  [Int8Array, "byte"],
  [Int16Array, "short"],
  [Int32Array, "integer"],
  [BigInt64Array, "long"],
  [Uint8ClampedArray, "short"],
  [Uint16Array, "integer"],
  [Uint32Array, "long"],
];

function typeOf(value: unknown, name: string): DataType {
  if (value === null || value === undefined) return "void";
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
  if (value instanceof Uint8Array) return "binary";
  const element = TYPED_ARRAYS.find(([of]) => value instanceof of)?.[1];
  if (element) return arrayType(element);
  if (Array.isArray(value)) return arrayType(commonType(value, name));
  if (value instanceof Map) {
    const [keyType, valueType] = [commonType([...value.keys()], name), commonType([...value.values()], name)];
    return { type: "map", keyType, valueType, valueContainsNull: true };
  }
  if (Object.getPrototypeOf(value) === Object.prototype) {
    const fields = Object.entries(value as object).map(([key, item]) => structField(key, typeOf(item, name)));
    return { type: "struct", fields };
  }
  throw new IllegalArgumentError(
    `[CANNOT_INFER_TYPE_FOR_FIELD] Column \`${name}\` holds ${String(value)}, which has no data type.`,
  );
}

function commonType(values: readonly unknown[], name: string): DataType {
  return values.reduce<DataType>((found, value) => mergedType(found, typeOf(value, name), name), "void");
}

/** What two values' types have in common, as PySpark merges them; a whole number goes with a fraction here. */
function mergedType(a: DataType, b: DataType, name: string): DataType {
  if (a === b || b === "void") return a;
  if (a === "void") return b;
  if (typeof a === "object" && typeof b === "object") {
    if (a.type === "array" && b.type === "array") return arrayType(mergedType(a.elementType, b.elementType, name));
    if (a.type === "struct" && b.type === "struct")
      return { type: "struct", fields: mergedFields(a.fields, b.fields, name) };
    if (a.type === "map" && b.type === "map") {
      const keyType = mergedType(a.keyType, b.keyType, name);
      return { type: "map", keyType, valueType: mergedType(a.valueType, b.valueType, name), valueContainsNull: true };
    }
  }
  const isNumber = (type: DataType) => type === "long" || type === "double";
  if (isNumber(a) && isNumber(b)) return "double";
  const isAtomic = (type: DataType) => typeof type === "string" && type !== "vector";
  if ((a === "string" && isAtomic(b)) || (b === "string" && isAtomic(a))) return "string";
  throw new IllegalArgumentError(
    `[CANNOT_MERGE_TYPE] Column \`${name}\` holds values of different types: ${simpleString(a)} and ${simpleString(b)}.`,
    { remedy: "Make them one type, or give the schema." },
  );
}

function mergedFields(a: readonly StructField[], b: readonly StructField[], name: string): StructField[] {
  const others = new Map(b.map((field) => [field.name, field.type]));
  const own = new Set(a.map((field) => field.name));
  return [
    ...a.map((field) => structField(field.name, mergedType(field.type, others.get(field.name) ?? "void", name))),
    ...b.filter((field) => !own.has(field.name)),
  ];
}

function hasUnknown(type: DataType): boolean {
  if (typeof type === "string") return type === "void";
  switch (type.type) {
    case "array":
      return hasUnknown(type.elementType);
    case "map":
      return hasUnknown(type.keyType) || hasUnknown(type.valueType);
    case "struct":
      return type.fields.some((field) => hasUnknown(field.type));
  }
}
