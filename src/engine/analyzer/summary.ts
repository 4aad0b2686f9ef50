import type { DataType } from "../../data/types";
import { AnalysisError } from "../../frame/analysis-error";
import { isNumeric } from "../../frame/coercion";
import type { Expression, Plan } from "../../frame/plan";
import { quotedName } from "../../frame/resolve";
import { type Computed, type Relation, reference } from "../relation";
import { find, type Resolved } from "./attribute";
import { type Context, typeOf } from "./expressions";

/**
 * `describe` and `summary`: a row for each statistic, a column of text for each column of numbers or text.
 * @see https://github.com/apache/spark/blob/master/sql/core/src/main/scala/org/apache/spark/sql/execution/stat/StatFunctions.scala
 */
export async function resolveSummary(
  plan: Extract<Plan, { op: "summary" }>,
  input: Resolved,
  context: Context,
): Promise<Resolved> {
  const { statistics } = plan;
  const { ids } = context;
  const names = plan.columns ?? input.output.map((a) => quotedName(a.name));
  const aggregates: Computed[] = [];
  const output = [ids.attribute("summary", { type: "string" })];
  const columns: Computed[] = [{ id: output[0]?.id ?? "", value: chosen(statistics.map((s) => literal(s))) }];
  for (const name of names) {
    const { attribute } = find({ kind: "column", name }, input);
    const type = await typeOf({ value: reference(attribute.id), ...withType(attribute.type) }, input, context);
    if (!isNumeric(type) && type !== "string") continue;
    const texts = statistics.map((statistic): Expression => {
      const value = statisticOf(statistic, reference(attribute.id), type);
      const id = ids.id(`${attribute.name}_${statistic}`);
      aggregates.push({ id, value });
      return { kind: "cast", child: reference(id), to: "string" };
    });
    const made = ids.attribute(attribute.name, { type: "string" });
    output.push(made);
    columns.push({ id: made.id, value: chosen(texts) });
  }
  const step: Relation = { op: "range", start: "0", end: String(statistics.length), step: "1", column: STEP };
  const values: Relation =
    aggregates.length > 0
      ? { op: "aggregate", input: input.relation, grouping: [], aggregates }
      : { op: "range", start: "0", end: "1", step: "1", column: ids.id("none") };
  const joined: Relation = { op: "join", left: step, right: values, how: "cross" };
  const sorted: Relation = {
    op: "sort",
    input: joined,
    orders: [{ child: reference(STEP), direction: "asc", nulls: "first" }],
  };
  return { relation: { op: "project", input: sorted, columns }, output, hidden: [], frames: new Map() };
}

/** The column that counts the statistics; no id of analysis begins with this sign. */
const STEP = "#statistic";

/** The value for each statistic, in order. */
function chosen(values: readonly Expression[]): Expression {
  const branches = values.map((then, i) => ({ when: call("=", reference(STEP), literal(i)), then }));
  return { kind: "case", branches };
}

/** An aggregate of a column. Text counts as the numbers that it reads as. */
function statisticOf(statistic: string, column: Expression, type: DataType): Expression {
  const number = isNumeric(type) ? column : numberOf(column);
  switch (statistic) {
    case "count":
      return call("count", column);
    case "count_distinct":
      return call("count_distinct", column);
    case "mean":
      return call("avg", number);
    case "stddev":
      return call("stddev_samp", number);
    case "min":
    case "max":
      return call(statistic, column);
  }
  const share = /^(\d+(?:\.\d+)?)%$/.exec(statistic);
  if (share && Number(share[1]) <= 100) {
    return call("percentile_approx", number, literal(Number(share[1]) / 100));
  }
  throw new AnalysisError(`[UNRECOGNIZED_STATISTIC] The statistic \`${statistic}\` is not recognized.`, {
    remedy: "Known: count, mean, stddev, min, max, count_distinct, and shares such as 25%.",
  });
}

/** Text as a number where it reads as one, else null. */
function numberOf(column: Expression): Expression {
  const pattern =
    "^\\s*([+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?[iI]nf(inity)?|[nN]a[nN])[fFdD]?\\s*$";
  const branch = {
    when: call("rlike", column, literal(pattern)),
    // biome-ignore lint/suspicious/noThenProperty: plain data under the plan's name for it, never awaited
    then: { kind: "cast", child: column, to: "double" },
  } as const;
  return { kind: "case", branches: [branch] };
}

function withType(type: DataType | undefined) {
  return type === undefined ? {} : { type };
}

function call(fn: string, ...args: readonly Expression[]): Expression {
  return { kind: "call", fn, args };
}

function literal(value: number | string): Expression {
  return { kind: "literal", value };
}
