import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { Plan } from "../frame/plan";
import { type Url, urlOf } from "../storage";
import type { OutputJob } from "../storage/commit";
import { observing } from "../storage/observed-reads";
import { announced, logTo } from "./announce";
import { isInternal } from "./cutting";
import { analyzed, type Job } from "./job";
import type { OutputPartitioning } from "./output-partitions";
import type { Pipeline } from "./pipeline";
import { preparedSteps } from "./prepared-steps";
import type { Analysis } from "./relational";
import { slowQuery } from "./slow-query";
import { planTasks, type StageOutput } from "./stage";

/** A pipeline to run as a stage. */
export interface PipelineRun {
  readonly analysis: Analysis;
  readonly pipeline: Pipeline;
  readonly output: StageOutput;
  readonly jobId: string;
  readonly stageId: number;
  /** Commits the parts, where they are an output's; otherwise they stay as they are. */
  readonly committer?: OutputJob;
  readonly partitioning?: OutputPartitioning | undefined;
}

/** A part that a task made, and where it lies now. */
export interface PartResult {
  readonly partition: number;
  readonly url: Url;
  readonly rows: number;
  readonly failedRows: number;
}

/** Cuts a pipeline into tasks and runs those that no earlier run has done. The parts are in the order of the rows. */
export async function runPipeline(run: PipelineRun, job: Job): Promise<PartResult[]> {
  const { analysis, pipeline, output, committer, partitioning, jobId, stageId } = run;
  const { workers, scheduler, emit, signal } = job;
  workers.start();
  const prepared = await preparedSteps(pipeline.steps, {
    log: logTo(emit),
    signal,
    ship: job.ship,
  });
  workers.mayRead?.(jobId, analysis.reads);
  // What an earlier run has done may be all there is.
  if (!committer?.resumed.size) workers.prepare(prepared.steps);
  const tasks = await planTasks({
    analysis,
    pipeline,
    prepared,
    output,
    ...(partitioning ? { partitioning } : {}),
    jobId,
    stageId,
    ...planning(job),
  });
  const done = new Map<number, PartResult>();
  for (const { draft, ...part } of committer?.resumed.values() ?? [])
    done.set(part.partition, { ...part, url: draft.url });
  await scheduler.runStage({
    jobId,
    stageId,
    name: prepared.name,
    partitions: tasks.partitions.filter((p) => !done.has(p)),
    resumedTasks: done.size,
    rows: tasks.rows,
    taskFor: tasks.taskFor,
    async onTaskDone(task, result) {
      const { draft, rows, failedRows } = result;
      const { partition } = task;
      if (committer && draft && !(await committer.commitTask({ partition, draft, rows, failedRows }))) return;
      done.set(partition, { partition, url: task.output.url, rows, failedRows });
    },
    signal,
  });
  return [...done.values()].sort((a, b) => a.partition - b.partition);
}

/**
 * Runs the stages before the root; what a user cached stays, the rest goes with the job's scratch folder.
 * @param before called before the first event, where the job was not told of yet
 */
export async function runInnerStages(
  analysis: Analysis,
  job: Job,
  jobId: string,
  before?: (startedAt: number) => void,
): Promise<void> {
  const { emit, signal } = job;
  const { length } = analysis.lowered.stages;
  await slowQuery(emit, { jobId, stageId: -2 - length, signal }, (fetched) => analysis.load(signal, fetched), before);
  for (const [stageId, { id, pipeline }] of analysis.lowered.stages.entries()) {
    const isUsers = !isInternal(id);
    const folder = (isUsers ? job.spool : job.scratch).fresh("stage");
    const placeFor = (partition: number, attempt: number) => ({
      url: urlOf(join(folder, `part-${String(partition).padStart(5, "0")}-${attempt}.parquet`)),
    });
    const output: StageOutput = { placeFor, compression: "snappy" };
    const reads = [...analysis.reads];
    const run = () => runPipeline({ analysis, pipeline, output, jobId, stageId }, job);
    const done = await observing((read) => reads.push(read), run);
    const files = done.map(({ url, rows }) => ({ url, rows }));
    const staged = { schema: await analysis.knownSchemaOf(pipeline), files };
    analysis.staged.set(id, staged);
    const frame = analysis.cachedFrames.get(id);
    if (isUsers && frame) job.cached.set(id, { ...staged, frame, reads });
  }
}

/** How many tasks a plan's last stage has; none of them runs. */
export function countPartitions(plan: Plan, job: Job): Promise<number> {
  const jobId = randomUUID();
  return announced(job.emit, { jobId, description: "getNumPartitions", signal: job.signal }, async () => {
    const analysis = await analyzed(plan, job);
    await runInnerStages(analysis, job, jobId);
    const { stages, root } = analysis.lowered;
    const prepared = { steps: root.steps, metadata: {}, name: "" };
    const output: StageOutput = { placeFor: () => ({ url: urlOf(job.scratch.folder) }), compression: "snappy" };
    const request = { analysis, pipeline: root, prepared, output, jobId, stageId: stages.length };
    return (await planTasks({ ...request, ...planning(job) })).partitions.length;
  });
}

/** How tasks are cut here. */
function planning({ relational, scratch, storages, emit, signal, workers, conf }: Job) {
  const batchRows = Number(conf("spark.sql.execution.arrow.maxRecordsPerBatch"));
  return { relational, scratch, storages, emit, signal, parallelism: workers.parallelism, batchRows };
}
