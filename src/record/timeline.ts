import type { BusyClock } from "./busy-clock";
import type { StageRecord } from "./jobs";
import type { Attempt, RunFacts } from "./run-tally";

/** A bar of the timeline: an attempt, or several short ones of a stage, one after another on a worker. */
export interface Bar {
  readonly worker: string;
  readonly stage: StageRecord;
  readonly status: Attempt["status"];
  /** Seconds of the run's clock. */
  from: number;
  to: number;
  /** Attempts that it stands for. */
  attempts: number;
  rows: number;
  /** The first of them. */
  readonly first: Attempt;
}

/** What ran on which worker, in a bounded number of bars. */
export interface Timeline {
  /** From the top; those that are left out are the ones with the least work. */
  readonly workers: readonly string[];
  readonly workersLeftOut: number;
  readonly bars: readonly Bar[];
  /** How many attempts the bars stand for. */
  readonly attempts: number;
  /** Attempts of one stage that are shorter than so many seconds are drawn together; 0 where each has its bar. */
  readonly together: number;
}

/** More bars make a browser slow. */
export const MOST_BARS = 3_000;

/** Of them, those that failed, were lost or are not needed any more. */
const MOST_TROUBLES = 1_000;

/** More rows than these are not told apart. */
export const MOST_WORKERS = 64;

/** @param facts of the run @param clock its time */
export function timelineOf({ attempts, lastAt }: RunFacts, clock: BusyClock): Timeline {
  const byWorker = new Map<string, Attempt[]>();
  for (const attempt of attempts) {
    const own = byWorker.get(attempt.worker);
    if (own) own.push(attempt);
    else byWorker.set(attempt.worker, [attempt]);
  }
  const all = [...byWorker.keys()];
  const work = new Map(all.map((worker) => [worker, byWorker.get(worker)?.length ?? 0]));
  const kept = all.sort((a, b) => (work.get(b) ?? 0) - (work.get(a) ?? 0)).slice(0, MOST_WORKERS);
  const workers = kept.sort(new Intl.Collator("en", { numeric: true }).compare);
  const shown = workers.flatMap((worker) => byWorker.get(worker) ?? []);
  const isGood = ({ status }: Attempt) => status === "succeeded" || status === "running";
  // What went wrong keeps its place and length, at most joined where a pixel holds it: else it would look like more than it is.
  const pixel = clock.seconds / 1000;
  const bad = shown.filter((attempt) => !isGood(attempt));
  const troubles = evenly(merged(bad, bad.length > MOST_TROUBLES ? pixel : 0, clock, lastAt), MOST_TROUBLES);
  const good = shown.filter(isGood);
  const most = MOST_BARS - troubles.length;
  let together = 0;
  let bars = merged(good, together, clock, lastAt);
  while (bars.length > most && together <= clock.seconds) {
    together = together === 0 ? pixel : together * 2;
    bars = merged(good, together, clock, lastAt);
  }
  if (bars.length > most) bars = bars.sort((a, b) => b.to - b.from - (a.to - a.from)).slice(0, most);
  bars.push(...troubles);
  const drawn = bars.reduce((sum, bar) => sum + bar.attempts, 0);
  return { workers, workersLeftOut: all.length - workers.length, bars, attempts: drawn, together };
}

/** At most so many, from all over. */
function evenly(bars: readonly Bar[], most: number): Bar[] {
  const step = Math.max(1, bars.length / most);
  return Array.from({ length: Math.min(bars.length, most) }, (_, i) => bars[Math.floor(i * step)] as Bar);
}

function merged(attempts: readonly Attempt[], together: number, clock: BusyClock, now: number): Bar[] {
  const bars: Bar[] = [];
  const last = new Map<string, Bar>();
  for (const attempt of attempts) {
    const { worker, stage, status, start, end, rows } = attempt;
    const [from, to] = [clock.at(start), clock.at(end ?? now)];
    // A short failure in between does not part what succeeded: it is drawn over it.
    const before = last.get(`${worker} ${status}`);
    const fits =
      before !== undefined &&
      before.stage === stage &&
      before.status === status &&
      to - from < together &&
      from - before.to < together &&
      // A bar of long attempts stays what it is.
      (before.attempts > 1 || before.to - before.from < together);
    if (fits) {
      before.to = Math.max(before.to, to);
      before.attempts++;
      before.rows += rows;
      continue;
    }
    const bar: Bar = { worker, stage, status, from, to, attempts: 1, rows, first: attempt };
    last.set(`${worker} ${status}`, bar);
    bars.push(bar);
  }
  return bars;
}
