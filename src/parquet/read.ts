import { type RecordBatch, tableFromIPC } from "apache-arrow";
import { PomonaError, throwIfAborted } from "../errors";
import { type Place, type RangeSource, rangeSource } from "../storage";
import { CorruptParquetError } from "./errors";
import { footerOfBytes, readParquetFooter } from "./footer";
import { trapped, trappedLater } from "./wasm";

export interface ReadOptions {
  /** Top-level columns; absent: all. */
  readonly columns?: readonly string[];
  /** From the first to before the second row of the file; absent: all rows. */
  readonly rows?: readonly [number, number];
  /** Most rows in a batch. @default 1024 */
  readonly batchSize?: number;
  readonly signal?: AbortSignal;
}

/** Most rows of several row groups that are read together. */
const RUN_ROWS = 1024;

/** Up to this size a file is read at once, which is faster. */
const WHOLE_FILE_BYTES = 64 * 1024 * 1024;

/**
 * The rows of one Parquet file, in order. Memory holds one row group at a time (and a small file's bytes); only the row
 * groups and columns asked for are decoded. Whatever the file holds, the process goes on.
 * @throws CorruptParquetError
 */
export async function* readParquetBatches(file: Place, options: ReadOptions = {}): AsyncGenerator<RecordBatch> {
  const { columns, batchSize = 1024, signal } = options;
  const { url } = file;
  const read = await rowGroupReader(file, columns, batchSize);
  try {
    const [from, to] = options.rows ?? [0, Number.MAX_SAFE_INTEGER];
    for (const run of runsOfGroups(read.rowGroups)) {
      const start = Math.max(from, run.start);
      const end = Math.min(to, run.start + run.rows);
      if (start >= end) continue;
      throwIfAborted(signal);
      const table = await corruptIfFails(url, async () => {
        const whole = tableFromIPC(await read.groups(run.groups));
        if (whole.numRows !== run.rows) throw new Error(`it has ${whole.numRows} rows where ${run.rows} are announced`);
        return whole;
      });
      const rows = table.slice(start - run.start, end - run.start);
      // readParquet of parquet-wasm 0.8.0 decodes every column, whatever it is asked for.
      const selected = columns ? rows.select([...columns]) : rows;
      for (const batch of selected.batches) yield* sliceBatch(batch, batchSize);
    }
  } finally {
    read.close();
  }
}

/** Row groups that are read in one go. */
interface GroupRun {
  readonly groups: number[];
  /** The first row, counted in the file. */
  readonly start: number;
  rows: number;
}

/** Tiny row groups together: every read begins with the whole footer, which thousands of them make long. */
function runsOfGroups(rowGroups: readonly number[]): GroupRun[] {
  const runs: GroupRun[] = [];
  let start = 0;
  for (const [group, rows] of rowGroups.entries()) {
    const last = runs.at(-1);
    if (last && last.rows + rows <= RUN_ROWS) {
      last.groups.push(group);
      last.rows += rows;
    } else runs.push({ groups: [group], start, rows });
    start += rows;
  }
  return runs;
}

/** Gives row groups as Arrow's stream format. */
interface RowGroupReader {
  /** Rows of each row group. */
  readonly rowGroups: readonly number[];
  groups(indices: readonly number[]): Uint8Array | Promise<Uint8Array>;
  close(): void;
}

async function rowGroupReader(
  place: Place,
  columns: readonly string[] | undefined,
  batchSize: number,
): Promise<RowGroupReader> {
  const wanted = (groups: readonly number[]) => ({
    rowGroups: [...groups],
    batchSize,
    ...(columns ? { columns: [...columns] } : {}),
  });
  const { storage, url } = place;
  const status = await storage.stat(url);
  const size = status === undefined || status === "folder" ? 0 : status.size;
  if (size <= WHOLE_FILE_BYTES) {
    const bytes = await storage.readFile(url);
    return {
      rowGroups: footerOfBytes(bytes, url).rowGroups,
      groups: (groups) => trapped((wasm) => wasm.readParquet(bytes, wanted(groups)).intoIPCStream()),
      close() {},
    };
  }
  const { rowGroups } = await readParquetFooter(place, size);
  const blob = blobOf(rangeSource(place, size));
  const file = await corruptIfFails(url, () => trappedLater((wasm) => wasm.ParquetFile.fromFile(blob)));
  return {
    rowGroups,
    groups: async (groups) => (await trappedLater(() => file.read(wanted(groups)))).intoIPCStream(),
    close: () => file.free(),
  };
}

/** The part of a Blob that parquet-wasm asks for: its size, and the bytes of slices. */
function blobOf(source: RangeSource): Blob {
  return {
    size: source.byteLength,
    slice: (start: number, end: number) => ({
      arrayBuffer: async () => {
        const bytes = await source.slice(start, end);
        return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
      },
    }),
  } as unknown as Blob;
}

function* sliceBatch(batch: RecordBatch, size: number): Generator<RecordBatch> {
  for (let start = 0; start < batch.numRows; start += size) yield batch.slice(start, start + size);
}

async function corruptIfFails<T>(url: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof PomonaError ? error : new CorruptParquetError(url, error);
  }
}
