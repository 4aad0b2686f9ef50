import { IllegalArgumentError } from "../errors";
import type { DataFrame } from "./dataframe";
import type { Plan, ReplaceValue } from "./plan";

/** A value that takes the place of a missing one. */
export type FillValue = number | string | boolean;

/** How `dropna` chooses rows. */
export interface DropMissingOptions {
  /** `any`: rows with a missing value; `all`: rows with nothing else. @default "any" */
  readonly how?: "any" | "all";
  /** Rows with fewer values than this, whatever `how` says. */
  readonly thresh?: number;
  /** The columns to look at. @default all */
  readonly subset?: string | readonly string[];
}

/**
 * What PySpark offers under `df.na`: missing values are null and, in columns of floats, NaN.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.DataFrameNaFunctions.html
 */
export class MissingValues<R> {
  constructor(private readonly frame: DataFrame<R>) {}

  /** Same as {@link DataFrame.dropna}. */
  drop(options: DropMissingOptions = {}): DataFrame<R> {
    return this.frame.dropna(options);
  }

  /** Same as {@link DataFrame.fillna}. */
  fill(value: FillValue | Readonly<Record<string, FillValue>>, subset?: string | readonly string[]): DataFrame<R> {
    return this.frame.fillna(value, subset);
  }

  /** Same as {@link DataFrame.replace}. */
  replace(
    from: ReplaceValue | readonly ReplaceValue[] | ReadonlyMap<ReplaceValue, ReplaceValue>,
    to?: ReplaceValue | readonly ReplaceValue[],
    subset?: string | readonly string[],
  ): DataFrame<R> {
    return this.frame.replace(from, to, subset);
  }
}

/** The plan of `dropna`. @throws IllegalArgumentError */
export function dropMissingPlan(input: Plan, { how = "any", thresh, subset }: DropMissingOptions): Plan {
  if (how !== "any" && how !== "all") {
    throw new IllegalArgumentError(`how is "any" or "all", not ${JSON.stringify(how)}.`);
  }
  const columns = subset === undefined ? {} : { columns: [subset].flat() };
  return { op: "dropMissing", input, ...columns, least: thresh ?? (how === "any" ? "all" : 1) };
}

/** The plan of `fillna`. @throws IllegalArgumentError */
export function fillMissingPlan(
  input: Plan,
  value: FillValue | Readonly<Record<string, FillValue>>,
  subset: string | readonly string[] | undefined,
): Plan {
  if (typeof value === "object" && value !== null) {
    const fills = Object.entries(value).map(([column, each]) => ({ column, value: checkedValue(each), anyKind: true }));
    return { op: "fillMissing", input, fills };
  }
  const fill = { value: checkedValue(value) };
  const fills = subset === undefined ? [fill] : [subset].flat().map((column) => ({ column, ...fill }));
  return { op: "fillMissing", input, fills };
}

/** The plan of `replace`. @throws IllegalArgumentError where there is not one new value for each old one */
export function replacePlan(
  input: Plan,
  from: ReplaceValue | readonly ReplaceValue[] | ReadonlyMap<ReplaceValue, ReplaceValue>,
  to: ReplaceValue | readonly ReplaceValue[] | undefined,
  subset: string | readonly string[] | undefined,
): Plan {
  const columns = subset === undefined ? {} : { columns: [subset].flat() };
  if (from instanceof Map) return { op: "replaceValues", input, ...columns, pairs: [...from] };
  const old = [from].flat() as ReplaceValue[];
  const made = Array.isArray(to) ? (to as readonly ReplaceValue[]) : old.map(() => (to ?? null) as ReplaceValue);
  if (made.length !== old.length) {
    throw new IllegalArgumentError(`replace has ${old.length} values to replace and ${made.length} to put there.`);
  }
  return { op: "replaceValues", input, ...columns, pairs: old.map((value, i) => [value, made[i] ?? null] as const) };
}

function checkedValue(value: unknown): FillValue {
  if (typeof value === "number" || typeof value === "string" || typeof value === "boolean") return value;
  throw new IllegalArgumentError(`fillna takes a number, a text or a boolean, not ${String(value)}.`, {
    remedy: 'fillna(0), fillna("?"), or fillna({ label: "?", bytes: 0 }).',
  });
}
