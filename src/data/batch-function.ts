import type { RecordBatch, Vector } from "apache-arrow";
import type { ShippedFile } from "./shipped-file";
import type { DataType, StructType } from "./types";

/** A value that survives JSON unchanged. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

/**
 * Names a batch function in a plan or a task: always plain data, never code in memory.
 * - `builtin`: one of the functions in the worker's registry, by name, with its parameters and the user's functions that it calls.
 * - `source`: a user's function as JavaScript text, with where to find its broadcast values.
 */
export type FunctionSpec =
  | {
      readonly kind: "builtin";
      readonly name: string;
      readonly params: Json;
      readonly uses?: Readonly<Record<string, SourceFunction>>;
    }
  | SourceFunction;

/** A user's function, shipped as text. */
export interface SourceFunction {
  readonly kind: "source";
  /** The name to show in messages and progress. */
  readonly name: string;
  /** A JavaScript expression that evaluates to the function. */
  readonly code: string;
  /** How the function wants its data: one row's values, or a batch as `{ column: values[] }` or as arrays. */
  readonly form: "row" | "batch";
  /**
   * Broadcast values by the name the function uses: what `v8.serialize` made of them, shipped; in a plan, before
   * `prepareSourceFunction`, `broadcast:` and the sha256 of those bytes.
   */
  readonly broadcast: Readonly<Record<string, string | ShippedFile>>;
  /** The modules that the function uses. */
  readonly imports: readonly ImportedModule[];
  /** Where its author wrote it, for messages; absent outside a notebook. */
  readonly cellOrigin?: CellOrigin;
}

/** Where in a notebook a function's text comes from. */
export interface CellOrigin {
  /** The cell, such as `In[3]`. */
  readonly cell: string;
  /**
   * For each line of the function's code, the place in the cell that it was compiled from, lines and columns from 1, and that
   * line's text; null for what the compiler wrote itself.
   */
  readonly lines: readonly ({ readonly line: number; readonly column: number; readonly text: string } | null)[];
}

/** A module that a user's function uses, and the names it goes by there. */
export interface ImportedModule {
  /** As the user wrote it, such as `./lib/stats` or `node:path`; in a task the name alone of one with an absolute path. */
  readonly specifier: string;
  /**
   * The module bundled to one CommonJS text, in a task shipped; absent for what the worker requires itself: Node's own, native
   * packages.
   */
  readonly bundle?: string | ShippedFile;
  /** In a plan, and never in a task: the folder where it was found, an absolute path, and the packages that it leaves there. */
  readonly home?: { readonly root: string; readonly packages: readonly string[] };
  /**
   * In a task, the URL of the folder that `require` starts from, where a module needs another one than the worker's current folder:
   * its author named it.
   */
  readonly folder?: string;
  /** Variable names, each with the export it stands for; `*` is the module as a namespace. */
  readonly names: Readonly<Record<string, string>>;
}

/** How a worker reads a file. @property signal ends the read @property listed its bytes, and epoch milliseconds, as a listing has them */
export interface FileReading {
  readonly signal?: AbortSignal;
  readonly listed?: { readonly size: number; readonly modifiedAt: number };
}

/** What a batch function sees of the worker it runs on. */
export interface WorkerContext {
  /** Writes a line to the driver's log; `warn` lines are shown to the user. */
  log(level: "debug" | "info" | "warn", message: string): void;
  /** Reads a whole file by its URL, through the worker's storage. */
  readFile(url: string, reading?: FileReading): Promise<Uint8Array>;
  /** The content of what the driver shipped. @throws ShippedFileError */
  fetch(file: ShippedFile): Promise<Uint8Array>;
  /** The same as a file on the worker's machine, to be read alone. @throws ShippedFileError */
  fetchFile(file: ShippedFile): Promise<string>;
  /** Aborted when the task is cancelled: long loops must look at it. */
  readonly signal: AbortSignal;
}

/** Reports that one row of the batch could not be computed. Throws unless the column has an `onError` of null. */
export type RowError = (row: number, error: Error) => void;

/** Where a batch's rows are in the data, in words for messages: a batch's own numbers say nothing to who wrote the function. */
export interface BatchPlace {
  /** Such as `row 3333 of its input (the first is row 0)`, with the row's path where there is one. */
  row(row: number): string;
  /** Such as `rows 3000 to 3999 of its input (the first is row 0)`. */
  readonly rows: string;
}

/**
 * A user's function that a built-in calls.
 * @param row the batch's row that it is called for
 * @throws UserFunctionError for what the function throws
 */
export type UserCall = (row: number, ...args: unknown[]) => Promise<unknown>;

/** A column function after set-up: vectors in, one vector of the same length out. */
export interface ColumnFunction {
  apply(args: readonly Vector[], rowError: RowError, place: BatchPlace): Promise<Vector> | Vector;
  close?(): Promise<void> | void;
}

/** A table function after set-up: batches in, batches out; `finish` emits what it gathered over the partition. */
export interface TableFunction {
  apply(batch: RecordBatch, place: BatchPlace): Promise<RecordBatch | undefined> | RecordBatch | undefined;
  finish?(): Promise<RecordBatch | undefined> | RecordBatch | undefined;
  close?(): Promise<void> | void;
}

/** What the driver offers while it prepares a function before any task runs. */
export interface DriverContext {
  log(level: "debug" | "info" | "warn", message: string): void;
  readonly signal?: AbortSignal;
  /** Puts bytes, or a file's, where workers fetch them: for the job that runs, and for as long as the owners are there. */
  ship(
    content: Uint8Array | { readonly path: string; readonly sha256: string },
    ...owners: readonly object[]
  ): Promise<ShippedFile>;
  /** Whether workers have packages with native parts, of which only some have WebAssembly instead. @default they have what the driver has */
  readonly hasNatives?: () => Promise<boolean>;
}

interface BuiltinBase<P extends Json> {
  /** Registry name, such as `image.features`. */
  readonly name: string;
  /**
   * Runs once on the driver before the first task: finds weights, picks a backend, checks parameters, and returns
   * parameters in which everything is decided, so that every worker does the same.
   */
  prepare?(params: P, context: DriverContext): Promise<P>;
  /** Key-value pairs about prepared parameters for the Parquet file's metadata, such as which weights made it. */
  metadata?(params: P): Readonly<Record<string, string>>;
}

/** A built-in column function. `create` is the set-up, once per worker and parameters. */
export interface BuiltinColumnFunction<P extends Json = Json> extends BuiltinBase<P> {
  readonly shape: "column";
  /**
   * The type of the result, from the types of the arguments, which it checks before any work starts.
   * @throws IllegalArgumentError
   */
  readonly returns: (params: P, args: readonly DataType[]) => DataType;
  create(params: P, context: WorkerContext, uses?: Readonly<Record<string, UserCall>>): Promise<ColumnFunction>;
}

/** A built-in table function. `create` is called once per partition, so it may gather state. */
export interface BuiltinTableFunction<P extends Json = Json> extends BuiltinBase<P> {
  readonly shape: "table";
  /** The schema of the result. Checks that of the input before any work starts. @throws IllegalArgumentError */
  readonly returns: (params: P, input: StructType) => StructType;
  create(params: P, context: WorkerContext): Promise<TableFunction>;
}

export type BuiltinFunction = BuiltinColumnFunction | BuiltinTableFunction;

/** Keeps a built-in's parameter type inside its definition while the registry holds them all alike. */
export function defineBuiltin<P extends Json>(fn: BuiltinColumnFunction<P> | BuiltinTableFunction<P>): BuiltinFunction {
  return fn as unknown as BuiltinFunction;
}
