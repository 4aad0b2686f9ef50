import { createHash } from "node:crypto";
import { arrowSchema } from "../../data/arrow";
import type { Json } from "../../data/batch-function";
import {
  type DataType,
  type StructField,
  type StructType,
  simpleString,
  structField,
  structType,
} from "../../data/types";
import { batchFromColumns, vectorFromValues } from "../../data/vectors";
import { IllegalArgumentError } from "../../errors";
import type { Plan } from "../../frame/plan";
import { sameName } from "../../frame/resolve";
import { writeParquetFile } from "../../parquet";
import type { Place } from "../../storage";
import { type FoundFiles, filesFingerprint, findFiles, type ReadLeaf } from "../files";
import { fromJson } from "../local-values";
import type { PartitionValue } from "../partition-values";
import { withPartitionColumns } from "../partitions";
import { type BindContext, type BoundSource, parquetSql } from "./bound-source";
import { duckdbType } from "./duckdb-types";
import type { RowsNeeded } from "./leaf-needs";
import { bindParquet } from "./parquet-source";
import { partitionedSql, partitionGroups } from "./partition-sql";
import { folderStatistics, mayPass } from "./row-conditions";
import { quotedIdentifier } from "./sql-text";
import { bindText, readingSummary, rowsWanted } from "./text-source";

type Leaf = Extract<Plan, { op: "read" | "local" }>;

/** Spark's columns of format `binaryFile` without `content`, which the worker that needs it reads. */
const LISTING_SCHEMA = structType({ path: "string", modificationTime: "timestamp", length: "long" });

/** Rows per batch while a listing is written down. */
const LISTING_BATCH = 8192;

/**
 * Looks up a leaf: lists its files, reads their schema.
 * @throws PathNotFoundError, CorruptParquetError, IncompleteWriteError
 */
export async function bindSource(leaf: Leaf, context: BindContext): Promise<BoundSource> {
  if (leaf.op === "local") return bindRows(leaf.schema, leaf.rows, context);
  const found = await findFiles(leaf, context, context.signal);
  switch (leaf.format) {
    case "binaryFile":
      refuseOtherThanFiles(leaf, found);
      return bindListing(found, context);
    case "parquet":
      return bindParquet(leaf, found, context);
    case "csv":
    case "json":
    case "text":
      return bindPartitionedText(leaf, found, context);
  }
}

/** @throws IllegalArgumentError for a schema with other columns than files have, as in Spark; those of folders may have a type */
function refuseOtherThanFiles({ schema }: ReadLeaf, { partitionColumns }: FoundFiles): void {
  if (!schema) return;
  const told = (fields: readonly StructField[]) => fields.map((f) => `${f.name} ${simpleString(f.type)}`).join(", ");
  const given = told(schema.fields.filter(({ name }) => !partitionColumns.some((p) => sameName(p.name, name))));
  const own = told([...LISTING_SCHEMA.fields, structField("content", "binary")]);
  if (given === own) return;
  throw new IllegalArgumentError(`Format binaryFile has the columns ${own}; the schema has ${given}.`, {
    remedy: "Leave the schema out, and select the columns that you want.",
  });
}

async function bindListing({ files, partitionColumns }: FoundFiles, context: BindContext): Promise<BoundSource> {
  // Folders' values are written as text, which the query casts.
  const asText = partitionColumns.map((c) => structField(`k=${c.name}`, "string"));
  const columns = [
    { name: "path", type: "string" as const, values: files.map((f) => f.url) },
    { name: "modificationTime", type: "timestamp" as const, values: files.map((f) => f.modifiedAt) },
    { name: "length", type: "long" as const, values: files.map((f) => BigInt(f.size)) },
    ...asText.map(({ name }, i) => ({
      name,
      type: "string" as const,
      values: files.map((f) => f.partition[i] ?? null),
    })),
  ];
  const file = context.storages.at(context.spool.fresh("listing.parquet"));
  const fields = [...LISTING_SCHEMA.fields, ...asText];
  await writeColumns(file, { type: "struct", fields }, columns, files.length);
  const merged = withPartitionColumns(LISTING_SCHEMA.fields, partitionColumns);
  const list = merged.map(({ field, partition }) => {
    const name = quotedIdentifier(field.name);
    return partition ? `CAST(${quotedIdentifier(`k=${field.name}`)} AS ${duckdbType(field.type)}) AS ${name}` : name;
  });
  return {
    sql: `SELECT ${list.join(", ")} FROM (${parquetSql([file.url])})`,
    schema: { type: "struct", fields: merged.map(({ field }) => field) },
    fingerprint: filesFingerprint(files),
  };
}

async function bindRows(
  schema: StructType,
  rows: readonly (readonly Json[])[],
  context: BindContext,
): Promise<BoundSource> {
  const columns = schema.fields.map((field, i) => ({
    name: field.name,
    type: field.type,
    values: rows.map((row) => fromJson(row[i] ?? null, field.type)),
  }));
  const file = context.storages.at(context.spool.fresh("rows.parquet"));
  await writeColumns(file, schema, columns, rows.length);
  const fingerprint = createHash("sha256")
    .update(JSON.stringify([schema, rows]))
    .digest("hex");
  return { sql: parquetSql([file.url]), schema, fingerprint };
}

/** Text files; with folders `k=v`, each folder's files by themselves, all with the columns that the whole has. */
async function bindPartitionedText(leaf: ReadLeaf, found: FoundFiles, context: BindContext): Promise<BoundSource> {
  const { files, partitionColumns: partition } = found;
  const isData = (field: StructField) => !partition.some((p) => sameName(p.name, field.name));
  const given = leaf.schema && { schema: { ...leaf.schema, fields: leaf.schema.fields.filter(isData) } };
  const whole = await bindText({ ...leaf, ...given }, files, context);
  if (partition.length === 0) return whole;
  const typed = { ...leaf, schema: whole.schema };
  const data = whole.schema.fields;
  /** Whether rows of a folder with these values may pass what a use asks. */
  const isFolderWanted = (
    { conditions }: RowsNeeded,
    values: readonly PartitionValue[],
    fields: readonly StructField[],
  ): boolean =>
    conditions.every((condition) => {
      const field = fields[Number(condition.column)];
      const folder = partition.findIndex(({ name }) => field && sameName(name, field.name));
      if (!field || folder < 0) return true;
      return mayPass(condition, field.type, folderStatistics(values[folder] ?? null, field.type));
    });
  const groups = await Promise.all(
    partitionGroups(files).map(async (g) => ({ values: g.values, source: await bindText(typed, g.files, context) })),
  );
  const union = (sources: readonly BoundSource[]): BoundSource => ({
    sql: partitionedSql(
      sources.map(({ sql }, i) => ({ sql, values: groups[i]?.values ?? [] })),
      data,
      partition,
    ),
    schema: { type: "struct", fields: withPartitionColumns(data, partition).map(({ field }) => field) },
    fingerprint: filesFingerprint(files),
  });
  const sources = groups.map(({ source }) => source);
  const { fields } = union(sources).schema;
  const wantedFiles = (uses: readonly RowsNeeded[] | undefined) =>
    partitionGroups(files).flatMap((group) =>
      !uses || uses.some((use) => isFolderWanted(use, group.values, fields)) ? group.files : [],
    );
  return {
    ...union(sources),
    ...readingSummary(files, wantedFiles),
    async load(signal, uses) {
      const most = rowsWanted(uses);
      const loaded: BoundSource[] = [];
      let rows = 0;
      for (const [i, source] of sources.entries()) {
        // One that is not loaded has the same columns, and no rows.
        const isWanted =
          rows < most && (!uses || uses.some((use) => isFolderWanted(use, groups[i]?.values ?? [], fields)));
        const all = isWanted ? ((await source.load?.(signal, uses)) ?? source) : source;
        for (const file of all.files ?? []) rows += file.rows;
        loaded.push(all);
      }
      return union(loaded);
    },
  };
}

interface ColumnValues {
  readonly name: string;
  readonly type: DataType;
  readonly values: readonly unknown[];
}

async function writeColumns(file: Place, schema: StructType, columns: readonly ColumnValues[], rows: number) {
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
  await writeParquetFile(file, batches(), { schema });
}
