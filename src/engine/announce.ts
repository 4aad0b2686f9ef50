import type { EndStatus, EventListener } from "./events";

export interface Announced {
  readonly jobId: string;
  readonly description: string;
  readonly signal: AbortSignal;
}

/** Tells of a job's start, runs its work, and tells of its end. */
export function announced<T>(emit: EventListener, job: Announced, work: () => Promise<T>): Promise<T> {
  const announcement = announcing(emit, job);
  announcement.begin();
  return announcement.over(work);
}

/** Tells of a job from `begin` on, which may never be called, to the end of its work. */
export function announcing(emit: EventListener, { jobId, description, signal }: Announced) {
  let started: number | undefined;
  const ended = (status: EndStatus, error?: unknown) => {
    if (started === undefined) return;
    const time = Date.now();
    const text = error === undefined ? {} : { error: error instanceof Error ? error.message : String(error) };
    emit({ type: "jobEnded", time, jobId, status, seconds: (time - started) / 1000, ...text });
  };
  return {
    /** @param time when the work began */
    begin(time = Date.now()): void {
      if (started !== undefined) return;
      started = time;
      emit({ type: "jobStarted", time, jobId, description });
    },
    async over<T>(work: () => Promise<T>): Promise<T> {
      try {
        const result = await work();
        ended("succeeded");
        return result;
      } catch (error) {
        ended(signal.aborted ? "cancelled" : "failed", error);
        throw error;
      }
    },
  };
}

/** A log whose lines are events. */
export function logTo(emit: EventListener) {
  return (level: "debug" | "info" | "warn", text: string) => emit({ type: "message", time: Date.now(), level, text });
}
