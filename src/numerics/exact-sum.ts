/**
 * Sums in twice the digits of a double: rounded to one, they are the same whatever the order of the addends, so that neither
 * partitions nor threads show in a result (Dekker, "A Floating-Point Technique for Extending the Available Precision", 1971).
 */
export interface ExactSums {
  readonly high: Float64Array;
  readonly low: Float64Array;
}

export function newSums(length: number): ExactSums {
  return { high: new Float64Array(length), low: new Float64Array(length) };
}

/** Adds a value to the sum at a place. */
export function addTo({ high, low }: ExactSums, at: number, value: number): void {
  const before = high[at]!;
  const sum = before + value;
  const part = sum - before;
  const rest = before - (sum - part) + (value - part) + low[at]!;
  high[at] = sum + rest;
  low[at] = rest - (high[at]! - sum);
}

/** Adds all sums of another to these. */
export function addSums(to: ExactSums, from: ExactSums): void {
  for (let i = 0; i < to.high.length; i++) {
    addTo(to, i, from.high[i]!);
    addTo(to, i, from.low[i]!);
  }
}
