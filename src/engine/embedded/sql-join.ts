import type { DataType } from "../../data/types";
import { AnalysisError } from "../../frame/analysis-error";
import type { Value } from "../../frame/function-entry";
import type { Expression, JoinType } from "../../frame/plan";
import { resolveName } from "../../frame/resolve";
import { expressionValue } from "./sql-expression";
import { quotedIdentifier } from "./sql-text";

interface Side {
  readonly name: string;
  readonly ids: readonly string[];
  readonly names: readonly string[];
  readonly types: readonly { readonly type: DataType; readonly nullable: boolean }[];
}

/**
 * The columns and the FROM part of a join: the columns joined on first, each once, then the left side's and the right
 * side's others. Null equals nothing.
 */
export function joinSql(left: Side, right: Side, on: readonly string[], how: JoinType) {
  if (how !== "cross" && on.length === 0) {
    throw new AnalysisError(`A ${how} join needs a column to join on.`, { remedy: "Name one, or use crossJoin." });
  }
  const keys = on.map((name) => ({
    left: resolveName(name, left.names).index,
    right: resolveName(name, right.names).index,
  }));
  // The side that may have no match gives nulls.
  const value = (side: Side, prefix: string, index: number, mayMiss: boolean): Value => ({
    sql: `${prefix}.${quotedIdentifier(side.ids[index] ?? "")}`,
    type: side.types[index]?.type ?? "void",
    nullable: mayMiss || (side.types[index]?.nullable ?? true),
  });
  const l = (index: number) => value(left, "l", index, how === "right" || how === "full");
  const r = (index: number) => value(right, "r", index, how === "left" || how === "full");
  const leftOutput = (index: number) => ({ name: left.names[index] ?? "", ...l(index) });
  const rest = (side: Side, used: readonly number[]) => side.ids.map((_, i) => i).filter((i) => !used.includes(i));

  const keyOutputs = keys.map((key) => {
    const name = left.names[key.left] ?? "";
    if (how === "full") return { name, ...call("coalesce", l(key.left), r(key.right)) };
    return how === "right" ? { name: right.names[key.right] ?? "", ...r(key.right) } : leftOutput(key.left);
  });
  const others = rest(
    left,
    keys.map((k) => k.left),
  ).map(leftOutput);
  const added = rest(
    right,
    keys.map((k) => k.right),
  ).map((i) => ({ name: right.names[i] ?? "", ...r(i) }));
  const isOneSided = how === "semi" || how === "anti";
  const condition = keys.map((key) => call("=", l(key.left), r(key.right)).sql).join(" AND ");
  const join = how === "cross" ? "CROSS JOIN" : `${how.toUpperCase()} JOIN`;
  return {
    outputs: [...keyOutputs, ...others, ...(isOneSided ? [] : added)],
    from: `FROM ${left.name} AS l ${join} ${right.name} AS r${condition ? ` ON ${condition}` : ""}`,
  };
}

/** A function of two values, which become one type as it wants. */
function call(fn: string, a: Value, b: Value): Value {
  const args = ["a", "b"].map((name): Expression => ({ kind: "column", name }));
  return expressionValue({ kind: "call", fn, args }, (name) => (name === "a" ? a : b));
}
