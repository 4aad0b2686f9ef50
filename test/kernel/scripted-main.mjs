// The kernel's io thread with a main thread of few lines, for what the real one can't be made to do: not to be ready yet, not to
// answer a shutdown, a language thread that says nothing. Cells are JavaScript.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { runInThisContext } from "node:vm";
import { MessageChannel, receiveMessageOnPort, Worker } from "node:worker_threads";

const connection = JSON.parse(readFileSync(process.argv.at(-1), "utf8"));
const stop = new Int32Array(new SharedArrayBuffer(4096 * 4));
const inputReady = new Int32Array(new SharedArrayBuffer(4));
const waiting = new Int32Array(new SharedArrayBuffer(4));
const input = new MessageChannel();
const language = new MessageChannel();
const kernelInfo = { protocol_version: "5.4", implementation: "scripted", language_info: { name: "javascript" } };
const io = new Worker(
  join(import.meta.dirname ?? join(process.argv[1], ".."), "../../kernel-ext/dist/io/io-thread.js"),
  {
    workerData: { connection, stop, inputReady, waiting, input: input.port1, language: language.port1, kernelInfo },
    transferList: [input.port1, language.port1],
  },
);
const post = (message) => io.postMessage(message);

language.port2.on("message", ({ id, type, content }) => {
  if (content.code !== "silence") language.port2.postMessage({ id, content: { status: "ok", type, content } });
});

let running;
let interrupt;
Object.assign(globalThis, {
  sleep,
  require: createRequire(import.meta.url),
  print: (text, name = "stdout", parent = running) => post({ op: "stream", name, text, parent }),
  publish: (type, content, rest = {}) => post({ op: "iopub", type, content, parent: running, ...rest }),
  guard() {
    if (stop[0]) throw Object.assign(new Error("interrupted"), { name: "KeyboardInterrupt" });
  },
  /** Stands still, as readLineSync does. */
  ask(prompt, parent = running) {
    Atomics.store(inputReady, 0, 0);
    post({ op: "input", prompt, password: false, parent });
    let answer = receiveMessageOnPort(input.port2);
    while (!answer) {
      Atomics.wait(inputReady, 0, 0, 1000);
      answer = receiveMessageOnPort(input.port2);
    }
    return JSON.stringify(answer.message);
  },
  header: () => running,
});

async function execute({ execution, count, header, content }) {
  running = header;
  try {
    const work = runInThisContext(`(async () => {${content.code}\n})()`, { breakOnSigint: true });
    const interrupted = new Promise((_, reject) => {
      interrupt = () => reject(Object.assign(new Error("interrupted"), { name: "KeyboardInterrupt" }));
    });
    await Promise.race([work, interrupted]);
    post({
      op: "done",
      execution,
      content: { status: "ok", execution_count: count, user_expressions: {}, payload: [] },
    });
  } catch (error) {
    const ename = error.code === "ERR_SCRIPT_EXECUTION_INTERRUPTED" ? "KeyboardInterrupt" : error.name;
    const failure = { ename, evalue: error.message, traceback: [] };
    post({ op: "iopub", type: "error", content: failure, parent: header });
    post({ op: "done", execution, content: { status: "error", execution_count: count, ...failure } });
  }
}

io.on("message", (message) => {
  if (message.op === "execute") void execute(message);
  else if (message.op === "interrupt") interrupt?.();
  else if (message.op === "shutdown" && !process.env.SCRIPTED_STAYS_OPEN) post({ op: "closed" });
  else if (message.op.startsWith("comm_")) {
    const { op, header, content, buffers } = message;
    post({ op: "iopub", type: op, content: { ...content, from: "kernel" }, buffers, parent: header });
    post({ op: "handled", header });
  }
});
process.on("SIGTERM", () => post({ op: "terminate" }));
const { SCRIPTED_READY_FILE: readyFile } = process.env;
while (readyFile && !existsSync(readyFile)) await sleep(20);
post({ op: "ready" });
