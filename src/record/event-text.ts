import type { EngineEvent } from "../engine/events";
import { lostWorkerText } from "../progress/state";

/**
 * What an event tells a reader, such as `["warn", "worker-1 was lost"]`; undefined for one that is only counted.
 * @param descriptions of jobs that run, which this keeps
 */
export function eventText(
  event: EngineEvent,
  descriptions: Map<string, string>,
): readonly [level: string, text: string] | undefined {
  switch (event.type) {
    case "jobStarted":
      descriptions.set(event.jobId, event.description);
      return ["info", `job started: ${event.description}`];
    case "jobEnded": {
      const description = descriptions.get(event.jobId) ?? event.jobId;
      descriptions.delete(event.jobId);
      const why = event.error === undefined ? "" : `: ${event.error}`;
      const level = event.status === "failed" ? "error" : "info";
      return [level, `job ${event.status} after ${event.seconds.toFixed(1)} s: ${description}${why}`];
    }
    case "stageStarted":
      return [
        "info",
        `stage ${event.stageId} ${event.name} started: ${event.tasks} ${event.unit ?? "tasks"}, ${event.rows} rows`,
      ];
    case "stageEnded":
      return ["info", `stage ${event.stageId} ${event.status} after ${event.seconds.toFixed(1)} s: ${event.rows} rows`];
    case "taskRetried": {
      const what = `task ${event.partition} of stage ${event.stageId}, attempt ${event.attempt + 1} on ${event.worker}`;
      return ["warn", `${what} is tried again: ${event.error}`];
    }
    case "workerJoined":
      return ["debug", `${event.worker} joined`];
    case "workerLeft":
      return ["debug", `${event.worker} left`];
    case "workerLost": {
      const text = lostWorkerText(event);
      return text === undefined ? undefined : ["warn", text];
    }
    case "storageRetried":
      return ["warn", `${event.operation} of ${event.url} is tried again in ${event.delay} ms: ${event.why}`];
    case "message":
      return [event.level, event.text];
    case "engineState": {
      // Busy and idle are told by the jobs.
      if (event.state === "busy" || event.state === "idle") return undefined;
      const why = event.error === undefined ? "" : `: ${event.error}`;
      return [event.state === "failed" ? "error" : "info", `engine ${event.state}${why}`];
    }
    case "taskStarted":
    case "taskProgress":
    // Why it failed is told by its next try, or by the end of its job.
    case "taskEnded":
    case "stageProgress":
      return undefined;
  }
}
