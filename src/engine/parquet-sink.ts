import { IllegalArgumentError } from "../errors";
import type { Sink } from "../frame/runtime";
import { PARQUET_COMPRESSIONS, type ParquetCompression } from "../parquet";

/** The codec that a sink's option `compression` names. @throws IllegalArgumentError */
export function parquetCompression(sink: Sink): ParquetCompression {
  const wanted = (sink.options.compression ?? "snappy").toLowerCase();
  const known = PARQUET_COMPRESSIONS.find((codec) => codec === wanted);
  if (known) return known;
  throw new IllegalArgumentError(`Unknown compression ${JSON.stringify(wanted)}.`, {
    remedy: `Known: ${PARQUET_COMPRESSIONS.join(", ")}.`,
  });
}

/** Spark's file ending: `.snappy.parquet`, `.gz.parquet`, `.parquet` for none. */
export function parquetExtension(sink: Sink): string {
  const codec = parquetCompression(sink);
  if (codec === "none" || codec === "uncompressed") return ".parquet";
  return `.${codec === "gzip" ? "gz" : codec}.parquet`;
}
