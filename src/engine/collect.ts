import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { Plan } from "../frame/plan";
import { type Url, urlOf } from "../storage";
import { announcing } from "./announce";
import { analyzed, type Job } from "./job";
import { runInnerStages, runPipeline } from "./run-pipeline";
import { type FetchListener, slowQuery } from "./slow-query";
import type { Spool } from "./spool";
import type { StageOutput } from "./stage";

/** A result: Parquet files, in order, and what its columns are called. */
export interface Collected {
  readonly files: readonly Url[];
  readonly names: readonly string[];
}

/** Runs a plan into files of `results`, which outlives the job: its rows are read when the job has ended. */
export async function collect(plan: Plan, results: Spool, job: Job): Promise<Collected> {
  const analysis = await analyzed(plan, job);
  const { stages, root } = analysis.lowered;
  const jobId = randomUUID();
  const announcement = announcing(job.emit, { jobId, description: "collect", signal: job.signal });
  const run = async () => {
    await runInnerStages(analysis, job, jobId, announcement.begin);
    if (root.steps.length === 0) {
      const path = results.fresh("result.parquet");
      const { signal } = job;
      const stage = { jobId, stageId: stages.length, signal };
      const copy = (fetched: FetchListener) => analysis.copy(root.source, root.columns, path, signal, fetched);
      await slowQuery(job.emit, stage, copy, announcement.begin);
      return [urlOf(path)];
    }
    const output: StageOutput = {
      placeFor: (partition, attempt) => ({
        url: urlOf(join(results.folder, `part-${partition}-${attempt}.parquet`)),
      }),
      compression: "snappy",
    };
    const parts = await runPipeline({ analysis, pipeline: root, output, jobId, stageId: stages.length }, job);
    return parts.map(({ url }) => url);
  };
  // What only the relational engine does is mostly over before anybody could read of it.
  if (stages.length > 0 || root.steps.length > 0) announcement.begin();
  return { files: await announcement.over(run), names: analysis.names };
}
