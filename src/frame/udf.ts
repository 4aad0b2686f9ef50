import type { SourceFunction } from "../data/batch-function";
import type { DataType, StructType } from "../data/types";
import { structType } from "../data/types";
import { IllegalArgumentError } from "../errors";
import { type ModuleFunction, type RowFunction, sourceFunction, type UserFunctionOptions } from "../user-functions";
import { type CastResult, Column, unaliased } from "./column";
import { parseDataType, parseSchema, type TypeName } from "./ddl";
import type { BatchExpression } from "./plan";

export interface UdfOptions<Type extends TypeName | (string & {}) | DataType = DataType> extends UserFunctionOptions {
  /** The type of the result, as a Spark name such as `"double"` or `"array<float>"`, or as a data type. */
  readonly returns: Type;
  /** What a row does for which the function throws: fail the job, or become null with the reason in `errorColumn`. @default "fail" */
  readonly onError?: "fail" | "null";
  /** The column that takes the reason where `onError` is `"null"`. @default "error" */
  readonly errorColumn?: string;
}

export interface MapBatchesOptions extends UserFunctionOptions {
  /** The columns that the function returns: `{ path: "string", brightness: "double" }`, text such as `path STRING`, or a schema. */
  readonly schema: StructType | string | Readonly<Record<string, TypeName | (string & {}) | DataType>>;
}

/** A batch of rows as columns of equal length; null where a value is missing. */
export type BatchColumns = Record<string, unknown[]>;

/** A batch that a function returns. Typed arrays are welcome; the number of rows may differ from the input's. */
export type BatchResult = Readonly<Record<string, ArrayLike<unknown>>>;

/** A function over whole batches. @see UserFunctionOptions for what it may use. */
// biome-ignore lint/suspicious/noExplicitAny: the caller says what its columns hold, and a cell should not have to cast.
export type BatchMapper = (batch: any) => BatchResult | Promise<BatchResult>;

/** The TypeScript type of values of a Spark type, as a row holds them. */
export type ResultOf<Type> = Type extends "array<float>" | "array<double>"
  ? CastResult<Type>
  : Type extends `array<${infer Element}>`
    ? ResultOf<Element>[]
    : CastResult<Type>;

// biome-ignore lint/suspicious/noExplicitAny: the caller's parameter types are its own; rows are checked by the result's type.
type ColumnsFunction = (...columns: any[]) => ArrayLike<unknown> | Promise<ArrayLike<unknown>>;

/**
 * Makes a column function of a function of one row's values. A null goes in as null; null or undefined coming out is
 * null. `async` functions are awaited row by row.
 *
 *     const ratio = udf((w: number, h: number) => w / h, { returns: "double" });
 *     df.select(ratio("width", col("height")).alias("ratio"))
 *
 * @throws CapturedVariableError if it uses a variable that is neither in `broadcast` nor in `imports`
 * @throws UnsupportedFunctionError, BroadcastValueError, ImportBundleError
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.udf.html
 */
export function udf<Type extends TypeName | (string & {}) | DataType>(
  fn: RowFunction | ModuleFunction,
  options: UdfOptions<Type>,
): (...columns: readonly (Column | string)[]) => Column<string, ResultOf<Type>> {
  return columnFunction(fn, options, "row");
}

/**
 * Makes a column function of a function of a batch's columns, each as an array; it returns as many values as it got.
 * The place of PySpark's `pandas_udf`.
 *
 *     const centred = batchUdf((xs: number[]) => xs.map((x) => x - 127.5), { returns: "double" });
 *
 * @throws as {@link udf}
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.pandas_udf.html
 */
export function batchUdf<Type extends TypeName | (string & {}) | DataType>(
  fn: ColumnsFunction | ModuleFunction,
  options: UdfOptions<Type>,
): (...columns: readonly (Column | string)[]) => Column<string, ResultOf<Type>> {
  return columnFunction(fn, options, "batch");
}

/**
 * Checks a function for `df.mapBatches` and gives the parts of its plan.
 * @throws as {@link udf}
 */
export function defineMapBatches(
  fn: BatchMapper | ModuleFunction,
  options: MapBatchesOptions,
): { readonly fn: SourceFunction; readonly schema: StructType } {
  return { fn: sourceFunction(fn, options, "batch", "mapBatches"), schema: schemaOf(options.schema) };
}

function columnFunction<R>(
  fn: RowFunction | ModuleFunction,
  options: UdfOptions<TypeName | (string & {}) | DataType>,
  form: SourceFunction["form"],
): (...columns: readonly (Column | string)[]) => Column<string, R> {
  const returns = typeof options.returns === "string" ? parseDataType(options.returns) : options.returns;
  if (!returns) {
    throw new IllegalArgumentError("A udf needs the type of its result.", { remedy: 'E.g. { returns: "double" }.' });
  }
  const spec = sourceFunction(fn, options, form, form === "row" ? "udf" : "batchUdf");
  const onError: BatchExpression["onError"] =
    options.onError === "null" ? { kind: "null", errorColumn: options.errorColumn ?? "error" } : { kind: "fail" };
  if (options.onError === "null" && form === "batch") {
    throw new IllegalArgumentError("batchUdf computes its rows together, so that none can fail alone.", {
      remedy: 'Use udf for onError: "null".',
    });
  }
  // Workers count the rows by their columns.
  const needed = Math.max(1, typeof fn === "function" ? fn.length : 0);
  return (...columns) => {
    if (columns.length < needed) {
      throw new IllegalArgumentError(
        `${spec.name} takes ${needed} column${needed === 1 ? "" : "s"} but got ${columns.length}.`,
        {
          remedy: "Name one column for each parameter of the function.",
        },
      );
    }
    const args = columns.map((column) =>
      typeof column === "string" ? ({ kind: "column", name: column } as const) : unaliased(column.expression),
    );
    return new Column<string, R>({ kind: "batch", fn: spec, args, returns, onError });
  };
}

function schemaOf(schema: MapBatchesOptions["schema"]): StructType {
  if (typeof schema === "string") return parseSchema(schema);
  if (!schema || typeof schema !== "object") {
    throw new IllegalArgumentError("mapBatches needs the schema of what it returns.", {
      remedy: 'E.g. { schema: { path: "string", brightness: "double" } }.',
    });
  }
  if (isStructType(schema)) return schema;
  const types = Object.entries(schema).map(([name, type]): [string, DataType] => [
    name,
    typeof type === "string" ? parseDataType(type) : type,
  ]);
  return structType(Object.fromEntries(types));
}

function isStructType(schema: object): schema is StructType {
  return (schema as StructType).type === "struct" && Array.isArray((schema as StructType).fields);
}
