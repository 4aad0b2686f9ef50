import type { EventEmitter } from "node:events";
import { stopSlot } from "../messages";
import { KeyboardInterrupt } from "./cell-error";

/** How long the cell waits for what listeners still do, such as taking back a half-written output. */
const LISTENERS_MS = 1_000;

/** The interrupts of cells, on the thread that runs them. */
export interface Interrupts {
  onInterrupt(listener: () => void | Promise<void>): () => void;
  /** Tells the listeners and waits for them, a second at most. */
  tell(): Promise<void>;
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
    async tell() {
      const pending = [...listeners].map(async (listener) => listener());
      // A library that waits for Ctrl-C gets it.
      process.emit("SIGINT", "SIGINT");
      await Promise.race([Promise.allSettled(pending), new Promise((done) => setTimeout(done, LISTENERS_MS).unref())]);
    },
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
