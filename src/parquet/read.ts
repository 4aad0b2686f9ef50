import { type RecordBatch, tableFromIPC } from "apache-arrow";
import { ParquetFile, readParquet } from "parquet-wasm";
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

/** Up to this size a file is read at once, which is faster and lets a damaged page be caught as an error. */
const WHOLE_FILE_BYTES = 64 * 1024 * 1024;

/**
 * The rows of one Parquet file, in order. Memory holds one row group at a time (and a small file's bytes); only the row
 * groups and columns asked for are decoded.
 * @throws CorruptParquetError
 */
export async function* readParquetBatches(url: string, options: ReadOptions = {}): AsyncGenerator<RecordBatch> {
  const { columns, batchSize = 1024, signal } = options;
  const blob = await storageFor(url).openBlob(url);
  const file = await corruptIfFails(url, () => ParquetFile.fromFile(blob));
  const bytes = blob.size <= WHOLE_FILE_BYTES ? new Uint8Array(await blob.arrayBuffer()) : undefined;
  try {
    const [from, to] = options.rows ?? [0, Number.MAX_SAFE_INTEGER];
    let groupStart = 0;
    for (const [group, groupRows] of rowGroupSizes(file).entries()) {
      const start = Math.max(from, groupStart);
      const end = Math.min(to, groupStart + groupRows);
      if (start < end) {
        throwIfAborted(signal);
        const wanted = { rowGroups: [group], batchSize, ...(columns ? { columns: [...columns] } : {}) };
        const table = await corruptIfFails(url, async () => (bytes ? readParquet(bytes, wanted) : file.read(wanted)));
        const rows = tableFromIPC(table.intoIPCStream()).slice(start - groupStart, end - groupStart);
        // readParquet of parquet-wasm 0.8.0 decodes every column, whatever it is asked for.
        const selected = columns ? rows.select([...columns]) : rows;
        for (const batch of selected.batches) yield* sliceBatch(batch, batchSize);
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
