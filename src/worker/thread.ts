import { parentPort } from "node:worker_threads";
import { storageFor } from "../storage";
import { type FunctionCache, remoteError, runTask } from "./run-task";
import type { FromWorker, Task, ToWorker } from "./task";

/* The entry point of a worker thread: one task at a time, functions kept between tasks. */

const port = parentPort;
if (!port) throw new Error("worker/thread runs in a worker thread only.");
const functions: FunctionCache = new Map();
let running: AbortController | undefined;

const send = (message: FromWorker) => port.postMessage(message);

port.on("message", (message: ToWorker) => {
  switch (message.type) {
    case "run":
      void run(message.task);
      break;
    case "abort":
      running?.abort();
      break;
    case "close":
      void close();
      break;
  }
});
send({ type: "ready" });

async function run(task: Task): Promise<void> {
  const abort = new AbortController();
  running = abort;
  try {
    const context = {
      signal: abort.signal,
      readFile: (url: string) => storageFor(url).readFile(url),
      log: (level: "debug" | "info" | "warn", message: string) => send({ type: "log", level, message }),
    };
    const result = await runTask(task, context, functions, (rows) => send({ type: "progress", rows }));
    send({ type: "done", result });
  } catch (error) {
    send({ type: "failed", error: remoteError(error) });
  } finally {
    running = undefined;
  }
}

async function close(): Promise<void> {
  for (const created of functions.values()) {
    await created.then((fn) => fn.close?.()).catch(() => undefined);
  }
  port!.close();
}
