import type { FooterCache } from "./footer-cache";

export interface ReadOptions {
  /** Top-level columns; absent: all. */
  readonly columns?: readonly string[];
  /** From the first to before the second row of the file; absent: all rows. */
  readonly rows?: readonly [number, number];
  /** Most rows in a batch. @default 1024 */
  readonly batchSize?: number;
  readonly signal?: AbortSignal;
  /** Bytes of the file and which one it is, as a listing has them; absent: it is looked up. */
  readonly size?: number;
  readonly version?: string;
  /** Where footers are kept that were read before. */
  readonly footers?: FooterCache;
}

/** Gives row groups as Arrow's stream format. */
export interface RowGroupReader {
  /** Rows of each row group. */
  readonly rowGroups: readonly number[];
  /** @param next those that will be asked for then */
  groups(indices: readonly number[], next: readonly number[] | undefined): Uint8Array | Promise<Uint8Array>;
  close(): void;
}
