import { randomUUID } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { sparkJson } from "../../data/types";
import type { Plan } from "../../frame/plan";
import type { Sink, WriteResult } from "../../frame/runtime";
import { urlOf } from "../../storage";
import { PathAlreadyExistsError } from "../../storage/commit";
import { refuseOutputOverInput } from "../output-checks";
import { leavesOf } from "../plan-leaves";
import { planOf, schemaOfRelation } from "./analysis";
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

/**
 * Spark removes what it overwrites before it reads it, and the rows of a cached frame are read when they are needed.
 * @throws OutputInsideInputError
 */
export function refuseOverwrittenInput(plan: Plan, sink: Sink, paths: SparkPath): void {
  if (sink.mode !== "overwrite") return;
  const url = (path: string) => urlOf(paths(path));
  const inputs = leavesOf(plan, new Set()).flatMap((leaf) => (leaf.op === "read" ? leaf.paths.map(url) : []));
  refuseOutputOverInput(url(sink.path), inputs);
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
  const rowsBefore = isSail && before.length > 0 ? await countedAgain(client, plan, sink, [path], path, signal) : [];
  const value = { input: plan.relation, name: COUNTS, metrics: countsOf(plan) };
  const operation: MessageInitShape<typeof WriteOperationSchema> = {
    // Sail counts nothing on the way.
    input: isSail ? plan.relation : of({ case: "collectMetrics", value }),
    source: sink.format,
    saveType: { case: "path", value: path },
    partitioningColumns: [...(sink.partitionBy ?? [])],
    options: { ...sink.options },
  };
  let counts: readonly number[] | undefined;
  const run = async (mode: Sink["mode"], operationId: string) => {
    counts = undefined;
    const value = { ...operation, mode: MODES[mode] };
    const command = { case: "command", value: { commandType: { case: "writeOperation", value } } } as const;
    for await (const { observedMetrics } of runJob(client, { opType: command }, job, plan.name, operationId)) {
      const found = observedMetrics.find(({ name }) => name === COUNTS);
      if (found && found.values.length > 0) counts = found.values.map(numberOf);
    }
  };
  /** Spark leaves the folder of a write that was broken off, and then says that it exists. */
  const isLeft = async () => !isSail && (await isEmptyFolder(client, path, signal));
  await run(sink.mode, job.jobId).catch(async (error: unknown) => {
    if (!(sink.mode === "errorifexists" && error instanceof PathAlreadyExistsError && (await isLeft()))) throw error;
    await run("append", randomUUID());
  });
  let after = await filesAt(client, sink, path, signal);
  if (sink.mode === "ignore" && after.length === 0 && (await isLeft())) {
    await run("append", randomUUID());
    after = await filesAt(client, sink, path, signal);
  }
  const files = after.filter((file) => !before.includes(file)).sort();
  if (sink.mode === "ignore" && files.length === 0) return { path, rows: 0, files: [], failedRows: 0, skipped: true };
  // A server with much to do does not wait until it has heard of the counts.
  counts ??= files.length === 0 ? [0] : await countedAgain(client, plan, sink, isSail ? [path] : files, path, signal);
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

/** Formats whose files do not tell their columns. */
const WITHOUT_COLUMNS = new Set(["csv", "json", "text"]);

/** The same of what was written. @param files some of it, or all by its path */
async function countedAgain(
  client: SparkClient,
  plan: ReadyPlan,
  { format, options, partitionBy = [] }: Sink,
  files: readonly string[],
  path: string,
  signal: AbortSignal,
): Promise<readonly number[]> {
  const schema = WITHOUT_COLUMNS.has(format) ? await schemaOfRelation(client, plan.relation, signal) : undefined;
  const dataSource = {
    format,
    options: {
      ...options,
      // Files alone tell nothing of the folders k=v that they are in.
      ...(partitionBy.length > 0 && !files.includes(path) ? { basePath: path } : {}),
      ...(format === "csv" ? { multiLine: "true" } : {}),
    },
    paths: [...files],
    ...(schema ? { schema: JSON.stringify(sparkJson(schema)) } : {}),
  };
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

/** Whether a folder is there with nothing in it, nor of a write that is under way, nor the mark of one that gave no rows. */
async function isEmptyFolder(client: SparkClient, path: string, signal: AbortSignal): Promise<boolean> {
  const [all, ...marks] = await Promise.all(
    ["", "/_temporary", "/_SUCCESS"].map((name) => anyFilesAt(client, path + name, signal)),
  );
  return all?.length === 0 && marks.every((mark) => mark === undefined);
}

/** All files of whatever kind, but those that Spark hides; undefined where there is nothing of that path. */
async function anyFilesAt(client: SparkClient, path: string, signal: AbortSignal) {
  const dataSource = { format: "binaryFile", paths: [path], options: { recursiveFileLookup: "true" } };
  const read = of({ case: "read", value: { readType: { case: "dataSource", value: dataSource } } });
  try {
    const result = await client.analyze({ case: "inputFiles", value: { plan: planOf(read) } }, signal);
    return result.case === "inputFiles" ? result.value.files : [];
  } catch (error) {
    if (error instanceof SparkAnalysisError && error.errorClass === "PATH_NOT_FOUND") return undefined;
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
