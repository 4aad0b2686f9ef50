import type { Runtime } from "../frame/runtime";

export interface FitOptions {
  /** Stops the work; `fit` then rejects with `CancelledError`. */
  readonly signal?: AbortSignal;
}

/** A session, or a DataFrame of one: whatever leads to the workers. */
export interface HasRuntime {
  readonly runtime: Runtime;
}
