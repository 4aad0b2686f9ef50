import type { BatchPlace } from "../../src/data/batch-function";

/** A place for batches that a test makes itself. */
export const PLACE: BatchPlace = { row: (row) => `row ${row} of its input`, rows: "all rows of its input" };
