import { AnalysisError } from "../../frame/analysis-error";
import type { JoinType } from "../../frame/plan";
import { resolveName } from "../../frame/resolve";
import { quotedIdentifier } from "./sql-text";

interface Side {
  readonly name: string;
  readonly ids: readonly string[];
  readonly names: readonly string[];
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
  const l = (index: number) => `l.${quotedIdentifier(left.ids[index] ?? "")}`;
  const r = (index: number) => `r.${quotedIdentifier(right.ids[index] ?? "")}`;
  const leftOutput = (index: number) => ({ name: left.names[index] ?? "", sql: l(index) });
  const rest = (side: Side, used: readonly number[]) => side.ids.map((_, i) => i).filter((i) => !used.includes(i));

  const keyOutputs = keys.map((key) => {
    if (how === "full") return { name: left.names[key.left] ?? "", sql: `coalesce(${l(key.left)}, ${r(key.right)})` };
    return how === "right" ? { name: right.names[key.right] ?? "", sql: r(key.right) } : leftOutput(key.left);
  });
  const others = rest(
    left,
    keys.map((k) => k.left),
  ).map(leftOutput);
  const added = rest(
    right,
    keys.map((k) => k.right),
  ).map((i) => ({ name: right.names[i] ?? "", sql: r(i) }));
  const isOneSided = how === "semi" || how === "anti";
  const condition = keys.map((key) => `${l(key.left)} = ${r(key.right)}`).join(" AND ");
  const join = how === "cross" ? "CROSS JOIN" : `${how.toUpperCase()} JOIN`;
  return {
    outputs: [...keyOutputs, ...others, ...(isOneSided ? [] : added)],
    from: `FROM ${left.name} AS l ${join} ${right.name} AS r${condition ? ` ON ${condition}` : ""}`,
  };
}
