import type { EventEmitter } from "node:events";
import { STOP_ANY, STOP_IDLE, stopSlot } from "../messages";
import { KeyboardInterrupt, SystemExit } from "./cell-error";
import type { Flows } from "./flows";

/** How long the cell waits for what listeners still do, such as taking back a half-written output. */
const LISTENERS_MS = 1_000;

/** The interrupts of cells, on the thread that runs them. */
export interface Interrupts {
  onInterrupt(listener: () => void | Promise<void>): () => void;
  /** Notes that this thread has heard of an interrupt: the flag in slot 0 stops the timers of other cells too while it stands. */
  heard(): void;
  /**
   * Tells the listeners of an interrupt of that execution and waits for them, a second at most; then ends what it waits for, and
   * waits until its `finally` and `catch` are done.
   */
  tell(execution: number): Promise<void>;
  /** Lets callbacks and timers run again after an interrupt that came while no cell ran. */
  endIdle(): void;
  /** True where the user interrupted that execution, whether or not this thread has heard of it. */
  isInterrupted(execution: number): boolean;
  /** Throws {@link KeyboardInterrupt} where the user interrupted that execution. */
  check(execution: number): void;
}

/** @param stop the stop flags, see `messages.ts` */
export function interrupts(stop: Int32Array, flows: Flows): Interrupts {
  const listeners = new Set<() => void | Promise<void>>();
  const isInterrupted = (execution: number) => stop[stopSlot(execution)] !== 0;
  return {
    isInterrupted,
    onInterrupt(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    heard: () => void Atomics.store(stop, 0, 0),
    async tell(execution) {
      const pending = flows.free(() => [...listeners].map(async (listener) => listener()));
      try {
        // Code that waits for Ctrl-C gets it, code of the cell that is interrupted too.
        flows.free(() => process.emit("SIGINT", "SIGINT"));
      } catch (error) {
        // What it throws, as process.exit does here, must not keep the cell running.
        if (!(error instanceof SystemExit)) console.error("A listener to SIGINT failed:", error);
      }
      await Promise.race([Promise.allSettled(pending), new Promise((done) => setTimeout(done, LISTENERS_MS).unref())]);
      await flows.end(execution);
    },
    endIdle: () => {
      for (const idle of [STOP_IDLE, STOP_ANY]) Atomics.compareExchange(stop, 0, idle, 0);
    },
    check(execution) {
      if (isInterrupted(execution)) throw new KeyboardInterrupt();
    },
  };
}

/**
 * Keeps libuv from taking SIGINT over when some code listens to it: then a synchronous loop could no longer be interrupted,
 * because libuv tells JavaScript only when that is idle. Listeners are called by {@link Interrupts.tell}.
 */
export function keepSigint(): void {
  const emitter: EventEmitter = process;
  const starters = emitter.listeners("newListener") as ((event: string | symbol, listener: unknown) => void)[];
  emitter.removeAllListeners("newListener");
  emitter.on("newListener", (event: string | symbol, listener: unknown) => {
    if (event !== "SIGINT") for (const start of starters) start.call(process, event, listener);
  });
}
