import type { RecordBatch } from "apache-arrow";
import { sparkType } from "../data/arrow";
import type { StructType } from "../data/types";
import { valuesFromVector } from "../data/vectors";

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

/** Rows as a Danfo.js DataFrame. Loads danfojs-node, which takes seconds and memory, only here. */
export function danfoDataFrame(schema: StructType, batches: readonly RecordBatch[]): DanfoDataFrame {
  const { DataFrame } = require("danfojs-node") as {
    DataFrame: new (data: unknown, options?: unknown) => DanfoDataFrame;
  };
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
