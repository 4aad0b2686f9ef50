import { type DataType, type StructField, simpleString } from "../../data/types";
import { AnalysisError } from "../../frame/analysis-error";
import { ELEMENT } from "../../frame/function-entry";
import { sameName } from "../../frame/resolve";
import { type ParquetFooter, type SchemaNode, sparkFieldOf } from "../../parquet";
import { UnsupportedParquetError } from "../../parquet/errors";
import { duckdbType } from "./duckdb-types";
import { decimal } from "./parquet-merge";
import { quotedIdentifier, quotedText } from "./sql-text";

const READ_CODECS = new Set(["UNCOMPRESSED", "SNAPPY", "GZIP", "BROTLI", "ZSTD", "LZ4_RAW"]);

/** @throws UnsupportedParquetError for a codec that nothing here decodes */
export function refuseUnreadable(footer: ParquetFooter, url: string): void {
  const unknown = [...footer.codecs].find((codec) => !READ_CODECS.has(codec) && codec !== "LZ4");
  if (unknown === undefined) return;
  const remedy = "Write it with snappy, zstd, gzip, brotli or lz4 where it comes from.";
  throw new UnsupportedParquetError(url, `its codec is ${unknown}.`, remedy);
}

/**
 * True for what DuckDB does not decode, or takes for something else, and the library in WebAssembly reads right: LZ4 in
 * Hadoop's framing, split bytes of integers, lists of structs in Parquet's older forms.
 */
export function needsTranscoding(footer: ParquetFooter): boolean {
  return (
    footer.codecs.has("LZ4") ||
    footer.columns.some(hasOlderList) ||
    (footer.encodings.has("BYTE_STREAM_SPLIT") && leaves(footer).some(isWhole))
  );
}

/** A list of two levels whose repeated group has one field: DuckDB takes the field for the element. */
function hasOlderList(node: SchemaNode): boolean {
  if (node.children.some(hasOlderList)) return true;
  const [repeated] = node.children;
  if (node.logical?.kind !== "LIST" || repeated?.children.length !== 1) return false;
  return repeated.name === "array" || repeated.name === `${node.name}_tuple`;
}

function leaves({ columns }: Pick<ParquetFooter, "columns">): SchemaNode[] {
  return columns.flatMap((node) => (node.physical === undefined ? leaves({ columns: node.children }) : [node]));
}

function isWhole({ physical }: SchemaNode): boolean {
  return physical === "INT32" || physical === "INT64" || physical === "FIXED_LEN_BYTE_ARRAY";
}

/**
 * True where workers may read the file themselves: the wanted columns are there under their names, and of types whose
 * Arrow form is the one that their Spark type has here.
 */
export function isReadDirectly(footer: ParquetFooter, wanted: readonly StructField[], url: string): boolean {
  // Arrow's own schema in a footer may ask for other forms, such as large strings or dictionaries.
  if (footer.metadata.has("ARROW:schema") && footer.createdBy !== "pomona") return false;
  if (footer.codecs.has("LZ4") || wanted.length === 0) return false;
  return wanted.every((field) => {
    const node = footer.columns.find((column) => column.name === field.name);
    if (!node || field.name.includes(".") || !isPlain(node)) return false;
    return JSON.stringify(loose(sparkFieldOf(node, url).type)) === JSON.stringify(loose(field.type));
  });
}

/** A type without what does not matter to a reader: whether elements may be null. */
function loose(type: DataType): unknown {
  if (typeof type === "string") return type;
  if (type.type === "array") return ["array", loose(type.elementType)];
  if (type.type === "map") return ["map", loose(type.keyType), loose(type.valueType)];
  return ["struct", ...type.fields.map((f) => [f.name, loose(f.type)])];
}

function isPlain(node: SchemaNode): boolean {
  if (node.repetition === "repeated") return false;
  const kind = node.logical?.kind;
  switch (node.physical) {
    case undefined: {
      if (kind === undefined) return node.children.length > 0 && node.children.every(isPlain);
      const [repeated] = node.children;
      if (kind !== "LIST" || repeated?.repetition !== "repeated" || repeated.physical !== undefined) return false;
      const isThreeLevel = repeated.children.length === 1 && repeated.name !== "array";
      return isThreeLevel && repeated.name !== `${node.name}_tuple` && repeated.children.every(isPlain);
    }
    case "BOOLEAN":
    case "FLOAT":
    case "DOUBLE":
      return kind === undefined;
    case "INT32":
      return kind === undefined || kind === "DATE" || (node.logical?.kind === "INTEGER" && node.logical.signed);
    case "INT64":
      if (node.logical?.kind === "TIMESTAMP") return node.logical.unit === "MICROS";
      return kind === undefined || (node.logical?.kind === "INTEGER" && node.logical.signed);
    case "BYTE_ARRAY":
      return kind === undefined || kind === "STRING";
    default:
      return false;
  }
}

/**
 * SQL for a wanted column of a file: cast where Spark's reader casts, null where the file has none.
 * @throws AnalysisError where the file's type does not become the wanted one
 */
export function columnSql(field: StructField, footer: ParquetFooter, url: string): string {
  const name = quotedIdentifier(field.name);
  const [node, second] = footer.columns.filter((column) => sameName(column.name, field.name));
  if (!node) return `CAST(NULL AS ${duckdbType(field.type)}) AS ${name}`;
  if (second) {
    throw new AnalysisError(`[COLUMN_ALREADY_EXISTS] ${url} has the columns \`${node.name}\` and \`${second.name}\`.`, {
      remedy: "Names differ by more than case, as in Spark; write the file with other names.",
    });
  }
  const mismatch = (path: string, from: DataType, to: DataType) =>
    new AnalysisError(
      `[PARQUET_COLUMN_DATA_TYPE_MISMATCH] Column \`${path}\` is ${simpleString(from)} in ${url} and ${simpleString(to)} in what is read.`,
      { remedy: "Read the files apart and cast the column, or name the columns to read: schema(...)." },
    );
  const from = sparkFieldOf(node, url).type;
  return `${converted(quotedIdentifier(node.name), from, field.type, field.name, mismatch)} AS ${name}`;
}

type Mismatch = (path: string, from: DataType, to: DataType) => Error;

/** An expression of one Spark type as another; also where both are the same, since DuckDB's own type may be a third one. */
function converted(sql: string, from: DataType, to: DataType, path: string, mismatch: Mismatch): string {
  if (JSON.stringify(loose(from)) === JSON.stringify(loose(to)) || widens(from, to))
    return `CAST(${sql} AS ${duckdbType(to)})`;
  if (typeof from === "string" || typeof to === "string" || from.type !== to.type) throw mismatch(path, from, to);
  if (from.type === "array" && to.type === "array") {
    const element = converted(ELEMENT, from.elementType, to.elementType, `${path}.element`, mismatch);
    return `list_transform(${sql}, lambda ${ELEMENT}: ${element})`;
  }
  if (from.type !== "struct" || to.type !== "struct") throw mismatch(path, from, to);
  const fields = to.fields.map((field) => {
    const there = from.fields.find((candidate) => sameName(candidate.name, field.name));
    const part = there && `struct_extract(${sql}, ${quotedText(there.name)})`;
    const value = part
      ? converted(part, there.type, field.type, `${path}.${field.name}`, mismatch)
      : `CAST(NULL AS ${duckdbType(field.type)})`;
    return `${quotedIdentifier(field.name)} := ${value}`;
  });
  return `CASE WHEN ${sql} IS NULL THEN NULL ELSE struct_pack(${fields.join(", ")}) END`;
}

/** What Spark's reader widens without loss, and what it takes for the same. */
function widens(from: DataType, to: DataType): boolean {
  if (typeof from !== "string" || typeof to !== "string") return false;
  const [p, q] = [decimal(from) ?? WHOLE_DIGITS[from], decimal(to)];
  if (p && q) return q.scale >= p.scale && q.precision - q.scale >= p.precision - p.scale;
  return WIDENING[from]?.includes(to) === true;
}

const WIDENING: Readonly<Record<string, readonly string[]>> = {
  byte: ["short", "integer", "long", "double"],
  short: ["integer", "long", "double"],
  integer: ["long", "double"],
  float: ["double"],
  date: ["timestamp_ntz"],
  timestamp: ["timestamp_ntz"],
  timestamp_ntz: ["timestamp"],
  string: ["binary"],
  binary: ["string"],
};

const WHOLE_DIGITS: Readonly<Record<string, { readonly precision: number; readonly scale: number }>> = {
  byte: { precision: 10, scale: 0 },
  short: { precision: 10, scale: 0 },
  integer: { precision: 10, scale: 0 },
  long: { precision: 20, scale: 0 },
};
