import { randomUUID } from "node:crypto";
import type { Url } from "../../storage";
import { fileUrl } from "../../storage/location";
import type { FromHost } from "../../worker/host-messages";
import type { FromWorker, Step, ToWorker } from "../../worker/task";
import { runAttempt, type TaskThread, type ThreadListener } from "../attempt";
import type { WorkerLoss } from "../scheduler/errors";
import type { TaskWorker, WorkerListener } from "../workers";
import type { HostConnection, HostLoss } from "./connection";
import type { EndpointSettings } from "./endpoint-settings";
import { EndpointFilesError } from "./errors";
import { folderSight, outputFolder, type Probe } from "./same-files";
import type { ServedFiles } from "./served-files";

/** A machine's answer about a file is there at once, or its network is. */
const PROBE_MILLISECONDS = 20_000;

/** A machine that is connected, with its slots. */
export interface Host {
  readonly connection: HostConnection;
  readonly workers: readonly TaskWorker[];
  readonly isLost: boolean;
  /** Those that run nothing. */
  idleWorkers(): readonly TaskWorker[];
  /** Resolves when its server is about to end. */
  readonly draining: Promise<void>;
  /** Resolves when none of its workers runs anything. */
  idle(): Promise<void>;
  /** Bytes, as it told last. */
  memory(): number | undefined;
  start(): void;
  post(message: ToWorker): void;
  prepare(steps: readonly Step[]): void;
  /** Finds out whether it sees the folder for files between stages. @throws EndpointFilesError where it does not answer */
  lookFor(spoolParent: string): Promise<void>;
  probe: Probe;
  /** One of its threads, by its number from 0. */
  thread(slot: number): TaskThread;
}

export function hostOf({ name, slots }: EndpointSettings, connection: HostConnection, served: ServedFiles): Host {
  const threads = new Map<number, ThreadListener>();
  /** Of the tasks that run, by slot. */
  const alive = new Map<number, WorkerListener>();
  const probes = new Map<string, (text: string | null) => void>();
  const files = served.serverFor(name);
  let seesSpool = false;
  /** Where each slot's task writes, if that is seen. */
  const outputs = new Map<number, Url>();
  let lost: HostLoss | undefined;
  let memory: number | undefined;
  const waitingForIdle: (() => void)[] = [];
  let tellDraining: () => void = () => {};
  const draining = new Promise<void>((resolve) => {
    tellDraining = resolve;
  });

  const ended = (slot: number, why: string, loss: WorkerLoss) => threads.get(slot)?.ended(why, loss);
  connection.onMessage = (message: FromHost, piece) => {
    switch (message.type) {
      case "task":
        threads.get(message.slot)?.message(message.message satisfies FromWorker);
        return;
      case "ended":
        ended(message.slot, message.why, "thread");
        return;
      case "alive":
        memory = message.memory;
        for (const listener of alive.values()) listener.onAlive();
        return;
      case "probed":
        probes.get(message.id)?.(message.text);
        return;
      case "draining":
        return tellDraining();
      case "files":
        void files.answer(message, piece).then(({ answer, piece }) => {
          connection.send({ type: "files", id: message.id, answer }, piece);
        });
        return;
      case "hello":
        return;
    }
  };
  void connection.lost.then((told) => {
    lost = told;
    for (const slot of [...threads.keys()]) ended(slot, told.why, told.loss);
    for (const answer of probes.values()) answer(null);
  });

  const probe = async (path: string) => {
    // Nobody would answer, nor keep this process from ending.
    if (lost) return null;
    const id = randomUUID();
    const release = connection.hold();
    try {
      return await new Promise<string | null>((resolve, reject) => {
        probes.set(id, resolve);
        const late = () => reject(new EndpointFilesError(name, `no answer about ${path}.`, { retryable: true }));
        setTimeout(late, PROBE_MILLISECONDS).unref();
        connection.send({ type: "probe", id, path });
      });
    } finally {
      probes.delete(id);
      release();
    }
  };

  const isSeen = folderSight(probe);

  const tellSeen = (slot: number) => {
    const spool = seesSpool ? served.spool : undefined;
    const folders = [spool, outputs.get(slot)].filter((folder) => folder !== undefined);
    connection.send({ type: "task", slot, message: { type: "sees", folders } });
  };

  const thread = (slot: number): TaskThread => ({
    post: (message) => connection.send({ type: "task", slot, message }),
    listen(listener) {
      threads.set(slot, listener);
      if (lost) queueMicrotask(() => lost && ended(slot, lost.why, lost.loss));
      return () => {
        if (threads.get(slot) === listener) threads.delete(slot);
      };
    },
    terminate: () => connection.send({ type: "terminate", slot }),
  });

  const worker = (slot: number): TaskWorker => ({
    name: `${name}/${slot + 1}`,
    beats: true,
    machine: name,
    async run(task, signal, listener) {
      alive.set(slot, listener);
      const release = connection.hold();
      const close = files.open(slot, task);
      try {
        const folder = await outputFolder(task);
        if (folder !== undefined && (await isSeen(folder))) outputs.set(slot, fileUrl(folder));
        tellSeen(slot);
        return await runAttempt(thread(slot), `${name}/${slot + 1}`, task, signal, listener);
      } finally {
        outputs.delete(slot);
        await close();
        if (alive.get(slot) === listener) alive.delete(slot);
        if (alive.size === 0) for (const tell of waitingForIdle.splice(0)) tell();
        release();
      }
    },
  });

  const post = (message: ToWorker) => {
    for (const slot of workers.keys()) connection.send({ type: "task", slot, message });
  };
  const workers = Array.from({ length: slots ?? connection.hello.slots ?? connection.hello.cores }, (_, slot) =>
    worker(slot),
  );
  return {
    connection,
    workers,
    get isLost() {
      return lost !== undefined;
    },
    idleWorkers: () => workers.filter((_, slot) => !alive.has(slot)),
    draining,
    idle: () =>
      new Promise((resolve) => {
        if (alive.size === 0) resolve();
        else waitingForIdle.push(resolve);
      }),
    memory: () => memory,
    start() {
      for (const slot of workers.keys()) connection.send({ type: "thread", slot });
    },
    probe,
    thread,
    post,
    prepare(steps) {
      for (const slot of workers.keys()) tellSeen(slot);
      post({ type: "prepare", steps });
    },
    async lookFor(spoolParent) {
      seesSpool = await isSeen(spoolParent);
    },
  };
}
