import { performance } from "node:perf_hooks";

/** The time, and what is to happen when some of it has passed. */
export interface Clock {
  /** Milliseconds since whenever; they never go back. */
  now(): number;
  /** It may call before a very long time has passed. @returns a function that takes it back */
  after(milliseconds: number, call: () => void): () => void;
}

/** The longest time that a timer of Node takes; beyond it, it would end at once. */
const LONGEST = 2 ** 31 - 1;

/** A timer keeps the process alive: work that waits for it would never end otherwise. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(milliseconds, call) {
    const timer = setTimeout(call, Math.min(milliseconds, LONGEST));
    return () => clearTimeout(timer);
  },
};
