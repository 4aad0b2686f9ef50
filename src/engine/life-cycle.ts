import type { EngineState, EventListener } from "./events";

/** An engine's state, told as events whenever it changes. */
export interface LifeCycle {
  readonly state: EngineState;
  /** Tells an event, and what it means for the state. */
  readonly emit: EventListener;
  /** Starts where nobody has: once, but again after it failed. Several that wait share one start. */
  started(signal: AbortSignal): Promise<void>;
  stopped(): void;
}

/**
 * @param start gets the engine ready; absent where there is nothing to wait for
 * @param tell takes every event
 */
export function lifeCycle(start: ((signal: AbortSignal) => Promise<void>) | undefined, tell: EventListener): LifeCycle {
  let state: EngineState = start ? "starting" : "idle";
  let starting: Promise<void> | undefined;
  const jobs = new Set<string>();
  const become = (next: EngineState, error?: string) => {
    if (next === state || state === "stopped") return;
    state = next;
    tell({ type: "engineState", time: Date.now(), state, ...(error === undefined ? {} : { error }) });
  };
  return {
    get state() {
      return state;
    },
    emit(event) {
      if (event.type === "jobStarted") jobs.add(event.jobId);
      if (event.type === "jobEnded") jobs.delete(event.jobId);
      tell(event);
      if (event.type === "jobStarted" || event.type === "jobEnded") become(jobs.size > 0 ? "busy" : "idle");
    },
    async started(signal) {
      if (!start) return;
      starting ??= (async () => {
        become("starting");
        await start(signal);
        become("idle");
      })();
      try {
        await starting;
      } catch (error) {
        starting = undefined;
        become("failed", error instanceof Error ? error.message : String(error));
        throw error;
      }
    },
    stopped: () => become("stopped"),
  };
}
