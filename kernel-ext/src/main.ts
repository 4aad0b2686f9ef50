import { readFileSync, writeSync } from "node:fs";
import { join, resolve } from "node:path";
import { MessageChannel, type MessagePort, type ResourceLimits, Worker } from "node:worker_threads";
import { kernelInfo } from "./kernel-info";
import { type ConnectionInfo, type FromLanguage, type IoData, STOP_SLOTS } from "./messages";
import { keepSigint } from "./runtime/interrupts";
import type { CompilerThread } from "./runtime/language-client";
import { leaseOfTasks } from "./runtime/worker-session";

const extension = resolve(__dirname, "..");
const root = resolve(extension, "..");

/** Node's own, before cells get one that writes to them. */
const writeNow = writeSync;

/** Starts the kernel of a connection file: `node main.js FILE`. */
function main(connectionFile: string | undefined): void {
  if (!connectionFile) {
    console.error("This is a Jupyter kernel: a Jupyter client starts it with the path of a connection file.");
    process.exitCode = 2;
    return;
  }
  const connection = JSON.parse(readFileSync(connectionFile, "utf8")) as ConnectionInfo;
  // Its server gives up after a few times.
  if (connection.pomona_ended) return;
  keepSigint();
  const stop = shared(STOP_SLOTS);
  const inputReady = shared(1);
  const waiting = shared(1);
  const input = new MessageChannel();
  const language = new MessageChannel();
  // First, because it takes longest until it is ready.
  const startCompiler = () =>
    thread(
      join("language", "language-thread.js"),
      { cwd: process.cwd(), prelude: join(extension, "prelude.d.ts"), packageRoot: root, port: language.port2 },
      [language.port2],
      // TypeScript makes much that lives for long while it starts: with Node's default of 16 it is moved about twice as often.
      { maxYoungGenerationSizeMb: 32 },
    );
  // Who runs tasks has no cells to compile, and TypeScript takes a second or two and 100 MB.
  const compiler = leaseOfTasks() === undefined ? startCompiler() : startedLate(startCompiler);
  const io = thread(
    join("io", "io-thread.js"),
    {
      connection,
      stop,
      inputReady,
      waiting,
      input: input.port1,
      language: language.port1,
      kernelInfo,
    } satisfies IoData,
    [input.port1, language.port1],
  );
  // Afterwards, so that the other threads start while this one loads.
  const { startRuntime } = require("./runtime/runtime") as typeof import("./runtime/runtime");
  startRuntime({ io, compiler, stop, input: input.port2, inputReady, waiting, root, connectionFile });
}

/** A thread that starts with its first message. */
function startedLate(start: () => Worker): CompilerThread {
  const listeners: ((message: FromLanguage) => void)[] = [];
  let worker: Worker | undefined;
  return {
    postMessage(message) {
      worker ??= start().on("message", (told: FromLanguage) => {
        for (const listener of listeners) listener(told);
      });
      worker.postMessage(message);
    },
    on: (_, listener) => listeners.push(listener),
  };
}

function shared(length: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(length * Int32Array.BYTES_PER_ELEMENT));
}

function thread(
  file: string,
  workerData: object,
  transferList: MessagePort[],
  resourceLimits: ResourceLimits = {},
): Worker {
  const options = { workerData, transferList, resourceLimits, stdout: true, stderr: true };
  const worker = new Worker(join(__dirname, file), options);
  // What a thread prints is about the kernel, not about a cell.
  for (const stream of [worker.stdout, worker.stderr]) stream.on("data", (chunk: Buffer) => writeLog(chunk));
  worker.on("error", (error) => {
    writeLog(`The kernel's ${file} ended: ${error.stack}\n`);
    process.kill(process.pid, "SIGKILL");
  });
  return worker;
}

function writeLog(text: string | Uint8Array): void {
  writeNow(2, text as string);
}

main(process.argv[2]);
