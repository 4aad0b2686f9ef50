import { unaliased } from "../../frame/column";
import { childrenOf, mapChildren } from "../../frame/expressions";
import { functionNamed } from "../../frame/function-entry";
import { type Expression, expressionText } from "../../frame/plan";

/** True where an aggregate is anywhere in it. */
export function hasAggregate(expression: Expression): boolean {
  return isAggregate(expression) || childrenOf(expression).some(hasAggregate);
}

/** What a grouping computes: its keys, then each aggregate of the results once. */
export function aggregateParts(grouping: readonly Expression[], results: readonly Expression[]): Expression[] {
  const groups = grouping.map(canonical);
  const aggregates = new Map<string, Expression>();
  const collect = (expression: Expression): void => {
    if (groups.includes(canonical(expression))) return;
    if (isAggregate(expression)) aggregates.set(JSON.stringify(expression), expression);
    else childrenOf(expression).forEach(collect);
  };
  results.forEach(collect);
  return [...grouping, ...aggregates.values()];
}

/** An expression with its keys and aggregates as columns of the grouping's result. */
export function overParts(
  expression: Expression,
  grouping: readonly Expression[],
  parts: readonly Expression[],
): Expression {
  const group = grouping.map(canonical).indexOf(canonical(expression));
  const same = JSON.stringify(expression);
  const part = group >= 0 || !isAggregate(expression) ? group : parts.findIndex((e) => JSON.stringify(e) === same);
  if (part >= 0) return { kind: "column", name: `part_${part}` };
  return mapChildren(expression, (child) => overParts(child, grouping, parts));
}

export function isAggregate(expression: Expression): boolean {
  return expression.kind === "call" && functionNamed(expression.fn).aggregate;
}

/** An expression's text without regard to an alias or to upper and lower case. */
export function canonical(expression: Expression): string {
  return expressionText(unaliased(expression)).toLowerCase();
}
