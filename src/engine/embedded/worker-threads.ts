import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { FromWorker, Task, ToWorker } from "../../worker/task";
import type { WorkerData } from "../../worker/thread";
import { patience, runAttempt, type TaskThread } from "../attempt";
import type { TaskWorker, WorkerPool } from "../workers";

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
        return await runAttempt(taskThread(started()), name, task, signal, listener);
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

function taskThread(thread: Worker): TaskThread {
  return {
    post: (message) => post(thread, message),
    listen(listener) {
      let lastError: Error | undefined;
      const onMessage = (message: FromWorker) => listener.message(message);
      const onError = (error: Error) => {
        lastError = error;
      };
      const onExit = (code: number) =>
        listener.ended(
          lastError ? `${lastError.name}: ${lastError.message}` : `its thread ended with code ${code}`,
          "thread",
        );
      thread.on("message", onMessage).on("error", onError).on("exit", onExit);
      thread.ref();
      return () => {
        thread.off("message", onMessage).off("error", onError).off("exit", onExit);
        thread.unref();
      };
    },
    terminate: () => void thread.terminate(),
  };
}

function post(thread: Worker, message: ToWorker): void {
  thread.postMessage(message);
}
