import { IllegalArgumentError, PomonaError, summaryOf } from "../../errors";
import type { PoolListener, WorkerPool } from "../workers";
import { type Endpoint, type EndpointParts, endpoint, isPassing } from "./endpoint";
import type { EndpointSettings } from "./endpoint-settings";

export interface EndpointPool extends WorkerPool {
  /**
   * Connects to the endpoints. One is enough: the others join when they answer, which is told.
   * @throws EndpointError where none can be connected to
   */
  connect(signal: AbortSignal): Promise<void>;
  /** Connects to one more, or anew to one that takes no tasks. @throws IllegalArgumentError where it is there, EndpointError */
  add(settings: EndpointSettings, signal: AbortSignal): Promise<void>;
  /** Ends one; false where there is none of that name. */
  remove(name: string): Promise<boolean>;
}

/** How long a start waits for other endpoints when one is ready. */
const OTHERS_MILLISECONDS = 5_000;

/** The slots of all endpoints. */
export function endpointPool(
  settings: readonly EndpointSettings[],
  parts: Omit<EndpointParts, "settings" | "listener"> & { readonly warn: (text: string) => void },
): EndpointPool {
  const listeners = new Set<PoolListener>();
  const made = (each: EndpointSettings): Endpoint =>
    endpoint({
      ...parts,
      settings: each,
      listener: {
        joined(workers) {
          for (const listener of listeners) for (const worker of workers) listener.joined(worker);
        },
        leaving(workers) {
          for (const listener of listeners) for (const worker of workers) listener.leaving(worker);
        },
        left(workers) {
          for (const listener of listeners) for (const worker of workers) listener.left(worker);
        },
        warn: parts.warn,
      },
    });
  let endpoints: readonly Endpoint[] = settings.map(made);
  const close = async () => {
    process.off("beforeExit", onEnd);
    await Promise.all(endpoints.map((each) => each.close()));
  };
  // A program that comes to its end without stopping its session leaves no kernels either.
  const onEnd = () => void close();
  const end = async (removed: Endpoint) => {
    for (const listener of listeners) for (const worker of removed.workers) listener.left(worker);
    await removed.close();
  };
  const there = () => endpoints.filter(({ workers }) => workers.length > 0);

  return {
    get parallelism() {
      const counted = there().length > 0 ? there() : endpoints;
      return counted.reduce((sum, { slots }) => sum + slots, 0);
    },
    get workers() {
      return endpoints.flatMap(({ workers }) => workers);
    },
    problem() {
      const away = endpoints.map((each) => each.machine()).filter(({ problem }) => problem !== undefined);
      if (away.length === 0) return undefined;
      return away.map(({ endpoint, state, problem }) => `Endpoint ${endpoint} (${state}): ${problem}.`).join(" ");
    },
    remedy: "Start their servers again, or add another one: session.addEndpoint(url).",
    machines: () => endpoints.map((each) => each.machine()),
    async connect(signal) {
      process.off("beforeExit", onEnd).once("beforeExit", onEnd);
      const asked = endpoints;
      const tries = asked.map((each) => each.connect(signal).then(() => undefined, failed));
      const all = Promise.all(tries);
      const first = await Promise.any(
        tries.map(async (each) => ((await each) === undefined ? true : Promise.reject())),
      ).catch(() => false);
      if (!first) throw noEndpoint((await all).map((failure) => failure?.error));
      let timer: NodeJS.Timeout | undefined;
      const patience = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, OTHERS_MILLISECONDS);
      });
      await Promise.race([all, patience]);
      clearTimeout(timer);
      for (const [i, each] of tries.entries()) {
        void each.then((failure) => {
          if (failure === undefined) return;
          const { error } = failure;
          parts.warn(`${summaryOf(error)} ${isPassing(error) ? "The others go on without it." : "It is left alone."}`);
          if (isPassing(error)) asked[i]!.keepTrying();
        });
      }
    },
    watch(listener) {
      listeners.add(listener);
      for (const each of endpoints) for (const worker of each.workers) listener.joined(worker);
      return () => listeners.delete(listener);
    },
    start() {
      for (const each of endpoints) each.start();
    },
    prepare(steps) {
      for (const each of endpoints) each.prepare(steps);
    },
    mayRead: parts.served.mayRead,
    forget(file) {
      for (const each of endpoints) each.post({ type: "forget", file });
    },
    async add(settings, signal) {
      const before = endpoints.find(({ name }) => name === settings.name);
      const { state, problem } = before?.machine() ?? {};
      if (before && problem === undefined)
        throw new IllegalArgumentError(`Endpoint ${settings.name} is there already (${state}).`, {
          remedy: "To change its settings, remove it first: session.removeEndpoint(url).",
        });
      const added = made(settings);
      endpoints = [...endpoints.filter((each) => each !== before), added];
      try {
        await added.connect(signal);
      } catch (error) {
        endpoints = endpoints.flatMap((each) => (each === added ? (before ?? []) : each));
        throw error;
      }
      if (before) await end(before);
    },
    async remove(name) {
      const removed = endpoints.find((each) => each.name === name);
      if (!removed) return false;
      endpoints = endpoints.filter((each) => each !== removed);
      await end(removed);
      return true;
    },
    close,
  };
}

const failed = (error: unknown) => ({ error });

/** One error for all: the first, with the others' below it. */
function noEndpoint(errors: readonly unknown[]): unknown {
  const [first, ...others] = errors;
  if (others.length === 0 || !(first instanceof PomonaError)) return first;
  first.message += `\nNor can the other endpoints be used:\n${others.map((error) => `- ${summaryOf(error)}`).join("\n")}`;
  return first;
}
