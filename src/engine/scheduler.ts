import { CancelledError, PomonaError, throwIfAborted } from "../errors";
import type { RemoteError, Task, TaskResult } from "../worker/task";
import type { EventListener } from "./events";

/** A place that runs one task at a time: a thread, or a kernel behind an endpoint. */
export interface TaskWorker {
  /** Shown in events and errors, such as `worker-1`. */
  readonly name: string;
  /**
   * Runs one attempt.
   * @throws AttemptFailedError when the task's own work failed, WorkerLostError when the worker went away,
   *   CancelledError when `signal` was aborted.
   */
  run(task: Task, signal: AbortSignal, listener: WorkerListener): Promise<TaskResult>;
}

export interface WorkerListener {
  onProgress(rows: number): void;
  onLog(level: "debug" | "info" | "warn", message: string): void;
}

/** One attempt of a task failed on its worker. */
export class AttemptFailedError extends PomonaError {
  readonly remote: RemoteError;

  constructor(remote: RemoteError) {
    super(remote.message, { retryable: remote.retryable });
    this.remote = remote;
  }
}

/** A worker ended in the middle of a task: it ran out of memory, crashed or was killed. */
export class WorkerLostError extends PomonaError {
  constructor(worker: string, why: string) {
    super(`${worker} was lost in the middle of a task: ${why}.`, {
      remedy: "If memory is what ran out: fewer workers, such as local[1], or smaller batches.",
      retryable: true,
    });
  }
}

/** A task failed for good: its error can't be cured by another try, or every attempt failed. */
export class TaskFailedError extends PomonaError {
  readonly stage: string;
  readonly partition: number;
  /** How many attempts were made. */
  readonly attempts: number;
  readonly worker: string;
  /** The input the error belongs to, where it belongs to one row. */
  readonly path: string | undefined;
  /** The name of the error on the worker, such as `CorruptImageError`. */
  readonly remoteName: string;
  /** The stack on the worker. */
  readonly remoteStack: string;

  constructor(stage: string, task: Task, worker: string, remote: RemoteError) {
    const attempts = task.attempt + 1;
    super(
      `${remote.name}: ${remote.message}\n` +
        `in stage ${task.stageId} (${stage}), task ${task.partition}, ${worker}, attempt ${attempts}` +
        `${remote.path === undefined || remote.message.includes(remote.path) ? "" : `\ninput: ${remote.path}`}` +
        remoteStackText(remote.stack),
    );
    this.stage = stage;
    this.partition = task.partition;
    this.attempts = attempts;
    this.worker = worker;
    this.path = remote.path;
    this.remoteName = remote.name;
    this.remoteStack = remote.stack;
  }
}

export interface StageRun {
  readonly jobId: string;
  readonly stageId: number;
  /** What the stage computes, for messages. */
  readonly name: string;
  /** The partitions still to do. */
  readonly partitions: readonly number[];
  /** Tasks an earlier run did, for the progress. */
  readonly resumedTasks: number;
  /** Rows that go in, all tasks together. */
  readonly rows: number;
  readonly taskFor: (partition: number, attempt: number) => Task;
  /** Makes an attempt's output the task's; runs before the task counts as done. */
  readonly onTaskDone: (task: Task, result: TaskResult) => Promise<void>;
  readonly workers: readonly TaskWorker[];
  /** Attempts per task. Spark's `spark.task.maxFailures`. */
  readonly maxAttempts: number;
  readonly signal: AbortSignal;
  readonly emit: EventListener;
}

/**
 * Runs a stage's tasks on its workers, each worker one task at a time, and tries a failed task again. The first task
 * that fails for good stops the others and is thrown. @throws TaskFailedError, CancelledError
 */
export async function runStage(run: StageRun): Promise<void> {
  const { jobId, stageId, name, emit } = run;
  const started = Date.now();
  const stop = new AbortController();
  const onAbort = () => stop.abort(run.signal.reason);
  run.signal.addEventListener("abort", onAbort, { once: true });
  if (run.signal.aborted) onAbort();
  const tasks = run.partitions.length + run.resumedTasks;
  emit({
    type: "stageStarted",
    time: started,
    jobId,
    stageId,
    name,
    tasks,
    resumedTasks: run.resumedTasks,
    rows: run.rows,
  });

  const queue = run.partitions.map((partition) => run.taskFor(partition, 0));
  let rows = 0;
  let failure: unknown;
  const lane = async (worker: TaskWorker) => {
    for (let task = queue.shift(); task && !stop.signal.aborted; task = queue.shift()) {
      try {
        // Awaited first: the other lanes add to the sum meanwhile.
        const done = await runAttempt(run, task, worker, stop.signal);
        rows += done;
      } catch (error) {
        const again = nextAttempt(run, task, worker, error);
        if (again) {
          queue.push(again);
          continue;
        }
        const remote = remoteErrorOf(error);
        failure ??= remote ? new TaskFailedError(name, task, worker.name, remote) : error;
        stop.abort(failure);
        return;
      }
    }
  };
  await Promise.all(run.workers.map(lane));
  run.signal.removeEventListener("abort", onAbort);

  const status = run.signal.aborted ? "cancelled" : failure ? "failed" : "succeeded";
  const time = Date.now();
  emit({ type: "stageEnded", time, jobId, stageId, status, rows, seconds: (time - started) / 1000 });
  throwIfAborted(run.signal);
  if (failure) throw failure;
}

async function runAttempt(run: StageRun, task: Task, worker: TaskWorker, signal: AbortSignal): Promise<number> {
  const { jobId, stageId, emit } = run;
  const { partition, attempt } = task;
  const started = Date.now();
  const about = { jobId, stageId, partition, attempt, worker: worker.name };
  emit({ type: "taskStarted", time: started, ...about });
  const ended = (status: "succeeded" | "failed" | "cancelled", result?: TaskResult) => {
    const time = Date.now();
    const { rows, bytes } = result ?? { rows: 0, bytes: 0 };
    emit({ type: "taskEnded", time, ...about, status, rows, bytes, seconds: (time - started) / 1000 });
  };
  try {
    const result = await worker.run(task, signal, {
      onProgress: (rows) => emit({ type: "taskProgress", time: Date.now(), ...about, rows }),
      onLog: (level, text) => emit({ type: "message", time: Date.now(), level, text }),
    });
    await run.onTaskDone(task, result);
    ended("succeeded", result);
    return result.rows;
  } catch (error) {
    ended(signal.aborted ? "cancelled" : "failed");
    throw error;
  }
}

/** What a worker failed with, or how it went away; undefined for an error of the driver's own. */
function remoteErrorOf(error: unknown): RemoteError | undefined {
  if (error instanceof AttemptFailedError) return error.remote;
  if (!(error instanceof WorkerLostError)) return undefined;
  const { name, message, retryable } = error;
  return { name, message, stack: "none: the worker is gone", retryable };
}

/** The task to try again, or undefined where another try can't help or is one too many. */
function nextAttempt(run: StageRun, task: Task, worker: TaskWorker, error: unknown): Task | undefined {
  if (run.signal.aborted || error instanceof CancelledError) return undefined;
  const retryable = error instanceof PomonaError ? error.retryable : true;
  if (!retryable || task.attempt + 1 >= run.maxAttempts) return undefined;
  run.emit({
    type: "taskRetried",
    time: Date.now(),
    jobId: run.jobId,
    stageId: run.stageId,
    partition: task.partition,
    attempt: task.attempt,
    worker: worker.name,
    error: error instanceof Error ? error.message : String(error),
  });
  return run.taskFor(task.partition, task.attempt + 1);
}

/** The frames of a worker's stack; what stands above them is in the message already. */
function remoteStackText(stack: string): string {
  const frames = /^ {4}at [\s\S]*/m.exec(stack)?.[0];
  return frames === undefined ? "" : `\nremote stack:\n${frames}`;
}
