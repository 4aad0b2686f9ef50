import type { BusyClock } from "./busy-clock";
import type { RunFacts } from "./run-tally";

/** What went through a run in each of a number of equal parts of its time. */
export interface Rates {
  /** How long each part is. */
  readonly binSeconds: number;
  /** Rows of tasks that succeeded, or run: spread evenly over the time that each took. */
  readonly rows: readonly number[];
  /** Bytes that tasks wrote, in the same way. */
  readonly bytes: readonly number[];
  /** Seconds that attempts took, so that divided by `binSeconds` it is how many ran at once. */
  readonly taskSeconds: readonly number[];
}

/** A chart of a thousand pixels shows no more. */
const BINS = 200;

/** The least that a part is long, in seconds. */
const SHORTEST = 0.05;

export function ratesOf({ attempts, lastAt }: RunFacts, clock: BusyClock): Rates {
  const bins = Math.max(1, Math.min(BINS, Math.ceil(clock.seconds / SHORTEST)));
  const binSeconds = Math.max(clock.seconds, SHORTEST) / bins;
  const empty = () => new Array<number>(bins).fill(0);
  const [rows, bytes, taskSeconds] = [empty(), empty(), empty()];
  const spread = (into: number[], amount: number, from: number, to: number) => {
    if (amount === 0) return;
    const last = bins - 1;
    const [first, end] = [Math.min(last, Math.floor(from / binSeconds)), Math.min(last, Math.floor(to / binSeconds))];
    if (first === end) {
      into[first] = (into[first] as number) + amount;
      return;
    }
    for (let bin = first; bin <= end; bin++) {
      const begin = Math.max(from, bin * binSeconds);
      const until = bin === end ? to : Math.min(to, (bin + 1) * binSeconds);
      into[bin] = (into[bin] as number) + (amount * (until - begin)) / (to - from);
    }
  };
  for (const { start, end, status, rows: own, bytes: written } of attempts) {
    const [from, to] = [clock.at(start), clock.at(end ?? lastAt)];
    spread(taskSeconds, to - from, from, to);
    if (status !== "succeeded" && status !== "running") continue;
    spread(rows, own, from, to);
    spread(bytes, written, from, to);
  }
  return { binSeconds, rows, bytes, taskSeconds };
}
