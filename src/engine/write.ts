import { join } from "node:path";
import { throwIfAborted } from "../errors";
import { refuseDuplicates } from "../frame/analysis-error";
import type { Plan } from "../frame/plan";
import type { Sink, WriteResult } from "../frame/runtime";
import { type OutputJob, openOutput } from "../storage/commit";
import { urlOf } from "../storage/location";
import { announced, logTo } from "./announce";
import { analyzed, type Job } from "./job";
import { refuseOtherColumns, refuseOutputInsideInput } from "./output-checks";
import { outputPartitioning, togetherByFolder } from "./output-partitions";
import { parquetCompression, parquetExtension } from "./parquet-sink";
import { type PartResult, runInnerStages, runPipeline } from "./run-pipeline";
import type { StageOutput } from "./stage";
import { isTextSink, textExtension, writeTextParts } from "./text-sink";

/** Runs a plan into files that become visible all at once. */
export async function write(plan: Plan, sink: Sink, job: Job): Promise<WriteResult> {
  const output = await analyzedOutput(plan, sink, job);
  const { analysis, schema } = output;
  await refuseOutputInsideInput(job.storages, sink.path, analysis.inputPaths);
  const place = job.storages.at(sink.path);
  const path = place.url;
  if (sink.mode === "append" && sink.format === "parquet")
    await refuseOtherColumns(place, schema, sink.partitionBy ?? []);
  const committer = await openOutput(job.storages, sink.path, {
    mode: sink.mode,
    fingerprint: analysis.fingerprint({ sink, parallelism: job.workers.parallelism }),
    leaseMilliseconds: Number(job.conf("pomona.write.leaseSeconds")) * 1000,
    extension: isTextSink(sink) ? textExtension(sink) : parquetExtension(sink),
  });
  if (!committer) return { path, rows: 0, files: [], failedRows: 0, skipped: true };
  try {
    const description = `write ${sink.format} ${path}`;
    return await announced(job.emit, { jobId: committer.jobId, description, signal: job.signal }, async () => {
      await runInnerStages(analysis, job, committer.jobId);
      const parts = await writeParts(output, sink, committer, job);
      throwIfAborted(job.signal);
      // A second attempt that was not needed may still write.
      await job.scheduler.quiet(committer.jobId);
      const files = await committer.commit();
      const sum = (of: (m: Rows) => number) => parts.reduce((total, part) => total + of(part), 0);
      return { path, rows: sum((m) => m.rows), files, failedRows: sum((m) => m.failedRows), skipped: false };
    });
  } catch (error) {
    // An attempt that was slow to stop would write into what is removed.
    await job.scheduler.quiet(committer.jobId);
    // What went wrong is what matters; that something could not be removed after it is a note.
    await committer.abort().catch((left: Error) => logTo(job.emit)("warn", left.message));
    throw error;
  }
}

/** What a part holds. */
type Rows = Pick<PartResult, "rows" | "failedRows">;

type AnalyzedOutput = Awaited<ReturnType<typeof analyzedOutput>>;

/** A write's plan, and the columns of its files: with `partitionBy` the rows of each folder stand together. */
async function analyzedOutput(plan: Plan, sink: Sink, job: Job) {
  const analysis = await analyzed(plan, job);
  const schema = await analysis.schemaOf(analysis.lowered.root);
  refuseDuplicates(analysis.names, "Files have each name once.");
  if (!sink.partitionBy) return { analysis, schema, partitioning: undefined };
  const partitioning = outputPartitioning(sink.partitionBy, schema);
  const together = await analyzed(togetherByFolder(plan, partitioning), job);
  return { analysis: together, schema: partitioning.data, partitioning };
}

/** The output's last stage. Parts of text are made of Parquet parts in the job's scratch folder. */
async function writeParts(
  { analysis, schema, partitioning }: AnalyzedOutput,
  sink: Sink,
  committer: OutputJob,
  job: Job,
): Promise<Rows[]> {
  const { stages, root: pipeline } = analysis.lowered;
  const run = { analysis, pipeline, jobId: committer.jobId, stageId: stages.length, partitioning };
  if (!isTextSink(sink)) {
    const placeFor: StageOutput["placeFor"] = (partition, attempt, folder) => {
      const { url, heldAt } = committer.draftPlace(partition, attempt, folder);
      return { url: heldAt, publishedAt: url };
    };
    const output = { placeFor, compression: parquetCompression(sink) };
    return runPipeline({ ...run, output, committer }, job);
  }
  const folders = new Map<number, string>();
  return writeTextParts(schema, sink, inTheirFolders(committer, folders), job, () => {
    const spool = job.scratch.fresh(sink.format);
    const output: StageOutput = {
      placeFor: (partition, attempt, folder = "") => {
        folders.set(partition, folder);
        return { url: urlOf(join(spool, `${partition}-${attempt}`)) };
      },
      compression: "snappy",
    };
    return runPipeline({ ...run, output }, job);
  });
}

/** The committer for parts whose folders come to be known as their tasks are made. */
function inTheirFolders(committer: OutputJob, folders: ReadonlyMap<number, string>): OutputJob {
  return {
    ...committer,
    draftPlace: (partition, attempt) => committer.draftPlace(partition, attempt, folders.get(partition)),
  };
}
