import type { BusyClock } from "./busy-clock";
import type { StageRecord } from "./jobs";
import type { Attempt, Loss, RunFacts } from "./run-tally";

/** A bar of the timeline: an attempt, or several short ones of a stage, one after another on a worker. */
export interface Bar {
  readonly worker: string;
  readonly stage: StageRecord;
  readonly status: Attempt["status"];
  /** Where it begins and where its last attempt ended, in seconds of the run's clock. */
  readonly from: number;
  to: number;
  /** What its attempts took, added up: how long it is drawn, so that it looks like neither more nor less than it is. */
  seconds: number;
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
  /** Losses of these workers, evenly from all over where there are too many. */
  readonly losses: readonly Loss[];
  /** How many attempts the bars stand for. */
  readonly attempts: number;
  /** Attempts of one stage that are shorter than so many seconds are drawn together; 0 where each has its bar. */
  readonly together: number;
}

/** More bars make a browser slow. */
export const MOST_BARS = 3_000;

/** Of them, those that failed, were lost or are not needed any more. */
const MOST_TROUBLES = 1_000;

/** More crosses than these cover each other. */
const MOST_LOSSES = 500;

/** More rows than these are not told apart. */
export const MOST_WORKERS = 64;

/** @param facts of the run @param clock its time */
export function timelineOf({ attempts, losses, lastAt }: RunFacts, clock: BusyClock): Timeline {
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
  const shown = workers
    .flatMap((worker) => byWorker.get(worker) ?? [])
    .map((attempt): Span => ({ attempt, from: clock.at(attempt.start), to: clock.at(attempt.end ?? lastAt) }));
  const isGood = ({ attempt: { status } }: Span) => status === "succeeded" || status === "running";
  // What went wrong keeps its place and length, at most joined where a pixel holds it: else it would look like more than it is.
  const pixel = clock.seconds / 1000;
  const bad = shown.filter((span) => !isGood(span));
  const troubles = evenly(merged(bad, bad.length > MOST_TROUBLES ? pixel : 0), MOST_TROUBLES);
  const good = shown.filter(isGood);
  const most = MOST_BARS - troubles.length;
  let together = 0;
  let bars = merged(good, together);
  while (bars.length > most && together <= clock.seconds) {
    together = together === 0 ? pixel : together * 2;
    bars = merged(good, together);
  }
  if (bars.length > most) bars = bars.sort((a, b) => b.seconds - a.seconds).slice(0, most);
  bars.push(...troubles);
  const drawn = bars.reduce((sum, bar) => sum + bar.attempts, 0);
  const shownWorkers = new Set(workers);
  return {
    ...{ workers, workersLeftOut: all.length - workers.length, bars, attempts: drawn, together },
    losses: evenly(
      losses.filter(({ worker }) => shownWorkers.has(worker)),
      MOST_LOSSES,
    ),
  };
}

/** At most so many, from all over. */
function evenly<T>(all: readonly T[], most: number): T[] {
  const step = Math.max(1, all.length / most);
  return Array.from({ length: Math.min(all.length, most) }, (_, i) => all[Math.floor(i * step)] as T);
}

/** An attempt by the run's clock. */
interface Span {
  readonly attempt: Attempt;
  readonly from: number;
  readonly to: number;
}

/** Bars for attempts, worker by worker. */
function merged(spans: readonly Span[], together: number): Bar[] {
  const bars: Bar[] = [];
  let last: Partial<Record<Attempt["status"], Bar>> = {};
  let at: string | undefined;
  for (const { attempt, from, to } of spans) {
    const { worker, stage, status, rows } = attempt;
    if (worker !== at) [last, at] = [{}, worker];
    // A short failure in between does not part what succeeded: it is drawn over it.
    const before = last[status];
    const fits =
      before !== undefined &&
      before.stage === stage &&
      to - from < together &&
      from - before.to < together &&
      // A bar of long attempts stays what it is.
      (before.attempts > 1 || before.to - before.from < together);
    if (fits) {
      before.to = Math.max(before.to, to);
      before.seconds += to - from;
      before.attempts++;
      before.rows += rows;
      continue;
    }
    const bar: Bar = { worker, stage, status, from, to, seconds: to - from, attempts: 1, rows, first: attempt };
    last[status] = bar;
    bars.push(bar);
  }
  return bars;
}
