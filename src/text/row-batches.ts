import type { RecordBatch } from "apache-arrow";
import type { StructType } from "../data/types";
import { batchOfColumns, type Value } from "./columns";

/** Rows in a batch of parsed text. */
const BATCH_ROWS = 4096;

/** Gathers rows until they make a batch. */
export class RowBatches {
  private columns: Value[][] = [];
  private rows = 0;

  constructor(private readonly schema: StructType) {
    this.clear();
  }

  add(row: readonly Value[]): void {
    const { columns } = this;
    for (let i = 0; i < columns.length; i++) (columns[i] as Value[]).push(row[i] ?? null);
    this.rows++;
  }

  get isFull(): boolean {
    return this.rows >= BATCH_ROWS;
  }

  /** The rows so far as a batch; undefined where there is none. */
  take(): RecordBatch | undefined {
    if (this.rows === 0) return undefined;
    const batch = batchOfColumns(this.schema, this.columns, this.rows);
    this.clear();
    return batch;
  }

  private clear(): void {
    this.columns = this.schema.fields.map(() => []);
    this.rows = 0;
  }
}
