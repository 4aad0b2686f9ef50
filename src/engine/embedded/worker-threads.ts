import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { CancelledError } from "../../errors";
import type { FromWorker, Task, TaskResult, ToWorker } from "../../worker/task";
import type { WorkerData } from "../../worker/thread";
import { AttemptFailedError, WorkerLostError } from "../scheduler/errors";
import type { TaskWorker, WorkerListener, WorkerPool } from "../workers";

/** How long a user's function may take to stop by itself before its thread is ended. Ctrl-C promises a second. */
const STOP_MILLISECONDS = 500;

/**
 * How long a thread may take that runs none: it looks at its signal batch by batch, and to end it by force while a native library
 * loads or computes aborts the process.
 */
const NATIVE_MILLISECONDS = 30_000;

/** A fixed number of worker threads, each started on its first task and kept for the next. @param count how many at most @param data what each is started with */
export function workerThreads(count: number, data: WorkerData): WorkerPool {
  const workers = Array.from({ length: count }, (_, i) => threadWorker(`worker-${i + 1}`, data));
  return {
    parallelism: count,
    workers,
    watch(listener) {
      for (const worker of workers) listener.joined(worker);
      return () => {};
    },
    start() {
      for (const worker of workers) worker.start();
    },
    prepare(steps) {
      for (const worker of workers) worker.prepare(steps);
    },
    forget(file) {
      for (const worker of workers) worker.forget(file);
    },
    close: async () => {
      await Promise.all(workers.map((w) => w.close()));
    },
  };
}

type ThreadWorker = TaskWorker & Pick<WorkerPool, "start" | "prepare" | "forget" | "close">;

function threadWorker(name: string, workerData: WorkerData): ThreadWorker {
  let thread: Worker | undefined;
  let running: Task | undefined;

  const started = (): Worker => {
    if (thread) return thread;
    const created = new Worker(join(__dirname, "..", "..", "worker", "thread.js"), { name, workerData });
    created.on("exit", () => {
      if (thread === created) thread = undefined;
    });
    // An idle worker must not keep a script from ending.
    created.unref();
    thread = created;
    return created;
  };

  return {
    name,
    beats: false,
    start: () => void started(),
    prepare: (steps) => post(started(), { type: "prepare", steps }),
    forget(file) {
      if (thread) post(thread, { type: "forget", file });
    },
    async run(task, signal, listener) {
      running = task;
      try {
        return await runOn(started(), name, task, signal, listener);
      } finally {
        running = undefined;
      }
    },
    async close() {
      const closing = thread;
      if (!closing) return;
      thread = undefined;
      const exited = new Promise<void>((resolve) => closing.once("exit", () => resolve()));
      post(closing, { type: "close" });
      const timer = setTimeout(() => void closing.terminate(), patience(running));
      await exited;
      clearTimeout(timer);
    },
  };
}

function runOn(
  thread: Worker,
  name: string,
  task: Task,
  signal: AbortSignal,
  listener: WorkerListener,
): Promise<TaskResult> {
  return new Promise((resolve, reject) => {
    let lastError: Error | undefined;
    let stopping: NodeJS.Timeout | undefined;
    const settle = (end: () => void) => {
      clearTimeout(stopping);
      thread.off("message", onMessage).off("error", onError).off("exit", onExit);
      signal.removeEventListener("abort", onAbort);
      thread.unref();
      end();
    };
    const onMessage = (message: FromWorker) => {
      switch (message.type) {
        case "ready":
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
    };
    const onError = (error: Error) => {
      lastError = error;
    };
    const onExit = (code: number) => {
      const why = lastError ? `${lastError.name}: ${lastError.message}` : `its thread ended with code ${code}`;
      settle(() => reject(signal.aborted ? cancelled(signal) : new WorkerLostError(name, why)));
    };
    const onAbort = () => {
      post(thread, { type: "abort" });
      stopping = setTimeout(() => void thread.terminate(), patience(task));
    };
    thread.on("message", onMessage).on("error", onError).on("exit", onExit);
    thread.ref();
    signal.addEventListener("abort", onAbort, { once: true });
    post(thread, { type: "run", task });
    if (signal.aborted) onAbort();
  });
}

/** How long to wait for a thread before it is ended by force. */
function patience(task: Task | undefined): number {
  const isUsers = task?.steps.some((step) => step.kind !== "select" && (step.fn.kind === "source" || step.fn.uses));
  return isUsers ? STOP_MILLISECONDS : NATIVE_MILLISECONDS;
}

function cancelled(signal: AbortSignal): CancelledError {
  return new CancelledError("Cancelled.", { cause: signal.reason });
}

function post(thread: Worker, message: ToWorker): void {
  thread.postMessage(message);
}
