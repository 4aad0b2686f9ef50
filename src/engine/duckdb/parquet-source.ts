import type { StructField, StructType } from "../../data/types";
import { AnalysisError } from "../../frame/analysis-error";
import { sameName } from "../../frame/resolve";
import {
  type ParquetFooter,
  readParquetBatches,
  readParquetFooter,
  sparkSchemaOf,
  writeParquetFile,
} from "../../parquet";
import { PathNotFoundError, type Storages, type Url, urlOf } from "../../storage";
import { assertWhole } from "../../storage/commit";
import { mapConcurrently } from "../../storage/concurrently";
import { joinUrl, schemeOf } from "../../storage/location";
import { type FoundFile, type FoundFiles, filesFingerprint, type ReadLeaf } from "../files";
import { withPartitionColumns } from "../partitions";
import type { CountedFile } from "../relational";
import {
  type BindContext,
  type BoundSource,
  emptySql,
  type FetchedSource,
  type Fetching,
  type LeafNeeds,
  parquetSql,
} from "./bound-source";
import { duckdbType } from "./duckdb-types";
import { fetchFiles, type SourceFile } from "./fetch-files";
import { columnSql, isReadDirectly, needsTranscoding, refuseUnreadable } from "./parquet-columns";
import { mergedSchema, refuseSameNames } from "./parquet-merge";
import { partitionedSql } from "./partition-sql";
import { quotedIdentifier } from "./sql-text";

/** How many footers are read at once. */
const FOOTERS_AT_ONCE = 32;

/** From more files than this on, of fewer bytes on average, DuckDB's work is mostly one for each file. */
const MANY_FILES = 64;
const SMALL_BYTES = 1024 * 1024;

/**
 * Looks up Parquet files. As in Spark the columns are those of a summary file, else of the first file by name, or with
 * `mergeSchema` those of all; in a file that lacks one it is null, and what a file has besides is left out.
 * @throws PathNotFoundError, CorruptParquetError, EncryptedParquetError, UnsupportedParquetError, IncompleteWriteError
 * @throws AnalysisError where files do not fit together
 */
export async function bindParquet(leaf: ReadLeaf, found: FoundFiles, context: BindContext): Promise<BoundSource> {
  const { storages } = context;
  for (const url of found.roots) await assertWhole({ url, storage: storages.for(url) });
  const { files, partitionColumns } = found;
  if (files.length === 0 && leaf.schema) return noFiles(leaf.schema);
  if (files.length === 0) {
    throw new PathNotFoundError(`There is no Parquet file in ${leaf.paths.join(", ")}.`, urlOf(leaf.paths[0] ?? "."), {
      remedy: "Check the path; a write that failed leaves nothing behind.",
    });
  }
  const opened = await mapConcurrently(files, FOOTERS_AT_ONCE, (file) => open(file, context));
  const isMany =
    files.length > MANY_FILES && files.reduce((sum, { size }) => sum + size, 0) < files.length * SMALL_BYTES;
  const isData = (field: StructField) => !partitionColumns.some((p) => sameName(p.name, field.name));
  const data = leaf.schema?.fields.filter(isData) ?? (await foundSchema(leaf, found, opened, storages)).fields;
  refuseSameNames(data, leaf.paths.join(", "));

  const fields = withPartitionColumns(data, partitionColumns).map(({ field }) => field);
  if (fields.length === 0) throw new AnalysisError(`[UNABLE_TO_INFER_SCHEMA] ${opened[0]?.file.url} has no column.`);
  const isDirect =
    partitionColumns.length === 0 &&
    alikeFiles(opened).every(([first]) => isReadDirectly(first!.footer, data, first!.file.url));
  const sqlOf = (files: readonly SourceFile[], needed?: ReadonlySet<string>) => {
    if (files.length === 0) return emptySql(bound.schema);
    const groups = alikeFiles(files);
    const queries = groups.map((group) => ({ sql: groupSql(group, data, needed), values: group[0]!.file.partition }));
    const sql = partitionedSql(queries, data, partitionColumns);
    return isMany ? `${sql}\n${noRows(fields)}` : sql;
  };
  const bound = {
    schema: { type: "struct", fields },
    fingerprint: filesFingerprint(files),
    ...(isDirect ? { files: opened.map(countedFile) } : {}),
  } as const;
  if (opened.every(({ url }) => isHere(url))) return { sql: sqlOf(opened), ...bound };
  const fetch = async (needs: LeafNeeds, how: Fetching): Promise<FetchedSource> => {
    const read = needs.columns?.flatMap((i) => fields[i] ?? []).filter(isData);
    const names = read && new Set(read.map(({ name }) => name));
    const fetched = await fetchFiles(opened, { ...needs, names, fields, partitionColumns }, how, context);
    return { sql: sqlOf(fetched.files, names), schema: bound.schema, ...fetched };
  };
  const load = async (how: Fetching): Promise<BoundSource> => {
    const { sql } = await fetch({ uses: [{ first: Number.POSITIVE_INFINITY, conditions: [] }] }, how);
    return { ...bound, sql };
  };
  return { sql: emptySql(bound.schema), ...bound, fetch, load };
}

function countedFile({ url, file, footer }: SourceFile): CountedFile {
  const { rows } = footer;
  if (url !== file.url) return { url, rows };
  return { url, rows, bytes: file.size, ...(file.version === undefined ? {} : { version: file.version }) };
}

const isHere = (url: Url) => schemeOf(url) === "file";

/** With its columns told, a folder without a file has no row. */
function noFiles(schema: StructType): BoundSource {
  return { sql: emptySql(schema), schema, fingerprint: filesFingerprint([]) };
}

async function open(file: FoundFile, context: BindContext): Promise<SourceFile> {
  context.signal?.throwIfAborted();
  const footer = await context.footers.read(file);
  refuseUnreadable(footer, file.url);
  if (!needsTranscoding(footer)) return { file, url: file.url, footer };
  // What DuckDB has no decoder for, the library in WebAssembly may have.
  const transcoded = context.storages.at(context.spool.fresh("transcoded.parquet"));
  const batches = readParquetBatches({ url: file.url, storage: context.storages.for(file.url) });
  await writeParquetFile(transcoded, batches, { schema: sparkSchemaOf(footer, file.url) });
  return { file, url: transcoded.url, footer: { ...(await readParquetFooter(transcoded)), metadata: footer.metadata } };
}

async function foundSchema(
  leaf: ReadLeaf,
  { roots }: FoundFiles,
  opened: readonly SourceFile[],
  storages: Storages,
): Promise<StructType> {
  const byName = [...opened].sort((a, b) => (a.file.url < b.file.url ? -1 : 1));
  const schemas = (list: readonly SourceFile[]) =>
    list.map(({ footer, file }) => ({ schema: sparkSchemaOf(footer, file.url), url: file.url }));
  if (leaf.options.mergeSchema?.toLowerCase() === "true") {
    const [different] = [new Map(schemas(byName).map((found) => [JSON.stringify(found.schema), found]))];
    return mergedSchema([...different.values()]);
  }
  for (const name of ["_common_metadata", "_metadata"]) {
    for (const root of roots) {
      const url = joinUrl(root, name);
      const summary = { url, storage: storages.for(url) };
      const status = await summary.storage.stat(url);
      if (status !== undefined && status !== "folder")
        return sparkSchemaOf(await readParquetFooter(summary, status.size), url);
    }
  }
  return schemas(byName.slice(0, 1))[0]!.schema;
}

/**
 * DuckDB copies what it reads of each file into a row group of its own, which thousands of small files make slow to write
 * and to read. Where a source beside them has no numbered parts, as `range`, rows are written in order as they come.
 */
function noRows(fields: readonly StructField[]): string {
  return `UNION ALL SELECT ${fields.map(({ type }) => `CAST(NULL AS ${duckdbType(type)})`).join(", ")} FROM range(0)`;
}

/** Files in a row that have the same columns and lie in the same folder `k=v`. */
function alikeFiles(opened: readonly SourceFile[]): SourceFile[][] {
  const groups: SourceFile[][] = [];
  let last = "";
  for (const one of opened) {
    const isCounted = one.rowsAlone !== undefined;
    const key = `${JSON.stringify(one.file.partition)} ${isCounted} ${formOf(one.footer)}`;
    if (key === last) groups.at(-1)?.push(one);
    else groups.push([one]);
    last = key;
  }
  return groups;
}

const forms = new WeakMap<ParquetFooter, string>();

/** Equal for footers of files that are read by the same query. */
function formOf(footer: ParquetFooter): string {
  const known = forms.get(footer);
  if (known !== undefined) return known;
  const form = JSON.stringify([footer.columns, [...footer.codecs], [...footer.encodings]]);
  forms.set(footer, form);
  return form;
}

/**
 * @param needed the columns that are read; nulls stand for the others
 * @throws AnalysisError where a column of the files is of a type that does not become the wanted one
 */
function groupSql(group: readonly SourceFile[], data: readonly StructField[], needed?: ReadonlySet<string>): string {
  const [{ footer, file }] = group as [SourceFile];
  const columns = data.map((field) =>
    needed && !needed.has(field.name)
      ? `CAST(NULL AS ${duckdbType(field.type)}) AS ${quotedIdentifier(field.name)}`
      : columnSql(field, footer, file.url),
  );
  const counted = group.reduce((sum, { rowsAlone }) => sum + (rowsAlone ?? 0), 0);
  const from = group.some((one) => one.rowsAlone === undefined)
    ? parquetSql(group.map(({ url }) => url))
    : `SELECT 1 FROM range(${counted})`;
  return `SELECT ${columns.join(", ") || '1 AS "#none"'} FROM (${from})`;
}
