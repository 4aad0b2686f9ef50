import type { Step } from "../worker/task";
import type { TaskWorker } from "./scheduler";

/** The places that run an engine's tasks. */
export interface WorkerPool {
  /** How many tasks run at once. */
  readonly parallelism: number;
  readonly workers: readonly TaskWorker[];
  /** Starts the workers before their first task, so that they load while the driver prepares it. */
  start(): void;
  /** Lets the workers set up functions before the first task that needs them. */
  prepare(steps: readonly Step[]): void;
  /** Ends all workers. */
  close(): Promise<void>;
}
