import { IllegalArgumentError } from "../errors";
import { Column } from "./column";
import {
  avg,
  collectList,
  collectSet,
  count,
  first,
  kurtosis,
  last,
  max,
  mean,
  median,
  min,
  skewness,
  stddev,
  stddevPop,
  stddevSamp,
  sum,
  variance,
  varPop,
  varSamp,
} from "./functions/aggregates";

/** Aggregates that `agg({ length: "max" })` may name, as Spark spells them. */
const AGGREGATES: Readonly<Record<string, (column: string) => Column>> = {
  avg,
  collect_list: collectList,
  collect_set: collectSet,
  count,
  first,
  kurtosis,
  last,
  max,
  mean,
  median,
  min,
  skewness,
  stddev,
  stddev_pop: stddevPop,
  stddev_samp: stddevSamp,
  sum,
  var_pop: varPop,
  var_samp: varSamp,
  variance,
};

/**
 * What `agg` was given as columns: these themselves, or those of an object `{ column: "aggregate" }`, in its order.
 * @throws IllegalArgumentError for anything else
 */
export function aggregateColumns(given: readonly unknown[]): Column[] {
  const [one] = given;
  if (given.length === 1 && Object.getPrototypeOf(one) === Object.prototype) {
    return Object.entries(one as object).map(([column, name]) => aggregateOf(column, name));
  }
  const wrong = given.find((column) => !(column instanceof Column));
  if (wrong !== undefined || given.length === 0) {
    throw new IllegalArgumentError(`agg takes aggregates, not ${given.length === 0 ? "nothing" : String(wrong)}.`, {
      remedy: 'E.g. agg(max("length")), or agg({ length: "max" }).',
    });
  }
  return given as Column[];
}

function aggregateOf(column: string, name: unknown): Column {
  const make = typeof name === "string" ? AGGREGATES[name.toLowerCase()] : undefined;
  if (make) return make(column);
  throw new IllegalArgumentError(
    `[UNRESOLVED_ROUTINE] ${JSON.stringify(name)} is no aggregate that agg({ ${column}: … }) takes by its name.`,
    {
      remedy: `Known: ${Object.keys(AGGREGATES).join(", ")}. The others are functions: agg(countDistinct("x")).`,
    },
  );
}
