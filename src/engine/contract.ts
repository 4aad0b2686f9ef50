import type { Runtime } from "../frame/runtime";
import type { EventListener } from "./events";

/**
 * An engine runs plans. There is one contract for all of them: on this machine, on kernels behind Jupyter endpoints, on
 * Spark. Its results, errors and events are the same everywhere.
 */
export interface Engine extends Runtime {
  /** The master URL it was made from, such as `local[2]`. */
  readonly master: string;
  /** How many tasks run at once. */
  readonly parallelism: number;
  /** Calls `listener` on every event; returns a function that ends it. */
  subscribe(listener: EventListener): () => void;
  /**
   * Stops everything that runs now; it ends in a `CancelledError`. Done once that work has taken back what it had written. The
   * engine stays usable.
   */
  interrupt(): Promise<void>;
  /** Stops everything and frees threads, memory and temporary files. */
  close(): Promise<void>;
}

/** What an engine is made from. */
export interface EngineOptions {
  /** `session.conf`, defaults included: engines read their settings from it by name, each time they need one. */
  readonly conf: (key: string) => string | undefined;
}
