import { ReadableStream } from "node:stream/web";
import { RecordBatch as ArrowBatch, Field, Schema } from "apache-arrow";
import type { Compression, RecordBatch as WasmBatch, WriterProperties } from "parquet-wasm";
import { arrowSchema } from "../data/arrow";
import { ipcStream } from "../data/ipc";
import { type StructType, sparkJson } from "../data/types";
import type { Place } from "../storage";
import { withOrderedFooter } from "./ordered-footer";
import { SPARK_SCHEMA_KEY } from "./spark-schema";
import { type ParquetWasm, parquetWasm } from "./wasm";

/** Rows in a row group: about 5 MB of 1280 floats, so that a reader's and the writer's memory stay small. */
const ROW_GROUP_ROWS = 1024;

/** The Parquet codecs, by the names Spark's option `compression` has for them. */
export const PARQUET_COMPRESSIONS = ["snappy", "none", "uncompressed", "gzip", "zstd", "brotli", "lz4"] as const;
export type ParquetCompression = (typeof PARQUET_COMPRESSIONS)[number];

const CODECS: Readonly<Record<ParquetCompression, keyof typeof Compression>> = {
  snappy: "SNAPPY",
  none: "UNCOMPRESSED",
  uncompressed: "UNCOMPRESSED",
  gzip: "GZIP",
  zstd: "ZSTD",
  brotli: "BROTLI",
  lz4: "LZ4_RAW",
};

export interface WriteOptions {
  readonly schema: StructType;
  /** @default "snappy" */
  readonly compression?: ParquetCompression;
  /** More key-value pairs for the footer. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Takes a file's bytes: all of them, or a failure that leaves nothing. */
export type TakeBytes<T> = (chunks: AsyncIterable<Uint8Array>) => Promise<T>;

/** {@link writeParquet} into a file. Returns rows and bytes. */
export async function writeParquetFile(
  { storage, url }: Place,
  batches: AsyncIterable<ArrowBatch>,
  options: WriteOptions,
): Promise<{ rows: number; bytes: number }> {
  const { rows, written } = await writeParquet((chunks) => storage.writeStream(url, chunks), batches, options);
  return { rows, bytes: written };
}

/**
 * Streams batches into one snappy Parquet file; memory holds one row group. The footer carries Spark's schema, so that
 * Spark reads back the very types. The same batches give the same bytes. Returns rows, and what became of the bytes.
 */
export async function writeParquet<T>(
  take: TakeBytes<T>,
  batches: AsyncIterable<ArrowBatch>,
  options: WriteOptions,
): Promise<{ rows: number; written: T }> {
  const wasm = parquetWasm();
  const iterator = batches[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done) {
    // The stream writer takes its schema from the first batch; without one the whole-file writer makes an empty file.
    const empty = wasm.Table.fromIPCStream(ipcStream([], arrowSchema(options.schema)));
    const bytes = wasm.writeParquet(empty, writerProperties(wasm, options));
    const whole = async function* () {
      yield bytes;
    };
    return { rows: 0, written: await take(withOrderedFooter(whole())) };
  }
  let rows = 0;
  let failure: unknown;
  const source = new ReadableStream<WasmBatch>({
    async pull(controller) {
      try {
        const next = rows === 0 ? first : await iterator.next();
        if (next.done) return controller.close();
        rows += next.value.numRows;
        controller.enqueue(toWasm(wasm, next.value, options.schema));
      } catch (error) {
        // The WASM side would turn the error into text; keep the real one for the caller.
        failure = error;
        controller.error(error);
      }
    },
    async cancel() {
      await iterator.return?.();
    },
  });
  try {
    const parquet = (await wasm.transformParquetStream(source as never, writerProperties(wasm, options))) as unknown;
    const unbroken = async function* () {
      yield* parquet as ReadableStream<Uint8Array>;
      // The WASM side may take a source that broke for one that ended.
      if (failure !== undefined) throw failure;
    };
    const written = await take(withOrderedFooter(unbroken()));
    return { rows, written };
  } catch (error) {
    await iterator.return?.();
    throw failure ?? error;
  }
}

/** The batch as WebAssembly holds it; the vectors' own types, the declared nullability. */
function toWasm(wasm: ParquetWasm, batch: ArrowBatch, { fields }: StructType): WasmBatch {
  const declared = batch.schema.fields.map((f, i) => new Field(f.name, f.type, fields[i]?.nullable ?? true));
  const schema = new Schema(declared);
  const written = wasm.Table.fromIPCStream(ipcStream([new ArrowBatch(schema, batch.data)], schema)).recordBatch(0);
  if (!written) throw new Error("An empty batch cannot be written.");
  return written;
}

function writerProperties(wasm: ParquetWasm, { schema, ...options }: WriteOptions): WriterProperties {
  const { Compression, EnabledStatistics, WriterPropertiesBuilder } = wasm;
  const metadata = new Map(Object.entries(options.metadata ?? {}));
  metadata.set(SPARK_SCHEMA_KEY, JSON.stringify(sparkJson(schema)));
  let builder = new WriterPropertiesBuilder()
    .setCompression(Compression[CODECS[options.compression ?? "snappy"]])
    .setCreatedBy("pomona")
    .setMaxRowGroupSize(ROW_GROUP_ROWS)
    .setKeyValueMetadata(metadata)
    // Vectors hardly repeat: building a dictionary for them costs time and saves nothing.
    .setDictionaryEnabled(false)
    // Minima and maxima leave NaN out, so that a reader for whom NaN is the greatest number would pass over its rows.
    .setStatisticsEnabled(EnabledStatistics.None);
  for (const field of schema.fields) {
    if (field.type === "string") builder = builder.setColumnDictionaryEnabled(field.name, true);
    if (typeof field.type === "string" && field.type !== "float" && field.type !== "double") {
      builder = builder.setColumnStatisticsEnabled(field.name, EnabledStatistics.Page);
    }
  }
  return builder.build();
}
