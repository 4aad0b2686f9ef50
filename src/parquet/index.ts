export { CorruptParquetError } from "./errors";
export { type ParquetFooter, type ReadOptions, readParquetBatches, readParquetFooter } from "./read";
export { type WriteOptions, writeParquetFile } from "./write";
