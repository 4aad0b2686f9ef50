import { UnresolvedColumnError } from "./analysis-error";
import { childrenOf, columnsIn } from "./expressions";
import { type Expression, inputsOf, outputName, type Plan } from "./plan";
import { nameParts, sameName } from "./resolve";

type Names = readonly string[];

/** The columns of plans whose schema was looked up, and of those that follow from them. */
const known = new WeakMap<Plan, Names>();

/** Notes a plan's columns once they were looked up. */
export function rememberColumns(plan: Plan, names: Names): void {
  known.set(plan, names);
}

/**
 * Fails where a plan's own expressions name columns that its input, as far as it is known, does not have: at the line that
 * wrote it, as PySpark does. What has to be looked up first fails at the action.
 * @throws UnresolvedColumnError
 */
export function checkColumns(plan: Plan): void {
  if (plan.op !== "project" && plan.op !== "withColumns" && plan.op !== "aggregate") return;
  const names = columnsOf(plan.input);
  if (!names) return;
  const values =
    plan.op === "project"
      ? plan.columns
      : plan.op === "withColumns"
        ? plan.columns.map((c) => c.value)
        : [...plan.grouping, ...plan.aggregates];
  for (const name of values.flatMap(namesIn)) {
    const parts = nameParts(name);
    const isThere = names.some((other) => sameName(other, parts[0] ?? ""));
    // The first part may be a frame's alias.
    if (!isThere && (parts.length === 1 || !hasAlias(plan.input))) {
      throw new UnresolvedColumnError(name, names, { parts });
    }
  }
}

/** A frame's own columns are another matter: they may be hidden ones. */
function namesIn(expression: Expression): string[] {
  if (expression.kind === "column") return expression.planId === undefined ? [expression.name] : [];
  return childrenOf(expression).flatMap(namesIn);
}

function hasAlias(plan: Plan): boolean {
  return plan.op === "alias" || inputsOf(plan).some(hasAlias);
}

/** A plan's columns, where nothing has to be looked up for them. */
function columnsOf(plan: Plan): Names | undefined {
  const found = known.get(plan) ?? derivedColumns(plan);
  if (found) known.set(plan, found);
  return found;
}

function derivedColumns(plan: Plan): Names | undefined {
  switch (plan.op) {
    case "local":
    case "mapBatches":
      return plan.schema.fields.map((f) => f.name);
    case "range":
      return ["id"];
    case "toNames":
      return plan.names;
    case "project":
      return plan.columns.every(isPlain) ? plan.columns.map(nameOf) : undefined;
    case "aggregate": {
      const all = [...plan.grouping, ...plan.aggregates];
      return all.every(isPlain) ? all.map(nameOf) : undefined;
    }
    case "withColumns": {
      const names = columnsOf(plan.input);
      if (!names || !plan.columns.every((c) => isPlain(c.value))) return undefined;
      const added = plan.columns.map((c) => c.name);
      return [...names, ...added.filter((name) => !names.some((other) => sameName(other, name)))];
    }
    case "filter":
    case "filterSql":
    case "sort":
    case "sample":
    case "balancedSample":
    case "limit":
    case "distinct":
    case "repartition":
    case "dropMissing":
    case "fillMissing":
    case "replaceValues":
    case "alias":
    case "cached":
      return columnsOf(plan.input);
    default:
      return undefined;
  }
}

/** A column that is one, under a name that its text alone decides. */
function isPlain(expression: Expression): boolean {
  if (expression.kind === "star") return false;
  if (expression.kind === "batch") return expression.onError.kind === "fail";
  return expression.kind === "alias" ||
    expression.kind === "column" ||
    columnsIn(expression).every((n) => !/[.`]/.test(n))
    ? childrenOf(expression).every(isPlain)
    : false;
}

function nameOf(expression: Expression): string {
  if (expression.kind === "column") return nameParts(expression.name).at(-1) ?? expression.name;
  return outputName(expression);
}
