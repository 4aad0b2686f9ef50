import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Sink, WriteResult } from "../../frame/runtime";
import { urlOf } from "../../storage";
import { planOf } from "./analysis";
import type { SparkClient } from "./client";
import { called, column, literal, named } from "./expressions";
import { runJob, type SparkJob } from "./jobs";
import type { SparkPath } from "./paths";
import type { ReadyPlan } from "./pipelines";
import { WriteOperation_SaveMode, type WriteOperationSchema } from "./protos/spark/connect/commands_pb";
import type { Expression_Literal } from "./protos/spark/connect/expressions_pb";
import type { Relation as Proto } from "./protos/spark/connect/relations_pb";
import { of } from "./relations";

const MODES = {
  errorifexists: WriteOperation_SaveMode.ERROR_IF_EXISTS,
  overwrite: WriteOperation_SaveMode.OVERWRITE,
  append: WriteOperation_SaveMode.APPEND,
  ignore: WriteOperation_SaveMode.IGNORE,
} as const;

/** Has Spark write a plan's rows; they are counted on their way. */
export async function write(
  plan: ReadyPlan,
  sink: Sink,
  { client, paths, job }: { readonly client: SparkClient; readonly paths: SparkPath; readonly job: SparkJob },
): Promise<WriteResult> {
  const path = paths(sink.path);
  const before = sink.mode === "append" ? await filesAt(client, sink, path, job.signal) : [];
  const input = counted(plan);
  const operation: MessageInitShape<typeof WriteOperationSchema> = {
    input,
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
    if (found) counts = found.values.map(numberOf);
  }
  // Spark counts nothing where it wrote nothing.
  if (!counts && sink.mode === "ignore") return { path, rows: 0, files: [], failedRows: 0, skipped: true };
  const [rows = 0, ...failed] = counts ?? [];
  const after = await filesAt(client, sink, path, job.signal);
  const files = after.filter((file) => !before.includes(file)).sort();
  return { path, rows, files, failedRows: Math.max(0, ...failed), skipped: false };
}

const COUNTS = "pomona";

/** A relation whose rows are counted as they pass, and those that failed. */
function counted({ relation: input, errorColumns }: ReadyPlan): Proto {
  const metrics = [
    named(called("count", [literal(1)]), "rows"),
    ...errorColumns.map((name, i) => named(called("count", [column(name)]), `failed${i}`)),
  ];
  return of({ case: "collectMetrics", value: { input, name: COUNTS, metrics } });
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
  } catch {
    signal.throwIfAborted();
    // Nothing is there, or nothing that has columns.
    return [];
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
