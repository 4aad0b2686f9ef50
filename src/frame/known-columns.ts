import { UnresolvedColumnError } from "./analysis-error";
import { childrenOf, columnsIn } from "./expressions";
import { generatorIn } from "./functions/generators";
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
  switch (plan.op) {
    case "project":
      checkNames(plan.input, plan.columns.flatMap(namesIn));
      break;
    case "withColumns":
      checkNames(
        plan.input,
        plan.columns.flatMap((c) => namesIn(c.value)),
      );
      break;
    case "aggregate":
      checkNames(plan.input, [...plan.grouping, ...plan.aggregates].flatMap(namesIn));
      break;
    case "filter":
      checkNames(plan.input, namesIn(plan.condition), reachableNames(plan.input));
      break;
    case "sort":
      checkNames(
        plan.input,
        plan.orders.flatMap((o) => namesIn(o.child)),
        reachableNames(plan.input),
      );
      break;
    case "dropMissing":
    case "replaceValues":
      checkNames(plan.input, plan.columns ?? []);
      break;
    case "fillMissing":
      checkNames(
        plan.input,
        plan.fills.flatMap((fill) => fill.column ?? []),
      );
      break;
    case "distinct":
      checkWholeNames(plan.input, plan.columns ?? [], { among: true });
      break;
    case "join":
      checkWholeNames(plan.left, plan.on, { joinSide: "left" });
      checkWholeNames(plan.right, plan.on, { joinSide: "right" });
      break;
  }
}

/** @param taken the names that it may be, where these are more than the input's columns */
function checkNames(input: Plan, names: readonly string[], taken = columnsOf(input)): void {
  const columns = columnsOf(input);
  if (!columns || !taken) return;
  for (const name of names) {
    const parts = nameParts(name);
    const isThere = taken.some((other) => sameName(other, parts[0] ?? ""));
    // The first part may be a frame's alias.
    if (!isThere && (parts.length === 1 || !hasAlias(input))) throw new UnresolvedColumnError(name, columns, { parts });
  }
}

function checkWholeNames(
  input: Plan,
  names: readonly string[],
  options: { readonly among: true } | { readonly joinSide: "left" | "right" },
): void {
  const columns = columnsOf(input);
  const missing = columns && names.find((name) => !columns.some((other) => sameName(other, name)));
  if (missing !== undefined) throw new UnresolvedColumnError(missing, columns ?? [], options);
}

/** What {@link reachableNames} found. */
const reachable = new WeakMap<Plan, Names>();

/** The columns of a plan and of all below it: a filter or a sort reaches some of those that a choice left out. */
function reachableNames(plan: Plan): Names | undefined {
  const found = reachable.get(plan);
  if (found) return found;
  const own = columnsOf(plan);
  if (!own) return undefined;
  const names = new Set(own);
  for (const input of inputsOf(plan)) {
    const below = reachableNames(input);
    if (!below) return undefined;
    for (const name of below) names.add(name);
  }
  reachable.set(plan, [...names]);
  return [...names];
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
    case "rename": {
      const names = columnsOf(plan.input);
      const renamings = Object.entries(plan.names);
      return names?.map((name) => renamings.reduce((now, [from, to]) => (sameName(from, now) ? to : now), name));
    }
    case "drop":
      if (plan.columns) return undefined;
      return columnsOf(plan.input)?.filter((name) => !plan.names.some((dropped) => sameName(dropped, name)));
    case "union":
    case "intersect":
    case "except":
      return plan.op === "union" && plan.allowMissing ? undefined : columnsOf(plan.left);
    case "join":
      return joinedColumns(plan);
    case "filter":
    case "filterSql":
    case "sort":
    case "sample":
    case "balancedSample":
    case "limit":
    case "offset":
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

function joinedColumns({ left, right, on, how }: Extract<Plan, { op: "join" }>): Names | undefined {
  const leftNames = columnsOf(left);
  const rightNames = leftNames && (how === "semi" || how === "anti" ? [] : columnsOf(right));
  if (!leftNames || !rightNames) return undefined;
  const isKey = (name: string) => on.some((key) => sameName(key, name));
  const rest = [...leftNames, ...rightNames].filter((name) => !isKey(name));
  const keys = on.flatMap(
    (key) => (how === "right" ? rightNames : leftNames).find((name) => sameName(name, key)) ?? [],
  );
  return [...keys, ...rest];
}

/** A column that is one, under a name that its text alone decides. */
function isPlain(expression: Expression): boolean {
  if (expression.kind === "star" || generatorIn(expression)) return false;
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
