/**
 * Data types, in the JSON form that Spark writes into Parquet metadata (`org.apache.spark.sql.parquet.row.metadata`).
 * @see https://spark.apache.org/docs/latest/sql-ref-datatypes.html
 */

/** A type without parameters. */
export type PrimitiveType =
  | "boolean"
  | "byte"
  | "short"
  | "integer"
  | "long"
  | "float"
  | "double"
  | "string"
  | "binary"
  | "date"
  | "timestamp"
  | "timestamp_ntz"
  | "void"
  /** Spark ML's `VectorUDT`, which lies in files as {@link VECTOR_STRUCT}. */
  | "vector"
  | `decimal(${number},${number})`;

export interface ArrayType {
  readonly type: "array";
  readonly elementType: DataType;
  readonly containsNull: boolean;
}

export interface MapType {
  readonly type: "map";
  readonly keyType: DataType;
  readonly valueType: DataType;
  readonly valueContainsNull: boolean;
}

export interface StructField {
  readonly name: string;
  readonly type: DataType;
  readonly nullable: boolean;
  readonly metadata: Readonly<Record<string, unknown>>;
}

export interface StructType {
  readonly type: "struct";
  readonly fields: readonly StructField[];
}

export type DataType = PrimitiveType | ArrayType | MapType | StructType;

/** Spark's names for types without parameters, in SQL and in code: of those for one type the first is what Spark prints. */
export const TYPE_NAMES = {
  boolean: "boolean",
  tinyint: "byte",
  byte: "byte",
  smallint: "short",
  short: "short",
  int: "integer",
  integer: "integer",
  bigint: "long",
  long: "long",
  float: "float",
  real: "float",
  double: "double",
  string: "string",
  binary: "binary",
  date: "date",
  timestamp: "timestamp",
  timestamp_ltz: "timestamp",
  timestamp_ntz: "timestamp_ntz",
  void: "void",
  vector: "vector",
} as const satisfies Record<string, PrimitiveType>;

const PRINTED: ReadonlyMap<string, string> = new Map(
  Object.entries(TYPE_NAMES)
    .reverse()
    .map(([name, type]) => [type, name]),
);

/** The least and the greatest value of each type of whole numbers. */
export const INTEGER_RANGES: Readonly<Record<string, readonly [bigint, bigint]>> = {
  byte: [-(2n ** 7n), 2n ** 7n - 1n],
  short: [-(2n ** 15n), 2n ** 15n - 1n],
  integer: [-(2n ** 31n), 2n ** 31n - 1n],
  long: [-(2n ** 63n), 2n ** 63n - 1n],
};

/** `array<elementType>`; elements may be null unless said otherwise, as in Spark. */
export function arrayType(elementType: DataType, containsNull = true): ArrayType {
  return { type: "array", elementType, containsNull };
}

/** One field of a struct. @param nullable default true. */
export function structField(name: string, type: DataType, nullable = true): StructField {
  return { name, type, nullable, metadata: {} };
}

/** The type with everything in it that may be null allowed to be, as Spark has what it reads of files. */
export function asNullable<T extends DataType>(type: T): T;
export function asNullable(type: DataType): DataType {
  if (typeof type === "string") return type;
  switch (type.type) {
    case "array":
      return arrayType(asNullable(type.elementType));
    case "map":
      return {
        type: "map",
        keyType: asNullable(type.keyType),
        valueType: asNullable(type.valueType),
        valueContainsNull: true,
      };
    case "struct":
      return { ...type, fields: type.fields.map((f) => ({ ...f, type: asNullable(f.type), nullable: true })) };
  }
}

/** A schema from its fields, or from `{ name: type }`. */
export function structType(fields: readonly StructField[] | Readonly<Record<string, DataType>>): StructType {
  const list = Array.isArray(fields)
    ? (fields as readonly StructField[])
    : Object.entries(fields as Record<string, DataType>).map(([name, type]) => structField(name, type));
  return { type: "struct", fields: list };
}

/**
 * How a `vector` lies in files and batches: dense (type 1) with its values alone, or sparse (type 0) with size and indices. A
 * struct of just these fields is a vector wherever it comes from, since only Spark's files say so beside it.
 * @see https://github.com/apache/spark/blob/master/mllib-local/src/main/scala/org/apache/spark/ml/linalg/VectorUDT.scala
 */
export const VECTOR_STRUCT: StructType = structType([
  structField("type", "byte", false),
  structField("size", "integer"),
  structField("indices", arrayType("integer", false)),
  structField("values", arrayType("double", false)),
]);

/** The type itself, or `vector` for the struct that a vector lies in. */
export function vectorIfStruct(type: StructType): DataType {
  return simpleString(type) === VECTOR_STRUCT_TEXT ? "vector" : type;
}

/** A type in the JSON that Spark reads: a vector is its user-defined type. */
export function sparkJson(type: DataType): unknown {
  if (type === "vector") {
    return {
      type: "udt",
      class: "org.apache.spark.ml.linalg.VectorUDT",
      pyClass: "pyspark.ml.linalg.VectorUDT",
      sqlType: VECTOR_STRUCT,
    };
  }
  if (typeof type === "string") return type;
  switch (type.type) {
    case "array":
      return { ...type, elementType: sparkJson(type.elementType) };
    case "map":
      return { ...type, keyType: sparkJson(type.keyType), valueType: sparkJson(type.valueType) };
    case "struct":
      return { ...type, fields: type.fields.map((field) => ({ ...field, type: sparkJson(field.type) })) };
  }
}

/** The short name Spark prints: `array<float>`, `struct<a:int>`, `bigint`. */
export function simpleString(type: DataType): string {
  if (typeof type === "string") return PRINTED.get(type) ?? type;
  switch (type.type) {
    case "array":
      return `array<${simpleString(type.elementType)}>`;
    case "map":
      return `map<${simpleString(type.keyType)},${simpleString(type.valueType)}>`;
    case "struct":
      return `struct<${type.fields.map((f) => `${f.name}:${simpleString(f.type)}`).join(",")}>`;
  }
}

const VECTOR_STRUCT_TEXT = simpleString(VECTOR_STRUCT);
