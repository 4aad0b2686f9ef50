import type { EndStatus, EventListener } from "./events";

/** Tells of a job's start, runs its work, and tells of its end. */
export async function announced<T>(
  emit: EventListener,
  job: { readonly jobId: string; readonly description: string; readonly signal: AbortSignal },
  work: () => Promise<T>,
): Promise<T> {
  const { jobId, description, signal } = job;
  const started = Date.now();
  emit({ type: "jobStarted", time: started, jobId, description });
  const ended = (status: EndStatus, error?: unknown) => {
    const time = Date.now();
    const text = error === undefined ? {} : { error: error instanceof Error ? error.message : String(error) };
    emit({ type: "jobEnded", time, jobId, status, seconds: (time - started) / 1000, ...text });
  };
  try {
    const result = await work();
    ended("succeeded");
    return result;
  } catch (error) {
    ended(signal.aborted ? "cancelled" : "failed", error);
    throw error;
  }
}

/** A log whose lines are events. */
export function logTo(emit: EventListener) {
  return (level: "debug" | "info" | "warn", text: string) => emit({ type: "message", time: Date.now(), level, text });
}
