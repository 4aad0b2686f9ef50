import type { RecordBatch } from "apache-arrow";
import { type StructType, simpleString, structField } from "../../data/types";
import { AnalysisError } from "../../frame/analysis-error";
import { writeParquetFile } from "../../parquet";
import { type FileStatus, PathNotFoundError, type Storage, type Storages, urlOf } from "../../storage";
import { schemeOf } from "../../storage/location";
import { refuseNames } from "../../text/column-names";
import { csvReading } from "../../text/csv-options";
import { csvBatches, csvSchema } from "../../text/csv-read";
import { jsonReading } from "../../text/json-options";
import { jsonBatches, jsonSchema } from "../../text/json-read";
import { TEXT_SCHEMA, textBatches } from "../../text/line-text";
import { filesFingerprint, type ReadLeaf } from "../files";
import type { FetchListener } from "../slow-query";
import { type BindContext, type BoundSource, emptySql, type Fetching, parquetSql } from "./bound-source";
import type { RowsNeeded } from "./leaf-needs";

/** A format of text, once its files and options are known. */
interface TextReading {
  schema(signal?: AbortSignal): Promise<StructType>;
  batches(schema: StructType, how: Fetching): AsyncIterable<RecordBatch>;
}

/**
 * Looks up text files: their columns, for which only what tells them is read. The rows are parsed by `load`, into Parquet that
 * tasks and queries read.
 * @param files those to read
 * @throws PathNotFoundError
 */
export async function bindText(
  leaf: ReadLeaf,
  files: readonly FileStatus[],
  { spool, storages, signal }: Pick<BindContext, "spool" | "storages" | "signal">,
): Promise<BoundSource> {
  // With its columns told, a folder without a file has no row.
  if (files.length === 0 && leaf.schema === undefined && leaf.format !== "text") {
    throw new PathNotFoundError(`There is no file in ${leaf.paths.join(", ")}.`, urlOf(leaf.paths[0] ?? "."));
  }
  const reading = readingOf(leaf, files, storages);
  const given = leaf.schema ?? (await reading.schema(signal));
  // What a text has no value for is null, whatever its schema says.
  const schema = nullable(given);
  refuseNames(schema);
  if (leaf.format === "text") refuseOtherThanText(schema);
  const fingerprint = filesFingerprint(files);
  return {
    sql: emptySql(schema),
    schema,
    fingerprint,
    ...readingSummary(files, () => files),
    async load(how, uses) {
      const batches = firstRows(reading.batches(schema, how), rowsWanted(uses));
      if (schema.fields.length === 0) {
        // Records such as `{}` are rows all the same.
        let rows = 0;
        for await (const batch of batches) rows += batch.numRows;
        return { sql: `SELECT 1 AS "__none" FROM range(${rows})`, schema, fingerprint };
      }
      const file = storages.at(spool.fresh(`${leaf.format}.parquet`));
      const { rows } = await writeParquetFile(file, batches, { schema });
      return { sql: parquetSql([file.url]), schema, fingerprint, files: [{ url: file.url, rows }] };
    },
  };
}

/** Lines are one column of text. @throws AnalysisError for a schema that has others, by Spark's names */
function refuseOtherThanText({ fields }: StructType): void {
  const other = fields.find(({ type }) => type !== "string");
  if (other) {
    throw new AnalysisError(
      `[UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE] The text datasource doesn't support the column \`${other.name}\` of the type ${simpleString(other.type)}.`,
      { remedy: "Read it as a string, and cast that." },
    );
  }
  if (fields.length === 1) return;
  throw new AnalysisError(`Text data source supports only a single column, and you have ${fields.length} columns.`, {
    remedy: "Read one column, and split that; or read the files as CSV.",
  });
}

/** What is read of text files on other storages: whole ones, or until there are rows enough. */
export function readingSummary(
  files: readonly FileStatus[],
  wanted: (uses: readonly RowsNeeded[] | undefined) => readonly FileStatus[],
): Pick<BoundSource, "summary"> {
  const [first] = files;
  if (!first || files.every(({ url }) => schemeOf(url) === "file")) return {};
  const bytes = (some: readonly FileStatus[]) => some.reduce((sum, { size }) => sum + size, 0);
  return {
    summary(uses) {
      const read = wanted(uses);
      const rows = rowsWanted(uses);
      const where = files.length === 1 ? first.url : `${first.url} and ${files.length - 1} more`;
      const until = Number.isFinite(rows) ? `, no further than ${rows} rows` : "";
      return `${where}: ${read.length} of ${files.length} files, ${bytes(read)} of ${bytes(files)} bytes${until}`;
    },
  };
}

/** How many of the first rows are enough for every use. */
export function rowsWanted(uses: readonly RowsNeeded[] | undefined): number {
  return Math.max(0, ...(uses ?? [{ first: Number.POSITIVE_INFINITY }]).map(({ first }) => first));
}

/** The first rows of a text: behind them it is not read on. */
async function* firstRows(batches: AsyncIterable<RecordBatch>, most: number): AsyncGenerator<RecordBatch> {
  let rows = 0;
  if (most === 0) return;
  for await (const batch of batches) {
    yield batch.slice(0, most - rows);
    rows += batch.numRows;
    if (rows >= most) return;
  }
}

function readingOf(leaf: ReadLeaf, files: readonly FileStatus[], storages: Storages): TextReading {
  // Spark starts with the largest file: its first line names the columns, and its rows come first.
  const largestFirst = [...files].sort((a, b) => b.size - a.size);
  const inOrder = largestFirst.map(({ url }) => ({ url, storage: storages.for(url) }));
  const told = ({ listener }: Fetching) => {
    if (!listener) return inOrder;
    return largestFirst.map(({ url, size }) => ({ url, storage: heardStorage(storages.for(url), size, listener) }));
  };
  const { options } = leaf;
  switch (leaf.format) {
    case "json": {
      const reading = jsonReading(options);
      return {
        schema: (signal) => jsonSchema(inOrder, reading, signal),
        batches: (schema, how) => jsonBatches(told(how), schema, reading, how.signal),
      };
    }
    case "text":
      return {
        schema: async () => TEXT_SCHEMA,
        batches: (schema, how) => textBatches(told(how), schema, options, how.signal),
      };
    default: {
      const reading = csvReading(options);
      return {
        schema: (signal) => csvSchema(inOrder, reading, options, signal),
        batches: (schema, how) => csvBatches(told(how), schema, reading, how.signal),
      };
    }
  }
}

/** A storage of which a listener hears what is read of a file, where it is another machine's. */
function heardStorage(storage: Storage, size: number, listener: FetchListener): Pick<Storage, "readStream"> {
  return {
    async *readStream(url, reading) {
      const isHere = schemeOf(url) === "file";
      if (!isHere) listener.asked(size);
      for await (const chunk of storage.readStream(url, reading)) {
        if (!isHere) listener.came(chunk.length);
        yield chunk;
      }
    },
  };
}

function nullable(schema: StructType): StructType {
  return { type: "struct", fields: schema.fields.map((field) => structField(field.name, field.type)) };
}
