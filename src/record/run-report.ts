import { hostname } from "node:os";
import type { BusyClock } from "./busy-clock";
import type { JobRecord, StageRecord } from "./jobs";
import type { RunAbout } from "./log-lines";
import { type Rates, ratesOf } from "./rates";
import { type Attempt, clockOf, type RunFacts } from "./run-tally";
import { type Timeline, timelineOf } from "./timeline";

/** How a run stands: `broken off` where its process is gone and wrote no end. */
export type RunState = "running" | "ended" | "broken off" | "unknown";

/** The numbers of a run's report. Seconds are of work, unless they say otherwise. */
export interface RunReport {
  readonly facts: RunFacts;
  readonly state: RunState;
  readonly clock: BusyClock;
  readonly totals: RunTotals;
  /** Of each stage in which tasks ran, in the order of their starts. */
  readonly stages: readonly StageReport[];
  readonly workers: readonly WorkerReport[];
  readonly timeline: Timeline;
  readonly rates: Rates;
  /** The longest attempts that succeeded, the longest first. */
  readonly slowest: readonly Attempt[];
  /** Attempts that failed, were lost or are not needed any more, in their order. */
  readonly unsuccessful: readonly Attempt[];
}

export interface RunTotals {
  readonly jobs: number;
  readonly failedJobs: number;
  /** Tasks done; those of earlier runs not among them. */
  readonly tasks: number;
  readonly rows: number;
  readonly bytes: number;
  readonly retries: number;
  readonly losses: number;
  /** Seconds that all attempts took, added up. */
  readonly taskSeconds: number;
}

/** Where a stage's tasks lie between the shortest and the longest. */
export interface Spread {
  readonly least: number;
  readonly lowerQuartile: number;
  readonly median: number;
  readonly upperQuartile: number;
  readonly most: number;
}

export interface StageReport {
  readonly stage: StageRecord;
  /** Attempts that succeeded. */
  readonly done: number;
  /** Attempts that went with their worker. */
  readonly losses: number;
  /** Of the attempts that succeeded; undefined where none did. */
  readonly seconds: Spread | undefined;
  readonly taskRows: Spread | undefined;
  /** The longest attempt, as a multiple of the median. */
  readonly skew: number | undefined;
}

export interface WorkerReport {
  readonly worker: string;
  readonly done: number;
  readonly failed: number;
  readonly losses: number;
  readonly rows: number;
  /** Seconds in which it had a task. */
  readonly busySeconds: number;
}

/** How many attempts the lists name. */
const LISTED = 20;

/** @param now in epoch milliseconds */
export function runReport(facts: RunFacts): RunReport {
  const clock = clockOf(facts);
  const byStage = new Map<StageRecord, Attempt[]>();
  const losses = new Map<StageRecord, number>();
  const unsuccessful: Attempt[] = [];
  const slowest: Attempt[] = [];
  let taskSeconds = 0;
  for (const attempt of facts.attempts) {
    taskSeconds += attemptSeconds(attempt, facts.lastAt);
    if (attempt.status === "succeeded") {
      const others = byStage.get(attempt.stage);
      if (others) others.push(attempt);
      else byStage.set(attempt.stage, [attempt]);
      keepLongest(slowest, attempt);
    } else if (attempt.status !== "running") {
      unsuccessful.push(attempt);
      if (attempt.status === "lost") losses.set(attempt.stage, (losses.get(attempt.stage) ?? 0) + 1);
    }
  }
  const stages = facts.jobs.flatMap((job) => job.stages);
  const sum = (of: (stage: StageRecord) => number) => stages.reduce((total, stage) => total + of(stage), 0);
  const succeeded = [...byStage.values()].reduce((total, { length }) => total + length, 0);
  return {
    facts,
    state: stateOf(facts),
    clock,
    totals: {
      jobs: facts.jobs.length,
      failedJobs: facts.jobs.filter(({ status }) => status === "failed").length,
      tasks: succeeded,
      rows: sum(({ rows }) => rows),
      bytes: sum(({ bytes }) => bytes),
      retries: sum(({ retries }) => retries),
      losses: facts.losses.length,
      taskSeconds,
    },
    stages: stages.map((stage) => stageReport(stage, byStage.get(stage) ?? [], losses.get(stage) ?? 0)),
    workers: workersOf(facts),
    timeline: timelineOf(facts, clock),
    rates: ratesOf(facts, clock),
    slowest,
    unsuccessful,
  };
}

/** How long an attempt took, or takes until `now`. */
export function attemptSeconds({ start, end }: Attempt, now: number): number {
  return Math.max(0, (end ?? now) - start) / 1000;
}

function keepLongest(slowest: Attempt[], attempt: Attempt): void {
  const seconds = attemptSeconds(attempt, 0);
  const last = slowest[LISTED - 1];
  if (last && attemptSeconds(last, 0) >= seconds) return;
  const place = slowest.findIndex((other) => attemptSeconds(other, 0) < seconds);
  slowest.splice(place < 0 ? slowest.length : place, 0, attempt);
  slowest.length = Math.min(slowest.length, LISTED);
}

function stageReport(stage: StageRecord, done: readonly Attempt[], losses: number): StageReport {
  const seconds = spreadOf(done.map((attempt) => attemptSeconds(attempt, 0)));
  return {
    stage,
    done: done.length,
    losses,
    seconds,
    taskRows: spreadOf(done.map(({ rows }) => rows)),
    skew: seconds && seconds.median > 0 ? seconds.most / seconds.median : undefined,
  };
}

/** Quantiles by linear interpolation, as numpy's `quantile` has them. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined;
  const sorted = Float64Array.from(values).sort();
  const at = (share: number) => {
    const place = share * (sorted.length - 1);
    const below = sorted[Math.floor(place)] as number;
    const above = sorted[Math.ceil(place)] as number;
    return below + (above - below) * (place - Math.floor(place));
  };
  return { least: at(0), lowerQuartile: at(0.25), median: at(0.5), upperQuartile: at(0.75), most: at(1) };
}

function workersOf({ attempts, losses, lastAt }: RunFacts): WorkerReport[] {
  const workers = new Map<string, { -readonly [Key in keyof WorkerReport]: WorkerReport[Key] }>();
  const of = (worker: string) => {
    const known = workers.get(worker);
    if (known) return known;
    const fresh = { worker, done: 0, failed: 0, losses: 0, rows: 0, busySeconds: 0 };
    workers.set(worker, fresh);
    return fresh;
  };
  for (const attempt of attempts) {
    const worker = of(attempt.worker);
    worker.busySeconds += attemptSeconds(attempt, lastAt);
    if (attempt.status === "succeeded") {
      worker.done++;
      worker.rows += attempt.rows;
    } else if (attempt.status === "failed" || attempt.status === "lost") worker.failed++;
  }
  for (const { worker } of losses) of(worker).losses++;
  return [...workers.values()].sort((a, b) => inNumbers.compare(a.worker, b.worker));
}

/** `worker-2` before `worker-10`. */
export const inNumbers = new Intl.Collator("en", { numeric: true });

/** How a run stands now. */
export function stateOf({ about, endedAt }: RunFacts): RunState {
  if (endedAt !== undefined) return "ended";
  return runsStill(about);
}

/** Whether the process of a run without an end is there. */
export function runsStill(about: RunAbout | undefined): RunState {
  // Of another machine's processes nothing is known here.
  if (!about || about.host !== hostname()) return "unknown";
  try {
    process.kill(about.pid, 0);
    return "running";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM" ? "running" : "broken off";
  }
}

/** How long a job or a stage took, or takes until the run's last event. */
export function secondsOf({ startedAt, endedAt }: JobRecord | StageRecord, { lastAt }: RunFacts): number {
  return Math.max(0, (endedAt ?? lastAt) - startedAt) / 1000;
}
