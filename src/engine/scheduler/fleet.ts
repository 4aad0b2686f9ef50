import type { SchedulerPolicy } from "./policy";
import type { StageState } from "./stage-state";

/** A worker, as the scheduler knows it. */
export interface WorkerState {
  readonly id: number;
  readonly beats: boolean;
  readonly machine: string | undefined;
  status: "idle" | "running" | "committing" | "stopping" | "quarantined";
  /** The number of its attempt; what is told of an earlier one is too late. */
  lease: number;
  /** Whose task it has; undefined also where that stage has ended without waiting for it. */
  stage: StageState | undefined;
  task: number;
  /** When the attempt started, or was told to stop. */
  since: number;
  heardAt: number;
  /** How often in a row it was lost, without anything done between. */
  losses: number;
  /** Whether it answered since it joined or was lost. */
  isProven: boolean;
  /** When its quarantine ends. */
  until: number;
  isLeaving: boolean;
}

/** The workers there are, those in quarantine included. */
export interface Fleet {
  readonly workers: ReadonlyMap<number, WorkerState>;
  /** Those that wait for a task, longest first. */
  readonly idle: Set<WorkerState>;
  /** When the first quarantine ends. */
  readonly firstRelease: number;
  join(id: number, beats: boolean, machine: string | undefined, now: number): void;
  remove(worker: WorkerState): void;
  release(worker: WorkerState): void;
  /** It answered. */
  proved(worker: WorkerState): void;
  /** @returns for how long it is left alone; undefined where it is lost for good */
  quarantine(worker: WorkerState, policy: SchedulerPolicy, now: number): number | undefined;
  /** Its losses were not its fault. */
  forgive(worker: WorkerState): void;
  /** Ends the quarantines whose time has come. */
  releaseDue(now: number): void;
  /** Whether a worker other than those in `except` has at most `most` of doubt. */
  hasOther(except: readonly number[], most: number): boolean;
}

/** How little is known for a worker: nothing where it answered last, one where it is new, more with each loss. */
export function doubt(worker: WorkerState): number {
  return worker.isProven ? 0 : worker.losses + 1;
}

export function fleet(): Fleet {
  const workers = new Map<number, WorkerState>();
  const idle = new Set<WorkerState>();
  const quarantined = new Set<WorkerState>();
  const byDoubt: number[] = [];
  let firstRelease = Number.POSITIVE_INFINITY;

  const count = (worker: WorkerState, change: 1 | -1) => {
    byDoubt[doubt(worker)] = (byDoubt[doubt(worker)] ?? 0) + change;
  };
  const judge = (worker: WorkerState, losses: number, isProven: boolean) => {
    if (worker.losses === losses && worker.isProven === isProven) return;
    count(worker, -1);
    Object.assign(worker, { losses, isProven });
    count(worker, 1);
  };
  const release = (worker: WorkerState) => {
    quarantined.delete(worker);
    Object.assign(worker, { status: "idle", stage: undefined });
    idle.add(worker);
  };
  const remove = (worker: WorkerState) => {
    idle.delete(worker);
    quarantined.delete(worker);
    if (workers.delete(worker.id)) count(worker, -1);
  };

  return {
    workers,
    idle,
    get firstRelease() {
      return firstRelease;
    },
    join(id, beats, machine, now) {
      const times = { since: now, heardAt: now, until: 0 };
      const state: WorkerState = {
        id,
        beats,
        machine,
        status: "idle",
        lease: 0,
        stage: undefined,
        task: 0,
        ...times,
        losses: 0,
        isProven: false,
        isLeaving: false,
      };
      workers.set(id, state);
      count(state, 1);
      idle.add(state);
    },
    remove,
    release,
    proved: (worker) => judge(worker, 0, true),
    quarantine(worker, policy, now) {
      judge(worker, worker.losses + 1, false);
      if (worker.losses >= policy.workerLosses || worker.isLeaving) {
        remove(worker);
        return undefined;
      }
      const pause = Math.min(policy.longestBackOff, policy.backOff * 2 ** (worker.losses - 1));
      Object.assign(worker, { status: "quarantined", stage: undefined, until: now + pause });
      quarantined.add(worker);
      firstRelease = Math.min(firstRelease, worker.until);
      return pause;
    },
    forgive(worker) {
      judge(worker, 0, false);
      if (worker.status === "quarantined") release(worker);
    },
    releaseDue(now) {
      if (now < firstRelease) return;
      firstRelease = Number.POSITIVE_INFINITY;
      for (const worker of [...quarantined]) {
        if (worker.until <= now) release(worker);
        else firstRelease = Math.min(firstRelease, worker.until);
      }
    },
    hasOther(except, most) {
      let others = 0;
      for (let i = 0; i <= most; i++) others += byDoubt[i] ?? 0;
      for (const id of except) {
        const worker = workers.get(id);
        if (worker && doubt(worker) <= most) others--;
      }
      return others > 0;
    },
  };
}
