import { CancelledError } from "../errors";
import type { FromWorker, Task, TaskResult, ToWorker } from "../worker/task";
import { AttemptFailedError, type WorkerLoss, WorkerLostError } from "./scheduler/errors";
import type { WorkerListener } from "./workers";

/** A thread that runs tasks, wherever it is: `src/worker/thread.ts` is its other end. */
export interface TaskThread {
  post(message: ToWorker): void;
  /** Tells what the thread says, and once that it has ended; returns a function that ends the listening. */
  listen(listener: ThreadListener): () => void;
  /** Ends it by force; `ended` is told. */
  terminate(): void;
}

export interface ThreadListener {
  message(message: FromWorker): void;
  /** @param why such as `its thread ended with code 1` */
  ended(why: string, loss: WorkerLoss): void;
}

/** How long a user's function may take to stop by itself before its thread is ended. Ctrl-C promises a second. */
const STOP_MILLISECONDS = 500;

/**
 * How long a thread may take that runs none: it looks at its signal batch by batch, and to end it by force while a native library
 * loads or computes aborts the process.
 */
const NATIVE_MILLISECONDS = 30_000;

/** Runs one attempt on a thread, as {@link TaskWorker.run} promises. @param name the worker's */
export function runAttempt(
  thread: TaskThread,
  name: string,
  task: Task,
  signal: AbortSignal,
  listener: WorkerListener,
): Promise<TaskResult> {
  return new Promise((resolve, reject) => {
    let stopping: NodeJS.Timeout | undefined;
    const settle = (end: () => void) => {
      clearTimeout(stopping);
      unlisten();
      signal.removeEventListener("abort", onAbort);
      end();
    };
    const unlisten = thread.listen({
      message(message) {
        switch (message.type) {
          case "ready":
          case "looked":
            return;
          case "progress":
            return listener.onProgress(message.rows);
          case "log":
            return listener.onLog(message.level, message.message);
          case "storageRetried":
            return listener.onStorageRetry(message.retry);
          case "done":
            return settle(() => resolve(message.result));
          case "failed":
            return settle(() => reject(signal.aborted ? cancelled(signal) : new AttemptFailedError(message.error)));
        }
      },
      ended: (why, loss) =>
        settle(() => reject(signal.aborted ? cancelled(signal) : new WorkerLostError(name, why, loss))),
    });
    const onAbort = () => {
      thread.post({ type: "abort" });
      stopping = setTimeout(() => thread.terminate(), patience(task));
    };
    signal.addEventListener("abort", onAbort, { once: true });
    thread.post({ type: "run", task });
    if (signal.aborted) onAbort();
  });
}

/** How long to wait for a thread before it is ended by force. */
export function patience(task: Task | undefined): number {
  const isUsers = task?.steps.some((step) => step.kind !== "select" && (step.fn.kind === "source" || step.fn.uses));
  return isUsers ? STOP_MILLISECONDS : NATIVE_MILLISECONDS;
}

function cancelled(signal: AbortSignal): CancelledError {
  return new CancelledError("Cancelled.", { cause: signal.reason });
}
