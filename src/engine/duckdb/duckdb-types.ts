import { type DuckDBType, DuckDBTypeId } from "@duckdb/node-api";
import {
  arrayType,
  type DataType,
  type PrimitiveType,
  type StructField,
  type StructType,
  structField,
  vectorIfStruct,
} from "../../data/types";
import { AnalysisError } from "../../frame/analysis-error";
import { quotedIdentifier } from "./sql-text";

/** A column of a query as DuckDB describes it. */
export interface DescribedColumn {
  readonly name: string;
  readonly type: DuckDBType;
}

/** The Spark schema of a described query; every column may be null. @throws AnalysisError for a type Spark has no word for. */
export function duckdbSchema(columns: readonly DescribedColumn[]): StructType {
  return { type: "struct", fields: columns.map(columnField) };
}

function columnField({ name, type }: DescribedColumn): StructField {
  const sparkType = sparkTypeOf(type);
  if (sparkType !== undefined) return structField(name, sparkType);
  throw new AnalysisError(`DuckDB's type ${type} of column \`${name}\` has no counterpart in Spark.`, {
    remedy: "Cast it to a type that Spark knows, such as string or bigint.",
  });
}

/** The Spark type of DuckDB's type, or undefined where Spark has none. */
export function sparkTypeOf(type: DuckDBType): DataType | undefined {
  switch (type.typeId) {
    case DuckDBTypeId.LIST:
    case DuckDBTypeId.ARRAY: {
      const elementType = sparkTypeOf(type.valueType);
      return elementType && arrayType(elementType);
    }
    case DuckDBTypeId.MAP: {
      const [keyType, valueType] = [sparkTypeOf(type.keyType), sparkTypeOf(type.valueType)];
      return keyType && valueType && { type: "map", keyType, valueType, valueContainsNull: true };
    }
    case DuckDBTypeId.STRUCT: {
      const fields = type.entryNames.flatMap((name, i) => {
        const entry = sparkTypeOf(type.entryTypes[i]!);
        // What \`row(1, 2)\` makes has fields without names.
        return name === "" || entry === undefined ? [] : [structField(name, entry)];
      });
      return fields.length === type.entryCount ? vectorIfStruct({ type: "struct", fields }) : undefined;
    }
    case DuckDBTypeId.DECIMAL:
      return `decimal(${type.width},${type.scale})`;
    default:
      return SPARK_TYPES.get(type.typeId);
  }
}

/** DuckDB's name for a Spark type. */
export function duckdbType(type: DataType): string {
  if (typeof type !== "string") {
    switch (type.type) {
      case "array":
        return `${duckdbType(type.elementType)}[]`;
      case "map":
        return `MAP(${duckdbType(type.keyType)}, ${duckdbType(type.valueType)})`;
      case "struct":
        return `STRUCT(${type.fields.map((f) => `${quotedIdentifier(f.name)} ${duckdbType(f.type)}`).join(", ")})`;
    }
  }
  if (type.startsWith("decimal")) return type.toUpperCase();
  return TYPES[type as NamedType][0];
}

type NamedType = Exclude<PrimitiveType, `decimal(${number},${number})`>;

/**
 * What DuckDB calls each type of Spark, and which of its types become it. Unsigned types go to the next wider signed one, as
 * in Spark's Parquet reader.
 */
const TYPES: Readonly<Record<NamedType, readonly [name: string, ...ids: DuckDBTypeId[]]>> = {
  boolean: ["BOOLEAN", DuckDBTypeId.BOOLEAN],
  byte: ["TINYINT", DuckDBTypeId.TINYINT],
  short: ["SMALLINT", DuckDBTypeId.SMALLINT, DuckDBTypeId.UTINYINT],
  integer: ["INTEGER", DuckDBTypeId.INTEGER, DuckDBTypeId.USMALLINT],
  // A sum of longs is a HUGEINT; the compiler casts such columns, so that a value too large is an error and not another number.
  long: [
    "BIGINT",
    DuckDBTypeId.BIGINT,
    DuckDBTypeId.UINTEGER,
    DuckDBTypeId.UBIGINT,
    DuckDBTypeId.HUGEINT,
    DuckDBTypeId.UHUGEINT,
  ],
  float: ["FLOAT", DuckDBTypeId.FLOAT],
  double: ["DOUBLE", DuckDBTypeId.DOUBLE],
  // JSON is a VARCHAR too.
  string: ["VARCHAR", DuckDBTypeId.VARCHAR, DuckDBTypeId.UUID, DuckDBTypeId.ENUM],
  binary: ["BLOB", DuckDBTypeId.BLOB],
  date: ["DATE", DuckDBTypeId.DATE],
  timestamp: ["TIMESTAMP WITH TIME ZONE", DuckDBTypeId.TIMESTAMP_TZ],
  timestamp_ntz: [
    "TIMESTAMP",
    DuckDBTypeId.TIMESTAMP,
    DuckDBTypeId.TIMESTAMP_S,
    DuckDBTypeId.TIMESTAMP_MS,
    DuckDBTypeId.TIMESTAMP_NS,
  ],
  void: ['"NULL"', DuckDBTypeId.SQLNULL],
  // The fields of VECTOR_STRUCT.
  vector: ['STRUCT("type" TINYINT, "size" INTEGER, "indices" INTEGER[], "values" DOUBLE[])'],
};

const SPARK_TYPES: ReadonlyMap<DuckDBTypeId, PrimitiveType> = new Map(
  Object.entries(TYPES).flatMap(([type, [, ...ids]]) => ids.map((id) => [id, type as NamedType] as const)),
);
