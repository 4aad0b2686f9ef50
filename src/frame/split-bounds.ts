import { IllegalArgumentError } from "../errors";

/** The shares of `randomSplit` as pieces of the way from 0 to 1. @throws IllegalArgumentError for weights that are no shares */
export function splitBounds(weights: readonly number[]): (readonly [from: number, to: number])[] {
  const negative = weights.find((weight) => weight < 0);
  if (negative !== undefined) {
    throw new IllegalArgumentError(`[VALUE_NOT_POSITIVE] Value for \`weights\` must be positive, got '${negative}'.`);
  }
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (!(weights.every((weight) => weight >= 0) && total > 0 && Number.isFinite(total))) {
    throw new IllegalArgumentError(`The weights ${weights.join(", ")} are no shares.`, {
      remedy: "Give numbers from 0 up, not all of them 0: randomSplit([0.8, 0.2], 42).",
    });
  }
  let from = 0;
  return weights.map((weight, i) => {
    const start = from;
    from += weight / total;
    // What rounding leaves over belongs to the last part.
    return [start, i === weights.length - 1 ? 1 : from] as const;
  });
}
