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
import { type BindContext, type BoundSource, emptySql, parquetSql } from "./bound-source";
import { duckdbType } from "./duckdb-types";
import { columnSql, isReadDirectly, needsTranscoding, refuseUnreadable } from "./parquet-columns";
import { mergedSchema, refuseSameNames } from "./parquet-merge";
import { partitionedSql } from "./partition-sql";

/** How many footers are read at once. */
const FOOTERS_AT_ONCE = 32;

/** How many files are copied to this machine at once. */
const FILES_AT_ONCE = 4;

/** From more files than this on, of fewer bytes on average, DuckDB's work is mostly one for each file. */
const MANY_FILES = 64;
const SMALL_BYTES = 1024 * 1024;

/** A file with its footer; `url` is where its rows are read, `file` where it is. */
interface OpenFile {
  readonly file: FoundFile;
  readonly url: Url;
  readonly footer: ParquetFooter;
}

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
  const groups = alikeFiles(opened);
  const isDirect =
    partitionColumns.length === 0 && groups.every(([first]) => isReadDirectly(first!.footer, data, first!.file.url));
  const sqlOf = (groups: readonly (readonly OpenFile[])[]) => {
    const queries = groups.map((group) => ({ sql: groupSql(group, data), values: group[0]!.file.partition }));
    const sql = partitionedSql(queries, data, partitionColumns);
    return isMany ? `${sql}\n${noRows(fields)}` : sql;
  };
  const bound = {
    schema: { type: "struct", fields },
    fingerprint: filesFingerprint(files),
    ...(isDirect ? { files: opened.map(countedFile) } : {}),
  } as const;
  if (opened.every(({ url }) => isHere(url))) return { sql: sqlOf(groups), ...bound };
  const load = async (signal: AbortSignal): Promise<BoundSource> => {
    const brought = new Map<OpenFile, OpenFile>();
    await mapConcurrently(opened, FILES_AT_ONCE, async (file) => {
      signal.throwIfAborted();
      brought.set(file, { ...file, url: await broughtHere(file.url, context) });
    });
    return { sql: sqlOf(groups.map((group) => group.map((file) => brought.get(file)!))), ...bound };
  };
  return { sql: emptySql(bound.schema), ...bound, load };
}

function countedFile({ url, file, footer }: OpenFile): CountedFile {
  const { rows } = footer;
  if (url !== file.url) return { url, rows };
  return { url, rows, bytes: file.size, ...(file.version === undefined ? {} : { version: file.version }) };
}

const isHere = (url: Url) => schemeOf(url) === "file";

/** A copy on this machine, which goes with the job: DuckDB reads no storage but its disk. */
async function broughtHere(url: Url, { spool, storages }: BindContext): Promise<Url> {
  if (isHere(url)) return url;
  const copy = storages.at(spool.fresh("fetched.parquet"));
  await copy.storage.writeStream(copy.url, storages.for(url).readStream(url));
  return copy.url;
}

/** With its columns told, a folder without a file has no row. */
function noFiles(schema: StructType): BoundSource {
  return { sql: emptySql(schema), schema, fingerprint: filesFingerprint([]) };
}

async function open(file: FoundFile, context: BindContext): Promise<OpenFile> {
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
  opened: readonly OpenFile[],
  storages: Storages,
): Promise<StructType> {
  const byName = [...opened].sort((a, b) => (a.file.url < b.file.url ? -1 : 1));
  const schemas = (list: readonly OpenFile[]) =>
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
function alikeFiles(opened: readonly OpenFile[]): OpenFile[][] {
  const groups: OpenFile[][] = [];
  let last = "";
  for (const one of opened) {
    const key = `${JSON.stringify(one.file.partition)} ${formOf(one.footer)}`;
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

/** @throws AnalysisError where a column of the files is of a type that does not become the wanted one */
function groupSql(group: readonly OpenFile[], data: readonly StructField[]): string {
  const [{ footer, file }] = group as [OpenFile];
  const columns = data.map((field) => columnSql(field, footer, file.url));
  const from = parquetSql(group.map(({ url }) => url));
  return `SELECT ${columns.join(", ") || '1 AS "#none"'} FROM (${from})`;
}
