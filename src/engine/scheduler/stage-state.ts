import { type Durations, durations } from "./durations";
import type { Outcome } from "./moves";
import type { SchedulerPolicy } from "./policy";
import { type RetryQueue, retryQueue } from "./retry-queue";

/** A stage that runs. A task costs 12 bytes here, and more only where something went wrong with it. */
export interface StageState {
  readonly id: number;
  readonly tasks: number;
  readonly policy: SchedulerPolicy;
  /** By task: failed attempts, lost workers, attempts started, attempts that run now (one that is committed counts). */
  readonly failures: Uint16Array;
  readonly losses: Uint16Array;
  readonly attempts: Uint32Array;
  readonly copies: Uint8Array;
  readonly progress: Uint8Array;
  /** The workers on which attempts of a task failed or were lost. */
  readonly avoid: Map<number, number[]>;
  /** Tasks before this one were started at least once. */
  fresh: number;
  readonly again: RetryQueue;
  /** Tasks that deserve a second attempt beside the one that runs, and the machine that this one is on. */
  readonly stragglers: Map<number, string | undefined>;
  readonly durations: Durations;
  /** When stragglers are looked for next. */
  nextLook: number;
  done: number;
  /** Workers that have a lease of it. */
  active: number;
  /** When it got a worker last, as a count: where two stages have as many workers, who waited longer is next. */
  served: number;
  /** Decided; it ends once its last attempts have stopped, or at the deadline. */
  outcome: Outcome | undefined;
  /** It was told that there is no worker for it. */
  isAlone: boolean;
  deadline: number;
}

/** What `progress` holds. */
export const OPEN = 0;
export const COMMITTING = 1;
export const DONE = 2;

export function stageState(id: number, tasks: number, policy: SchedulerPolicy): StageState {
  return {
    id,
    tasks,
    policy,
    failures: new Uint16Array(tasks),
    losses: new Uint16Array(tasks),
    attempts: new Uint32Array(tasks),
    copies: new Uint8Array(tasks),
    progress: new Uint8Array(tasks),
    avoid: new Map(),
    fresh: 0,
    again: retryQueue(),
    stragglers: new Map(),
    durations: durations(),
    nextLook: 0,
    done: 0,
    active: 0,
    served: 0,
    outcome: undefined,
    isAlone: false,
    deadline: 0,
  };
}

/** Whether a worker could be of use to it now. */
export function hasWork(stage: StageState): boolean {
  if (stage.outcome !== undefined) return false;
  return stage.fresh < stage.tasks || stage.again.size > 0 || stage.stragglers.size > 0;
}

/** Whether enough tasks are done to tell which ones take too long. One task alone has nothing to be compared with. */
export function mayLookForStragglers(stage: StageState): boolean {
  const { speculation } = stage.policy;
  if (!speculation || stage.tasks < 2 || stage.outcome !== undefined) return false;
  return stage.done >= Math.max(1, Math.floor(speculation.quantile * stage.tasks));
}

export function avoidWorker(stage: StageState, task: number, worker: number): void {
  const avoided = stage.avoid.get(task);
  if (!avoided) stage.avoid.set(task, [worker]);
  else if (!avoided.includes(worker)) avoided.push(worker);
}
