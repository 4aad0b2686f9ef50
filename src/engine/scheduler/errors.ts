import { PomonaError } from "../../errors";
import type { RemoteError, Task } from "../../worker/task";

/** One attempt of a task failed on its worker. */
export class AttemptFailedError extends PomonaError {
  readonly remote: RemoteError;

  constructor(remote: RemoteError) {
    super(remote.message, { retryable: remote.retryable });
    this.remote = remote;
  }
}

/** What ended: a worker's own thread; the kernel that had all of a machine's; the connection to it, which says nothing of either. */
export type WorkerLoss = "thread" | "kernel" | "connection";

/** A worker ended in the middle of a task: it ran out of memory, crashed or was killed; or nothing is heard of it. */
export class WorkerLostError extends PomonaError {
  readonly loss: WorkerLoss;

  constructor(worker: string, why: string, loss: WorkerLoss) {
    super(`${worker} was lost in the middle of a task: ${why}.`, {
      ...(loss === "connection" ? {} : { remedy: MEMORY_REMEDY }),
      retryable: true,
    });
    this.loss = loss;
  }
}

export const MEMORY_REMEDY =
  "If memory is what ran out: fewer workers (local[1], fewer slots of an endpoint), or smaller batches.";

/** There is no worker that could run a stage's tasks: all of them were lost for good or left, and none has joined since. */
export class NoWorkersError extends PomonaError {
  /** @param why in sentences @param remedy one that the workers' pool has */
  constructor(
    stageId: number,
    name: string,
    seconds: number,
    why: string | undefined,
    remedy = "Start a new session.",
  ) {
    super(
      `There is no worker for stage ${stageId} (${name}), and none joined for ${seconds} s.` +
        `${why === undefined ? "" : ` ${why}`}`,
      {
        remedy: `${remedy} spark.scheduler.excludeOnFailure.unschedulableTaskSetTimeout says how long to wait for one.`,
        retryable: true,
      },
    );
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

  /** @param losses workers that were lost while they ran this task, the last one included */
  constructor(
    stage: string,
    task: Pick<Task, "stageId" | "partition" | "attempt">,
    worker: string,
    remote: RemoteError,
    losses = 0,
  ) {
    const attempts = task.attempt + 1;
    super(
      `${remote.name}: ${remote.message}\n` +
        `in stage ${task.stageId} (${stage}), task ${task.partition}, ${worker}, attempt ${attempts}` +
        `${losses > 1 ? `\n${losses} workers were lost with this task, one after the other: it seems to be the task that ends them` : ""}` +
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

/** What a worker failed with, or how it went away; undefined for an error of the driver's own. */
export function remoteErrorOf(error: unknown): RemoteError | undefined {
  if (error instanceof AttemptFailedError) return error.remote;
  if (!(error instanceof WorkerLostError)) return undefined;
  const { name, message, retryable } = error;
  return { name, message, stack: "none: the worker is gone", retryable };
}

/** The frames of a worker's stack; what stands above them is in the message already. */
function remoteStackText(stack: string): string {
  const frames = /^ {4}at [\s\S]*/m.exec(stack)?.[0];
  return frames === undefined ? "" : `\nremote stack:\n${frames}`;
}
