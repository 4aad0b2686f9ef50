import { setTimeout as sleep } from "node:timers/promises";
import { CancelledError, firstLine, summaryOf } from "../../errors";
import { counted } from "../../showing/quantities";
import type { StorageSettings } from "../../storage";
import type { Step, ToWorker } from "../../worker/task";
import type { WorkerMachine } from "../contract";
import { MEMORY_REMEDY } from "../scheduler/errors";
import type { TaskWorker } from "../workers";
import { connectHost } from "./connection";
import { type Host, hostOf } from "./endpoint-host";
import type { EndpointSettings } from "./endpoint-settings";
import { EndpointError } from "./errors";
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
/** One whose server has ended as it was told to is not expected back at once. */
const LEFT_PAUSE_MILLISECONDS = 5_000;
const LONGEST_PAUSE_MILLISECONDS = 30_000;

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
  /** Its server has ended, after the tasks that it had. */
  let hasDrained = false;

  async function connectOnce(signal: AbortSignal): Promise<void> {
    const both = AbortSignal.any([signal, closing.signal]);
    const connection = await connectHost(settings, { type: "start", storage, env, leaseMilliseconds }, both);
    // Before what runs there is told: nothing of that goes to its other slots.
    let cut = 0;
    void connection.lost.then(() => {
      const idle = connected.idleWorkers();
      cut = connected.workers.length - idle.length;
      listener.leaving(idle);
    });
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
    hasDrained = false;
    version = connection.hello.version;
    listener.joined(connected.workers);
    void connected.draining.then(() => drain(connected));
    void connection.lost.then(async ({ why, loss }) => {
      // First the attempts that ran there are told that their worker is lost, which counts, once what they wrote by half is gone;
      // then it leaves, which does not.
      await connected.idle();
      await new Promise((resolve) => setImmediate(resolve));
      host = undefined;
      state = hasDrained ? "left" : "lost";
      problem = hasDrained ? "its server ended after its tasks" : why;
      if (closing.signal.aborted) return;
      listener.left(connected.workers);
      if (!hasDrained) {
        const tasks =
          cut === 0 ? "" : ` in the middle of ${counted(cut, "task")}, which run${cut === 1 ? "s" : ""} again`;
        const memory = loss === "kernel" && cut > 0 ? ` ${MEMORY_REMEDY}` : "";
        listener.warn(
          `Endpoint ${name} was lost${tasks}: ${why}. A new kernel is started there when it answers.${memory}`,
        );
      }
      const ending = connection.close().catch(() => undefined);
      endings.add(ending);
      void ending.then(() => endings.delete(ending));
      keep(hasDrained ? LEFT_PAUSE_MILLISECONDS : FIRST_PAUSE_MILLISECONDS);
    });
  }

  /** Its server is about to end, and waits for what runs there. */
  async function drain(leaving: Host): Promise<void> {
    const { workers, idle, connection } = leaving;
    if (host?.connection !== connection || closing.signal.aborted) return;
    state = "draining";
    problem = "its server is about to end";
    listener.leaving(workers);
    listener.warn(`Endpoint ${name} is about to end: what runs there comes to its end, and nothing new goes there.`);
    await idle();
    // What came last is taken first.
    await new Promise((resolve) => setImmediate(resolve));
    hasDrained = !leaving.isLost;
    await connection.close().catch(() => undefined);
  }

  function keep(firstPause = FIRST_PAUSE_MILLISECONDS): void {
    keeping ??= (async () => {
      for (let pause = firstPause; !closing.signal.aborted && !host; pause *= 2) {
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
        // One that has left is expected to answer nothing for a while.
        if (state !== "left" || !isPassing(error)) {
          state = isPassing(error) ? (version === undefined ? "unreachable" : "lost") : "refused";
          problem = error instanceof EndpointError ? error.what : firstLine(error);
        }
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
    machine: () => ({ endpoint: name, state, slots, memory: host?.memory(), version, problem }),
    connect: connected,
    keepTrying: () => keep(),
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
