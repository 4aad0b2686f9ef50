import type { EventEmitter } from "node:events";
import { STOP_IDLE, stopSlot } from "../messages";
import { KeyboardInterrupt, SystemExit } from "./cell-error";

/** How long the cell waits for what listeners still do, such as taking back a half-written output. */
const LISTENERS_MS = 1_000;

/** The interrupts of cells, on the thread that runs them. */
export interface Interrupts {
  onInterrupt(listener: () => void | Promise<void>): () => void;
  /** Tells the listeners of an interrupt of that execution and waits for them, a second at most. */
  tell(execution: number): Promise<void>;
  /** Lets callbacks and timers run again after an interrupt that came while no cell ran. */
  endIdle(): void;
  /** Throws {@link KeyboardInterrupt} where the user interrupted the cell that runs. */
  check(): void;
}

/** @param stop the stop flags, see `messages.ts` */
export function interrupts(stop: Int32Array): Interrupts {
  const listeners = new Set<() => void | Promise<void>>();
  return {
    onInterrupt(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async tell(execution) {
      const pending = [...listeners].map(async (listener) => listener());
      // Code that waits for Ctrl-C gets it, code of the cell that is interrupted too.
      const flags = [0, stopSlot(execution)];
      for (const flag of flags) Atomics.store(stop, flag, 0);
      try {
        process.emit("SIGINT", "SIGINT");
      } catch (error) {
        // What it throws, as process.exit does here, must not keep the cell running.
        if (!(error instanceof SystemExit)) console.error("A listener to SIGINT failed:", error);
      } finally {
        for (const flag of flags) Atomics.store(stop, flag, 1);
      }
      await Promise.race([Promise.allSettled(pending), new Promise((done) => setTimeout(done, LISTENERS_MS).unref())]);
    },
    endIdle: () => void Atomics.compareExchange(stop, 0, STOP_IDLE, 0),
    check() {
      if (stop[0] !== 0) throw new KeyboardInterrupt();
    },
  };
}

/**
 * Defines the guard that compiled loops and functions call with the number of their cell, 0 in a local module. It throws where
 * the cell that runs, or that cell, was interrupted.
 */
export function defineGuard(stop: Int32Array): void {
  const guard = (execution: number): void => {
    if (stop[0] !== 0 || (execution !== 0 && stop[stopSlot(execution)] !== 0)) throw new KeyboardInterrupt();
  };
  Object.defineProperty(globalThis, "__stop__", { value: guard });
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
