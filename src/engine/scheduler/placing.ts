import { doubt, type Fleet, type WorkerState } from "./fleet";
import { OPEN, type StageState } from "./stage-state";

/** A task that a worker may take now. */
export interface Placed {
  readonly stage: StageState;
  readonly task: number;
  readonly kind: "fresh" | "again" | "straggler";
  /** Where it stands among the tasks to try again. */
  readonly place: number;
}

/**
 * The next task for a worker: of the stage that has the fewest workers now, and among equals of the one that has waited longest,
 * so that jobs share the workers evenly.
 */
export function nextTask(
  stages: Iterable<StageState>,
  worker: WorkerState,
  fleet: Fleet,
  now: number,
): Placed | undefined {
  let best: Placed | undefined;
  for (const stage of stages) {
    if (best && !isBefore(stage, best.stage)) continue;
    best = taskOf(stage, worker, fleet, now) ?? best;
  }
  return best;
}

function isBefore(a: StageState, b: StageState): boolean {
  return a.active < b.active || (a.active === b.active && a.served < b.served);
}

function taskOf(stage: StageState, worker: WorkerState, fleet: Fleet, now: number): Placed | undefined {
  if (stage.outcome !== undefined) return undefined;
  // A worker that is known to answer finds out soon whose fault a failure was; another one is better tried with something new.
  const [first, second] = worker.isProven ? [tried, fresh] : [fresh, tried];
  return first(stage, worker, fleet, now) ?? second(stage, worker, fleet, now) ?? straggler(stage, worker);
}

function fresh(stage: StageState): Placed | undefined {
  return stage.fresh < stage.tasks ? { stage, task: stage.fresh, kind: "fresh", place: 0 } : undefined;
}

function tried(stage: StageState, worker: WorkerState, fleet: Fleet, now: number): Placed | undefined {
  if (stage.again.size === 0) return undefined;
  const place = stage.again.best((task, since) =>
    mayTry(stage, task, worker, fleet, now - since) ? stage.losses[task]! : Number.POSITIVE_INFINITY,
  );
  return place === undefined ? undefined : { stage, task: stage.again.taskAt(place), kind: "again", place };
}

/** Whether a worker may take a task that was tried, or rather leaves it to another one. */
function mayTry(stage: StageState, task: number, worker: WorkerState, fleet: Fleet, waited: number): boolean {
  const avoided = stage.avoid.get(task) ?? [];
  const isAvoided = avoided.includes(worker.id);
  const losses = stage.losses[task]!;
  const { patience, maxLosses } = stage.policy;
  if (losses === 0) return waited >= patience || !isAvoided || !fleet.hasOther(avoided, 1);
  // Whether the task ends workers or the worker is dead shows on another worker. One that was lost again and again does not get a
  // task's last chance while a better one is there.
  if (waited >= patience && worker.losses <= 1 && losses + 1 < maxLosses) return true;
  return !fleet.hasOther(avoided, isAvoided ? doubt(worker) : doubt(worker) - 1);
}

function straggler(stage: StageState, worker: WorkerState): Placed | undefined {
  if (worker.losses > 0) return undefined;
  for (const [task, machine] of stage.stragglers) {
    if (stage.progress[task] !== OPEN || stage.copies[task] !== 1) stage.stragglers.delete(task);
    // What is slow may be its machine, as in Spark.
    else if (machine !== undefined && machine === worker.machine) continue;
    else if (!stage.avoid.get(task)?.includes(worker.id)) return { stage, task, kind: "straggler", place: 0 };
  }
  return undefined;
}
