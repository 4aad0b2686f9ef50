import { parentPort, workerData } from "node:worker_threads";
import type { WorkerContext } from "../data/batch-function";
import type { ShippedFile } from "../data/shipped-file";
import { summaryOf } from "../errors";
import { type StorageSettings, storagesFrom, type Url } from "../storage";
import { localStorage } from "../storage/local-storage";
import { isInside } from "../storage/location";
import { prepareFunctions } from "./apply-steps";
import type { ThreadAnswer } from "./file-messages";
import { closeFunctions, type FunctionCache, takeFunctionsOf, takeSurplus } from "./function-cache";
import { relayedStorage } from "./relayed-storage";
import { runTask } from "./run-task";
import type { FromWorker, Task, ToWorker } from "./task";
import { remoteError } from "./task-errors";
import { threadFiles } from "./thread-files";
import { forgetSources } from "./user-code";
import { workerFiles } from "./worker-files";

/* The entry point of a worker thread: one task at a time, functions kept between tasks. */

/** What a thread is started with. */
export interface WorkerData {
  readonly storage: StorageSettings;
  /** Whether `file:` means files of the driver's machine, which is another one. */
  readonly filesElsewhere?: boolean;
}

const port = parentPort;
if (!port) throw new Error("worker/thread runs in a worker thread only.");
const send = (message: FromWorker) => port.postMessage(message);
const { storage, filesElsewhere } = workerData as WorkerData;
const line = filesElsewhere ? threadFiles((request) => port.postMessage(request)) : undefined;
const relayed = line && relayedStorage(line.ask);
/** Folders of the driver's machine that are seen here. */
let seen: readonly Url[] = [];
const storages = storagesFrom(
  storage,
  (retry) => send({ type: "storageRetried", retry }),
  (url) => (relayed && !seen.some((folder) => isInside(url, folder)) ? relayed : localStorage),
);
const functions: FunctionCache = new Map();
let running: AbortController | undefined;
let ended: Promise<void> = Promise.resolve();
const files = workerFiles(storages, line?.copies);

/** One for all tasks, since functions are kept between them; the signal is that of the task that runs. */
const idle = new AbortController().signal;
const context: WorkerContext = {
  get signal() {
    return running?.signal ?? idle;
  },
  ...files,
  log: (level, message) => send({ type: "log", level, message }),
};

port.on("message", (message: ToWorker | ThreadAnswer) => {
  switch (message.type) {
    case "run":
      ended = run(message.task);
      break;
    case "prepare":
      prepareFunctions(message.steps, context, functions);
      break;
    case "forget":
      void forget(message.file);
      break;
    case "look":
      void look(message.url);
      break;
    case "sees":
      seen = message.folders;
      break;
    case "files":
    case "copy":
      line?.answered(message);
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
  running = new AbortController();
  try {
    const result = await runTask(task, context, storages, functions, (rows) => send({ type: "progress", rows }));
    send({ type: "done", result });
  } catch (error) {
    send({ type: "failed", error: remoteError(error) });
  } finally {
    running = undefined;
  }
  await closeFunctions(takeSurplus(functions, task.steps.length));
}

async function forget(file: ShippedFile): Promise<void> {
  // A task to come makes them anew; one that runs may use them to its end.
  const unused = takeFunctionsOf(file, functions);
  forgetSources(file);
  await ended;
  await closeFunctions(unused);
}

async function look(url: Url): Promise<void> {
  try {
    send({ type: "looked", url, found: (await storages.for(url).stat(url)) ?? null });
  } catch (error) {
    send({ type: "looked", url, error: summaryOf(error) });
  }
}

async function close(): Promise<void> {
  // What a native library computes ends before what it needs does.
  running?.abort();
  await ended;
  await closeFunctions(functions.values());
  // Ends this thread alone, and also where a user's module left a timer or a socket open.
  process.exit();
}
