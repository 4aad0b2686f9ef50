import type { EndStatus, EngineEvent } from "../engine/events";

/** One job, as the event stream told it. */
export interface JobRecord {
  readonly jobId: string;
  readonly description: string;
  /** Epoch milliseconds. */
  readonly startedAt: number;
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
  readonly stageId: number;
  readonly name: string;
  tasks: number;
  readonly resumedTasks: number;
  status: EndStatus | "running";
  tasksDone: number;
  /** Attempts that failed and were made again. */
  retries: number;
  rows: number;
  bytes: number;
  seconds: number | undefined;
}

/** Keeps what the events told, a record a job, oldest first. */
export function jobHistory(): { readonly jobs: readonly JobRecord[]; record(event: EngineEvent): void } {
  const jobs: JobRecord[] = [];
  const byId = new Map<string, JobRecord>();
  const stageOf = (event: { jobId: string; stageId: number }) =>
    byId.get(event.jobId)?.stages.find((s) => s.stageId === event.stageId);

  return {
    jobs,
    record(event) {
      switch (event.type) {
        case "jobStarted": {
          const { jobId, description, time } = event;
          const job: JobRecord = {
            jobId,
            description,
            startedAt: time,
            status: "running",
            seconds: undefined,
            error: undefined,
            lostWorkers: 0,
            storageRetries: 0,
            stages: [],
          };
          byId.set(jobId, job);
          jobs.push(job);
          return;
        }
        case "jobEnded": {
          const job = byId.get(event.jobId);
          if (job) Object.assign(job, { status: event.status, seconds: event.seconds, error: event.error });
          return;
        }
        case "stageStarted": {
          const { stageId, name, tasks, resumedTasks } = event;
          const counts = { tasksDone: resumedTasks, retries: 0, rows: 0, bytes: 0, seconds: undefined };
          byId.get(event.jobId)?.stages.push({ stageId, name, tasks, resumedTasks, status: "running", ...counts });
          return;
        }
        case "stageEnded": {
          const stage = stageOf(event);
          if (stage) Object.assign(stage, { status: event.status, seconds: event.seconds });
          return;
        }
        case "stageProgress": {
          const stage = stageOf(event);
          if (stage) Object.assign(stage, { tasks: event.tasks, tasksDone: event.doneTasks });
          return;
        }
        case "taskEnded": {
          const stage = stageOf(event);
          if (stage && event.status === "succeeded") {
            stage.tasksDone++;
            stage.rows += event.rows;
            stage.bytes += event.bytes;
          }
          return;
        }
        case "taskRetried": {
          const stage = stageOf(event);
          if (stage) stage.retries++;
          return;
        }
        case "workerLost":
          for (const job of jobs) if (job.status === "running") job.lostWorkers++;
          return;
        case "storageRetried":
          for (const job of jobs) if (job.status === "running") job.storageRetries++;
          return;
        case "taskStarted":
        case "taskProgress":
        case "engineState":
        case "workerJoined":
        case "workerLeft":
        case "message":
          return;
      }
    },
  };
}
