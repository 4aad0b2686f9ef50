import type { FunctionSpec } from "../data/batch-function";
import type { ShippedFile } from "../data/shipped-file";
import type { DataType, StructType } from "../data/types";
import type { ParquetCompression } from "../parquet";
import type { FileStatus, StorageRetry, Url } from "../storage";
import type { Draft } from "../storage/drafts";

/**
 * One partition's work, as data: what to read, which functions to run, where to put the result. Small and JSON:
 * it carries paths and parameters, never images, weights or credentials.
 */
export interface Task {
  readonly jobId: string;
  readonly stageId: number;
  readonly partition: number;
  /** 0 for the first try. */
  readonly attempt: number;
  readonly input: TaskInput;
  readonly steps: readonly Step[];
  readonly output: TaskOutput;
  /** Most rows in one batch: what a worker holds at a time. */
  readonly batchSize: number;
}

/** Rows of Parquet files, in order. */
export interface TaskInput {
  readonly files: readonly InputFile[];
  /** The columns to read; absent: all. */
  readonly columns?: readonly string[];
  /** The number, from 0, that the first row has in the stage's whole input. */
  readonly firstRow: number;
}

/** A slice of one Parquet file. @property rows from the first to before the second row; absent: the whole file. */
export interface InputFile {
  readonly url: Url;
  /** Bytes of the file and which one it is, where the driver's listing has them. */
  readonly size?: number;
  readonly version?: string;
  readonly rows?: readonly [number, number];
}

/** One thing done to each batch, in order. */
export type Step =
  /**
   * Adds the column `as`. With `errorAs`, a row that fails is null there and its reason is in `errorAs`, where the reason
   * of an earlier step stays: an unreadable file and its missing features are one failure, told once.
   */
  | {
      readonly kind: "column";
      readonly fn: FunctionSpec;
      readonly args: readonly string[];
      readonly as: string;
      readonly type: DataType;
      readonly errorAs?: string;
      /** The column whose value names a row in errors, where the batch has it. */
      readonly rowName?: string;
    }
  /** Replaces the batch by what a table function makes of it. */
  | { readonly kind: "table"; readonly fn: FunctionSpec; readonly schema: StructType }
  /** Keeps these columns, in this order, under these names. */
  | { readonly kind: "select"; readonly columns: readonly { readonly from: string; readonly as: string }[] };

/** Where the part goes: an attempt's own file, which nobody sees until the driver commits the job. */
export interface TaskOutput {
  readonly url: Url;
  /** Where the part will be once the driver publishes it: what is written is a draft. Absent: `url` is where it stays. */
  readonly publishedAt?: Url;
  readonly schema: StructType;
  readonly compression: ParquetCompression;
  /** Key-value metadata for the Parquet footer. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** What a finished attempt tells the driver. */
export interface TaskResult {
  /** The part, where it is a draft. */
  readonly draft?: Draft;
  readonly rows: number;
  readonly bytes: number;
  /** Rows kept as null by `onError: "null"`. */
  readonly failedRows: number;
}

/** Messages from the driver to a worker. */
export type ToWorker =
  | { readonly type: "run"; readonly task: Task }
  /** Sets up the functions of steps to come, while the driver still plans their tasks. */
  | { readonly type: "prepare"; readonly steps: readonly Step[] }
  /** Frees what the worker has of a content that is no longer shipped. */
  | { readonly type: "forget"; readonly file: ShippedFile }
  /** Asks what its storages have at an address. */
  | { readonly type: "look"; readonly url: Url }
  /** The driver's folders that a worker on another machine sees under the same path, from now on. */
  | { readonly type: "sees"; readonly folders: readonly Url[] }
  | { readonly type: "abort" }
  | { readonly type: "close" };

/** Messages from a worker to the driver. */
export type FromWorker =
  | { readonly type: "ready" }
  | { readonly type: "progress"; readonly rows: number }
  | { readonly type: "log"; readonly level: "debug" | "info" | "warn"; readonly message: string }
  | { readonly type: "storageRetried"; readonly retry: StorageRetry }
  | { readonly type: "done"; readonly result: TaskResult }
  | { readonly type: "failed"; readonly error: RemoteError }
  /** @property found null where nothing is there; absent where that can't be told, and `error` says why */
  | {
      readonly type: "looked";
      readonly url: Url;
      readonly found?: FileStatus | "folder" | null;
      readonly error?: string;
    };

/** An error as data, for the way from a worker to the driver. */
export interface RemoteError {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly retryable: boolean;
  /** The input row's path, where the error belongs to one. */
  readonly path?: string;
}
