import type { WorkerMachine } from "../engine/contract";
import type { EndStatus, EngineEvent, EventListener } from "../engine/events";
import { firstLine } from "../errors";
import { countText, durationText } from "../showing/quantities";
import { type EndpointProgress, endpointTally } from "./endpoints";

/** Where events come from: an engine. */
export interface EventSource {
  subscribe(listener: EventListener): () => void;
  /** The machines of its workers. Absent: this one alone. */
  info?(): { readonly machines: readonly WorkerMachine[] };
}

/** How far a stage is, as the events tell it. Times are epoch milliseconds. */
export interface StageProgress {
  readonly stageId: number;
  readonly name: string;
  readonly startedAt: number;
  /** What is counted in place of tasks, where it is something else. */
  readonly unit: "MB" | undefined;
  tasks: number;
  readonly resumedTasks: number;
  /** Rows that go in, all tasks together; 0 where that is not known. */
  readonly rows: number;
  status: EndStatus | "running";
  /** Tasks done, those of an earlier run included. */
  doneTasks: number;
  runningTasks: number;
  /** Attempts that failed and were made again. */
  retries: number;
  /** Rows read so far, those of tasks done by an earlier run estimated. */
  doneRows: number;
  /** Rows of this run a second, over the last seconds while it runs and over all of it at the end. */
  rowsPerSecond: number | undefined;
  /** Seconds to go, while there is something to tell it by. */
  secondsLeft: number | undefined;
  seconds: number;
}

/** How far a job is. */
export interface JobProgress {
  readonly jobId: string;
  readonly description: string;
  readonly startedAt: number;
  readonly stages: readonly StageProgress[];
  /** How often requests to storages were tried again meanwhile, by what was wrong. */
  readonly storageRetries: ReadonlyMap<string, number>;
  /** The machines on which its tasks run; none where that is this one alone. */
  endpoints: readonly EndpointProgress[];
  status: EndStatus | "running";
  seconds: number;
  error: string | undefined;
}

/** Follows an event stream. */
export interface ProgressTracker {
  /** Takes an event in; returns the job it belongs to, unless it belongs to none. */
  apply(event: EngineEvent): JobProgress | undefined;
  /** Brings rates and times up to `now`. */
  refresh(job: JobProgress, now: number): void;
  readonly running: readonly JobProgress[];
}

/** The rate is taken over this time, so that it follows a slow start and a slow end. */
const RATE_WINDOW_MS = 15_000;

/** A stage shows no time left before this, because the first batches also load models. */
const MIN_ESTIMATE_MS = 1_000;

export function trackProgress(source?: EventSource): ProgressTracker {
  const jobs = new Map<string, Followed>();
  const bringUp = (job: Followed) => {
    job.endpoints = job.tally.endpoints(source?.info?.().machines ?? []);
  };
  return {
    apply(event) {
      if (event.type === "storageRetried") {
        for (const { storageRetries } of jobs.values()) {
          const what = wrongText(event.why);
          storageRetries.set(what, (storageRetries.get(what) ?? 0) + 1);
        }
      }
      if (event.type === "workerLost") for (const { tally } of jobs.values()) tally.apply(event);
      if (!("jobId" in event)) return undefined;
      if (event.type === "jobStarted") {
        const job: Followed = {
          ...event,
          startedAt: event.time,
          stages: [],
          storageRetries: new Map(),
          tally: endpointTally(),
          endpoints: [],
          status: "running",
          seconds: 0,
          error: undefined,
        };
        jobs.set(event.jobId, job);
        return job;
      }
      const job = jobs.get(event.jobId);
      if (!job) return undefined;
      job.tally.apply(event);
      if (event.type === "jobEnded") {
        bringUp(job);
        Object.assign(job, { status: event.status, seconds: event.seconds, error: event.error });
        jobs.delete(event.jobId);
        return job;
      }
      if (event.type === "stageStarted") job.stages.push(startStage(event));
      else
        applyToStage(
          job.stages.find((stage) => stage.stageId === event.stageId),
          event,
        );
      return job;
    },
    refresh(job, now) {
      if (job.status !== "running") return;
      job.seconds = (now - job.startedAt) / 1000;
      bringUp(job as Followed);
      for (const stage of job.stages as FollowedStage[]) if (stage.status === "running") estimate(stage, now);
    },
    get running() {
      return [...jobs.values()];
    },
  };
}

interface Followed extends JobProgress {
  readonly stages: FollowedStage[];
  readonly storageRetries: Map<string, number>;
  readonly tally: ReturnType<typeof endpointTally>;
}

interface FollowedStage extends StageProgress {
  /** Rows read, as an engine says that does not tell of single tasks. */
  toldRows: number | undefined;
  /** Rows read by the attempts that run, by partition. */
  readonly readRows: Map<number, number>;
  /** Rows of the tasks done. */
  ownRows: number;
  readonly donePartitions: Set<number>;
  readonly samples: { time: number; rows: number }[];
}

function startStage(event: Extract<EngineEvent, { type: "stageStarted" }>): FollowedStage {
  const { stageId, name, unit, tasks, resumedTasks, rows, time } = event;
  return {
    stageId,
    name,
    startedAt: time,
    unit,
    tasks,
    resumedTasks,
    rows,
    status: "running",
    doneTasks: resumedTasks,
    runningTasks: 0,
    retries: 0,
    doneRows: resumedRows(tasks, resumedTasks, rows),
    rowsPerSecond: undefined,
    secondsLeft: undefined,
    seconds: 0,
    toldRows: undefined,
    readRows: new Map(),
    ownRows: 0,
    donePartitions: new Set(),
    samples: [{ time, rows: 0 }],
  };
}

/** An earlier run's tasks do not say how many rows they had, so they count as average ones. */
function resumedRows(tasks: number, resumedTasks: number, rows: number): number {
  return tasks === 0 ? 0 : Math.round((rows * resumedTasks) / tasks);
}

type StageEvent = Exclude<Extract<EngineEvent, { stageId: number }>, { type: "stageStarted" }>;

function applyToStage(stage: FollowedStage | undefined, event: StageEvent): void {
  if (!stage) return;
  switch (event.type) {
    case "stageProgress":
      stage.tasks = event.tasks;
      stage.doneTasks = event.doneTasks;
      stage.runningTasks = event.runningTasks;
      stage.toldRows = event.doneRows ?? stage.toldRows;
      break;
    case "taskStarted":
      stage.runningTasks++;
      break;
    case "taskProgress":
      // Of two attempts of a task, the one that is ahead counts; none does once the task is done.
      if (!stage.donePartitions.has(event.partition)) {
        stage.readRows.set(event.partition, Math.max(event.rows, stage.readRows.get(event.partition) ?? 0));
      }
      break;
    case "taskRetried":
      stage.retries++;
      break;
    case "taskEnded":
      stage.runningTasks--;
      if (event.status === "succeeded") {
        stage.doneTasks++;
        stage.ownRows += stage.readRows.get(event.partition) ?? event.rows;
        stage.donePartitions.add(event.partition);
      }
      // What a failed attempt read will be read again.
      stage.readRows.delete(event.partition);
      break;
    case "stageEnded":
      stage.status = event.status;
      stage.runningTasks = 0;
      stage.seconds = event.seconds;
      stage.secondsLeft = undefined;
      // An engine that does not tell of single tasks says here how many rows they had.
      if (stage.donePartitions.size === 0 && event.rows > 0) stage.toldRows ??= event.rows;
      break;
  }
  const own = stage.toldRows ?? stage.ownRows + sum(stage.readRows.values());
  const resumed = resumedRows(stage.tasks, stage.resumedTasks, stage.rows);
  stage.doneRows = stage.status === "succeeded" && stage.rows > 0 ? stage.rows : own + resumed;
  if (stage.status === "running") addSample(stage, event.time, own);
  else stage.rowsPerSecond = stage.seconds > 0 && own > 0 ? own / stage.seconds : undefined;
}

function addSample(stage: FollowedStage, time: number, rows: number): void {
  const last = stage.samples.at(-1);
  if (last && last.rows === rows) return;
  // A failed attempt takes rows back; the rate starts anew from there.
  if (last && rows < last.rows) stage.samples.length = 0;
  stage.samples.push({ time, rows });
  // The oldest sample kept is the last one from before the window.
  while (stage.samples.length > 2 && (stage.samples[1]?.time ?? time) < time - RATE_WINDOW_MS) stage.samples.shift();
}

function estimate(stage: FollowedStage, now: number): void {
  stage.seconds = (now - stage.startedAt) / 1000;
  const first = stage.samples[0];
  const last = stage.samples.at(-1);
  if (!first || !last || last.rows <= first.rows || now <= first.time) return;
  // Batches arrive in lumps: between two of them the rate of the last one holds, until it is overdue.
  const lump = (last.time - first.time) / Math.max(1, stage.samples.length - 1);
  const until = Math.max(last.time, now - lump);
  stage.rowsPerSecond = ((last.rows - first.rows) * 1000) / Math.max(1, until - first.time);
  const isEarly = now - stage.startedAt < MIN_ESTIMATE_MS;
  const left = stage.rows - stage.doneRows;
  stage.secondsLeft = stage.rows > 0 && left >= 0 && !isEarly ? left / stage.rowsPerSecond : undefined;
}

function wrongText(why: string): string {
  return /SlowDown|Throttl|TooManyRequests|RequestLimit|\b(?:429|503)\b/.test(why)
    ? "S3 asks to slow down"
    : `S3: ${why}`;
}

/** `S3 asks to slow down: 14 retries`, a line for each thing that was wrong. */
export function storageRetryTexts({ storageRetries }: JobProgress): string[] {
  return [...storageRetries].map(
    ([what, count]) => `${what}: ${countText(count)} ${count === 1 ? "retry" : "retries"}`,
  );
}

/** A line for the user, where an event is one. */
export function noteOf(event: EngineEvent): { readonly level: "info" | "warn"; readonly text: string } | undefined {
  if (event.type === "workerLost") {
    const text = lostWorkerText(event);
    return text === undefined ? undefined : { level: "warn", text };
  }
  if (event.type !== "message" || event.level === "debug") return undefined;
  return { level: event.level, text: event.text };
}

/**
 * `worker-1 was lost in the middle of a task: its thread ended with code 7. It gets no task for 0.2 s.`; undefined where its machine's
 * loss is told instead.
 */
export function lostWorkerText(event: Extract<EngineEvent, { type: "workerLost" }>): string | undefined {
  const { error, retrySeconds, withMachine } = event;
  if (withMachine) return undefined;
  const after =
    retrySeconds === undefined ? "It is lost for good." : `It gets no task for ${durationText(retrySeconds)}.`;
  return `${firstLine(error)} ${after}`;
}

/** The part of a stage that is done, from 0 to 1: by rows where they are known, else by tasks. */
export function fractionDone(stage: StageProgress): number {
  if (stage.status === "succeeded") return 1;
  const fraction = stage.rows > 0 ? stage.doneRows / stage.rows : stage.tasks > 0 ? stage.doneTasks / stage.tasks : 0;
  return Math.min(1, Math.max(0, fraction));
}

/** `24 tasks, 2 running, 1 retried`, or `120/300 MB`. */
export function tasksText(stage: StageProgress): string {
  const unit = stage.unit ?? (stage.tasks === 1 ? "task" : "tasks");
  const done = stage.unit && stage.status === "succeeded" ? stage.tasks : stage.doneTasks;
  const parts = [`${countText(done)}/${countText(stage.tasks)} ${unit}`];
  if (stage.runningTasks > 0) parts.push(`${stage.runningTasks} running`);
  if (stage.retries > 0) parts.push(`${stage.retries} retried`);
  if (stage.resumedTasks > 0) parts.push(`${stage.resumedTasks} from an earlier run`);
  return parts.join(", ");
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
