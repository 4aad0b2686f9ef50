import type { RecordBatch } from "apache-arrow";
import type { BatchPlace } from "../data/batch-function";

/** How the rows that a step gets are numbered: batches hold them from `first` on, as rows of `what`. */
export interface Numbering {
  readonly first: number;
  readonly what: string;
}

/** Where a batch's rows are in the data. @param rowName the column whose value names a row, where the batch has it */
export function batchPlace(batch: RecordBatch, { first, what }: Numbering, rowName?: string): BatchPlace {
  const of = `of ${what} (the first is row 0)`;
  return {
    row: (row) => {
      const name = rowNameOf(batch, rowName, row);
      return `row ${first + row} ${of}${name === undefined ? "" : `, path ${name}`}`;
    },
    rows: batch.numRows === 1 ? `row ${first} ${of}` : `rows ${first} to ${first + batch.numRows - 1} ${of}`,
  };
}

/** A row's value in the column that names rows, where there is such a column. */
export function rowNameOf(batch: RecordBatch, column: string | undefined, row: number): string | undefined {
  const name = column === undefined ? undefined : batch.getChild(column)?.get(row);
  return typeof name === "string" ? name : undefined;
}
