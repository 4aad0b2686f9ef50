import { type RecordBatch, tableFromIPC } from "apache-arrow";
import { ParquetFile } from "parquet-wasm";
import { throwIfAborted } from "../errors";
import { storageFor } from "../storage";
import { CorruptParquetError } from "./errors";

export interface ReadOptions {
  /** Top-level columns; absent: all. */
  readonly columns?: readonly string[];
  /** From the first to before the second row of the file; absent: all rows. */
  readonly rows?: readonly [number, number];
  /** Most rows in a batch. @default 1024 */
  readonly batchSize?: number;
  readonly signal?: AbortSignal;
}

/**
 * The rows of one Parquet file, in order. Memory holds one row group at a time, not the file; only the row groups and
 * columns asked for are read.
 * @throws CorruptParquetError
 */
export async function* readParquetBatches(url: string, options: ReadOptions = {}): AsyncGenerator<RecordBatch> {
  const { columns, batchSize = 1024, signal } = options;
  const blob = await storageFor(url).openBlob(url);
  const file = await corruptIfFails(url, () => ParquetFile.fromFile(blob));
  try {
    const [from, to] = options.rows ?? [0, Number.MAX_SAFE_INTEGER];
    let groupStart = 0;
    for (const [group, groupRows] of rowGroupSizes(file).entries()) {
      const start = Math.max(from, groupStart);
      const end = Math.min(to, groupStart + groupRows);
      if (start < end) {
        throwIfAborted(signal);
        const table = await corruptIfFails(url, () =>
          file.read({ rowGroups: [group], batchSize, ...(columns ? { columns: [...columns] } : {}) }),
        );
        const wanted = tableFromIPC(table.intoIPCStream()).slice(start - groupStart, end - groupStart);
        for (const batch of wanted.batches) yield* sliceBatch(batch, batchSize);
      }
      groupStart += groupRows;
    }
  } finally {
    file.free();
  }
}

/** What a Parquet file says of itself, from its footer alone. */
export interface ParquetFooter {
  readonly rows: number;
  readonly rowGroups: readonly number[];
  readonly metadata: ReadonlyMap<string, string>;
}

/** Reads a file's footer. @throws CorruptParquetError */
export async function readParquetFooter(url: string): Promise<ParquetFooter> {
  const blob = await storageFor(url).openBlob(url);
  const file = await corruptIfFails(url, () => ParquetFile.fromFile(blob));
  try {
    const metadata = file.metadata().fileMetadata();
    return { rows: metadata.numRows(), rowGroups: rowGroupSizes(file), metadata: metadata.keyValueMetadata() };
  } finally {
    file.free();
  }
}

function rowGroupSizes(file: ParquetFile): number[] {
  const metadata = file.metadata();
  return Array.from({ length: metadata.numRowGroups() }, (_, i) => metadata.rowGroup(i).numRows());
}

function* sliceBatch(batch: RecordBatch, size: number): Generator<RecordBatch> {
  for (let start = 0; start < batch.numRows; start += size) yield batch.slice(start, start + size);
}

async function corruptIfFails<T>(url: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new CorruptParquetError(url, error);
  }
}
