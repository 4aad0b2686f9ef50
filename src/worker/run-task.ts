import type { RecordBatch } from "apache-arrow";
import type { WorkerContext } from "../data/batch-function";
import { throwIfAborted } from "../errors";
import { readParquetBatches, writeParquetFile } from "../parquet";
import { applySteps, type Batches, type FunctionCache } from "./apply-steps";
import type { Task, TaskResult } from "./task";

/**
 * Runs one task: reads its rows batch by batch, applies the steps to each, and streams the result into one Parquet part.
 * @param onProgress called after each batch with the rows read so far.
 */
export async function runTask(
  task: Task,
  worker: WorkerContext,
  functions: FunctionCache,
  onProgress: (rows: number) => void,
): Promise<TaskResult> {
  let failedRows = 0;
  const input = countRows(readInput(task, worker.signal), worker.signal, onProgress);
  const output = await applySteps(input, task.steps, {
    worker,
    functions,
    partition: task.partition,
    firstRow: task.input.firstRow,
    onFailedRow: () => {
      failedRows++;
    },
  });
  const { url, schema, compression, metadata } = task.output;
  const written = await writeParquetFile(url, output, { schema, compression, metadata });
  throwIfAborted(worker.signal);
  return { ...written, failedRows };
}

async function* readInput(task: Task, signal: AbortSignal): AsyncGenerator<RecordBatch> {
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
