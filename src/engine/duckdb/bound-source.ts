import type { StructType } from "../../data/types";
import type { FooterCache } from "../../parquet";
import type { Storages } from "../../storage";
import { localPath, type Url } from "../../storage/location";
import type { ReadSettings } from "../files";
import type { CountedFile } from "../relational";
import type { FetchListener } from "../slow-query";
import type { Spool } from "../spool";
import type { DuckDb } from "./duckdb";
import { duckdbType } from "./duckdb-types";
import type { RowsNeeded } from "./leaf-needs";
import type { RowCondition } from "./row-conditions";
import { quotedIdentifier, quotedText } from "./sql-text";

/** A leaf of a plan, looked up: what DuckDB reads in its place. */
export interface BoundSource {
  readonly sql: string;
  readonly schema: StructType;
  /** Parquet files with their rows, where the leaf is nothing but them: tasks read those without a copy. */
  readonly files?: readonly CountedFile[];
  /** Changes whenever the input does: names, sizes, times. */
  readonly fingerprint: string;
  /**
   * Text files are parsed when their rows are wanted, not while a plan is looked at: until then `sql` has their columns and no
   * rows, and this gives the source with them; with `uses`, with those alone that may count in one of them.
   */
  readonly load?: (how: Fetching, uses?: readonly RowsNeeded[]) => Promise<BoundSource>;
  /** What of files on other storages `load` reads, for people; absent where all are here. */
  readonly summary?: (uses: readonly RowsNeeded[] | undefined) => string;
  /**
   * Parquet files on other storages: where there are `files`, tasks read those where they are; for a query of DuckDB's this
   * brings here what it needs of them. `load` brings all.
   */
  readonly fetch?: (needs: LeafNeeds, how: Fetching) => Promise<FetchedSource>;
}

/** What a query reads of a leaf. */
export interface LeafNeeds {
  /** Its columns, by position; absent: it may be all. */
  readonly columns?: readonly number[] | undefined;
  /** The rows of each place where the query uses it. */
  readonly uses: readonly RowsNeeded[];
  /** What each of DuckDB's scans of it asks of rows, by positions of columns; absent where that is not known. */
  readonly scans?: readonly (readonly RowCondition[])[];
}

export interface Fetching {
  readonly signal: AbortSignal;
  /** Without any data, for a query that is looked at and not run. */
  readonly isDry?: boolean;
  /** Is told of what comes from other storages. */
  readonly listener?: FetchListener | undefined;
}

/** A source whose SQL is about copies on this machine. */
export interface FetchedSource {
  readonly sql: string;
  readonly schema: StructType;
  /** What each copy, by its path, is of. */
  readonly origins: ReadonlyMap<string, Url>;
  /** What was fetched of how much, for people. */
  readonly summary: string;
}

/** What looking up a leaf needs. */
export interface BindContext {
  readonly relational: DuckDb;
  readonly spool: Spool;
  readonly settings: ReadSettings;
  readonly footers: FooterCache;
  readonly storages: Storages;
  readonly signal?: AbortSignal;
}

/** SQL that reads Parquet files in order, each with the columns of the first; folders `k=v` are no concern of it. */
export function parquetSql(urls: readonly Url[]): string {
  const list = urls.map((url) => quotedText(localPath(url))).join(", ");
  return `SELECT * FROM read_parquet([${list}], hive_partitioning = false)`;
}

/** SQL for these columns without a row. */
export function emptySql({ fields }: StructType): string {
  const columns = fields.map(({ name, type }) => `CAST(NULL AS ${duckdbType(type)}) AS ${quotedIdentifier(name)}`);
  return `SELECT ${columns.join(", ") || '1 AS "__none"'} WHERE false`;
}
