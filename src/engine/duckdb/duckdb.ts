import { type DuckDBConnection, DuckDBInstance, type DuckDBPreparedStatement } from "@duckdb/node-api";
import type { StructType } from "../../data/types";
import { CancelledError, throwIfAborted } from "../../errors";
import { CorruptParquetError, UnsupportedParquetError } from "../../parquet";
import { DiskFullError } from "../../storage";
import { urlOf } from "../../storage/location";
import { ExecutionError, SchemaMismatchError } from "../errors";
import { duckdbSchema } from "./duckdb-types";
import { queryError } from "./query-errors";
import { type ColumnReader, columnReader } from "./read-columns";
import { sparkMessage } from "./sql-errors";
import { PRELUDE } from "./sql-macros";
import { quotedText } from "./sql-text";
import type { QueryReader } from "./view-columns";

/** The relational half of the embedded engine: SQL in, Parquet files out. */
export interface DuckDb {
  /** The schema of a query, without running it. @throws AnalysisError */
  describe(sql: string): Promise<StructType>;
  /** True for a query whose columns depend on rows: a PIVOT that does not name its values. */
  findsColumnsInRows(sql: string): Promise<boolean>;
  /** Runs a query into one Parquet file, in the query's order. */
  copyToParquet(sql: string, path: string, signal?: AbortSignal): Promise<void>;
  /** The rows of a query whose values are texts or become them. */
  texts(sql: string): Promise<readonly (readonly (string | null)[])[]>;
  /** DuckDB's own plan, as text. */
  explain(sql: string): Promise<string>;
  /** The tables a query names. */
  tableNames(query: string): Promise<readonly string[]>;
  /** The columns of views that a query reads. */
  readonly readColumns: QueryReader["readColumns"];
  /** The columns that a query reads of tables that stand for its sources. */
  readonly scannedColumns: ColumnReader["scanned"];
  /** What a query asks of the rows of such tables. */
  readonly scanConditions: ColumnReader["conditions"];
  close(): Promise<void>;
}

/** Rows per row group of intermediate files: DuckDB's vector size, the smallest it takes. Tasks read whole groups. */
const ROW_GROUP_ROWS = 2048;

/** Without dictionaries, in which DuckDB has one entry for 0.0 and -0.0: all zeros would come back with the first one's sign. */
const INTERMEDIATE = `FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE ${ROW_GROUP_ROWS}, DICTIONARY_SIZE_LIMIT 0`;

export interface DuckDbOptions {
  /** Such as `512MB`; beyond it DuckDB spills to `temporaryFolder`. */
  readonly memoryLimit: string;
  readonly threads: number;
  readonly temporaryFolder: string;
}

/** Starts an in-memory DuckDB. Every query has a connection of its own, so that queries can run side by side. */
export async function openDuckDb(options: DuckDbOptions): Promise<DuckDb> {
  const instance = await DuckDBInstance.create(":memory:", {
    memory_limit: options.memoryLimit,
    threads: String(options.threads),
    temp_directory: options.temporaryFolder,
    // Extensions come from the network; nothing here needs one.
    autoinstall_known_extensions: "false",
    // It would take a file that was written anew within a second for the one before.
    enable_external_file_cache: "false",
  });

  const first = await instance.connect();
  // Columns that GeoParquet calls geometries are the bytes that they are, as in Spark.
  await first.run("SET GLOBAL enable_geoparquet_conversion = false");
  for (const statement of PRELUDE) await first.run(statement);
  first.closeSync();

  async function withConnection<T>(
    sql: string,
    signal: AbortSignal | undefined,
    use: (connection: DuckDBConnection) => Promise<T>,
  ): Promise<T> {
    throwIfAborted(signal);
    const connection = await instance.connect();
    const interrupt = () => connection.interrupt();
    signal?.addEventListener("abort", interrupt, { once: true });
    try {
      return await use(connection);
    } catch (error) {
      if (signal?.aborted) throw new CancelledError("Cancelled.", { cause: signal.reason });
      throw asPomonaError(error, sql);
    } finally {
      signal?.removeEventListener("abort", interrupt);
      connection.closeSync();
    }
  }

  const columns = columnReader();

  return {
    describe: (sql) =>
      withConnection(sql, undefined, async (connection) => {
        const prepared = await preparedQuery(connection, sql);
        if (prepared.parameterCount > 0)
          throw new Error(
            `Invalid Input Error: Expected ${prepared.parameterCount} parameters, but none were supplied`,
          );
        return duckdbSchema(
          Array.from({ length: prepared.columnCount }, (_, i) => ({
            name: prepared.columnName(i),
            type: prepared.columnType(i),
          })),
        );
      }),

    // DuckDB makes two statements of it: the first makes a type of the values.
    findsColumnsInRows: (sql) =>
      withConnection(sql, undefined, async (connection) => {
        // What is no SQL is told by who looks for its columns.
        const statements = await connection.extractStatements(sql).catch(() => undefined);
        return statements !== undefined && statements.count > 1;
      }),

    async copyToParquet(sql, path, signal) {
      const to = `${quotedText(path)} (${INTERMEDIATE})`;
      await withConnection(sql, signal, (connection) => connection.run(`COPY (${sql}) TO ${to}`));
    },

    texts: (sql) =>
      withConnection(sql, undefined, async (connection) => {
        const rows = (await connection.runAndReadAll(sql)).getRows();
        return rows.map((row) => row.map((value) => (value === null ? null : String(value))));
      }),

    explain: (sql) =>
      withConnection(sql, undefined, async (connection) => {
        const reader = await connection.runAndReadAll(`EXPLAIN ${sql}`);
        return reader
          .getRows()
          .map((row) => String(row[row.length - 1]))
          .join("\n");
      }),

    tableNames: (query) =>
      withConnection(query, undefined, async (connection) => connection.getTableNames(query, false)),

    readColumns: columns.read,
    scannedColumns: columns.scanned,
    scanConditions: columns.conditions,

    async close() {
      await columns.close();
      instance.closeSync();
    },
  };
}

/** A query that is bound to what it reads, and not run. */
async function preparedQuery(connection: DuckDBConnection, sql: string): Promise<DuckDBPreparedStatement> {
  try {
    return await connection.prepare(sql);
  } catch (error) {
    if (!/Cannot prepare multiple statements/.test(String(error))) throw error;
    // A PIVOT is more than one: those before the last make types of the values that it finds.
    const statements = await connection.extractStatements(sql);
    for (let i = 0; i < statements.count - 1; i++) await (await statements.prepare(i)).run();
    return statements.prepare(statements.count - 1);
  }
}

function asPomonaError(error: unknown, sql: string): Error {
  if (!(error instanceof Error)) return new ExecutionError(String(error));
  const asWritten = queryError(error);
  if (asWritten) return asWritten;
  const message = sparkMessage(error.message.split("\n\nLINE ")[0]!);
  if (/schema mismatch/i.test(message)) {
    return new SchemaMismatchError(message, {
      remedy: "Files with different columns were written to one place; read them one by one, or write them apart.",
      cause: error,
    });
  }
  const damaged = /Failed to read file "(.+?)": (.*)/s.exec(message);
  if (damaged?.[1]?.endsWith(".parquet")) return new CorruptParquetError(urlOf(damaged[1]), damaged[2]);
  const unreadable = parquetError(message, sql, error);
  if (unreadable) return unreadable;
  if (/No space left on device|ENOSPC|File too large/i.test(message)) {
    return new DiskFullError(`The disk is full: ${message}`, "", {
      remedy:
        'Free some space, or put temporary files elsewhere: TMPDIR, or config("pomona.spool.dir", "/other/disk").',
      cause: error,
    });
  }
  if (/^Out of Memory Error/.test(message)) {
    return new ExecutionError(message, {
      remedy: 'Give the relational engine more: config("pomona.duckdb.memory", "2GB").',
      cause: error,
    });
  }
  return new ExecutionError(message, { cause: error });
}

/** DuckDB's word on a Parquet file that it can't make out, which names the file seldom: those of the query are named instead. */
function parquetError(message: string, sql: string, cause: Error): Error | undefined {
  const [, kind = "", what] = /^(Invalid|Invalid Input|IO|Serialization) Error: (.*)/s.exec(message) ?? [];
  const paths = [...sql.matchAll(/read_parquet\(\[((?:'(?:[^']|'')*'(?:, )?)+)\]/g)].flatMap(([, list = ""]) =>
    [...list.matchAll(/'((?:[^']|'')*)'/g)].map(([, path = ""]) => path.replaceAll("''", "'")),
  );
  const urls = [...new Set(paths)].map(urlOf);
  if (what === undefined || urls.length === 0) return undefined;
  const file = urls.length === 1 ? urls[0]! : `${urls[0]}, or one of the ${urls.length - 1} files read with it,`;
  const text = /^Invalid string encoding found in Parquet file "(.+?)": value (.*?)!?$/s.exec(what);
  if (text) {
    const remedy = "Write the column as binary where it comes from, or repair its text.";
    const url = urlOf(text[1]!);
    return new UnsupportedParquetError(url, `it has a string that is no UTF-8: ${text[2]}.`, remedy, cause);
  }
  return DAMAGE[kind]?.test(what) ? new CorruptParquetError(file, new Error(what, { cause })) : undefined;
}

/** Its words on damage, by the kind of error: what its decoders throw, and what it checks itself. */
const DAMAGE: Readonly<Record<string, RegExp>> = {
  Invalid: /^/,
  IO: /corrupt|converted type|Could not read from file/,
  "Invalid Input": /Parquet|DELTA_|BYTE_STREAM|RLE/,
  Serialization: /^/,
};
