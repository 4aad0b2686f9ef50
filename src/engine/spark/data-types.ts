import { create } from "@bufbuild/protobuf";
import { type DataType, type StructType, sparkJson, vectorIfStruct } from "../../data/types";
import { AnalysisError } from "../../frame/analysis-error";
import { DataTypeSchema, type DataType as ProtoType } from "./protos/spark/connect/types_pb";

/*
 * Types as Spark Connect's messages have them.
 * @see https://github.com/apache/spark/blob/master/sql/connect/common/src/main/protobuf/spark/connect/types.proto
 */

const PLAIN = {
  boolean: "boolean",
  byte: "byte",
  short: "short",
  integer: "integer",
  long: "long",
  float: "float",
  double: "double",
  string: "string",
  binary: "binary",
  date: "date",
  timestamp: "timestamp",
  timestamp_ntz: "timestampNtz",
  void: "null",
} as const;

const VECTOR_CLASS = "org.apache.spark.ml.linalg.VectorUDT";
const VECTOR_PYTHON_CLASS = "pyspark.ml.linalg.VectorUDT";

/** A type as a message. */
export function protoType(type: DataType): ProtoType {
  if (type === "vector") {
    const udt = sparkJson(type) as { readonly sqlType: StructType };
    const value = {
      type: "udt",
      jvmClass: VECTOR_CLASS,
      pythonClass: VECTOR_PYTHON_CLASS,
      sqlType: protoType(udt.sqlType),
    };
    return create(DataTypeSchema, { kind: { case: "udt", value } });
  }
  if (typeof type === "string") {
    const decimal = /^decimal\((\d+),(-?\d+)\)$/.exec(type);
    if (decimal) {
      const value = { precision: Number(decimal[1]), scale: Number(decimal[2]) };
      return create(DataTypeSchema, { kind: { case: "decimal", value } });
    }
    return create(DataTypeSchema, {
      kind: { case: PLAIN[type as keyof typeof PLAIN], value: {} } as ProtoType["kind"],
    });
  }
  switch (type.type) {
    case "array": {
      const value = { elementType: protoType(type.elementType), containsNull: type.containsNull };
      return create(DataTypeSchema, { kind: { case: "array", value } });
    }
    case "map": {
      const value = {
        keyType: protoType(type.keyType),
        valueType: protoType(type.valueType),
        valueContainsNull: type.valueContainsNull,
      };
      return create(DataTypeSchema, { kind: { case: "map", value } });
    }
    case "struct": {
      const fields = type.fields.map(({ name, type, nullable }) => ({ name, dataType: protoType(type), nullable }));
      return create(DataTypeSchema, { kind: { case: "struct", value: { fields } } });
    }
  }
}

const FROM_PLAIN: ReadonlyMap<string, DataType> = new Map(
  Object.entries(PLAIN).map(([type, kind]) => [kind, type as DataType]),
);

/** A message's type. @param column whose type it is, for messages @throws AnalysisError for one that there is none of here */
export function typeOfProto(proto: ProtoType | undefined, column: string): DataType {
  const kind = proto?.kind;
  const plain = FROM_PLAIN.get(kind?.case ?? "");
  if (plain !== undefined) return plain;
  switch (kind?.case) {
    case "char":
    case "varChar":
      return "string";
    case "decimal":
      return `decimal(${kind.value.precision ?? 10},${kind.value.scale ?? 0})`;
    case "array": {
      const { elementType, containsNull } = kind.value;
      return { type: "array", elementType: typeOfProto(elementType, column), containsNull };
    }
    case "map": {
      const { keyType, valueType, valueContainsNull } = kind.value;
      return {
        type: "map",
        keyType: typeOfProto(keyType, column),
        valueType: typeOfProto(valueType, column),
        valueContainsNull,
      };
    }
    case "struct":
      return vectorIfStruct(structOfProto(kind.value.fields, column));
    case "udt":
      if (kind.value.jvmClass === VECTOR_CLASS || kind.value.pythonClass === VECTOR_PYTHON_CLASS) return "vector";
      break;
  }
  throw new AnalysisError(
    `[UNSUPPORTED_DATATYPE] Column \`${column}\` has Spark's type ${kind?.case ?? "unknown"}, which there is none of here.`,
    { remedy: "Cast it in Spark's SQL to one that there is, such as string, or leave it out." },
  );
}

function structOfProto(
  fields: readonly { name: string; dataType?: ProtoType; nullable: boolean }[],
  column?: string,
): StructType {
  return {
    type: "struct",
    fields: fields.map(({ name, dataType, nullable }) => ({
      name,
      type: typeOfProto(dataType, column ?? name),
      nullable,
      metadata: {},
    })),
  };
}

/** The schema that Spark tells of a plan. @throws AnalysisError */
export function schemaOfProto(proto: ProtoType | undefined): StructType {
  if (proto?.kind.case !== "struct") throw new AnalysisError("Spark told no schema of a plan.");
  return structOfProto(proto.kind.value.fields);
}
