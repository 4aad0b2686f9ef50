import type { ShippedFile } from "../data/shipped-file";
import type { StorageRetry } from "../storage";
import type { ObservedRead } from "../storage/observed-reads";
import type { Step, Task, TaskResult } from "../worker/task";
import type { WorkerMachine } from "./contract";

/** A place that runs one task at a time: a thread, or a kernel behind an endpoint. */
export interface TaskWorker {
  /** Shown in events and errors, such as `worker-1`. */
  readonly name: string;
  /**
   * Whether it says something (`onProgress`, `onLog` or `onAlive`) all the while it runs a task, so that it is lost where nothing is
   * heard of it for `spark.network.timeout`. False where its end is told at once, as a thread's is: user code may keep a thread busy
   * for as long as it likes.
   */
  readonly beats: boolean;
  /** Where it is: workers of one machine are slow together, so that a straggler's second attempt goes to another. Absent: that says nothing. */
  readonly machine?: string;
  /**
   * Runs one attempt. After an abort it settles soon; where it has not done so in a second its stage goes on without it. It is called
   * again after the worker was lost, and starts it anew then.
   * @throws AttemptFailedError when the task's own work failed, WorkerLostError when the worker went away,
   *   CancelledError when `signal` was aborted.
   */
  run(task: Task, signal: AbortSignal, listener: WorkerListener): Promise<TaskResult>;
}

/** A worker behind an endpoint is called `host:port/1`; others are threads of this process. */
export function machineOf(worker: string): string {
  const at = worker.lastIndexOf("/");
  return at < 0 ? "local" : worker.slice(0, at);
}

export interface WorkerListener {
  /** Nothing but a sign of life. */
  onAlive(): void;
  onProgress(rows: number): void;
  onStorageRetry(retry: StorageRetry): void;
  onLog(level: "debug" | "info" | "warn", message: string): void;
}

/** Is told of the workers of a pool. */
export interface PoolListener {
  joined(worker: TaskWorker): void;
  /** It is going to leave, once the task that it runs is done. */
  leaving(worker: TaskWorker): void;
  /** It was taken away; the task that it runs goes to another one. */
  left(worker: TaskWorker): void;
}

/** The places that run an engine's tasks. */
export interface WorkerPool {
  /** How many tasks run at once. */
  readonly parallelism: number;
  /** Those that are there now. */
  readonly workers: readonly TaskWorker[];
  /** The machines that they are on. Absent: this one alone. */
  machines?(): readonly WorkerMachine[];
  /** Why machines that there could be are not there, in sentences; undefined where all are. */
  problem?(): string | undefined;
  /** What to do where there is none. Absent: start a new session. */
  readonly remedy?: string;
  /** Tells of the workers, and of those that come and go until the function it returns is called. */
  watch(listener: PoolListener): () => void;
  /** Starts the workers before their first task, so that they load while the driver prepares it. */
  start(): void;
  /** Lets the workers set up functions before the first task that needs them. */
  prepare(steps: readonly Step[]): void;
  /** Tells which files a job reads, where workers may not see them and get them from here. */
  mayRead?(jobId: string, reads: readonly ObservedRead[]): void;
  /** Lets the workers free what they have of a content that is no longer shipped. */
  forget(file: ShippedFile): void;
  /** Ends all workers. */
  close(): Promise<void>;
}
