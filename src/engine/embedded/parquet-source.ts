import { CorruptParquetError, readParquetFooter } from "../../parquet";
import { PathNotFoundError } from "../../storage";
import { assertWhole } from "../../storage/commit";
import { parseLocation } from "../../storage/location";
import { duckdbType } from "./duckdb-types";
import { type FoundFiles, filesFingerprint, type ReadLeaf } from "./files";
import { partitionedSql, partitionGroups } from "./partition-sql";
import { sameName, withPartitionColumns } from "./partitions";
import { type BindContext, type BoundSource, parquetSql } from "./sources";
import { quotedIdentifier } from "./sql-text";

/** Looks up Parquet files. @throws PathNotFoundError, CorruptParquetError, IncompleteWriteError */
export async function bindParquet(
  leaf: ReadLeaf,
  found: FoundFiles,
  { relational }: BindContext,
): Promise<BoundSource> {
  for (const path of leaf.paths) await assertWhole(path);
  const { files, partitionColumns } = found;
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
  const fingerprint = filesFingerprint(files);
  const first = await relational.describe(parquetSql([files[0]!.url]));
  // DuckDB takes Spark's older timestamps for local ones; the workers, too, must get them as the instants they are.
  const instants = new Set(await relational.int96Columns(parseLocation(files[0]!.url).path));
  const isPlain = partitionColumns.length === 0 && !leaf.schema && !first.fields.some((f) => instants.has(f.name));
  if (isPlain) return { sql: parquetSql(files.map((f) => f.url)), schema: first, files: counted, fingerprint };
  const given = leaf.schema?.fields.filter((f) => !partitionColumns.some((p) => sameName(p.name, f.name)));
  const columns = (given ?? first.fields).map(({ name, type }) => {
    const inFile = first.fields.find((f) => sameName(f.name, name));
    const column = inFile ? quotedIdentifier(inFile.name) : "NULL";
    const wanted = given ? duckdbType(type) : inFile && instants.has(inFile.name) ? "TIMESTAMPTZ" : undefined;
    return `${wanted ? `CAST(${column} AS ${wanted})` : column} AS ${quotedIdentifier(name)}`;
  });
  const typed = (urls: readonly string[]) => `SELECT ${columns.join(", ")} FROM (${parquetSql(urls)})`;
  const data = (await relational.describe(typed([files[0]!.url]))).fields;
  const queries = partitionGroups(files).map((g) => ({ sql: typed(g.files.map((f) => f.url)), values: g.values }));
  const merged = withPartitionColumns(data, partitionColumns).map(({ field }) => field);
  return {
    sql: partitionedSql(queries, data, partitionColumns),
    schema: { type: "struct", fields: merged },
    fingerprint,
  };
}
