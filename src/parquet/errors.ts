import { PomonaError } from "../errors";

/** A file that should be Parquet is cut short, damaged or something else. */
export class CorruptParquetError extends PomonaError {
  readonly url: string;

  constructor(url: string, cause: unknown) {
    super(`${url} is not a readable Parquet file: ${firstLine(cause)}`, {
      remedy: "It may have been cut short while it was copied or written; write or fetch it again.",
      cause,
    });
    this.url = url;
  }
}

function firstLine(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).split("\n")[0] ?? "";
}
