import { readFile } from "node:fs/promises";
import { availableParallelism, totalmem } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Comm, CommData } from "../kernel/kernel-host";
import { prepareProcess } from "../networks/network-backend";
import { VERSION } from "../version";
import type { ThreadRequest } from "./file-messages";
import { hostFiles } from "./host-files";
import { type FromHost, type HostHello, SLOTS_VARIABLE, type ToHost } from "./host-messages";
import type { FromWorker } from "./task";
import type { WorkerData } from "./thread";

/** How often a host says that it is there, and looks whether its driver did. */
const BEAT_MILLISECONDS = 1000;

/** How often at most a thread's progress is told: a server drops what comes by thousands a second. */
const PROGRESS_MILLISECONDS = 200;

/** How long a thread may take to end that is ended by force. */
const TERMINATE_MILLISECONDS = 1000;

/** A driver that opens a comm and says nothing further. */
const FIRST_LEASE_MILLISECONDS = 60_000;

/** Who is served now. */
let current: { close(): void } | undefined;

/**
 * Runs tasks in threads of this process for the driver at the other end of a comm. It serves one driver: who opens a comm anew has
 * lost the one before, whose threads end.
 * @param endKernel called once when the driver is gone: nothing has been heard of it for its lease
 */
export function serveWorkers(comm: Comm, endKernel: () => void): void {
  current?.close();
  prepareProcess();
  const threads = new Map<number, Worker>();
  let data: WorkerData = { storage: {}, filesElsewhere: true };
  let env: Readonly<Record<string, string>> = {};
  let lease = FIRST_LEASE_MILLISECONDS;
  let silentBeats = 0;

  const send = (message: FromHost, piece?: Uint8Array) =>
    comm.send(message as unknown as CommData, piece ? { buffers: [piece] } : {});
  const filesFor = (variables: NodeJS.ProcessEnv) =>
    hostFiles((message, piece) => send({ type: "files", ...message }, piece), variables);
  let files = filesFor(process.env);

  const threadOf = (slot: number): Worker => {
    const there = threads.get(slot);
    if (there) return there;
    const file = join(__dirname, "thread.js");
    const thread = new Worker(file, { name: `worker-${slot + 1}`, workerData: data, env: { ...process.env, ...env } });
    threads.set(slot, thread);
    let lastError: Error | undefined;
    const tell = throttled((message) => send({ type: "task", slot, message }));
    thread.on("message", (message: FromWorker | ThreadRequest) => {
      if (threads.get(slot) !== thread) return;
      if (message.type !== "files" && message.type !== "copy") return tell(message);
      void files.answer(slot, message).then((answer) => thread.postMessage(answer));
    });
    thread.on("error", (error: Error) => {
      lastError = error;
    });
    thread.on("exit", (code) => {
      ended(slot, thread, lastError ? `${lastError.name}: ${lastError.message}` : `its thread ended with code ${code}`);
    });
    return thread;
  };

  const ended = (slot: number, thread: Worker, why: string) => {
    if (threads.get(slot) !== thread) return;
    threads.delete(slot);
    send({ type: "ended", slot, why });
  };

  /** By force. A native call can't be ended: the slot gets another thread, and this one ends once it returns. */
  const terminate = (slot: number) => {
    const thread = threads.get(slot);
    if (!thread) return;
    void thread.terminate();
    setTimeout(() => ended(slot, thread, "its thread did not end"), TERMINATE_MILLISECONDS).unref();
  };

  const close = () => {
    clearInterval(beat);
    for (const thread of threads.values()) void thread.terminate();
    threads.clear();
    comm.close();
    if (current === self) current = undefined;
  };
  const self = { close };
  current = self;

  const beat = setInterval(() => {
    send({ type: "alive", memory: process.memoryUsage.rss() });
    // Beats are counted, not time: a machine that slept hears its driver first.
    if (++silentBeats * BEAT_MILLISECONDS <= lease) return;
    close();
    endKernel();
  }, BEAT_MILLISECONDS);

  comm.onMessage = (received, buffers) => {
    silentBeats = 0;
    const message = received as unknown as ToHost;
    switch (message.type) {
      case "start":
        data = { storage: message.storage, filesElsewhere: true };
        env = message.env;
        files = filesFor({ ...process.env, ...env });
        lease = message.leaseMilliseconds;
        return;
      case "thread":
        threadOf(message.slot);
        return;
      case "task":
        // What was never fetched needs no thread to forget it.
        if (message.message.type === "forget" && !threads.has(message.slot)) return;
        threadOf(message.slot).postMessage(message.message);
        return;
      case "terminate":
        return terminate(message.slot);
      case "drain":
        return send({ type: "draining" });
      case "files":
        files.answered(message.id, { answer: message.answer, piece: buffers[0] });
        return;
      case "probe":
        void readFile(message.path, "utf8")
          .catch(() => null)
          .then((text) => send({ type: "probed", id: message.id, text }));
        return;
      case "alive":
        return;
    }
  };
  comm.onClose = close;
  send({
    type: "hello",
    hello: {
      version: VERSION,
      node: process.version,
      cores: availableParallelism(),
      ...slotsOf(process.env[SLOTS_VARIABLE]),
      memory: Math.min(totalmem(), process.constrainedMemory?.() || Number.POSITIVE_INFINITY),
      pid: process.pid,
    },
  });
}

function slotsOf(text: string | undefined): Pick<HostHello, "slots"> {
  return text !== undefined && /^[1-9]\d{0,3}$/.test(text) ? { slots: Number(text) } : {};
}

/** Of a thread's progress the latest, now and then; everything else at once, after what there is of that. */
function throttled(send: (message: FromWorker) => void): (message: FromWorker) => void {
  let waiting: FromWorker | undefined;
  let timer: NodeJS.Timeout | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    if (waiting) send(waiting);
    waiting = undefined;
  };
  return (message) => {
    if (message.type === "progress") {
      waiting = message;
      timer ??= setTimeout(flush, PROGRESS_MILLISECONDS);
      return;
    }
    flush();
    send(message);
  };
}
