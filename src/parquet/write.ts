import { ReadableStream } from "node:stream/web";
import { RecordBatch as ArrowBatch, Table as ArrowTable, Field, Schema, tableToIPC } from "apache-arrow";
import {
  Compression,
  transformParquetStream,
  type RecordBatch as WasmBatch,
  Table as WasmTable,
  type WriterProperties,
  WriterPropertiesBuilder,
  writeParquet,
} from "parquet-wasm";
import { arrowSchema } from "../data/arrow";
import { type StructType, sparkJson } from "../data/types";
import { storageFor } from "../storage";

/** Rows in a row group: about 5 MB of 1280 floats, so that a reader's and the writer's memory stay small. */
const ROW_GROUP_ROWS = 1024;

const CODECS: Readonly<Record<ParquetCompression, Compression>> = {
  snappy: Compression.SNAPPY,
  none: Compression.UNCOMPRESSED,
  uncompressed: Compression.UNCOMPRESSED,
  gzip: Compression.GZIP,
  zstd: Compression.ZSTD,
  brotli: Compression.BROTLI,
  lz4: Compression.LZ4_RAW,
};

/** The key under which Spark keeps its own schema in a Parquet footer. */
const SPARK_SCHEMA_KEY = "org.apache.spark.sql.parquet.row.metadata";

/** The Parquet codecs, by the names Spark's option `compression` has for them. */
export const PARQUET_COMPRESSIONS = ["snappy", "none", "uncompressed", "gzip", "zstd", "brotli", "lz4"] as const;
export type ParquetCompression = (typeof PARQUET_COMPRESSIONS)[number];

export interface WriteOptions {
  readonly schema: StructType;
  /** @default "snappy" */
  readonly compression?: ParquetCompression;
  /** More key-value pairs for the footer. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Streams batches into one snappy Parquet file; memory holds one row group. The footer carries Spark's schema, so that
 * Spark reads back the very types. Returns rows and bytes; a failure leaves no file.
 */
export async function writeParquetFile(
  url: string,
  batches: AsyncIterable<ArrowBatch>,
  options: WriteOptions,
): Promise<{ rows: number; bytes: number }> {
  const storage = storageFor(url);
  const iterator = batches[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done) {
    // The stream writer takes its schema from the first batch; without one the whole-file writer makes an empty file.
    const empty = WasmTable.fromIPCStream(tableToIPC(new ArrowTable(arrowSchema(options.schema)), "stream"));
    const bytes = writeParquet(empty, writerProperties(options));
    await storage.writeFile(url, bytes);
    return { rows: 0, bytes: bytes.byteLength };
  }
  let rows = 0;
  let failure: unknown;
  const source = new ReadableStream<WasmBatch>({
    async pull(controller) {
      try {
        const next = rows === 0 ? first : await iterator.next();
        if (next.done) return controller.close();
        rows += next.value.numRows;
        controller.enqueue(toWasm(next.value, options.schema));
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
    const parquet = (await transformParquetStream(source as never, writerProperties(options))) as unknown;
    const bytes = await storage.writeStream(url, parquet as ReadableStream<Uint8Array>);
    // The WASM side may take a source that broke for one that ended.
    if (failure !== undefined) {
      await storage.remove(url);
      throw failure;
    }
    return { rows, bytes };
  } catch (error) {
    await iterator.return?.();
    throw failure ?? error;
  }
}

/** The batch as WebAssembly holds it; the vectors' own types, the declared nullability. */
function toWasm(batch: ArrowBatch, { fields }: StructType): WasmBatch {
  const declared = batch.schema.fields.map((f, i) => new Field(f.name, f.type, fields[i]?.nullable ?? true));
  const table = new ArrowTable([new ArrowBatch(new Schema(declared), batch.data)]);
  const wasm = WasmTable.fromIPCStream(tableToIPC(table, "stream")).recordBatch(0);
  if (!wasm) throw new Error("An empty batch cannot be written.");
  return wasm;
}

function writerProperties(options: WriteOptions): WriterProperties {
  const metadata = new Map(Object.entries(options.metadata ?? {}));
  metadata.set(SPARK_SCHEMA_KEY, JSON.stringify(sparkJson(options.schema)));
  let builder = new WriterPropertiesBuilder()
    .setCompression(CODECS[options.compression ?? "snappy"])
    .setCreatedBy("pomona")
    .setMaxRowGroupSize(ROW_GROUP_ROWS)
    .setKeyValueMetadata(metadata)
    // Vectors hardly repeat: building a dictionary for them costs time and saves nothing.
    .setDictionaryEnabled(false);
  for (const field of options.schema.fields) {
    if (field.type === "string") builder = builder.setColumnDictionaryEnabled(field.name, true);
  }
  return builder.build();
}
