import { createHash } from "node:crypto";
import { arrowSchema } from "../../data/arrow";
import type { Json } from "../../data/batch-function";
import { type DataType, type StructType, structType } from "../../data/types";
import { batchFromColumns, vectorFromValues } from "../../data/vectors";
import { IllegalArgumentError } from "../../errors";
import type { Plan } from "../../frame/plan";
import { CorruptParquetError, readParquetFooter, writeParquetFile } from "../../parquet";
import { type FileStatus, PathNotFoundError, storageFor } from "../../storage";
import { assertWhole } from "../../storage/commit";
import { globPattern } from "../../storage/glob";
import { baseName, parseLocation } from "../../storage/location";
import type { Relational } from "./duckdb";
import type { Spool } from "./spool";
import { quotedIdentifier, quotedText } from "./sql-text";
import { bindText } from "./text-source";

/** A leaf of a plan, looked up: what DuckDB reads in its place. */
export interface BoundSource {
  readonly sql: string;
  readonly schema: StructType;
  /** Parquet files with their rows, where the leaf is nothing but them: tasks read those without a copy. */
  readonly files?: readonly { readonly url: string; readonly rows: number }[];
  /** Changes whenever the input does: names, sizes, times. */
  readonly fingerprint: string;
  /**
   * Text files are parsed when their rows are wanted, not while a plan is looked at: until then `sql` has their columns and no
   * rows, and this gives the source with them.
   */
  readonly load?: (signal: AbortSignal) => Promise<BoundSource>;
}

type Leaf = Extract<Plan, { op: "read" | "local" }>;
export type ReadLeaf = Extract<Plan, { op: "read" }>;

/** Spark's columns of format `binaryFile` without `content`, which the worker that needs it reads. */
const LISTING_SCHEMA = structType({ path: "string", modificationTime: "timestamp", length: "long" });

/** Rows per batch while a listing is written down. */
const LISTING_BATCH = 8192;

/**
 * Looks up a leaf: lists its files, reads their schema.
 * @throws PathNotFoundError, CorruptParquetError, IncompleteWriteError
 */
export async function bindSource(
  leaf: Leaf,
  relational: Relational,
  spool: Spool,
  signal?: AbortSignal,
): Promise<BoundSource> {
  if (leaf.op === "local") return bindRows(leaf.schema, leaf.rows, spool);
  switch (leaf.format) {
    case "binaryFile":
      return bindListing(await listFiles(leaf, signal), spool);
    case "parquet":
      return bindParquet(leaf, relational, signal);
    case "csv":
      return bindText(leaf, await listFiles(leaf, signal), { relational, spool });
  }
}

/** SQL that reads Parquet files in order. */
export function parquetSql(urls: readonly string[]): string {
  return `SELECT * FROM read_parquet([${urls.map((url) => quotedText(parseLocation(url).path)).join(", ")}])`;
}

async function bindListing(files: readonly FileStatus[], spool: Spool): Promise<BoundSource> {
  const columns = [
    { name: "path", type: "string", values: files.map((f) => f.url) },
    { name: "modificationTime", type: "timestamp", values: files.map((f) => f.modifiedAt) },
    { name: "length", type: "long", values: files.map((f) => BigInt(f.size)) },
  ] as const;
  const path = spool.fresh("listing.parquet");
  await writeColumns(path, LISTING_SCHEMA, columns, files.length);
  return { sql: parquetSql([path]), schema: LISTING_SCHEMA, fingerprint: fingerprintOf(files) };
}

async function bindRows(schema: StructType, rows: readonly (readonly Json[])[], spool: Spool): Promise<BoundSource> {
  const columns = schema.fields.map((field, i) => ({
    name: field.name,
    type: field.type,
    values: rows.map((row) => fromJson(row[i] ?? null, field.type)),
  }));
  const path = spool.fresh("rows.parquet");
  await writeColumns(path, schema, columns, rows.length);
  const fingerprint = createHash("sha256")
    .update(JSON.stringify([schema, rows]))
    .digest("hex");
  return { sql: parquetSql([path]), schema, fingerprint };
}

async function bindParquet(leaf: ReadLeaf, relational: Relational, signal?: AbortSignal): Promise<BoundSource> {
  for (const path of leaf.paths) await assertWhole(path);
  const files = await listFiles(leaf, signal);
  if (files.length === 0) {
    throw new PathNotFoundError(`There is no Parquet file in ${leaf.paths.join(", ")}.`, leaf.paths[0] ?? "", {
      remedy: "Check the path; a write that failed leaves nothing behind.",
    });
  }
  const counted = [];
  for (const file of files) {
    // An empty file is what a full disk or a killed copy leaves; the reader's own message would be obscure.
    if (file.size === 0) throw new CorruptParquetError(file.url, "the file is empty");
    counted.push({ url: file.url, rows: (await readParquetFooter(file.url)).rows });
  }
  const sql = parquetSql(files.map((f) => f.url));
  const fingerprint = fingerprintOf(files);
  const schema = await relational.describe(sql);
  // DuckDB takes Spark's older timestamps for local ones; the workers, too, must get them as the instants they are.
  const instants = new Set(await relational.int96Columns(parseLocation(files[0]!.url).path));
  if (!schema.fields.some((f) => instants.has(f.name))) return { sql, schema, files: counted, fingerprint };
  const columns = schema.fields.map(({ name }) => {
    const column = quotedIdentifier(name);
    return instants.has(name) ? `CAST(${column} AS TIMESTAMPTZ) AS ${column}` : column;
  });
  const typed = `SELECT ${columns.join(", ")} FROM (${sql})`;
  return { sql: typed, schema: await relational.describe(typed), fingerprint };
}

async function listFiles(leaf: ReadLeaf, signal?: AbortSignal): Promise<FileStatus[]> {
  const { pathGlobFilter, recursiveFileLookup } = leaf.options;
  const matches = pathGlobFilter === undefined ? undefined : globPattern(pathGlobFilter);
  const recursive = recursiveFileLookup === "true";
  const lists = await Promise.all(
    leaf.paths.map((path) => storageFor(path).list(path, { recursive, ...(signal ? { signal } : {}) })),
  );
  return lists.flat().filter((f) => !matches || matches.test(baseName(f.url)));
}

/** What changes with any of the files. */
export function fingerprintOf(files: readonly FileStatus[]): string {
  const hash = createHash("sha256");
  for (const f of files) hash.update(`${f.url}\0${f.size}\0${f.modifiedAt}\n`);
  return hash.digest("hex");
}

interface ColumnValues {
  readonly name: string;
  readonly type: DataType;
  readonly values: readonly unknown[];
}

async function writeColumns(path: string, schema: StructType, columns: readonly ColumnValues[], rows: number) {
  const batches = async function* () {
    for (let start = 0; start < rows; start += LISTING_BATCH) {
      const end = Math.min(start + LISTING_BATCH, rows);
      yield batchFromColumns(
        columns.map(({ name, type, values }) => ({ name, vector: vectorFromValues(values.slice(start, end), type) })),
        end - start,
      );
    }
  };
  // An empty schema would write a file that no reader opens.
  if (arrowSchema(schema).fields.length === 0) throw new IllegalArgumentError("A DataFrame needs a column.");
  await writeParquetFile(path, batches(), { schema });
}

/** A value of a `local` plan as Arrow takes it: what JSON has no word for is written as text there. */
function fromJson(value: Json, type: DataType): unknown {
  if (value === null) return null;
  if (typeof type !== "string") {
    if (type.type === "array") return (value as readonly Json[]).map((item) => fromJson(item, type.elementType));
    if (type.type === "struct") {
      const object = value as Readonly<Record<string, Json>>;
      return Object.fromEntries(type.fields.map((f) => [f.name, fromJson(object[f.name] ?? null, f.type)]));
    }
    return new Map(Object.entries(value as Record<string, Json>).map(([k, v]) => [k, fromJson(v, type.valueType)]));
  }
  switch (type) {
    case "long":
      return BigInt(value as number | string);
    case "date":
    case "timestamp":
    case "timestamp_ntz":
      return new Date(value as string).getTime();
    case "binary":
      return Uint8Array.from(Buffer.from(value as string, "base64"));
    default:
      return value;
  }
}
