import { createHash, randomUUID } from "node:crypto";
import { join } from "node:path";
import { serialize } from "node:v8";
import type { RecordBatch } from "apache-arrow";
import { renamedBatch } from "../../data/vectors";
import { CancelledError, throwIfAborted } from "../../errors";
import { refuseDuplicates } from "../../frame/analysis-error";
import type { Plan } from "../../frame/plan";
import type { Sink, WriteResult } from "../../frame/runtime";
import { prepareProcess } from "../../networks/network-backend";
import { footerCache, readParquetBatches } from "../../parquet";
import { type OutputJob, openOutput, type TaskManifest } from "../../storage/commit";
import { localStorage } from "../../storage/local-storage";
import { locationUrl, parseLocation } from "../../storage/location";
import { announced, logTo } from "../announce";
import type { Engine, EngineOptions } from "../contract";
import { driverWork } from "../driver-work";
import { SessionStoppedError } from "../errors";
import type { EventListener } from "../events";
import { explainText } from "../explain";
import { parquetCompression, parquetExtension } from "../parquet-sink";
import { isInternal } from "../pipeline";
import { runStage } from "../scheduler";
import {
  type Analysis,
  analyze,
  type CachedStages,
  knownSchemaOf,
  resultSchema,
  schemaOf,
  selectSql,
} from "../duckdb/analysis";
import { openDuckDb, type Relational } from "../duckdb/duckdb";
import { parseLocalMaster } from "./local-master";
import { refuseOtherColumns, refuseOutputInsideInput } from "../output-checks";
import { type OutputPartitioning, outputPartitioning, togetherByFolder } from "../output-partitions";
import { openSpool, type Spool } from "../spool";
import { planTasks, preparedSteps, type StageOutput } from "../stage";
import { isTextSink, textExtension, writeTextParts } from "../text-sink";
import { workerThreads } from "./worker-threads";

/**
 * The engine on this machine: relational work in DuckDB, batch functions on worker threads.
 * @param master `local`, `local[N]` or `local[*]`
 */
export function embeddedEngine(master: string, options: EngineOptions): Engine {
  const parallelism = parseLocalMaster(master);
  const { conf } = options;
  const listeners = new Set<EventListener>();
  const emit: EventListener = (event) => {
    for (const listener of listeners) listener(event);
  };
  prepareProcess();
  const threads = workerThreads(parallelism);
  const cached: CachedStages = new Map();
  const footers = footerCache();
  const running = new Map<AbortController, Promise<unknown>>();
  let spool: Spool | undefined;
  let relational: Promise<Relational> | undefined;
  let closed = false;

  const openedSpool = () => {
    if (closed) throw new SessionStoppedError();
    spool ??= openSpool(conf("pomona.spool.dir"));
    return spool;
  };
  const openedRelational = () => {
    const { folder } = openedSpool();
    relational ??= openDuckDb({
      memoryLimit: conf("pomona.duckdb.memory") ?? "",
      threads: parallelism,
      temporaryFolder: join(folder, "duckdb"),
    });
    return relational;
  };

  /** Runs one action with a scratch folder and a signal that `interrupt` reaches too. */
  async function action<T>(signal: AbortSignal | undefined, use: (job: Job) => Promise<T>): Promise<T> {
    throwIfAborted(signal);
    const abort = new AbortController();
    const onAbort = () => abort.abort(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    const run = async () => {
      const duckdb = await openedRelational();
      // The first action opens DuckDB, which takes its time.
      throwIfAborted(abort.signal);
      const scratch = openedSpool().scratch();
      try {
        return await use({ duckdb, scratch, signal: abort.signal });
      } finally {
        scratch.close();
      }
    };
    const work = run();
    running.set(abort, work);
    try {
      return await work;
    } finally {
      running.delete(abort);
      signal?.removeEventListener("abort", onAbort);
    }
  }

  const analyzed = (plan: Plan, job: Job) => {
    const inference = conf("spark.sql.sources.partitionColumnTypeInference.enabled");
    const settings = { partitionInference: inference?.toLowerCase() !== "false" };
    return analyze(plan, job.duckdb, job.scratch, cached, { settings, footers, signal: job.signal });
  };

  /** Runs the stages before the root; what a user cached stays, the rest goes with the job's scratch folder. */
  async function runInnerStages(analysis: Analysis, job: Job, jobId: string): Promise<void> {
    await analysis.load(job.signal);
    for (const [index, stage] of analysis.lowered.stages.entries()) {
      const isUsers = !isInternal(stage.id);
      const folder = (isUsers ? openedSpool() : job.scratch).fresh("stage");
      const output: StageOutput = {
        urlFor: (partition, attempt) => join(folder, `part-${String(partition).padStart(5, "0")}-${attempt}.parquet`),
        compression: "snappy",
      };
      const done = await runPipeline(analysis, stage.pipeline, output, job, jobId, index);
      const files = done.map(({ url, rows }) => ({ url, rows }));
      const staged = { schema: await knownSchemaOf(stage.pipeline, analysis, job.duckdb), files };
      analysis.staged.set(stage.id, staged);
      const frame = analysis.cachedFrames.get(stage.id);
      if (isUsers && frame) cached.set(stage.id, { ...staged, frame });
    }
  }

  /** The tasks of the last stage, none of which runs. */
  function partitionsOf(plan: Plan, job: Job): Promise<number> {
    const jobId = randomUUID();
    return announced(emit, { jobId, description: "getNumPartitions", signal: job.signal }, async () => {
      const analysis = await analyzed(plan, job);
      await runInnerStages(analysis, job, jobId);
      const { stages, root } = analysis.lowered;
      const prepared = { steps: root.steps, metadata: {}, name: "" };
      const output: StageOutput = { urlFor: () => job.scratch.folder, compression: "snappy" };
      const request = { analysis, pipeline: root, prepared, output, jobId, stageId: stages.length };
      return (await planTasks({ ...request, ...planning(job) })).partitions.length;
    });
  }

  /** How tasks are cut here. */
  function planning({ duckdb, scratch, signal }: Job) {
    const batchRows = Number(conf("spark.sql.execution.arrow.maxRecordsPerBatch"));
    return { duckdb, scratch, signal, parallelism, batchRows };
  }

  async function runPipeline(
    analysis: Analysis,
    pipeline: Analysis["lowered"]["root"],
    output: StageOutput,
    job: Job,
    jobId: string,
    stageId: number,
    committer?: OutputJob,
    partitioning?: OutputPartitioning,
  ): Promise<TaskManifest[]> {
    threads.start();
    const started = { driver: { log: logTo(emit), signal: job.signal }, broadcast: writeBroadcast };
    const prepared = await preparedSteps(pipeline.steps, started);
    // What an earlier run has done may be all there is.
    if (!committer?.resumed.size) threads.prepare(prepared.steps);
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
    const done = new Map(committer?.resumed);
    await runStage({
      jobId,
      stageId,
      name: prepared.name,
      partitions: tasks.partitions.filter((p) => !done.has(p)),
      resumedTasks: done.size,
      rows: tasks.rows,
      taskFor: tasks.taskFor,
      async onTaskDone(task, result) {
        const manifest = { partition: task.partition, url: task.output.url, ...result };
        if (committer && !(await committer.commitTask(manifest))) return;
        done.set(task.partition, manifest);
      },
      workers: threads.workers,
      maxAttempts: Number(conf("spark.task.maxFailures")),
      signal: job.signal,
      emit,
    });
    return [...done.values()].sort((a, b) => a.partition - b.partition);
  }

  async function writeBroadcast(bytes: Uint8Array): Promise<string> {
    const name = `broadcast-${createHash("sha256").update(bytes).digest("hex")}.v8`;
    const url = locationUrl({ scheme: "file", path: join(openedSpool().folder, name) });
    if ((await localStorage.stat(url)) === undefined) await localStorage.writeFile(url, bytes);
    return url;
  }

  async function* execute(plan: Plan, signal?: AbortSignal): AsyncGenerator<RecordBatch> {
    // The rows are read after the action has ended, so they go to a scratch folder of their own.
    const results = openedSpool().scratch();
    try {
      const { files, names } = await action(signal, async (job) => {
        const analysis = await analyzed(plan, job);
        const jobId = randomUUID();
        const run = async () => {
          await runInnerStages(analysis, job, jobId);
          if (analysis.lowered.root.steps.length === 0) {
            const path = results.fresh("result.parquet");
            const { source, columns } = analysis.lowered.root;
            await job.duckdb.copyToParquet(selectSql(analysis.compile(source), columns), path, job.signal);
            return [path];
          }
          const output: StageOutput = {
            urlFor: (partition, attempt) => join(results.folder, `part-${partition}-${attempt}.parquet`),
            compression: "snappy",
          };
          const stageId = analysis.lowered.stages.length;
          return (await runPipeline(analysis, analysis.lowered.root, output, job, jobId, stageId)).map((m) => m.url);
        };
        const isFanOut = analysis.lowered.stages.length > 0 || analysis.lowered.root.steps.length > 0;
        const announcement = { jobId, description: "collect", signal: job.signal };
        return { files: isFanOut ? await announced(emit, announcement, run) : await run(), names: analysis.names };
      });
      for (const file of files) {
        for await (const batch of readParquetBatches(file, signal ? { signal } : {})) yield renamedBatch(batch, names);
      }
    } finally {
      results.close();
    }
  }

  /** A write's plan, and the columns of its files: with `partitionBy` the rows of each folder stand together. */
  async function analyzedOutput(plan: Plan, sink: Sink, job: Job) {
    const analysis = await analyzed(plan, job);
    const schema = await schemaOf(analysis.lowered.root, analysis, job.duckdb);
    refuseDuplicates(analysis.names, "Files have each name once.");
    if (!sink.partitionBy) return { analysis, schema, partitioning: undefined };
    const partitioning = outputPartitioning(sink.partitionBy, schema);
    const together = await analyzed(togetherByFolder(plan, partitioning), job);
    return { analysis: together, schema: partitioning.data, partitioning };
  }

  async function write(plan: Plan, sink: Sink, signal?: AbortSignal): Promise<WriteResult> {
    // Every write ends on the workers: they load while the plan is looked up.
    if (!closed) threads.start();
    return action(signal, async (job) => {
      const { analysis, schema, partitioning } = await analyzedOutput(plan, sink, job);
      const { stages, root } = analysis.lowered;
      await refuseOutputInsideInput(sink.path, analysis.inputPaths);
      const path = locationUrl(parseLocation(sink.path));
      if (sink.mode === "append" && sink.format === "parquet")
        await refuseOtherColumns(path, schema, sink.partitionBy ?? []);
      const committer = await openOutput(sink.path, {
        mode: sink.mode,
        fingerprint: analysis.fingerprint({ sink, parallelism }),
        extension: isTextSink(sink) ? textExtension(sink) : parquetExtension(sink),
      });
      if (!committer) return { path, rows: 0, files: [], failedRows: 0, skipped: true };
      try {
        const description = `write ${sink.format} ${path}`;
        return await announced(emit, { jobId: committer.jobId, description, signal: job.signal }, async () => {
          await runInnerStages(analysis, job, committer.jobId);
          const stageId = stages.length;
          const folders = new Map<number, string>();
          const toFile = () => ({ urlFor: committer.attemptUrl, compression: parquetCompression(sink) });
          const parts = isTextSink(sink)
            ? await writeTextParts(schema, sink, inTheirFolders(committer, folders), job.signal, async () => {
                const spool = job.scratch.fresh(sink.format);
                const spooled: StageOutput = {
                  urlFor: (p, a, folder = "") => {
                    folders.set(p, folder);
                    return join(spool, `${p}-${a}`);
                  },
                  compression: "snappy",
                };
                return runPipeline(analysis, root, spooled, job, committer.jobId, stageId, undefined, partitioning);
              })
            : await runPipeline(analysis, root, toFile(), job, committer.jobId, stageId, committer, partitioning);
          throwIfAborted(job.signal);
          const files = await committer.commit();
          const sum = (of: (m: TaskManifest) => number) => parts.reduce((total, part) => total + of(part), 0);
          return { path, rows: sum((m) => m.rows), files, failedRows: sum((m) => m.failedRows), skipped: false };
        });
      } catch (error) {
        // What went wrong is what matters; that something could not be removed after it is a note.
        await committer.abort().catch((left: Error) => logTo(emit)("warn", left.message));
        throw error;
      }
    });
  }

  return {
    master,
    parallelism,
    execute,
    write,

    schema: (plan, signal) =>
      action(signal, async (job) => {
        const analysis = await analyzed(plan, job);
        return resultSchema(analysis, job.duckdb);
      }),

    partitions: (plan, signal) => action(signal, (job) => partitionsOf(plan, job)),

    explain: (plan, signal) =>
      action(signal, async (job) => {
        const analysis = await analyzed(plan, job);
        return explainText(
          plan,
          analysis.lowered,
          await job.duckdb.explain(analysis.compile(analysis.lowered.root.source)),
        );
      }),

    onDriver: (work, signal) => action(signal, (job) => driverWork(emit, work, job.signal)),

    async unpersist(id) {
      const stage = cached.get(id);
      cached.delete(id);
      for (const file of stage?.files ?? []) await localStorage.remove(file.url);
    },

    setting: conf,
    footer: footers.read,

    broadcast: (value) => writeBroadcast(serialize(value)),

    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },

    async interrupt() {
      for (const abort of running.keys()) abort.abort(new CancelledError("Interrupted."));
      await Promise.allSettled(running.values());
    },

    async close() {
      if (closed) return;
      closed = true;
      for (const abort of running.keys()) abort.abort(new SessionStoppedError());
      await threads.close();
      await (await relational)?.close();
      spool?.close();
    },
  };
}

/** The committer for parts whose folders come to be known as their tasks are made. */
function inTheirFolders(committer: OutputJob, folders: ReadonlyMap<number, string>): OutputJob {
  return {
    ...committer,
    attemptUrl: (partition, attempt) => committer.attemptUrl(partition, attempt, folders.get(partition)),
  };
}

interface Job {
  readonly duckdb: Relational;
  readonly scratch: Spool;
  readonly signal: AbortSignal;
}
