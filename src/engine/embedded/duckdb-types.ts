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

/** A column as DuckDB's `DESCRIBE` reports it. */
export interface DescribedColumn {
  readonly name: string;
  /** Such as `STRUCT(a INTEGER, b VARCHAR[])[]`. */
  readonly type: string;
}

/** The Spark schema of a described query; every column may be null. @throws AnalysisError for a type Spark has no word for. */
export function duckdbSchema(columns: readonly DescribedColumn[]): StructType {
  return { type: "struct", fields: columns.map(({ name, type }) => structField(name, sparkTypeOf(type, name))) };
}

/** The Spark type of DuckDB's type text. @param column for the message. @throws AnalysisError */
export function sparkTypeOf(text: string, column?: string): DataType {
  return new TypeTextReader(text, column).read();
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
  return FROM_SPARK[type as keyof typeof FROM_SPARK];
}

const FROM_SPARK: Readonly<Record<Exclude<PrimitiveType, `decimal(${number},${number})`>, string>> = {
  boolean: "BOOLEAN",
  byte: "TINYINT",
  short: "SMALLINT",
  integer: "INTEGER",
  long: "BIGINT",
  float: "FLOAT",
  double: "DOUBLE",
  string: "VARCHAR",
  binary: "BLOB",
  date: "DATE",
  timestamp: "TIMESTAMP WITH TIME ZONE",
  timestamp_ntz: "TIMESTAMP",
  void: '"NULL"',
  // The fields of VECTOR_STRUCT.
  vector: 'STRUCT("type" TINYINT, "size" INTEGER, "indices" INTEGER[], "values" DOUBLE[])',
};

/** DuckDB's type names. Unsigned types go to the next wider signed one, as in Spark's Parquet reader. */
const TO_SPARK: Readonly<Record<string, PrimitiveType>> = {
  BOOLEAN: "boolean",
  TINYINT: "byte",
  SMALLINT: "short",
  UTINYINT: "short",
  INTEGER: "integer",
  USMALLINT: "integer",
  BIGINT: "long",
  UINTEGER: "long",
  // A sum of longs; the compiler casts such columns, so that a value too large is an error and not another number.
  HUGEINT: "long",
  UHUGEINT: "long",
  UBIGINT: "long",
  FLOAT: "float",
  DOUBLE: "double",
  VARCHAR: "string",
  UUID: "string",
  JSON: "string",
  ENUM: "string",
  BLOB: "binary",
  DATE: "date",
  TIMESTAMP: "timestamp_ntz",
  TIMESTAMP_S: "timestamp_ntz",
  TIMESTAMP_MS: "timestamp_ntz",
  TIMESTAMP_NS: "timestamp_ntz",
  "TIMESTAMP WITH TIME ZONE": "timestamp",
  '"NULL"': "void",
  NULL: "void",
};

/** A recursive-descent reader of DuckDB's type text. */
class TypeTextReader {
  private position = 0;

  constructor(
    private readonly text: string,
    private readonly column: string | undefined,
  ) {}

  read(): DataType {
    const type = this.type();
    if (this.position !== this.text.length) this.fail();
    return type;
  }

  private type(): DataType {
    let type = this.bare();
    // Each [] or [3] behind a type makes a list of it.
    for (let list = this.match(/\[\d*\]/y); list !== undefined; list = this.match(/\[\d*\]/y)) type = arrayType(type);
    return type;
  }

  private bare(): DataType {
    const nulls = this.match(/"NULL"/y);
    if (nulls !== undefined) return "void";
    const name = this.match(/[A-Z_0-9]+(?: WITH TIME ZONE)?/y) ?? this.fail();
    switch (name) {
      case "STRUCT":
        return vectorIfStruct({ type: "struct", fields: this.fields() });
      case "MAP": {
        this.expect("(");
        const keyType = this.type();
        this.expect(", ");
        const valueType = this.type();
        this.expect(")");
        return { type: "map", keyType, valueType, valueContainsNull: true };
      }
      case "DECIMAL": {
        const size = this.match(/\(\d+,\s*\d+\)/y) ?? this.fail();
        return `decimal${size.replace(/\s/g, "")}` as DataType;
      }
      case "ENUM":
        this.match(/\((?:'(?:[^']|'')*'(?:, )?)*\)/y);
        return "string";
    }
    return TO_SPARK[name] ?? this.fail();
  }

  private fields(): StructField[] {
    const fields: StructField[] = [];
    this.expect("(");
    do {
      const quoted = this.match(/"(?:[^"]|"")*"/y);
      const name = quoted === undefined ? this.match(/[^\s"(),]+/y) : quoted.slice(1, -1).replaceAll('""', '"');
      if (name === undefined) this.fail();
      this.expect(" ");
      fields.push(structField(name, this.type()));
    } while (this.match(/, /y) !== undefined);
    this.expect(")");
    return fields;
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.position;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.position += found.length;
    return found;
  }

  private expect(text: string): void {
    if (!this.text.startsWith(text, this.position)) this.fail();
    this.position += text.length;
  }

  private fail(): never {
    const where = this.column === undefined ? "" : ` of column \`${this.column}\``;
    throw new AnalysisError(`DuckDB's type ${this.text}${where} has no counterpart in Spark.`, {
      remedy: "Cast it to a type that Spark knows, such as string or bigint.",
    });
  }
}
