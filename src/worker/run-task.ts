import type { RecordBatch, Vector } from "apache-arrow";
import type {
  BuiltinColumnFunction,
  BuiltinTableFunction,
  ColumnFunction,
  FunctionSpec,
  TableFunction,
  UserCall,
  WorkerContext,
} from "../data/batch-function";
import { VectorRowError } from "../data/matrix";
import { type BatchColumn, batchFromColumns, vectorFromValues } from "../data/vectors";
import { PomonaError, throwIfAborted } from "../errors";
import { readParquetBatches, writeParquetFile } from "../parquet";
import { builtinFunction } from "./registry";
import { batchPlace, type Numbering, rowNameOf } from "./row-places";
import type { RemoteError, Step, Task, TaskResult } from "./task";
import {
  sourceColumnFunction,
  sourceTableFunction,
  UserFunctionError,
  UserFunctionResultError,
  userCall,
} from "./user-function";

/** A row's value could not be computed. `path` is the row's, where the step says which column has it. */
export class RowFailedError extends PomonaError {
  readonly path: string | undefined;

  constructor(step: string, where: string, path: string | undefined, cause: Error) {
    // What a user's function did wrong says so itself.
    const isTold =
      cause instanceof UserFunctionResultError || (cause instanceof UserFunctionError && cause.functionName === step);
    super(isTold ? cause.message : `${step} failed${where}: ${cause.message}`, {
      cause,
      retryable: cause instanceof PomonaError ? cause.retryable : true,
    });
    this.path = path;
  }
}

/** What a worker keeps between tasks: functions that were set up, by what they are. */
export type FunctionCache = Map<string, Promise<ColumnFunction>>;

/**
 * Runs one task: reads its rows batch by batch, applies the steps to each, and streams the result into one Parquet part.
 * @param onProgress called after each batch with the rows read so far.
 */
export async function runTask(
  task: Task,
  context: WorkerContext,
  functions: FunctionCache,
  onProgress: (rows: number) => void,
): Promise<TaskResult> {
  let failedRows = 0;
  const onFailedRow = () => {
    failedRows++;
  };
  const stages: BatchStage[] = [];
  let numbering: Numbering = { first: task.input.firstRow, what: "its input" };
  for (const step of task.steps) {
    stages.push(await prepareStep(step, numbering, context, functions, onFailedRow));
    // How many rows a table function made for the tasks before this one is not known here.
    if (step.kind === "table") numbering = { first: 0, what: `what ${step.fn.name} made in task ${task.partition}` };
  }
  const source = countRows(readInput(task, context.signal), context.signal, onProgress);
  const written = await writeParquetFile(
    task.output.url,
    stages.reduce<Batches>((input, stage) => stage(input), source),
    {
      schema: task.output.schema,
      compression: task.output.compression,
      metadata: task.output.metadata,
    },
  );
  throwIfAborted(context.signal);
  return { ...written, failedRows };
}

/** Begins to set up the steps' functions, for tasks to come; what fails is tried again, and told, by the first task. */
export function prepareFunctions(steps: readonly Step[], context: WorkerContext, functions: FunctionCache): void {
  for (const step of steps) {
    if (step.kind === "column" && step.fn.kind === "builtin") columnFunction(step, context, functions).catch(() => {});
  }
}

/** An error as data, with the remote stack and, where it belongs to one, the input path. */
export function remoteError(error: unknown): RemoteError {
  const e = error instanceof Error ? error : new Error(String(error));
  const cause = e.cause instanceof Error ? e.cause : undefined;
  // What called the row's function is of no use; where that itself failed is.
  const own = e instanceof RowFailedError ? cause : e;
  const causes = own instanceof UserFunctionError ? causeOf(own.cause) : own === e && cause ? causeOf(e) : "";
  return {
    name: e instanceof RowFailedError && cause ? cause.name : e.name,
    message: e.message,
    stack: `${own?.stack ?? e.stack ?? e.message}${causes}`,
    retryable: e instanceof PomonaError ? e.retryable : true,
    ...(e instanceof RowFailedError && e.path !== undefined ? { path: e.path } : {}),
  };
}

function causeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error ? `\nCaused by: ${cause.stack ?? cause.message}` : "";
}

type Batches = AsyncIterable<RecordBatch>;
type BatchStage = (input: Batches) => Batches;

async function* readInput(task: Task, signal: AbortSignal): Batches & AsyncGenerator<RecordBatch> {
  for (const { url, rows } of task.input.files) {
    yield* readParquetBatches(url, {
      batchSize: task.batchSize,
      signal,
      ...(task.input.columns ? { columns: task.input.columns } : {}),
      ...(rows ? { rows } : {}),
    });
  }
}

async function* countRows(input: Batches, signal: AbortSignal, onProgress: (rows: number) => void) {
  let rows = 0;
  for await (const batch of input) {
    throwIfAborted(signal);
    yield batch;
    // Control comes back here when the steps are done with the batch.
    rows += batch.numRows;
    onProgress(rows);
  }
}

async function prepareStep(
  step: Step,
  numbering: Numbering,
  context: WorkerContext,
  functions: FunctionCache,
  onFailedRow: () => void,
): Promise<BatchStage> {
  switch (step.kind) {
    case "select":
      return mapBatches((batch) => selectColumns(batch, step.columns));
    case "column": {
      const fn = await columnFunction(step, context, functions);
      return mapBatches((batch, first) =>
        addColumn(batch, step, fn, { ...numbering, first: numbering.first + first }, onFailedRow),
      );
    }
    case "table": {
      const fn = await tableFunction(step, context);
      return (input) => applyTable(input, fn, numbering);
    }
  }
}

function columnFunction(
  step: Extract<Step, { kind: "column" }>,
  context: WorkerContext,
  functions: FunctionCache,
): Promise<ColumnFunction> {
  const { fn } = step;
  const key = JSON.stringify([fn, step.type]);
  let created = functions.get(key);
  if (!created) {
    created = fn.kind === "source" ? sourceColumnFunction(fn, step.type, context) : builtinColumnFunction(fn, context);
    functions.set(key, created);
    // A set-up that failed, say for want of memory, is tried afresh by the next attempt.
    created.catch(() => functions.delete(key));
  }
  return created;
}

async function builtinColumnFunction(
  fn: Extract<FunctionSpec, { kind: "builtin" }>,
  context: WorkerContext,
): Promise<ColumnFunction> {
  const uses: Record<string, UserCall> = {};
  for (const [name, used] of Object.entries(fn.uses ?? {})) uses[name] = await userCall(used, context);
  return (builtinFunction(fn) as BuiltinColumnFunction).create(fn.params, context, uses);
}

async function tableFunction(step: Extract<Step, { kind: "table" }>, context: WorkerContext): Promise<TableFunction> {
  const { fn } = step;
  if (fn.kind === "source") return sourceTableFunction(fn, step.schema, context);
  return (builtinFunction(fn) as BuiltinTableFunction).create(fn.params, context);
}

/** @param map gets with a batch the number of rows before it */
function mapBatches(map: (batch: RecordBatch, before: number) => Promise<RecordBatch> | RecordBatch): BatchStage {
  return async function* (input) {
    let before = 0;
    for await (const batch of input) {
      yield await map(batch, before);
      before += batch.numRows;
    }
  };
}

async function* applyTable(
  input: Batches,
  fn: TableFunction,
  { first, what }: Numbering,
): Batches & AsyncGenerator<RecordBatch> {
  let before = first;
  try {
    for await (const batch of input) {
      const out = await fn.apply(batch, batchPlace(batch, { first: before, what }));
      before += batch.numRows;
      if (out && out.numRows > 0) yield out;
    }
    const last = await fn.finish?.();
    if (last && last.numRows > 0) yield last;
  } finally {
    await fn.close?.();
  }
}

async function addColumn(
  batch: RecordBatch,
  step: Extract<Step, { kind: "column" }>,
  fn: ColumnFunction,
  numbering: Numbering,
  onFailedRow: () => void,
): Promise<RecordBatch> {
  const earlier = step.errorAs === undefined ? null : batch.getChild(step.errorAs);
  const errors = Array.from({ length: batch.numRows }, (_, row) => (earlier?.get(row) ?? null) as string | null);
  const place = batchPlace(batch, numbering, step.rowName);
  const rowError = (row: number, problem: Error) => {
    const number = numbering.first + row;
    const isVector = problem instanceof VectorRowError;
    const error = isVector ? problem.at(number, `in row ${number} of ${numbering.what} (the first is row 0)`) : problem;
    if (step.errorAs === undefined) {
      const path = rowNameOf(batch, step.rowName, row);
      const where = path === undefined ? (isVector ? "" : ` on ${place.row(row)}`) : ` on ${path}`;
      throw new RowFailedError(step.fn.name, where, path, error);
    }
    if (errors[row] !== null) return;
    errors[row] = `${error.name}: ${error.message}`;
    onFailedRow();
  };
  const args = step.args.map((name) => columnOf(batch, name));
  const value = await fn.apply(args, rowError, place);
  const columns = [...columnsOf(batch).filter(({ name }) => name !== step.errorAs), { name: step.as, vector: value }];
  if (step.errorAs !== undefined) {
    columns.push({ name: step.errorAs, vector: vectorFromValues(errors, "string") });
  }
  return batchFromColumns(columns, batch.numRows);
}

function columnsOf(batch: RecordBatch): BatchColumn[] {
  return batch.schema.fields.map(({ name }, i) => ({ name, vector: batch.getChildAt(i)! }));
}

function columnOf(batch: RecordBatch, name: string): Vector {
  const vector = batch.getChild(name);
  if (!vector) throw new PomonaError(`The batch has no column "${name}", only ${batch.schema.names.join(", ")}.`);
  return vector;
}

function selectColumns(batch: RecordBatch, columns: readonly { readonly from: string; readonly as: string }[]) {
  return batchFromColumns(
    columns.map(({ from, as }) => ({ name: as, vector: columnOf(batch, from) })),
    batch.numRows,
  );
}
