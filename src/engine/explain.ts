import { expressionText, inputsOf, type Plan } from "../frame/plan";
import type { Step } from "../worker/task";
import type { Lowered, Pipeline } from "./pipeline";

/** A plan as `explain` prints it: as written, as stages, and the relational engine's own plan of the last stage. */
export function explainText(plan: Plan, lowered: Lowered, relationalPlan: string): string {
  const stages = [...lowered.stages.map((s) => s.pipeline), lowered.root];
  return [
    "== Logical Plan ==",
    treeText(plan),
    "== Stages ==",
    ...stages.map((pipeline, i) => stageText(i, pipeline)),
    `== Relational Plan of Stage ${stages.length - 1} ==`,
    relationalPlan.trimEnd(),
    "",
  ].join("\n");
}

function treeText(plan: Plan, depth = 0): string {
  const prefix = depth === 0 ? "" : `${"   ".repeat(depth - 1)}+- `;
  return [prefix + nodeText(plan), ...inputsOf(plan).map((input) => treeText(input, depth + 1))].join("\n");
}

function stageText(index: number, pipeline: Pipeline): string {
  const steps = pipeline.steps.map((step) => `   ${stepText(step)}`);
  const head = pipeline.steps.length === 0 ? "relational" : "fan-out";
  return [`Stage ${index} (${head})`, treeText(pipeline.source, 2), ...steps].join("\n");
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
      return `Drop [${plan.names.join(", ")}]`;
    case "filter":
      return `Filter ${expressionText(plan.condition)}`;
    case "filterSql":
      return `Filter ${plan.condition}`;
    case "sample":
      return `Sample ${plan.fraction}, seed ${plan.seed}`;
    case "limit":
      return `Limit ${plan.n}`;
    case "sort":
      return `Sort [${plan.orders.map((o) => `${expressionText(o.child)} ${o.direction.toUpperCase()}`).join(", ")}]`;
    case "aggregate":
      return `Aggregate [${plan.grouping.map(expressionText).join(", ")}], [${plan.aggregates.map(expressionText).join(", ")}]`;
    case "distinct":
      return plan.columns ? `Deduplicate [${plan.columns.join(", ")}]` : "Distinct";
    case "join":
      return `Join ${plan.how} on [${plan.on.join(", ")}]`;
    case "union":
      return plan.byName ? "Union by name" : "Union";
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
