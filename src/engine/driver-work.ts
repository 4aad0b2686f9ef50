import { randomUUID } from "node:crypto";
import type { DriverWork } from "../frame/runtime";
import { announced } from "./announce";
import type { EndStatus, EventListener } from "./events";

/** Runs work on the driver and tells of it as of a job of one stage and one task, so that every progress display shows it. */
export function driverWork<T>(emit: EventListener, work: DriverWork<T>, signal: AbortSignal): Promise<T> {
  const { name, rows } = work;
  const jobId = randomUUID();
  const stage = { jobId, stageId: 0 };
  const task = { ...stage, partition: 0, attempt: 0, worker: "driver" };
  return announced(emit, { jobId, description: name, signal }, async () => {
    const started = Date.now();
    const ended = (status: EndStatus) => {
      const time = Date.now();
      const end = { time, status, rows, seconds: (time - started) / 1000 };
      emit({ type: "taskEnded", ...task, ...end, bytes: 0 });
      emit({ type: "stageEnded", ...stage, ...end });
    };
    emit({ type: "stageStarted", time: started, ...stage, name, tasks: 1, resumedTasks: 0, rows });
    emit({ type: "taskStarted", time: started, ...task });
    try {
      const onProgress = (done: number) => emit({ type: "taskProgress", time: Date.now(), ...task, rows: done });
      const result = await work.run(onProgress, signal);
      ended("succeeded");
      return result;
    } catch (error) {
      ended(signal.aborted ? "cancelled" : "failed");
      throw error;
    }
  });
}
