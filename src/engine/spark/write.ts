import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Sink, WriteResult } from "../../frame/runtime";
import { urlOf } from "../../storage";
import { planOf } from "./analysis";
import type { SparkClient } from "./client";
import { SparkAnalysisError } from "./errors";
import { called, column, literal, named } from "./expressions";
import { runJob, type SparkJob } from "./jobs";
import type { SparkPath } from "./paths";
import type { ReadyPlan } from "./pipelines";
import { WriteOperation_SaveMode, type WriteOperationSchema } from "./protos/spark/connect/commands_pb";
import type { Expression_Literal } from "./protos/spark/connect/expressions_pb";
import { Aggregate_GroupType } from "./protos/spark/connect/relations_pb";
import { of } from "./relations";
import { numbersOf } from "./results";

const MODES = {
  errorifexists: WriteOperation_SaveMode.ERROR_IF_EXISTS,
  overwrite: WriteOperation_SaveMode.OVERWRITE,
  append: WriteOperation_SaveMode.APPEND,
  ignore: WriteOperation_SaveMode.IGNORE,
} as const;

export interface WriteContext {
  readonly client: SparkClient;
  readonly paths: SparkPath;
  readonly job: SparkJob;
  readonly isSail: boolean;
}

/** Has Spark write a plan's rows; they are counted on their way. */
export async function write(
  plan: ReadyPlan,
  sink: Sink,
  { client, paths, job, isSail }: WriteContext,
): Promise<WriteResult> {
  const path = paths(sink.path);
  const { signal } = job;
  const isMore = sink.mode === "append" || sink.mode === "ignore";
  const before = isMore ? await filesAt(client, sink, path, signal) : [];
  const rowsBefore = isSail && before.length > 0 ? await countedAgain(client, plan, sink, [path], signal) : [];
  const value = { input: plan.relation, name: COUNTS, metrics: countsOf(plan) };
  const operation: MessageInitShape<typeof WriteOperationSchema> = {
    // Sail counts nothing on the way.
    input: isSail ? plan.relation : of({ case: "collectMetrics", value }),
    source: sink.format,
    saveType: { case: "path", value: path },
    mode: MODES[sink.mode],
    partitioningColumns: [...(sink.partitionBy ?? [])],
    options: { ...sink.options },
  };
  const command = { case: "command", value: { commandType: { case: "writeOperation", value: operation } } } as const;
  let counts: readonly number[] | undefined;
  for await (const { observedMetrics } of runJob(client, { opType: command }, job, plan.name)) {
    const found = observedMetrics.find(({ name }) => name === COUNTS);
    if (found && found.values.length > 0) counts = found.values.map(numberOf);
  }
  const after = await filesAt(client, sink, path, signal);
  const files = after.filter((file) => !before.includes(file)).sort();
  if (sink.mode === "ignore" && files.length === 0) return { path, rows: 0, files: [], failedRows: 0, skipped: true };
  // A server with much to do does not wait until it has heard of the counts.
  counts ??= files.length === 0 ? [0] : await countedAgain(client, plan, sink, isSail ? [path] : files, signal);
  const [rows = 0, ...failed] = counts.map((count, i) => count - (rowsBefore[i] ?? 0));
  return { path, rows, files, failedRows: Math.max(0, ...failed), skipped: false };
}

const COUNTS = "pomona";

/** How many rows there are, and how many failed. */
function countsOf({ errorColumns }: ReadyPlan) {
  return [
    named(called("count", [literal(1)]), "rows"),
    ...errorColumns.map((name, i) => named(called("count", [column(name)]), `failed${i}`)),
  ];
}

/** The same of what was written. */
async function countedAgain(
  client: SparkClient,
  plan: ReadyPlan,
  { format, options }: Sink,
  files: readonly string[],
  signal: AbortSignal,
): Promise<readonly number[]> {
  const dataSource = { format, options: { ...options }, paths: [...files] };
  const input = of({ case: "read", value: { readType: { case: "dataSource", value: dataSource } } });
  const value = { input, groupType: Aggregate_GroupType.GROUPBY, aggregateExpressions: countsOf(plan) };
  return numbersOf(client.execute(planOf(of({ case: "aggregate", value })), { signal }));
}

function numberOf({ literalType }: Expression_Literal): number {
  return typeof literalType.value === "bigint" || typeof literalType.value === "number" ? Number(literalType.value) : 0;
}

/** The files of a data set; none where there is none. */
async function filesAt(client: SparkClient, sink: Sink, path: string, signal: AbortSignal): Promise<readonly string[]> {
  const dataSource = { format: sink.format, paths: [path] };
  const read = of({ case: "read", value: { readType: { case: "dataSource", value: dataSource } } });
  try {
    const result = await client.analyze({ case: "inputFiles", value: { plan: planOf(read) } }, signal);
    return result.case === "inputFiles" ? result.value.files.map((file) => urlOf(decodedUrl(file))) : [];
  } catch (error) {
    // Nothing is there, or nothing that has columns.
    if (error instanceof SparkAnalysisError) return [];
    throw error;
  }
}

/** Spark lists files as URIs, with their characters encoded. */
function decodedUrl(uri: string): string {
  try {
    return decodeURIComponent(uri);
  } catch {
    return uri;
  }
}
