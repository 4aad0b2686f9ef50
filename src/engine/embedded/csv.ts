import type { StructType } from "../../data/types";
import { simpleString } from "../../data/types";
import { AnalysisError } from "../../frame/analysis-error";
import type { Sink } from "../../frame/runtime";
import type { OutputJob, TaskManifest } from "../../storage/commit";
import { localStorage } from "../../storage/local-storage";
import { parseLocation } from "../../storage/location";
import type { Relational } from "./duckdb";
import { parquetSql } from "./sources";

/**
 * Writes CSV parts: the stage's Parquet parts, each converted by DuckDB into the committer's attempt file.
 * @throws AnalysisError for a column that CSV has no text for, as Spark does
 */
export async function writeCsvParts(
  schema: StructType,
  sink: Sink,
  committer: OutputJob,
  job: { readonly duckdb: Relational; readonly signal: AbortSignal },
  runStage: () => Promise<readonly TaskManifest[]>,
): Promise<TaskManifest[]> {
  const nested = schema.fields.find((f) => typeof f.type !== "string" || f.type === "binary");
  if (nested) {
    throw new AnalysisError(`CSV has no form for column \`${nested.name}\` of type ${simpleString(nested.type)}.`, {
      remedy: "Drop the column, spread it into plain columns, or write Parquet.",
    });
  }
  const given = sink.options;
  const options = {
    header: given.header === "true",
    sep: given.sep ?? ",",
    quote: given.quote ?? '"',
    escape: given.escape ?? "\\",
    nullValue: given.nullValue ?? "",
  };
  const parts: TaskManifest[] = [];
  for (const part of await runStage()) {
    if (committer.resumed.has(part.partition)) {
      parts.push(committer.resumed.get(part.partition)!);
      continue;
    }
    const url = committer.attemptUrl(part.partition, 0);
    // DuckDB writes into a folder that is there.
    await localStorage.writeFile(url, "");
    await job.duckdb.copyToCsv(parquetSql([part.url]), parseLocation(url).path, options, job.signal);
    const written = await localStorage.stat(url);
    const bytes = written === undefined || written === "folder" ? 0 : written.size;
    const manifest = { ...part, url, bytes };
    await committer.commitTask(manifest);
    parts.push(manifest);
  }
  return parts;
}
