import { hasBatch } from "../../frame/expressions";
import { inputsOf, type Plan } from "../../frame/plan";
import type { Step } from "../../worker/task";
import { isInternal } from "../cutting";
import { type Lowered, type Pipeline, sourceColumns } from "../pipeline";
import { outputSchema } from "../pipeline-schema";
import { type PreparedSteps, preparedSteps } from "../prepared-steps";
import { columnsOf } from "../relation";
import { type ReadyStages, renamedColumns, type Sources, type SparkAnalysis } from "./analysis";
import type { FanOut } from "./fan-out";
import type { Relation as Proto } from "./protos/spark/connect/relations_pb";

/** A plan ready to run: Spark's relation, and what there is to tell of it. */
export interface ReadyPlan {
  /** Its columns are called as outside, but that none comes twice. */
  readonly relation: Proto;
  /** For progress: what workers do; empty where they do nothing. */
  readonly name: string;
  /** The columns that say why rows failed. */
  readonly errorColumns: readonly string[];
}

export interface PipelineContext {
  readonly fanOut: FanOut;
  readonly log: (level: "debug" | "info" | "warn", text: string) => void;
  readonly signal: AbortSignal;
  /** Most rows that a worker holds at a time. */
  readonly batchRows: number;
  /** Takes a stage that the user keeps, and gives what stands for it. */
  readonly keep: (id: string, relation: Proto) => Promise<Proto>;
}

/** Whether a plan's rows most likely go through functions on workers. @param kept frames whose rows are there */
export function hasFunctions(plan: Plan, kept: { has(id: string): boolean }): boolean {
  if (plan.op === "mapBatches") return true;
  if (plan.op === "cached" && kept.has(plan.id)) return false;
  if (plan.op === "project" && plan.columns.some(hasBatch)) return true;
  if (plan.op === "withColumns" && plan.columns.some(({ value }) => hasBatch(value))) return true;
  return inputsOf(plan).some((input) => hasFunctions(input, kept));
}

/** Rows with a file's content in them: a worker holds so many images at a time. */
const CONTENT_BATCH_ROWS = 16;

/** Puts a plan's pipelines together: each one's rows go through its steps beside the executors. */
export async function readyPlan(analysis: SparkAnalysis, context: PipelineContext): Promise<ReadyPlan> {
  const { stages } = await readyStages(analysis.lowered, analysis, context);
  return run(analysis.lowered.root, analysis, stages, context);
}

/** The same of the stages before the last pipeline. */
export async function readyStages(
  { stages }: Pick<Lowered, "stages">,
  sources: Sources,
  context: PipelineContext,
): Promise<ReadyStages> {
  const ready = new Map<string, Proto>();
  const names: string[] = [];
  for (const { id, pipeline } of stages) {
    const { relation, name } = await run(pipeline, sources, ready, context);
    if (name !== "") names.push(name);
    ready.set(id, isInternal(id) ? relation : await context.keep(id, relation));
  }
  return { stages: ready, name: names.join(" + ") };
}

async function run(
  pipeline: Pipeline,
  sources: Sources,
  stages: ReadonlyMap<string, Proto>,
  { fanOut, log, signal, batchRows }: PipelineContext,
): Promise<ReadyPlan> {
  const { steps, columns, preservesRows } = pipeline;
  const errors = new Set(steps.flatMap((step) => (step.kind === "column" && step.errorAs ? [step.errorAs] : [])));
  const errorColumns = columns.filter(({ from }) => errors.has(from)).map(({ as }) => as);
  if (steps.length === 0) {
    const source = sources.sourceOf(pipeline, columnsOf(pipeline.source), stages);
    return { relation: renamedColumns(source, columns), name: "", errorColumns };
  }
  const prepared: PreparedSteps = await preparedSteps(steps, {
    log,
    signal,
    ship: fanOut.ship,
    hasNatives: () => fanOut.hasNatives(signal),
  });
  const passed = steps.some((step) => step.kind !== "column")
    ? []
    : columns.filter(({ relational }) => relational).map(({ from }) => from);
  const needed = [...new Set([...sourceColumns(steps), ...passed])];
  const source = sources.sourceOf(pipeline, needed, stages);
  const input = await sources.schemaOfSource(source);
  const output = outputSchema(pipeline, input);
  const selected: Step = { kind: "select", columns: columns.map(({ from, as }) => ({ from, as })) };
  const hasContent = input.fields.some(({ type }) => type === "binary");
  const how = {
    preservesRows: preservesRows && steps.every((step) => step.kind !== "table"),
    batchRows: hasContent ? Math.min(batchRows, CONTENT_BATCH_ROWS) : batchRows,
  };
  const relation = await fanOut.mapPartitions(source, input, [...prepared.steps, selected], output, how, signal);
  return { relation, name: prepared.name, errorColumns };
}
