import { IllegalArgumentError } from "../errors";
import type { DataFrame } from "../frame/dataframe";
import { checkedSeed, randomSeed } from "../frame/functions/numbers";
import type { OwnColumnName } from "../frame/row-types";

export interface BalancedSampleOptions<R = Record<string, unknown>> {
  /** The column whose values are the classes. */
  readonly by: OwnColumnName<R>;
  /** Rows to take, all classes together. */
  readonly n: number;
  /** A whole number; the same seed over the same rows gives the same sample. @default drawn when it is described */
  readonly seed?: number;
}

/**
 * `n` rows, as even over the classes as the classes allow, drawn at random within each.
 *
 * Each class gives the same number of rows, but never more than it has; what small classes cannot give is shared out
 * among the others in the same way. The numbers of two classes that could both give more differ by at most one. Of 300
 * rows over classes of 20, 500 and 700 the sample has 20, 140 and 140. With fewer than `n` rows in all it has them all.
 * @throws IllegalArgumentError where `n` or `seed` is not a whole number, or `n` is below 1
 */
export function balancedSample<R>(df: DataFrame<R>, options: BalancedSampleOptions<R>): DataFrame<R> {
  const { by, n, seed } = options;
  if (!(Number.isSafeInteger(n) && n >= 1)) {
    throw new IllegalArgumentError(`balancedSample cannot take ${n} rows.`, {
      remedy: 'Give a whole number from 1, e.g. balancedSample(df, { by: "label", n: 300, seed: 42 }).',
    });
  }
  return df.withPlan<R>({
    op: "balancedSample",
    input: df.plan,
    by,
    total: n,
    seed: checkedSeed(seed ?? randomSeed()),
  });
}
