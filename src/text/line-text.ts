import type { RecordBatch } from "apache-arrow";
import { type StructType, structType } from "../data/types";
import { lineGroups, type TextFile, textChunks } from "./chunks";
import type { RowText } from "./csv-write";
import { flag, lineSeparator, type Options } from "./option-values";
import { RowBatches } from "./row-batches";

/** The column of format `text`, where no schema gives it another name. */
export const TEXT_SCHEMA = structType({ value: "string" });

/**
 * Text files as rows: a line each, or with the option `wholetext` a file each.
 * @param schema of one column
 * @throws IllegalArgumentError
 */
export async function* textBatches(
  files: readonly TextFile[],
  schema: StructType,
  options: Options,
  signal?: AbortSignal,
): AsyncGenerator<RecordBatch> {
  const lineSep = lineSeparator(options, Number.POSITIVE_INFINITY);
  const isWhole = flag(options, "wholetext");
  const decode = { encoding: "UTF-8", signal };
  const batches = new RowBatches(schema);
  for (const file of files) {
    if (isWhole) {
      let whole = "";
      for await (const chunk of textChunks(file, decode)) whole += chunk;
      batches.add([whole]);
      continue;
    }
    for await (const lines of lineGroups(file, { ...decode, lineSep })) {
      for (const line of lines) batches.add([line]);
      const batch = batches.isFull ? batches.take() : undefined;
      if (batch) yield batch;
    }
  }
  const last = batches.take();
  if (last) yield last;
}

/** A row's one string as a line; null is an empty one. @throws IllegalArgumentError */
export function lineText(options: Options): RowText {
  const lineEnd = lineSeparator(options, Number.POSITIVE_INFINITY) ?? "\n";
  return { head: "", row: ([value]) => `${value ?? ""}${lineEnd}` };
}
