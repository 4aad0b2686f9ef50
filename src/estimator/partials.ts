import type { StructType } from "../data/types";
import { IllegalArgumentError } from "../errors";
import type { DataFrame } from "../frame/dataframe";
import type { Gathering } from "../ml";

/** A statistic that workers compute for each partition and the driver merges. */
interface PartialStatistic<T> {
  /** Name of the table function that makes one row of each partition. */
  readonly function: string;
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
  const batches = df.runtime.execute(
    {
      op: "mapBatches",
      // Nothing but the one column is read.
      input: { op: "project", input: df.plan, columns: [{ kind: "column", name: column }] },
      fn: { kind: "builtin", name: statistic.function, params: { column } },
      schema: statistic.schema,
    },
    statistic.signal,
  );
  for await (const batch of batches) statistic.gathering.add(batch);
  const total = statistic.gathering.finish();
  if (total !== undefined) return total;
  throw new IllegalArgumentError(`There are no rows to fit on in column ${column}.`, {
    remedy: "Check the path and the filters of what is read, e.g. with count().",
  });
}
