import {
  arrayType,
  type DataType,
  type StructField,
  type StructType,
  structField,
  vectorIfStruct,
} from "../data/types";
import { UnsupportedParquetError } from "./errors";
import type { LogicalType, ParquetFooter, SchemaNode } from "./footer";

/** The key under which Spark keeps its own schema in a Parquet footer. */
export const SPARK_SCHEMA_KEY = "org.apache.spark.sql.parquet.row.metadata";

/**
 * The schema that Spark finds in a file: its own, where Spark or this package wrote the file, else Parquet's in Spark's
 * words. Every column may be null, as in Spark. What differs stands in docs/differences.md: float16, nanoseconds.
 * @throws UnsupportedParquetError for a type Spark has no word for
 * @see https://github.com/apache/spark/blob/master/sql/core/src/main/scala/org/apache/spark/sql/execution/datasources/parquet/ParquetSchemaConverter.scala
 */
export function sparkSchemaOf(footer: ParquetFooter, url: string): StructType {
  const stored = footer.metadata.get(SPARK_SCHEMA_KEY);
  const own = stored === undefined ? undefined : storedSchema(stored, url);
  return own ?? { type: "struct", fields: footer.columns.map((node) => sparkFieldOf(node, url)) };
}

/** A column of a file as Spark sees it. @throws UnsupportedParquetError */
export function sparkFieldOf(node: SchemaNode, url: string): StructField {
  const unsupported = (what: string) =>
    new UnsupportedParquetError(
      url,
      `its column \`${node.name}\` is ${what}, which is not read here.`,
      'Name the columns to read, as schema("a INT, b STRING") without it, or write it as another type.',
    );
  return fieldOf(node, unsupported);
}

function fieldOf(node: SchemaNode, unsupported: Unsupported): StructField {
  if (node.name === "") throw unsupported("or holds a field without a name");
  return structField(node.name, typeOf(node, unsupported));
}

type Unsupported = (what: string) => Error;

function typeOf(node: SchemaNode, unsupported: Unsupported): DataType {
  // A repeated field that no list is around is a list of what is there.
  if (node.repetition === "repeated") return arrayType(bare(node, unsupported), false);
  return bare(node, unsupported);
}

function bare(node: SchemaNode, unsupported: Unsupported): DataType {
  if (node.physical !== undefined) return leafType(node, unsupported);
  switch (node.logical?.kind) {
    case "LIST":
      return listType(node, unsupported);
    case "MAP": {
      const [entry] = node.children;
      const [key, value] = entry?.children ?? [];
      if (entry?.repetition !== "repeated" || !key || !value) throw unsupported("a map without values");
      return {
        type: "map",
        keyType: typeOf(key, unsupported),
        valueType: typeOf(value, unsupported),
        valueContainsNull: value.repetition === "optional",
      };
    }
    case "OTHER":
      throw unsupported(`of type ${node.logical.name}`);
    default:
      if (node.children.length === 0) throw unsupported("or holds a struct without fields");
      return vectorIfStruct({ type: "struct", fields: node.children.map((child) => fieldOf(child, unsupported)) });
  }
}

function listType(node: SchemaNode, unsupported: Unsupported): DataType {
  const [repeated] = node.children;
  if (repeated?.repetition !== "repeated") throw unsupported("a list of a form that Parquet does not know");
  const element = listElement(node);
  if (element === repeated) return arrayType(bare(repeated, unsupported), false);
  return arrayType(typeOf(element, unsupported), element.repetition === "optional");
}

/** A list's element: what is repeated itself in the forms with two levels, else the field inside it. */
export function listElement(list: SchemaNode): SchemaNode {
  const repeated = list.children[0] as SchemaNode;
  const [only, ...more] = repeated.children;
  const isTwoLevel = !only || more.length > 0 || repeated.name === "array" || repeated.name === `${list.name}_tuple`;
  return isTwoLevel ? repeated : only;
}

function leafType({ physical, logical }: SchemaNode, unsupported: Unsupported): DataType {
  const other = () => unsupported(`of type ${physical}${logical ? ` (${logicalText(logical)})` : ""}`);
  if (logical?.kind === "DECIMAL") {
    if (logical.precision < 1 || logical.precision > 38) {
      throw unsupported(`a decimal of ${logical.precision} digits, and 38 are the most`);
    }
    return `decimal(${logical.precision},${logical.scale})`;
  }
  if (logical?.kind === "NULL") return "void";
  switch (physical) {
    case "BOOLEAN":
      return "boolean";
    case "FLOAT":
      return "float";
    case "DOUBLE":
      return "double";
    case "INT96":
      return "timestamp";
    case "INT32":
      if (logical === undefined) return "integer";
      if (logical.kind === "DATE") return "date";
      if (logical.kind === "INTEGER") return integerType(logical.bits, logical.signed);
      throw other();
    case "INT64":
      if (logical === undefined) return "long";
      if (logical.kind === "INTEGER") return logical.signed ? "long" : "decimal(20,0)";
      if (logical.kind === "TIMESTAMP") return logical.utc ? "timestamp" : "timestamp_ntz";
      throw other();
    case "BYTE_ARRAY":
      if (logical === undefined || logical.kind === "BSON") return "binary";
      if (logical.kind === "STRING" || logical.kind === "ENUM" || logical.kind === "JSON") return "string";
      throw other();
    case "FIXED_LEN_BYTE_ARRAY":
      if (logical === undefined) return "binary";
      if (logical.kind === "FLOAT16") return "float";
      if (logical.kind === "UUID") return "string";
      throw other();
    default:
      throw other();
  }
}

function integerType(bits: number, signed: boolean): DataType {
  if (bits === 8) return signed ? "byte" : "short";
  if (bits === 16) return signed ? "short" : "integer";
  return signed ? "integer" : "long";
}

function logicalText(logical: LogicalType): string {
  switch (logical.kind) {
    case "TIME":
    case "TIMESTAMP":
      return `${logical.kind}(${logical.unit},${logical.utc})`;
    case "INTEGER":
      return `INTEGER(${logical.bits},${logical.signed})`;
    case "OTHER":
      return logical.name;
    default:
      return logical.kind;
  }
}

/** Spark's schema as JSON; undefined where it is none. A user-defined type is the type below it. */
function storedSchema(text: string, url: string): StructType | undefined {
  const unsupported = (what: string) => new UnsupportedParquetError(url, `it holds Spark's type ${what}.`, REWRITE);
  try {
    const type = storedType(JSON.parse(text), unsupported);
    return typeof type === "object" && type.type === "struct" ? type : undefined;
  } catch (error) {
    if (error instanceof UnsupportedParquetError) throw error;
    // Damaged, or somebody else's: the file's own schema holds.
    return undefined;
  }
}

const REWRITE = "Write the column as another type, such as a string, where it comes from.";

const PLAIN = new Set([
  "boolean",
  "byte",
  "short",
  "integer",
  "long",
  "float",
  "double",
  "string",
  "binary",
  "date",
  "timestamp",
  "timestamp_ntz",
  "void",
]);

function storedType(json: unknown, unsupported: Unsupported): DataType {
  if (typeof json === "string") {
    if (PLAIN.has(json) || /^decimal\(\d+,\d+\)$/.test(json)) return json as DataType;
    if (/^(var)?char\(\d+\)$/.test(json) || json.startsWith("string collate")) return "string";
    throw unsupported(json);
  }
  const object = (json ?? {}) as Readonly<Record<string, unknown>>;
  switch (object.type) {
    case "struct":
      return vectorIfStruct({
        type: "struct",
        fields: (object.fields as readonly unknown[]).map((f) => storedField(f, unsupported)),
      });
    case "array":
      return arrayType(storedType(object.elementType, unsupported), object.containsNull !== false);
    case "map":
      return {
        type: "map",
        keyType: storedType(object.keyType, unsupported),
        valueType: storedType(object.valueType, unsupported),
        valueContainsNull: object.valueContainsNull !== false,
      };
    case "udt":
      return storedType(object.sqlType, unsupported);
    default:
      throw unsupported(JSON.stringify(json));
  }
}

function storedField(json: unknown, unsupported: Unsupported): StructField {
  const { name, type } = json as { readonly name: string; readonly type: unknown };
  return structField(name, storedType(type, unsupported));
}
