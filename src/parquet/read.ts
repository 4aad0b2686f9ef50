import { type RecordBatch, tableFromIPC } from "apache-arrow";
import { PomonaError, throwIfAborted } from "../errors";
import { type Place, type RangeSource, rangeSource } from "../storage";
import { localStorage } from "../storage/local-storage";
import { CorruptParquetError } from "./errors";
import { footerOfBytes, readParquetFooter } from "./footer";
import type { ReadOptions, RowGroupReader } from "./row-group-reader";
import { slicedReader } from "./sliced-reader";
import { trapped, trappedLater } from "./wasm";

/** Most rows of several row groups that are decoded together. */
const RUN_ROWS = 1024;

/**
 * The rows of one Parquet file, in order. Memory holds one row group at a time (and a small file's bytes, or the next row
 * groups where a storage is slow to give them); only the row groups and columns asked for are decoded, and of another storage's
 * file fetched. Whatever the file holds, the process goes on.
 * @throws CorruptParquetError @throws FileChangedError
 */
export async function* readParquetBatches(file: Place, options: ReadOptions = {}): AsyncGenerator<RecordBatch> {
  const { columns, batchSize = 1024, signal } = options;
  const { url } = file;
  const [from, to] = options.rows ?? [0, Number.MAX_SAFE_INTEGER];
  const read = await rowGroupReader(file, options);
  try {
    const runs = runsOfGroups(read.rowGroups).filter((run) => run.start < to && run.start + run.rows > from);
    for (const [i, run] of runs.entries()) {
      const start = Math.max(from, run.start);
      const end = Math.min(to, run.start + run.rows);
      throwIfAborted(signal);
      const table = await corruptIfFails(url, async () => {
        const whole = tableFromIPC(await read.groups(run.groups, runs[i + 1]?.groups));
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

async function rowGroupReader(place: Place, options: ReadOptions): Promise<RowGroupReader> {
  const { columns, batchSize = 1024, version, signal } = options;
  const wanted = (groups: readonly number[]) => ({
    rowGroups: [...groups],
    batchSize,
    ...(columns ? { columns: [...columns] } : {}),
  });
  const { storage, url } = place;
  const isHere = storage === localStorage;
  const size = (isHere ? undefined : options.size) ?? (await sizeOf(place));
  const isSmall = size <= storage.wholeBytes;
  const sliced = isHere || isSmall ? undefined : await slicedReader(place, size, options);
  if (sliced) return sliced;
  if (isSmall) {
    const bytes = await storage.readFile(url, { version, signal });
    return {
      rowGroups: footerOfBytes(bytes, url).rowGroups,
      groups: (groups) => trapped((wasm) => wasm.readParquet(bytes, wanted(groups)).intoIPCStream()),
      close() {},
    };
  }
  const { rowGroups } = await readParquetFooter(place, size, { version, signal });
  const blob = blobOf(rangeSource(place, size));
  const file = await corruptIfFails(url, () => trappedLater((wasm) => wasm.ParquetFile.fromFile(blob)));
  return {
    rowGroups,
    groups: async (groups) => (await trappedLater(() => file.read(wanted(groups)))).intoIPCStream(),
    close: () => file.free(),
  };
}

async function sizeOf({ storage, url }: Place): Promise<number> {
  const status = await storage.stat(url);
  return status === undefined || status === "folder" ? 0 : status.size;
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
