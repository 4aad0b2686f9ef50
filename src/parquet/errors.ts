import { PomonaError, summaryOf } from "../errors";

/** A file that should be Parquet is cut short, damaged or something else. */
export class CorruptParquetError extends PomonaError {
  readonly url: string;

  constructor(url: string, cause: unknown) {
    super(`${url} is not a readable Parquet file: ${summaryOf(cause)}`, {
      remedy: "It may have been cut short while it was copied or written; write or fetch it again.",
      cause,
    });
    this.url = url;
  }
}

/** A Parquet file is encrypted, whole or in some columns. */
export class EncryptedParquetError extends PomonaError {
  readonly url: string;

  constructor(url: string) {
    super(`${url} is encrypted, and encrypted Parquet is not read here.`, {
      remedy: "Write it without encryption where its keys are, e.g. in Spark or pyarrow, and read that.",
    });
    this.url = url;
  }
}

/** A Parquet file is whole, but holds a type, an encoding or a codec that is not read here. */
export class UnsupportedParquetError extends PomonaError {
  readonly url: string;

  constructor(url: string, what: string, remedy: string, cause?: unknown) {
    super(`${url} cannot be read: ${what}`, { remedy, cause });
    this.url = url;
  }
}
