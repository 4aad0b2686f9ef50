import type { RecordBatch } from "apache-arrow";
import type { WorkerContext } from "../data/batch-function";
import { throwIfAborted } from "../errors";
import { type FooterCache, footerCache, readParquetBatches, writeParquet } from "../parquet";
import type { Storages } from "../storage";
import type { Draft } from "../storage/drafts";
import { applySteps, type Batches } from "./apply-steps";
import type { FunctionCache } from "./function-cache";
import type { Task, TaskOutput, TaskResult } from "./task";

/** Bytes of footers that a worker keeps. */
const WORKER_FOOTER_BYTES = 4 * 1024 * 1024;

/**
 * Runs one task: reads its rows batch by batch, applies the steps to each, and streams the result into one Parquet part.
 * @param onProgress called after each batch with the rows read so far.
 */
export async function runTask(
  task: Task,
  worker: WorkerContext,
  storages: Storages,
  functions: FunctionCache,
  onProgress: (rows: number) => void,
): Promise<TaskResult> {
  let failedRows = 0;
  const input = countRows(readInput(task, storages, worker.signal), worker.signal, onProgress);
  const output = await applySteps(input, task.steps, {
    worker,
    functions,
    partition: task.partition,
    firstRow: task.input.firstRow,
    onFailedRow: () => {
      failedRows++;
    },
  });
  const { schema, compression, metadata } = task.output;
  const take = (chunks: AsyncIterable<Uint8Array>) => writePart(task.output, storages, chunks);
  const { rows, written } = await writeParquet(take, output, { schema, compression, metadata });
  throwIfAborted(worker.signal);
  return { rows, ...written, failedRows };
}

/** Puts a part where it stays, or drafts it. */
async function writePart(
  { url, publishedAt }: TaskOutput,
  storages: Storages,
  chunks: AsyncIterable<Uint8Array>,
): Promise<{ readonly bytes: number; readonly draft?: Draft }> {
  if (publishedAt === undefined) return { bytes: await storages.for(url).writeStream(url, chunks) };
  const draft = await storages.for(url).drafts.write({ url: publishedAt, heldAt: url }, chunks);
  return { bytes: draft.bytes, draft };
}

const footers = new WeakMap<Storages, FooterCache>();

/** A worker's tasks read several ranges of the same file. */
function footersOf(storages: Storages): FooterCache {
  const kept = footers.get(storages) ?? footerCache(storages, WORKER_FOOTER_BYTES);
  footers.set(storages, kept);
  return kept;
}

async function* readInput(task: Task, storages: Storages, signal: AbortSignal): AsyncGenerator<RecordBatch> {
  for (const { url, rows, size, version } of task.input.files) {
    yield* readParquetBatches(
      { url, storage: storages.for(url) },
      {
        batchSize: task.batchSize,
        signal,
        ...(task.input.columns ? { columns: task.input.columns } : {}),
        ...(rows ? { rows } : {}),
        ...(size === undefined ? {} : { size }),
        ...(version === undefined ? {} : { version }),
        footers: footersOf(storages),
      },
    );
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
