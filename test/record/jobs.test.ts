import { expect, it } from "vitest";
import type { EngineEvent } from "../../src/engine/events";
import { jobRecords } from "../../src/record/jobs";

it("keeps what a job's events told, and the workers that were lost while it ran", () => {
  const time = 0;
  const started = (jobId: string): EngineEvent => ({ type: "jobStarted", time, jobId, description: `job ${jobId}` });
  const ended = (jobId: string): EngineEvent => ({ type: "jobEnded", time, jobId, status: "succeeded", seconds: 1 });
  const lost: EngineEvent = { type: "workerLost", time, worker: "worker-1", error: "it says nothing", retrySeconds: 1 };
  const stage = { time, jobId: "b", stageId: 1 };
  const task = { ...stage, partition: 0, worker: "worker-1" };

  const { jobs, record } = jobRecords();
  const events: EngineEvent[] = [
    lost,
    started("a"),
    lost,
    started("b"),
    { ...stage, type: "stageStarted", name: "stage", tasks: 3, resumedTasks: 1, rows: 20 },
    { ...task, type: "taskStarted", attempt: 1 },
    lost,
    ended("a"),
    { ...task, type: "taskRetried", attempt: 1, error: "once" },
    { ...task, type: "taskEnded", attempt: 2, status: "succeeded", rows: 10, bytes: 100, seconds: 1 },
    { ...task, type: "workerLeft" },
    ended("b"),
    lost,
  ];
  events.forEach(record);

  expect(jobs.map(({ jobId, status, lostWorkers }) => ({ jobId, status, lostWorkers }))).toEqual([
    { jobId: "a", status: "succeeded", lostWorkers: 2 },
    { jobId: "b", status: "succeeded", lostWorkers: 1 },
  ]);
  expect(jobs[1]!.stages).toMatchObject([{ tasks: 3, tasksDone: 2, retries: 1, rows: 10, bytes: 100 }]);
});
