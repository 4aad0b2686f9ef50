import { type RecordBatch, Schema, type Vector } from "apache-arrow";
import { sparkSchema, sparkType } from "../data/arrow";
import type {
  BatchPlace,
  ColumnFunction,
  RowError,
  SourceFunction,
  TableFunction,
  UserCall,
  WorkerContext,
} from "../data/batch-function";
import type { DataType, StructField, StructType } from "../data/types";
import { batchFromColumns, valuesFromVector } from "../data/vectors";
import { throwIfAborted } from "../errors";
import { type CompiledFunction, compileSource } from "./user-code";
import { columnFromResults, describe, UserFunctionResultError } from "./user-result";
import { userFunctionError } from "./user-stack";

export { UserFunctionResultError } from "./user-result";
export { UserFunctionError } from "./user-stack";

/** Sets up a user's function of one row's values or of a batch's columns as arrays. */
export async function sourceColumnFunction(
  spec: SourceFunction,
  returns: DataType,
  context: WorkerContext,
): Promise<ColumnFunction> {
  const compiled = await compileSource(spec, context);
  const apply = spec.form === "row" ? applyToRows : applyToColumns;
  return { apply: (args, rowError, place) => apply(compiled, args, returns, context, rowError, place) };
}

/** Sets up a user's function of `{ column: values[] }`, which returns the columns of `schema`. */
export async function sourceTableFunction(
  spec: SourceFunction,
  schema: StructType,
  context: WorkerContext,
): Promise<TableFunction> {
  const compiled = await compileSource(spec, context);
  return { apply: (batch, place) => applyToBatch(compiled, batch, schema, context, place) };
}

/** Sets up a user's function that a built-in calls. */
export async function userCall(spec: SourceFunction, context: WorkerContext): Promise<UserCall> {
  const compiled = await compileSource(spec, context);
  return async (_row, ...args) => {
    try {
      return await compiled.call(args);
    } catch (error) {
      // The built-in's own error says which row.
      throw userFunctionError(compiled, error, undefined);
    }
  };
}

async function applyToRows(
  fn: CompiledFunction,
  args: readonly Vector[],
  returns: DataType,
  context: WorkerContext,
  rowError: RowError,
  place: BatchPlace,
): Promise<Vector> {
  const columns = args.map((vector) => valuesFromVector(vector, sparkType(vector.type)));
  const rows = args[0]?.length ?? 0;
  const results = new Array<unknown>(rows).fill(null);
  for (let row = 0; row < rows; row++) {
    if (row % 256 === 0) throwIfAborted(context.signal);
    try {
      const result = fn.call(columns.map((column) => column[row]));
      // Awaiting only what needs it keeps a plain function at full speed.
      results[row] = isPromise(result) ? await result : result;
    } catch (error) {
      rowError(row, userFunctionError(fn, error, place.row(row)));
    }
  }
  const where = (row: number, problem: Error) => {
    results[row] = null;
    rowError(row, problem);
  };
  const of = { functionName: fn.spec.name, column: undefined, row: (row: number) => place.row(row) };
  return columnFromResults(results, returns, of, where);
}

async function applyToColumns(
  fn: CompiledFunction,
  args: readonly Vector[],
  returns: DataType,
  _context: WorkerContext,
  _rowError: RowError,
  place: BatchPlace,
): Promise<Vector> {
  const rows = args[0]?.length ?? 0;
  const columns = args.map((vector) => valuesFromVector(vector, sparkType(vector.type)));
  const result = await run(fn, columns, place);
  const functionName = fn.spec.name;
  if (!isArrayLike(result)) {
    throw new UserFunctionResultError(
      { functionName, found: describe(result) },
      `${functionName} returned ${describe(result)} for a batch of ${rows} rows.`,
      "Return an array with one value for each row.",
    );
  }
  if (result.length !== rows) {
    throw new UserFunctionResultError(
      { functionName, found: `${result.length} values` },
      `${functionName} returned ${result.length} values for a batch of ${rows} rows.`,
      "Return one value for each row, in the same order; use mapBatches to change the number of rows.",
    );
  }
  const of = { functionName, column: undefined, row: (row: number) => place.row(row) };
  return columnFromResults(Array.from(result), returns, of, fail);
}

async function applyToBatch(
  fn: CompiledFunction,
  batch: RecordBatch,
  schema: StructType,
  context: WorkerContext,
  place: BatchPlace,
): Promise<RecordBatch | undefined> {
  if (batch.numRows === 0) return undefined;
  throwIfAborted(context.signal);
  const input = Object.fromEntries(
    sparkSchema(new Schema(batch.schema.fields)).fields.map((field, i) => [
      field.name,
      valuesFromVector(batch.getChildAt(i) as Vector, field.type),
    ]),
  );
  const columns = resultColumns(fn.spec.name, await run(fn, [input], place), schema);
  const rows = columns[0]?.values.length ?? 0;
  const vectors = columns.map(({ field, values }) => {
    const row = (returned: number) => `row ${returned} of what it made of ${place.rows}`;
    const of = { functionName: fn.spec.name, column: field.name, nullable: field.nullable, row };
    return { name: field.name, vector: columnFromResults(values, field.type, of, fail) };
  });
  return rows === 0 ? undefined : batchFromColumns(vectors, rows);
}

/** The declared columns of what a batch function returned, in the schema's order. */
function resultColumns(
  functionName: string,
  result: unknown,
  schema: StructType,
): { field: StructField; values: readonly unknown[] }[] {
  const wanted = schema.fields.map((field) => field.name);
  if (typeof result !== "object" || result === null || isArrayLike(result)) {
    throw new UserFunctionResultError(
      { functionName, found: describe(result) },
      `${functionName} returned ${describe(result)} where an object of columns is wanted.`,
      `Return { ${wanted.map((name) => `${name}: [...]`).join(", ")} }.`,
    );
  }
  const found = Object.keys(result);
  const extra = found.filter((name) => !wanted.includes(name));
  for (const column of wanted.filter((name) => !found.includes(name))) {
    throw new UserFunctionResultError(
      { functionName, column, found: "nothing" },
      `${functionName} returned no column "${column}", only ${found.join(", ") || "an empty object"}.`,
      `Return it, or take it out of the schema (${wanted.join(", ")}).`,
    );
  }
  if (extra[0] !== undefined) {
    throw new UserFunctionResultError(
      { functionName, column: extra[0], found: extra.join(", ") },
      `${functionName} returned the column "${extra[0]}", which is not in the schema (${wanted.join(", ")}).`,
      "Add it to the schema, or do not return it.",
    );
  }
  const columns = schema.fields.map((field) => {
    const values = (result as Record<string, unknown>)[field.name];
    if (isArrayLike(values)) return { field, values: Array.from(values) };
    throw new UserFunctionResultError(
      { functionName, column: field.name, found: describe(values) },
      `${functionName} returned ${describe(values)} as column "${field.name}" where an array is wanted.`,
      "Return an array with a value for each row.",
    );
  });
  const first = columns[0];
  const odd = columns.find(({ values }) => values.length !== first?.values.length);
  if (first && odd) {
    throw new UserFunctionResultError(
      { functionName, column: odd.field.name, found: `${odd.values.length} values` },
      `${functionName} returned ${odd.values.length} values in column "${odd.field.name}" but ${first.values.length} in "${first.field.name}".`,
      "Return columns of the same length.",
    );
  }
  return columns;
}

async function run(fn: CompiledFunction, args: readonly unknown[], place: BatchPlace): Promise<unknown> {
  try {
    return await fn.call(args);
  } catch (error) {
    throw userFunctionError(fn, error, place.rows);
  }
}

function fail(_row: number, problem: Error): never {
  throw problem;
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as PromiseLike<unknown>).then === "function";
}

function isArrayLike(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}
