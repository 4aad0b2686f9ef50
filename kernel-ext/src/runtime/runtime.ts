import { dirname, join } from "node:path";
import type { MessagePort, Worker } from "node:worker_threads";
import { connectKernel, type KernelHost } from "pomona/kernel";
import { represent } from "pomona/notebook";
import { parseMagic } from "../magics/parse";
import { runMagic } from "../magics/run";
import type { ToIo, ToMain } from "../messages";
import { notebookSession } from "../session/notebook-session";
import { placeFailure, SystemExit } from "./cell-error";
import { cellRunner } from "./cell-runner";
import { comms } from "./comms";
import { captureDescriptors } from "./descriptors";
import { type Flows, interruptibleFlows } from "./flows";
import { functionOrigin } from "./function-origin";
import { defineGlobals } from "./globals";
import { inputFrom } from "./input";
import { interrupts } from "./interrupts";
import { type CompilerThread, type Language, languageClient } from "./language-client";
import { type LeftBehind, leftBehind } from "./left-behind";
import { moduleLoader } from "./module-loader";
import { captureStreams, outputTo } from "./output";
import { hintAtPrintedPromises } from "./promise-hint";
import { installStackTraces } from "./stack-traces";
import { staleMarks } from "./stale-marks";
import { defineStdin } from "./stdin";
import { captureStdinReads } from "./stdin-reads";
import { hostTasks } from "./task-host";
import { cellExecutor } from "./tslab-executor";

export interface RuntimeParts {
  readonly io: Worker;
  readonly compiler: CompilerThread;
  readonly stop: Int32Array;
  readonly input: MessagePort;
  readonly inputReady: Int32Array;
  readonly waiting: Int32Array;
  /** The package's folder. */
  readonly root: string;
  readonly connectionFile: string;
}

/** Makes this thread the one that runs cells. */
export function startRuntime({
  io,
  compiler,
  stop,
  input,
  inputReady,
  waiting,
  root,
  connectionFile,
}: RuntimeParts): void {
  const folder = process.cwd();
  const output = outputTo((message: ToIo) => io.postMessage(message));
  const language = languageClient(compiler);
  const modules = moduleLoader(folder);
  const executor = cellExecutor(folder, modules.requireFromCell);
  const openComms = comms(output);
  hostTasks(openComms, connectionFile);
  const flows = interruptibleFlows(stop);
  const told = interrupts(stop, flows);
  const left = leftBehind(executor.locals);
  const lines = inputFrom(input, inputReady, output);
  const host: KernelHost = {
    display: (content, update) => output.iopub(update ? "update_display_data" : "display_data", withDefaults(content)),
    clearOutput: (wait) => output.iopub("clear_output", { wait }),
    openComm: openComms.open,
    onComm: openComms.onComm,
    onInterrupt: told.onInterrupt,
    onCellEnd: (listener) => runner.onCellEnd(listener),
    onWork(work) {
      placeFailure(work);
      left.work(output.parent?.msg_id, work);
    },
    redirect: output.redirect,
    readLineSync: lines.readLineSync,
    readLine: lines.readLine,
    get parentId() {
      return output.parent?.msg_id;
    },
    get cellKey() {
      return runner.cellKey(output.parent?.msg_id);
    },
    functionOrigin,
    importOf: executor.importOf,
    notebookName: executor.nameOf,
  };
  const session = notebookSession(host);
  const marks = staleMarks(executor.lookUp, () => Atomics.load(waiting, 0) === 0);
  const runner = cellRunner({
    folder,
    language,
    executor,
    modules,
    output,
    interrupts: told,
    left,
    flows,
    marks,
    represent,
    parseMagic,
    runMagic: (magic, signal, runCell) =>
      runMagic(magic, { host, session, runCell, marks, locals: executor.locals, cwd: folder, signal }),
  });

  const warming = warmWhenIdle(language);

  connectKernel(host);
  Object.defineProperty(globalThis, "__stop__", { value: flows.guard });
  defineGlobals(session.get);
  Object.defineProperty(globalThis, "__import__", { value: modules.importFrom });
  // A cell is as good as a file in the notebook's folder, as by import.meta.
  for (const [name, value] of Object.entries({ __dirname: folder, __filename: join(folder, "cell.ts") }))
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
  defineStdin(lines.readLine, runner.fail);
  captureStdinReads(lines);
  installStackTraces([
    `${root}/dist/`,
    `${root}/kernel-ext/dist/`,
    `${dirname(require.resolve("tslab/package.json"))}/`,
  ]);
  captureStreams(output);
  captureDescriptors();
  hintAtPrintedPromises();
  takeOverProcess(io, left, flows, () => output.parent?.msg_id);

  io.on("message", (message: ToMain) => {
    switch (message.op) {
      case "execute":
        warming.pause();
        void runner.execute(message).then((content) => {
          output.post({ op: "done", execution: message.execution, content });
          warming.resume();
        });
        break;
      case "interrupt":
        if (message.execution === 0) told.endIdle();
        else void runner.interrupt(message.execution);
        break;
      case "aborted":
        language.notRun(message.cell);
        break;
      case "comm_open":
      case "comm_msg":
      case "comm_close":
        void output.within(message.header, async () => {
          await openComms.receive(message).catch((error) => console.error(error));
          output.post({ op: "handled", header: message.header });
        });
        break;
      case "shutdown":
        void session.stop().finally(() => output.post({ op: "closed" }));
        break;
    }
  });
  output.post({ op: "ready" });
}

/** Long enough that the next cell of a notebook that is run as a whole has come. */
const IDLE_MS = 400;

/** Has the session's types loaded while nothing runs, so that the first cell that uses them need not wait. */
function warmWhenIdle(language: Language): { pause(): void; resume(): void } {
  let timer: NodeJS.Timeout | undefined;
  let isIdle = true;
  let isWarm = false;
  const resume = () => {
    isIdle = true;
    clearTimeout(timer);
    if (isWarm) return;
    timer = setTimeout(() => {
      isWarm = true;
      language.warm();
    }, IDLE_MS);
  };
  // Not before: a cell that comes while the compiler starts goes first.
  language.onReady(() => {
    if (isIdle) resume();
  });
  return {
    pause() {
      isIdle = false;
      clearTimeout(timer);
    },
    resume,
  };
}

function withDefaults({ data, metadata = {}, transient = {} }: Parameters<KernelHost["display"]>[0]) {
  return { data, metadata, transient };
}

/** What ends or reports on a process in a script is about a cell in a notebook. */
function takeOverProcess(io: Worker, left: LeftBehind, flows: Flows, cell: () => string | undefined): void {
  process.exit = (code) => {
    throw new SystemExit(code);
  };
  process.on("SIGTERM", () => io.postMessage({ op: "terminate" } satisfies ToIo));
  process.on("uncaughtException", (error) => left.threw(cell(), error));
  process.on("unhandledRejection", (reason, promise) => {
    // Those of an interrupted cell are the interrupt's doing.
    if (!flows.isStopped()) left.rejected(cell(), promise, reason);
  });
  // Also in place of Node's own warning.
  process.on("rejectionHandled", (promise) => left.handled(promise));
}
