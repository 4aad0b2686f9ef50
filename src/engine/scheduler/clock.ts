import { performance } from "node:perf_hooks";

/** The time, and what is to happen when some of it has passed. */
export interface Clock {
  /** Milliseconds since whenever; they never go back. */
  now(): number;
  /** @returns a function that takes it back */
  after(milliseconds: number, call: () => void): () => void;
}

/** A timer keeps the process alive: work that waits for it would never end otherwise. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(milliseconds, call) {
    const timer = setTimeout(call, milliseconds);
    return () => clearTimeout(timer);
  },
};
