import { readFileSync } from "node:fs";
import { join } from "node:path";

/*
 * What runs in an executor's Python worker, `executor_worker.py`, as Spark takes it: as its own source, so that nothing depends on
 * what pickles code in one version of Python and reads it in another.
 */

const PYTHON = readFileSync(join(__dirname, "executor_worker.py"), "utf8");

/** What the Python side is told, beside the task of `ArrowTask`. */
export interface BesideExecutor {
  /** What stands in the program's `about.json`. */
  readonly program: { readonly version: string; readonly hash: string };
  /** The folder that the packages with native parts were sent in. */
  readonly natives?: string;
  /** The path of the Node that was sent, in its folder. */
  readonly node?: string;
  /** The oldest version of Node that does. */
  readonly nodeVersion: readonly [major: number, minor: number];
}

/** What an executor has, as the probing function tells it. */
export interface ExecutorFound {
  readonly host: string;
  /** Such as `3.11.7`. */
  readonly python: string;
  /** Undefined where it does not load, and `problem` says why. */
  readonly pyarrow?: string;
  readonly problem?: string;
  /** As Node names them: `linux`, `x64`. */
  readonly platform: string;
  readonly arch: string;
  /** Of the C library, where that is glibc. */
  readonly glibc?: string;
  /** The version of the first Node that does; undefined where there is none. */
  readonly node?: string;
  /** Where this very program is installed. */
  readonly program?: string;
}

/** Stands before the JSON of a {@link RemoteError} in what Python raises. */
export const FAILED = "POMONA_FAILED ";

/** A function of Arrow batches that gives them to Node and its batches back. @param task as JSON, without what the executor knows @param preservesRows whether as many rows come back as go in */
export function mapperSource(beside: BesideExecutor, task: string, preservesRows: boolean): string {
  return functionOf(
    `mapper(${JSON.stringify(JSON.stringify(beside))}, ${JSON.stringify(task)}, ${preservesRows ? "True" : "False"})`,
    "StructType",
  );
}

/** A function of anything that tells what the executor has, as JSON of {@link ExecutorFound}. */
export function proberSource(beside: BesideExecutor): string {
  return functionOf(`prober(${JSON.stringify(JSON.stringify(beside))})`, "StringType");
}

/** An expression for the pair that Spark's Python worker takes: a function and what was said to be its type. */
function functionOf(call: string, type: string): string {
  const types = "__import__('pyspark.sql.types', fromlist=['types'])";
  return `(lambda own: (exec(${JSON.stringify(PYTHON)}, own), (eval(${JSON.stringify(call)}, own), ${types}.${type}()))[1])({})`;
}
