import type { RecordBatch } from "apache-arrow";
import type { ShippedFile } from "../data/shipped-file";
import type { StructType } from "../data/types";
import type { ParquetFooter } from "../parquet";
import type { FileStatus, Storages } from "../storage";
import type { SaveMode } from "../storage/commit";
import type { Plan, SqlDialect } from "./plan";

export type { SaveMode };

export const SAVE_MODES = ["errorifexists", "overwrite", "append", "ignore"] as const satisfies readonly SaveMode[];

/** Where a write goes. */
export interface Sink {
  readonly format: "parquet" | "csv" | "json" | "text";
  readonly path: string;
  readonly mode: SaveMode;
  readonly options: Readonly<Record<string, string>>;
  /** The columns whose values become folders `k=v`. */
  readonly partitionBy?: readonly string[];
}

/** What a write made. */
export interface WriteResult {
  readonly path: string;
  readonly rows: number;
  readonly files: readonly string[];
  /** Rows kept as null by `onError: "null"`. */
  readonly failedRows: number;
  /** True where mode `ignore` found data and wrote nothing. */
  readonly skipped: boolean;
}

/** Work that is done by the driver and not by workers. */
export interface DriverWork<T> {
  /** What is computed, such as `PCA eigenvectors`. */
  readonly name: string;
  /** Rows that the work is measured by. */
  readonly rows: number;
  /** @param onProgress takes the rows done so far */
  readonly run: (onProgress: (rows: number) => void, signal: AbortSignal) => Promise<T>;
}

/**
 * What a DataFrame's actions run on: the session's engine, seen from the plan's side. `frame` declares it and an
 * engine implements it, so that the arrow between them points down.
 */
export interface Runtime {
  /** The schema of a plan. @throws AnalysisError for unknown columns, before any work starts. */
  schema(plan: Plan, signal?: AbortSignal): Promise<StructType>;
  /** How the plan would run, as text: the logical plan, the stages and the relational engine's own plan. */
  explain(plan: Plan, signal?: AbortSignal): Promise<string>;
  /** Runs the plan and streams its rows. */
  execute(plan: Plan, signal?: AbortSignal): AsyncIterable<RecordBatch>;
  /** How many partitions the plan's rows are computed in. */
  partitions(plan: Plan, signal?: AbortSignal): Promise<number>;
  /** Runs the plan into files that become visible all at once. */
  write(plan: Plan, sink: Sink, signal?: AbortSignal): Promise<WriteResult>;
  /** Runs long work of an estimator here, shown and interrupted as a job of one task. @throws CancelledError */
  onDriver<T>(work: DriverWork<T>, signal?: AbortSignal): Promise<T>;
  /** Says a line to the user, where progress is shown: something that is no error and may not be what was meant. */
  note(text: string): void;
  /** Forgets what was cached under `id`. */
  unpersist(id: string): Promise<void>;
  /** What a Parquet file says of itself; files that did not change are read once. @throws CorruptParquetError */
  footer(file: FileStatus): Promise<ParquetFooter>;
  /** Whose SQL its text is. */
  readonly dialect: SqlDialect;
  /** Where the session reads and writes files. */
  readonly storages: Storages;
  /** The session's setting of that name, or its default. */
  setting(name: string): string | undefined;
  /** Ships a value to workers, as `v8.serialize` writes it. */
  broadcast(value: unknown): Promise<ShippedFile>;
}
