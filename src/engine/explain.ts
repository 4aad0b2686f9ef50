import { expressionText, inputsOf, type Plan } from "../frame/plan";
import type { Step } from "../worker/task";
import type { Lowered, Pipeline } from "./pipeline";
import { type Computed, generatedBy, type Relation, relationInputs } from "./relation";

/** A plan as `explain` prints it: as written, as stages, and the relational engine's own plan of the last stage. */
export function explainText(plan: Plan, lowered: Lowered, relationalPlan: string): string {
  const stages = [...lowered.stages.map((s) => s.pipeline), lowered.root];
  return [
    "== Logical Plan ==",
    treeText(plan, nodeText, inputsOf),
    "== Stages ==",
    ...stages.map((pipeline, i) => stageText(i, pipeline)),
    `== Relational Plan of Stage ${stages.length - 1} ==`,
    relationalPlan.trimEnd(),
    "",
  ].join("\n");
}

function treeText<T>(node: T, text: (node: T) => string, inputs: (node: T) => readonly T[], depth = 0): string {
  const prefix = depth === 0 ? "" : `${"   ".repeat(depth - 1)}+- `;
  return [prefix + text(node), ...inputs(node).map((input) => treeText(input, text, inputs, depth + 1))].join("\n");
}

function stageText(index: number, pipeline: Pipeline): string {
  const steps = pipeline.steps.map((step) => `   ${stepText(step)}`);
  const head = pipeline.steps.length === 0 ? "relational" : "fan-out";
  return [`Stage ${index} (${head})`, treeText(pipeline.source, relationText, relationInputs, 2), ...steps].join("\n");
}

function stepText(step: Step): string {
  switch (step.kind) {
    case "column":
      return `-> ${step.fn.name}(${step.args.join(", ")}) AS ${step.as}`;
    case "table":
      return `-> ${step.fn.name} over batches`;
    case "select":
      return `-> select ${step.columns.map((c) => c.as).join(", ")}`;
  }
}

function nodeText(plan: Plan): string {
  switch (plan.op) {
    case "read":
      return `Read ${plan.format} ${plan.paths.join(", ")}`;
    case "range":
      return `Range (${plan.start}, ${plan.end}, step=${plan.step})`;
    case "local":
      return `LocalRelation [${plan.schema.fields.map((f) => f.name).join(", ")}]`;
    case "sql":
      return `Sql ${plan.query.trim().replaceAll(/\s+/g, " ")}`;
    case "project":
      return `Project [${plan.columns.map(expressionText).join(", ")}]`;
    case "withColumns":
      return `WithColumns [${plan.columns.map((c) => `${expressionText(c.value)} AS ${c.name}`).join(", ")}]`;
    case "rename":
      return `Rename [${Object.entries(plan.names)
        .map(([from, to]) => `${from} AS ${to}`)
        .join(", ")}]`;
    case "drop":
      return `Drop [${[...plan.names, ...(plan.columns ?? []).map(expressionText)].join(", ")}]`;
    case "toNames":
      return `ToDF [${plan.names.join(", ")}]`;
    case "alias":
      return `SubqueryAlias ${plan.name}`;
    case "filter":
      return `Filter ${expressionText(plan.condition)}`;
    case "filterSql":
      return `Filter ${plan.condition}`;
    case "sample":
      return `Sample ${plan.fraction}, seed ${plan.seed}`;
    case "limit":
      return `Limit ${plan.n}`;
    case "offset":
      return `Offset ${plan.n}`;
    case "sort":
      return `Sort [${plan.orders.map((o) => `${expressionText(o.child)} ${o.direction.toUpperCase()}`).join(", ")}]`;
    case "aggregate":
      return `Aggregate [${plan.grouping.map(expressionText).join(", ")}], [${plan.aggregates.map(expressionText).join(", ")}]`;
    case "distinct":
      return plan.columns ? `Deduplicate [${plan.columns.join(", ")}]` : "Distinct";
    case "join":
      return `Join ${plan.how} on ${plan.condition ? expressionText(plan.condition) : `[${plan.on.join(", ")}]`}`;
    case "union":
      return plan.byName ? "Union by name" : "Union";
    case "intersect":
      return plan.all ? "Intersect all" : "Intersect";
    case "except":
      return plan.all ? "Except all" : "Except";
    case "dropMissing":
      return `DropMissing [${plan.columns?.join(", ") ?? "*"}], at least ${plan.least}`;
    case "fillMissing":
      return `FillMissing [${plan.fills.map((f) => `${f.column ?? "*"} = ${f.value}`).join(", ")}]`;
    case "replaceValues":
      return `Replace [${plan.pairs.map(([from, to]) => `${from} by ${to}`).join(", ")}]`;
    case "summary":
      return `Summary [${plan.statistics.join(", ")}]`;
    case "repartition":
      return `${plan.shuffle ? "Repartition" : "Coalesce"} ${plan.partitions}`;
    case "balancedSample":
      return `BalancedSample ${plan.total} by ${plan.by}, seed ${plan.seed}`;
    case "mapBatches":
      return `MapBatches ${plan.fn.name}`;
    case "cached":
      return `Cached ${plan.id}`;
  }
}

function relationText(relation: Relation): string {
  switch (relation.op) {
    case "leaf":
      return nodeText(relation.leaf);
    case "range":
      return `Range (${relation.start}, ${relation.end}, step=${relation.step})`;
    case "sql":
      return `Sql ${relation.query.trim().replaceAll(/\s+/g, " ")}`;
    case "stage":
      return `Cached ${relation.id}`;
    case "project":
      return `Project [${computedText(relation.columns)}]`;
    case "extend":
      return `WithColumns [${computedText(relation.columns)}]`;
    case "filter":
      return `Filter ${expressionText(relation.condition)}`;
    case "sample":
      return `Sample ${relation.bounds.join(" to ")}, seed ${relation.seed}`;
    case "balancedSample":
      return `BalancedSample ${relation.total} by ${relation.by}, seed ${relation.seed}`;
    case "generate":
      return `Generate ${relation.outer ? "outer " : ""}[${generatedBy(relation).join(", ")}] of ${expressionText(relation.value)}`;
    case "limit":
      return `Limit ${relation.n}`;
    case "offset":
      return `Offset ${relation.n}`;
    case "sort":
      return `Sort [${relation.orders.map((o) => `${expressionText(o.child)} ${o.direction.toUpperCase()}`).join(", ")}]`;
    case "aggregate":
      return `Aggregate [${computedText(relation.grouping)}], [${computedText(relation.aggregates)}]`;
    case "distinct":
      return relation.on ? `Deduplicate [${relation.on.join(", ")}]` : "Distinct";
    case "join":
      return `Join ${relation.how}${relation.condition ? ` on ${expressionText(relation.condition)}` : ""}`;
    case "set":
      return `${relation.kind.charAt(0).toUpperCase()}${relation.kind.slice(1)}${relation.all ? " all" : ""}`;
    case "repartition":
      return `${relation.shuffle ? "Repartition" : "Coalesce"} ${relation.partitions}`;
    case "mapBatches":
      return `MapBatches ${relation.fn.name}`;
  }
}

function computedText(columns: readonly Computed[]): string {
  return columns
    .map(({ id, value }) => (value.kind === "column" && value.name === id ? id : `${expressionText(value)} AS ${id}`))
    .join(", ");
}
