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
    case "taskEnded": {
      if (event.status !== "failed") return undefined;
      return ["error", `task ${event.partition} of stage ${event.stageId} failed on ${event.worker}`];
    }
    case "workerJoined":
      return ["debug", `${event.worker} joined`];
    case "workerLeft":
      return ["info", `${event.worker} left`];
    case "workerLost":
      return ["warn", lostWorkerText(event)];
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
    case "stageProgress":
      return undefined;
  }
}
