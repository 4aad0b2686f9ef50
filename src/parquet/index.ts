export { CorruptParquetError } from "./errors";
export { type ParquetFooter, type ReadOptions, readParquetBatches, readParquetFooter } from "./read";
export { PARQUET_COMPRESSIONS, type ParquetCompression, type WriteOptions, writeParquetFile } from "./write";
