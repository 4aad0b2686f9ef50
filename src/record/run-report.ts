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
  /** Whether tasks and rows are known: Spark 3.5 and Sail tell of no stages. */
  readonly isTold: boolean;
  readonly bytes: number;
  readonly retries: number;
  readonly losses: number;
  /** Attempts that went with their worker, and those of them whose task was not run again. */
  readonly lostAttempts: number;
  readonly notAgain: number;
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
  /** Attempts that failed and were made again; those that the stage ended before are not among them. */
  readonly retries: number;
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
  const succeeded: Attempt[] = [];
  const unsuccessful: Attempt[] = [];
  const slowest: Attempt[] = [];
  let taskSeconds = 0;
  for (const attempt of facts.attempts) {
    taskSeconds += attemptSeconds(attempt, facts.lastAt);
    if (attempt.status === "succeeded") {
      succeeded.push(attempt);
      keepLongest(slowest, attempt);
    } else if (attempt.status !== "running") unsuccessful.push(attempt);
  }
  const isLost = ({ status }: Attempt) => status === "lost";
  const last = lastOf(unsuccessful, facts.attempts);
  const done = byStage(succeeded);
  const lost = byStage(unsuccessful.filter(isLost));
  const notMade = byStage(last.filter(({ isRetried }) => isRetried));
  const retriesOf = (stage: StageRecord) => stage.retries - (notMade.get(stage)?.length ?? 0);
  const stages = facts.jobs.flatMap((job) => job.stages);
  const sum = (of: (stage: StageRecord) => number) => stages.reduce((total, stage) => total + of(stage), 0);
  return {
    facts,
    state: stateOf(facts),
    clock,
    totals: {
      jobs: facts.jobs.length,
      failedJobs: facts.jobs.filter(({ status }) => status === "failed").length,
      tasks: facts.about?.spark ? sum(({ tasksDone }) => tasksDone) : succeeded.length,
      rows: sum(({ rows }) => rows),
      isTold: facts.about?.spark === undefined || stages.length > 0 || facts.jobs.length === 0,
      bytes: sum(({ bytes }) => bytes),
      retries: sum(retriesOf),
      losses: facts.losses.length,
      lostAttempts: sum((stage) => lost.get(stage)?.length ?? 0),
      notAgain: last.filter(isLost).length,
      taskSeconds,
    },
    stages: stages.map((stage) => ({
      ...stageReport(stage, done.get(stage) ?? []),
      losses: lost.get(stage)?.length ?? 0,
      retries: retriesOf(stage),
    })),
    workers: workersOf(facts),
    timeline: timelineOf(facts, clock),
    rates: ratesOf(facts, clock),
    slowest,
    unsuccessful,
  };
}

/** Those of the attempts after which their task, not done, had no other one. */
function lastOf(unsuccessful: readonly Attempt[], all: readonly Attempt[]): Attempt[] {
  const last = new Map<StageRecord, Map<number, number>>(unsuccessful.map(({ stage }) => [stage, new Map()]));
  for (const { stage, partition, attempt, status } of last.size > 0 ? all : []) {
    const own = last.get(stage);
    // A task that is done needs no other.
    const place = status === "succeeded" ? Number.POSITIVE_INFINITY : attempt;
    own?.set(partition, Math.max(place, own.get(partition) ?? 0));
  }
  return unsuccessful.filter(({ stage, partition, attempt }) => last.get(stage)?.get(partition) === attempt);
}

function byStage(attempts: readonly Attempt[]): Map<StageRecord, Attempt[]> {
  const found = new Map<StageRecord, Attempt[]>();
  for (const attempt of attempts) {
    const others = found.get(attempt.stage);
    if (others) others.push(attempt);
    else found.set(attempt.stage, [attempt]);
  }
  return found;
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

function stageReport(stage: StageRecord, done: readonly Attempt[]) {
  const seconds = spreadOf(done.map((attempt) => attemptSeconds(attempt, 0)));
  return {
    stage,
    done: done.length,
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

/** How a job, a stage or an attempt stands: none runs on where its run does not. */
export function statusIn<Status extends string>(status: Status, state: RunState): Status | "broken off" | "no end" {
  if (status !== "running" || state === "running") return status;
  return state === "unknown" ? "no end" : "broken off";
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
export function secondsOf({ startedAt, endedAt, seconds }: JobRecord | StageRecord, { lastAt }: RunFacts): number {
  // Of Spark's stages the beginning and the end are heard of late; how long they took is told.
  return seconds ?? Math.max(0, (endedAt ?? lastAt) - startedAt) / 1000;
}
