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
import { PomonaError } from "../errors";
import { cachedFunction, type FunctionCache } from "./function-cache";
import { builtinFunction } from "./registry";
import { batchPlace, type Numbering, rowNameOf } from "./row-places";
import type { Step } from "./task";
import { RowFailedError } from "./task-errors";
import { sourceColumnFunction, sourceTableFunction, userCall } from "./user-function";

/** Rows, batch by batch. */
export type Batches = AsyncIterable<RecordBatch>;

/** What steps see of where they are applied. */
export interface StepContext {
  readonly worker: WorkerContext;
  readonly functions: FunctionCache;
  /** The task's number in its stage, for messages. */
  readonly partition: number;
  /** The number, from 0, that the first row has in the stage's whole input; undefined where nobody numbers that. */
  readonly firstRow?: number;
  /** Called for each row that is kept as null by `onError: "null"`. */
  onFailedRow(): void;
}

/**
 * Applies a task's steps to batches, wherever those come from and go to. Functions are set up before it returns; nothing is
 * read of the input until somebody asks for the output.
 * @throws RowFailedError and what functions throw, as the output is read
 */
export async function applySteps(batches: Batches, steps: readonly Step[], context: StepContext): Promise<Batches> {
  const { firstRow, partition } = context;
  const transforms: Transform[] = [];
  let numbering: Numbering =
    firstRow === undefined
      ? { first: 0, what: `the input of task ${partition}` }
      : { first: firstRow, what: "its input" };
  for (const step of steps) {
    transforms.push(await transformOf(step, numbering, context));
    // How many rows a table function made for the tasks before this one is not known here.
    if (step.kind === "table") numbering = { first: 0, what: `what ${step.fn.name} made in task ${partition}` };
  }
  return transforms.reduce((input, transform) => transform(input), batches);
}

/** Begins to set up the steps' functions, for tasks to come; what fails is tried again, and told, by the first task. */
export function prepareFunctions(steps: readonly Step[], context: WorkerContext, functions: FunctionCache): void {
  for (const step of steps) {
    if (step.kind === "column" && step.fn.kind === "builtin") columnFunction(step, context, functions).catch(() => {});
  }
}

type Transform = (input: Batches) => Batches;

async function transformOf(
  step: Step,
  numbering: Numbering,
  { worker, functions, onFailedRow }: StepContext,
): Promise<Transform> {
  switch (step.kind) {
    case "select":
      return mapBatches((batch) => selectColumns(batch, step.columns));
    case "column": {
      const fn = await columnFunction(step, worker, functions);
      const add = (batch: RecordBatch, first: number) =>
        addColumn(batch, step, fn, { ...numbering, first: numbering.first + first }, onFailedRow);
      return step.fn.name === "binaryFile.content" ? mapAhead(add, step.as) : mapBatches(add);
    }
    case "table": {
      const fn = await tableFunction(step, worker);
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
  return cachedFunction(functions, JSON.stringify([fn, step.type]), () =>
    fn.kind === "source" ? sourceColumnFunction(fn, step.type, context) : builtinColumnFunction(fn, context),
  );
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
function mapBatches(map: (batch: RecordBatch, before: number) => Promise<RecordBatch> | RecordBatch): Transform {
  return async function* (input) {
    let before = 0;
    for await (const batch of input) {
      yield await map(batch, before);
      before += batch.numRows;
    }
  };
}

/** Bytes of files that are read while those before are computed with, and how many batches of them at most. */
const AHEAD_BYTES = 32 * 1024 * 1024;
const AHEAD_BATCHES = 2;

/**
 * The same where `map` waits for a storage: it begins with the next batches before the one at hand is done with, as long as
 * they are small. What fails is told where its batch's turn comes.
 * @param column what `map` adds; batches to come are taken to be as large as the largest so far
 */
function mapAhead(map: (batch: RecordBatch, before: number) => Promise<RecordBatch>, column: string): Transform {
  return async function* (input) {
    const batches = input[Symbol.asyncIterator]();
    const begun: Promise<RecordBatch | undefined>[] = [];
    let [before, largest, isOver] = [0, 0, false];
    let pulled: Promise<unknown> = Promise.resolve();
    const begin = async (pull: Promise<IteratorResult<RecordBatch, unknown>>) => {
      const { value, done } = await pull;
      if (done) {
        isOver = true;
        return undefined;
      }
      const first = before;
      before += value.numRows;
      return map(value, first);
    };
    const beginOne = () => {
      // The input gives one batch after the other; files of several are read at once.
      const pull = pulled.then(() => batches.next());
      pulled = pull;
      const next = begin(pull);
      next.catch(() => undefined);
      begun.push(next);
    };
    try {
      for (beginOne(); begun.length > 0; ) {
        const batch = await begun.shift();
        if (!batch) return;
        largest = Math.max(largest, bytesOf(batch.getChild(column)));
        const ahead = Math.min(AHEAD_BATCHES, Math.floor(AHEAD_BYTES / Math.max(largest, 1)));
        while (!isOver && begun.length < ahead) beginOne();
        yield batch;
        if (!isOver && begun.length === 0) beginOne();
      }
    } finally {
      await batches.return?.();
    }
  };
}

function bytesOf(vector: Vector | null): number {
  return vector?.data.reduce((sum, { values }) => sum + ((values as Uint8Array | undefined)?.byteLength ?? 0), 0) ?? 0;
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
