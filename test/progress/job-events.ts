import type { EndStatus, EngineEvent, EventListener } from "../../src/engine/events";

/** Tells a listener about a job step by step, as an engine does; the clock is the caller's. */
export function jobTeller(jobId = "job-1") {
  const listeners = new Set<EventListener>();
  const tell = (event: EngineEvent) => {
    for (const listener of listeners) listener(event);
  };
  const about = (partition: number, attempt = 0) => ({
    time: Date.now(),
    jobId,
    stageId: 0,
    partition,
    attempt,
    worker: `worker-${partition % 2}`,
  });
  const jobStarted = Date.now();
  let stageStarted = jobStarted;
  return {
    subscribe(listener: EventListener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    storageRetried: (why: string) =>
      tell({
        type: "storageRetried",
        time: Date.now(),
        url: "s3://fruits/a.jpg",
        operation: "GetObject",
        why,
        delay: 200,
      }),
    job: (description: string) => tell({ type: "jobStarted", time: Date.now(), jobId, description }),
    stage(name: string, tasks: number, rows: number, resumedTasks = 0) {
      this.stageOf(0, name, tasks, rows, resumedTasks);
    },
    stageOf(stageId: number, name: string, tasks: number, rows: number, resumedTasks = 0) {
      stageStarted = Date.now();
      tell({ type: "stageStarted", time: stageStarted, jobId, stageId, name, tasks, resumedTasks, rows });
    },
    start: (partition: number, attempt?: number) => tell({ type: "taskStarted", ...about(partition, attempt) }),
    progress: (partition: number, rows: number) => tell({ type: "taskProgress", ...about(partition), rows }),
    retry(partition: number) {
      tell({ type: "taskEnded", ...about(partition), status: "failed", rows: 0, bytes: 0, seconds: 1 });
      tell({ type: "taskRetried", ...about(partition), error: "worker lost" });
    },
    end: (partition: number, rows: number, status: EndStatus = "succeeded") =>
      tell({ type: "taskEnded", ...about(partition), status, rows, bytes: rows * 10, seconds: 1 }),
    endStage(status: EndStatus, rows: number, stageId = 0) {
      const time = Date.now();
      tell({ type: "stageEnded", time, jobId, stageId, status, rows, seconds: (time - stageStarted) / 1000 });
    },
    endJob(status: EndStatus, error?: string) {
      const time = Date.now();
      const seconds = (time - jobStarted) / 1000;
      tell({ type: "jobEnded", time, jobId, status, seconds, ...(error === undefined ? {} : { error }) });
    },
    say: (level: "debug" | "info" | "warn", text: string) => tell({ type: "message", time: Date.now(), level, text }),
  };
}
