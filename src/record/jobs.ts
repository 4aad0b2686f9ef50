import type { EndStatus } from "../engine/events";
import type { LogLine } from "./log-lines";

/** One job, as the event stream told it. Times are epoch milliseconds. */
export interface JobRecord {
  /** Counted from 1, over the run. */
  readonly number: number;
  readonly jobId: string;
  readonly description: string;
  readonly startedAt: number;
  /** Undefined while it runs. */
  endedAt: number | undefined;
  status: EndStatus | "running";
  seconds: number | undefined;
  error: string | undefined;
  /** Losses of workers while it ran. Workers serve all jobs: one that others lost as well counts here too. */
  lostWorkers: number;
  /** Requests to storages that were tried again while it ran; storages serve all jobs, too. */
  storageRetries: number;
  readonly stages: StageRecord[];
}

export interface StageRecord {
  /** The number of its job. */
  readonly job: number;
  readonly stageId: number;
  readonly name: string;
  readonly startedAt: number;
  endedAt: number | undefined;
  tasks: number;
  /** What its tasks are called, where they are none: such as `MB`. */
  readonly unit: string | undefined;
  readonly resumedTasks: number;
  status: EndStatus | "running";
  tasksDone: number;
  /** Attempts that failed and were made again. */
  retries: number;
  rows: number;
  bytes: number;
  seconds: number | undefined;
}

/** The jobs of a run, oldest first, as its events tell them. */
export interface JobRecords {
  readonly jobs: readonly JobRecord[];
  record(event: LogLine): void;
  stageOf(event: { readonly jobId: string; readonly stageId: number }): StageRecord | undefined;
}

/** Keeps what events tell of jobs and stages. */
export function jobRecords(): JobRecords {
  const jobs: JobRecord[] = [];
  const byId = new Map<string, JobRecord>();
  const running = new Set<JobRecord>();
  const stageOf = (event: { jobId: string; stageId: number }) =>
    byId.get(event.jobId)?.stages.find((s) => s.stageId === event.stageId);

  return {
    jobs,
    stageOf,
    record(event) {
      switch (event.type) {
        case "jobStarted": {
          const { jobId, description, time } = event;
          const job: JobRecord = {
            ...{ number: jobs.length + 1, jobId, description, startedAt: time, endedAt: undefined, status: "running" },
            ...{ seconds: undefined, error: undefined, lostWorkers: 0, storageRetries: 0, stages: [] },
          };
          byId.set(jobId, job);
          running.add(job);
          jobs.push(job);
          return;
        }
        case "jobEnded": {
          const job = byId.get(event.jobId);
          if (!job) return;
          const { status, seconds, error, time } = event;
          Object.assign(job, { status, seconds, error, endedAt: time });
          running.delete(job);
          return;
        }
        case "stageStarted": {
          const { stageId, name, tasks, unit, resumedTasks, time } = event;
          const job = byId.get(event.jobId);
          job?.stages.push({
            ...{ job: job.number, stageId, name, startedAt: time, endedAt: undefined, tasks, unit, resumedTasks },
            ...{ status: "running", tasksDone: resumedTasks, retries: 0, rows: 0, bytes: 0, seconds: undefined },
          });
          return;
        }
        case "stageEnded": {
          const { status, seconds, time, rows } = event;
          const stage = stageOf(event);
          // Of a stage whose tasks are not told of one by one, its end says how many rows it had.
          if (stage) Object.assign(stage, { status, seconds, endedAt: time, rows: stage.rows || rows });
          return;
        }
        case "stageProgress": {
          const stage = stageOf(event);
          if (stage) Object.assign(stage, { tasks: event.tasks, tasksDone: event.doneTasks });
          return;
        }
        case "taskEnded": {
          const stage = stageOf(event);
          if (!stage || event.status !== "succeeded") return;
          stage.tasksDone++;
          stage.rows += event.rows;
          stage.bytes += event.bytes;
          return;
        }
        case "taskRetried": {
          const stage = stageOf(event);
          if (stage) stage.retries++;
          return;
        }
        case "workerLost":
          for (const job of running) job.lostWorkers++;
          return;
        case "storageRetried":
          for (const job of running) job.storageRetries++;
          return;
        case "taskStarted":
        case "taskProgress":
        case "engineState":
        case "workerJoined":
        case "workerLeft":
        case "message":
        case "run":
        case "runEnded":
        case "gap":
          return;
      }
    },
  };
}
