import {
  DataType as ArrowType,
  Binary,
  Bool,
  DateDay,
  Decimal,
  Field,
  Float32,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  List,
  Map_,
  Null,
  Schema,
  Struct,
  TimestampMicrosecond,
  Utf8,
} from "apache-arrow";
import { IllegalArgumentError } from "../errors";
import {
  arrayType,
  type DataType,
  type StructField,
  type StructType,
  structField,
  VECTOR_STRUCT,
  vectorIfStruct,
} from "./types";

/** The Arrow type of a Spark type. Lists name their child `element`, as Spark's Parquet files do. */
export function arrowType(type: DataType): ArrowType {
  if (typeof type !== "string") {
    switch (type.type) {
      case "array":
        return new List(new Field("element", arrowType(type.elementType), type.containsNull));
      case "struct":
        return new Struct(type.fields.map(arrowField));
      case "map": {
        const key = new Field("key", arrowType(type.keyType), false);
        const value = new Field("value", arrowType(type.valueType), type.valueContainsNull);
        return new Map_(new Field("key_value", new Struct([key, value]), false) as never);
      }
    }
  }
  const decimal = /^decimal\((\d+),(-?\d+)\)$/.exec(type);
  if (decimal) return new Decimal(Number(decimal[2]), Number(decimal[1]), 128);
  switch (type) {
    case "boolean":
      return new Bool();
    case "byte":
      return new Int8();
    case "short":
      return new Int16();
    case "integer":
      return new Int32();
    case "long":
      return new Int64();
    case "float":
      return new Float32();
    case "double":
      return new Float64();
    case "string":
      return new Utf8();
    case "binary":
      return new Binary();
    case "date":
      return new DateDay();
    case "timestamp":
      return new TimestampMicrosecond("UTC");
    case "timestamp_ntz":
      return new TimestampMicrosecond();
    case "void":
      return new Null();
    case "vector":
      return arrowType(VECTOR_STRUCT);
    default:
      throw new IllegalArgumentError(`Unknown data type ${JSON.stringify(type)}.`);
  }
}

export function arrowField(field: StructField): Field {
  return new Field(field.name, arrowType(field.type), field.nullable);
}

export function arrowSchema(schema: StructType): Schema {
  return new Schema(schema.fields.map(arrowField));
}

/** The Spark schema of an Arrow schema. @throws IllegalArgumentError for a type Spark has no word for. */
export function sparkSchema(schema: Schema): StructType {
  return { type: "struct", fields: schema.fields.map(sparkField) };
}

export function sparkField(field: Field): StructField {
  return structField(field.name, sparkType(field.type), field.nullable);
}

export function sparkType(type: ArrowType): DataType {
  if (ArrowType.isBool(type)) return "boolean";
  if (ArrowType.isInt(type)) {
    // Spark has no unsigned types: each goes to the next wider one, as Spark's own Parquet reader does.
    const width = type.isSigned ? type.bitWidth : type.bitWidth * 2;
    return width <= 8 ? "byte" : width <= 16 ? "short" : width <= 32 ? "integer" : "long";
  }
  if (ArrowType.isFloat(type)) return type.precision === 2 ? "double" : "float";
  if (ArrowType.isUtf8(type) || ArrowType.isLargeUtf8(type)) return "string";
  if (ArrowType.isBinary(type) || ArrowType.isLargeBinary(type) || ArrowType.isFixedSizeBinary(type)) return "binary";
  if (ArrowType.isDate(type)) return "date";
  if (ArrowType.isTimestamp(type)) return type.timezone ? "timestamp" : "timestamp_ntz";
  if (ArrowType.isDecimal(type)) return `decimal(${type.precision},${type.scale})`;
  if (ArrowType.isNull(type)) return "void";
  if (ArrowType.isDictionary(type)) return sparkType(type.dictionary);
  if (ArrowType.isList(type) || ArrowType.isFixedSizeList(type)) {
    const child = type.children[0]!;
    return arrayType(sparkType(child.type), child.nullable);
  }
  if (ArrowType.isStruct(type)) return vectorIfStruct({ type: "struct", fields: type.children.map(sparkField) });
  if (ArrowType.isMap(type)) {
    const [key, value] = (type.children[0]!.type as Struct).children;
    return {
      type: "map",
      keyType: sparkType(key!.type),
      valueType: sparkType(value!.type),
      valueContainsNull: value!.nullable,
    };
  }
  throw new IllegalArgumentError(`Arrow type ${type} has no counterpart in Spark.`, {
    remedy: "Cast the column to a type that Spark knows before reading it here.",
  });
}
