import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { CancelledError, summaryOf } from "../../errors";
import type { StorageSettings, Url } from "../../storage";
import { fileUrl } from "../../storage/location";
import type { FromHost } from "../../worker/host-messages";
import type { FromWorker, Step, ToWorker } from "../../worker/task";
import { runAttempt, type TaskThread, type ThreadListener } from "../attempt";
import type { WorkerMachine } from "../contract";
import type { TaskWorker, WorkerListener } from "../workers";
import { connectHost, type HostConnection } from "./connection";
import type { EndpointSettings } from "./endpoint-settings";
import { EndpointFilesError } from "./errors";
import { folderSight, outputFolder, type Probe } from "./same-files";
import type { ServedFiles } from "./served-files";

/** What an endpoint tells whoever has it. */
export interface EndpointListener {
  /** Its slots are ready for tasks. */
  joined(workers: readonly TaskWorker[]): void;
  /** They are about to leave: they finish what they run, and take nothing new. */
  leaving(workers: readonly TaskWorker[]): void;
  /** They are gone; what ran on them was lost before. */
  left(workers: readonly TaskWorker[]): void;
  /** For the user. */
  warn(text: string): void;
}

export interface EndpointParts {
  readonly settings: EndpointSettings;
  readonly storage: StorageSettings;
  readonly leaseMilliseconds: number;
  /** The folder for files between stages. */
  readonly spoolParent: string;
  /** Gives its machine the files that it does not see. */
  readonly served: ServedFiles;
  readonly listener: EndpointListener;
}

/** A machine behind a Jupyter server: one kernel, whose threads are workers. It is connected again when it was lost. */
export interface Endpoint {
  readonly name: string;
  /** How many slots it has, or had. */
  readonly slots: number;
  readonly workers: readonly TaskWorker[];
  /** Why it is not there, in a sentence. */
  readonly problem: string | undefined;
  /** How it stands, now. */
  machine(): WorkerMachine;
  /**
   * Connects where it is not, and stays so until `close`: a connection that is lost later is made anew.
   * @throws EndpointError, CancelledError
   */
  connect(signal: AbortSignal): Promise<void>;
  /** Tries to connect again and again, beside everything else. */
  keepTrying(): void;
  /** Starts its threads, so that they load before their first message. */
  start(): void;
  /** A message for all of its threads. */
  post(message: ToWorker): void;
  /** Lets its threads set up functions. */
  prepare(steps: readonly Step[]): void;
  /** Ends its kernel. */
  close(): Promise<void>;
}

/** Between tries to reach an endpoint that was lost: this, then twice as long each time. */
const FIRST_PAUSE_MILLISECONDS = 500;
const LONGEST_PAUSE_MILLISECONDS = 30_000;

/** A machine's answer about a file is there at once, or its network is. */
const PROBE_MILLISECONDS = 20_000;

export function endpoint(parts: EndpointParts): Endpoint {
  const { settings, storage, leaseMilliseconds, spoolParent, served, listener } = parts;
  const { name, env } = settings;
  const closing = new AbortController();
  let slots = settings.slots ?? 1;
  let host: Host | undefined;
  let connecting: Promise<void> | undefined;
  let keeping: Promise<void> | undefined;
  /** Kernels that were lost and may still be there. */
  const endings = new Set<Promise<void>>();
  let state: WorkerMachine["state"] = "connecting";
  let version: string | undefined;
  let problem: string | undefined;

  async function connectOnce(signal: AbortSignal): Promise<void> {
    const both = AbortSignal.any([signal, closing.signal]);
    const connection = await connectHost(settings, { type: "start", storage, env, leaseMilliseconds }, both);
    const connected = hostOf(settings, connection, served);
    try {
      await connected.lookFor(spoolParent);
    } catch (error) {
      await connection.close().catch(() => undefined);
      throw error;
    }
    slots = connected.workers.length;
    host = connected;
    state = "ready";
    problem = undefined;
    version = connection.hello.version;
    listener.joined(connected.workers);
    void connected.draining.then(() => drain(connected));
    void connection.lost.then(async (why) => {
      // First the attempts that ran there are told that their worker is lost, which counts; then it leaves, which does not.
      await new Promise((resolve) => setImmediate(resolve));
      host = undefined;
      const wasDraining = state === "draining";
      problem = `Endpoint ${name} was lost: ${why}.`;
      state = "lost";
      if (closing.signal.aborted) return;
      listener.left(connected.workers);
      if (!wasDraining) listener.warn(`${problem} A new kernel is started there when it answers.`);
      const ending = connection.close().catch(() => undefined);
      endings.add(ending);
      void ending.then(() => endings.delete(ending));
      keep();
    });
  }

  /** Its server is about to end, and waits for what runs there. */
  async function drain({ workers, idle, connection }: Host): Promise<void> {
    if (host?.connection !== connection || closing.signal.aborted) return;
    state = "draining";
    listener.leaving(workers);
    listener.warn(`Endpoint ${name} is about to end: what runs there comes to its end, and nothing new goes there.`);
    await idle();
    // What came last is taken first.
    await new Promise((resolve) => setImmediate(resolve));
    await connection.close().catch(() => undefined);
  }

  function keep(): void {
    keeping ??= (async () => {
      for (let pause = FIRST_PAUSE_MILLISECONDS; !closing.signal.aborted && !host; pause *= 2) {
        const wait = { signal: closing.signal, ref: false };
        await sleep(Math.min(pause, LONGEST_PAUSE_MILLISECONDS), undefined, wait).catch(() => undefined);
        try {
          if (!closing.signal.aborted) await connected(closing.signal);
        } catch (error) {
          if (closing.signal.aborted || isPassing(error)) continue;
          listener.warn(`${summaryOf(error)} It is left alone.`);
          break;
        }
      }
      keeping = undefined;
    })();
  }

  async function connected(signal: AbortSignal): Promise<void> {
    if (host) return;
    connecting ??= connectOnce(signal)
      .catch((error) => {
        state = isPassing(error) ? "lost" : "refused";
        problem = summaryOf(error);
        throw error;
      })
      .finally(() => {
        connecting = undefined;
      });
    await connecting;
  }

  return {
    name,
    get slots() {
      return slots;
    },
    get workers() {
      return state === "ready" ? (host?.workers ?? []) : [];
    },
    get problem() {
      return problem;
    },
    machine: () => ({ endpoint: name, state, slots, memory: host?.memory(), version }),
    connect: connected,
    keepTrying: keep,
    start: () => host?.start(),
    post: (message) => host?.post(message),
    prepare: (steps) => host?.prepare(steps),
    async close() {
      closing.abort(new CancelledError("The session is stopped."));
      const last = host;
      await Promise.allSettled([connecting, keeping, last?.connection.close(), ...endings]);
    },
  };
}

/** What may be otherwise in a while. */
export function isPassing(error: unknown): boolean {
  return (error as { readonly retryable?: boolean }).retryable === true;
}

/** A machine that is connected, with its slots. */
export interface Host {
  readonly connection: HostConnection;
  readonly workers: readonly TaskWorker[];
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
  const alive = new Set<WorkerListener>();
  const probes = new Map<string, (text: string | null) => void>();
  const files = served.serverFor(name);
  let seesSpool = false;
  /** Where each slot's task writes, if that is seen. */
  const outputs = new Map<number, Url>();
  let isLost: string | undefined;
  let memory: number | undefined;
  let tellIdle: () => void = () => {};
  let tellDraining: () => void = () => {};
  const draining = new Promise<void>((resolve) => {
    tellDraining = resolve;
  });

  const ended = (slot: number, why: string) => threads.get(slot)?.ended(why);
  connection.onMessage = (message: FromHost, piece) => {
    switch (message.type) {
      case "task":
        threads.get(message.slot)?.message(message.message satisfies FromWorker);
        return;
      case "ended":
        ended(message.slot, message.why);
        return;
      case "alive":
        memory = message.memory;
        for (const listener of alive) listener.onAlive();
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
  void connection.lost.then((why) => {
    isLost = why;
    for (const slot of [...threads.keys()]) ended(slot, why);
    for (const answer of probes.values()) answer(null);
  });

  const probe = async (path: string) => {
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
      if (isLost !== undefined) queueMicrotask(() => ended(slot, isLost ?? ""));
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
      alive.add(listener);
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
        alive.delete(listener);
        if (alive.size === 0) tellIdle();
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
    draining,
    idle: () =>
      new Promise((resolve) => {
        tellIdle = resolve;
        if (alive.size === 0) resolve();
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
