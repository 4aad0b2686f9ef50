export { CorruptParquetError, EncryptedParquetError, UnsupportedParquetError } from "./errors";
export { type ParquetFooter, readParquetFooter, type SchemaNode } from "./footer";
export { type FooterCache, footerCache } from "./footer-cache";
export { readParquetBatches } from "./read";
export type { ReadOptions } from "./row-group-reader";
export { sparkFieldOf, sparkSchemaOf } from "./spark-schema";
export {
  PARQUET_COMPRESSIONS,
  type ParquetCompression,
  type TakeBytes,
  type WriteOptions,
  writeParquet,
  writeParquetFile,
} from "./write";
