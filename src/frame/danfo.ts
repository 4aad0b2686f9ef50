import type { RecordBatch } from "apache-arrow";
import { sparkType } from "../data/arrow";
import type { StructType } from "../data/types";
import { valuesFromVector } from "../data/vectors";
import { OptionalPackageError } from "../errors";

/** The part of a Danfo.js DataFrame that is described here; the object has all of its methods. */
export interface DanfoDataFrame {
  readonly shape: number[];
  readonly columns: string[];
  readonly values: unknown[];
  head(rows?: number): DanfoDataFrame;
  tail(rows?: number): DanfoDataFrame;
  describe(): DanfoDataFrame;
  print(): void;
  toString(): string;
  // biome-ignore lint/suspicious/noExplicitAny: Danfo.js' own declarations need TypeScript settings that a cell has not
  [method: string]: any;
}

/** Danfo.js itself, which takes seconds and memory to load. @throws OptionalPackageError */
export function loadDanfo(): DanfoLibrary {
  try {
    return require("danfojs-node") as DanfoLibrary;
  } catch (cause) {
    throw new OptionalPackageError("danfojs-node@1.2.0", "toDanfo()", { cause });
  }
}

interface DanfoLibrary {
  readonly DataFrame: new (data: unknown, options?: unknown) => DanfoDataFrame;
}

/** Rows as a Danfo.js DataFrame. */
export function danfoDataFrame(
  { DataFrame }: DanfoLibrary,
  schema: StructType,
  batches: readonly RecordBatch[],
): DanfoDataFrame {
  const names = schema.fields.map((field) => field.name);
  const rows = batches.flatMap((batch) => {
    const columns = batch.schema.fields.map((field, i) => {
      const vector = batch.getChildAt(i);
      return vector ? valuesFromVector(vector, sparkType(field.type)) : [];
    });
    return Array.from({ length: batch.numRows }, (_, i) => columns.map((values) => values[i]));
  });
  return new DataFrame(rows, { columns: names });
}
