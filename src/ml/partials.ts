import type { Json } from "../data/batch-function";
import { VectorRowError } from "../data/matrix";
import type { StructType } from "../data/types";
import { IllegalArgumentError } from "../errors";
import type { DataFrame } from "../frame/dataframe";
import { type Gathering, readRows } from "../numerics";

/** A statistic that workers compute for each partition and the driver merges. */
interface PartialStatistic<T> {
  /** Name of the table function that makes one row of each partition. */
  readonly function: string;
  /** What it takes beside the column. */
  readonly params?: Readonly<Record<string, Json>>;
  readonly schema: StructType;
  /** Merges such rows. */
  readonly gathering: Gathering<T>;
  readonly signal: AbortSignal | undefined;
}

/**
 * The statistic of all rows of a column. Partials are merged as the runtime streams them, which is in the order of the
 * partitions whatever order tasks end in: so the result is the same to the last bit, and at most two are in memory.
 * @throws IllegalArgumentError where there are no rows
 */
export async function mergedPartials<T, R>(
  df: DataFrame<R>,
  column: string,
  statistic: PartialStatistic<T>,
): Promise<T> {
  try {
    for await (const batch of partialsOf(df, column, statistic)) statistic.gathering.add(batch);
  } catch (error) {
    // A worker knows the row in its batch; the row of the data and its path take another look.
    if (String(error).includes(VectorRowError.name)) await nameFaultyRow(df, column, statistic.signal);
    throw error;
  }
  const total = statistic.gathering.finish();
  if (total !== undefined) return total;
  throw new IllegalArgumentError(`There are no rows to fit on in column ${column}.`, {
    remedy: "Check the path and the filters of what is read, e.g. with count().",
  });
}

function partialsOf<T, R>(df: DataFrame<R>, column: string, statistic: PartialStatistic<T>) {
  return df.runtime.execute(
    {
      op: "mapBatches",
      // Nothing but the one column is read.
      input: { op: "project", input: df.plan, columns: [{ kind: "column", name: column }] },
      fn: { kind: "builtin", name: statistic.function, params: { column, ...statistic.params } },
      schema: statistic.schema,
    },
    statistic.signal,
  );
}

/** @throws VectorRowError for the first row that is no vector like the others */
async function nameFaultyRow<R>(df: DataFrame<R>, column: string, signal: AbortSignal | undefined): Promise<void> {
  const { fields } = await df.runtime.schema(df.plan, signal);
  const path = fields.find((field) => field.name === "path" && field.type === "string")?.name;
  const columns = [column, ...(path === undefined ? [] : [path])].map((name) => ({ kind: "column", name }) as const);
  let rows = 0;
  let dimension: number | undefined;
  for await (const batch of df.runtime.execute({ op: "project", input: df.plan, columns }, signal)) {
    try {
      dimension ??= readRows(batch.getChildAt(0)!, column).dimension || undefined;
      readRows(batch.getChildAt(0)!, column, dimension);
    } catch (error) {
      const row = error instanceof VectorRowError ? error.row : 0;
      const value: unknown = path === undefined ? undefined : batch.getChildAt(1)?.get(row);
      const where = `in row ${rows + row} of the data${typeof value === "string" ? `: ${value}` : ""}`;
      throw error instanceof VectorRowError ? error.at(rows + row, where, column) : error;
    }
    rows += batch.numRows;
  }
}
