import { type Fleet, fleet, type WorkerState } from "./fleet";
import type { Decision, Outcome, SchedulerEvent, StageFailure } from "./moves";
import { nextTask } from "./placing";
import { DEFAULT_POLICY, type SchedulerPolicy } from "./policy";
import {
  avoidWorker,
  COMMITTING,
  DONE,
  hasWork,
  mayLookForStragglers,
  OPEN,
  type StageState,
  stageState,
} from "./stage-state";

/**
 * Who does which task, decided: events in, decisions out, at the time that is given. It starts nothing and waits for nothing, so
 * the same events at the same times give the same decisions. What it does costs the same whatever the number of tasks.
 */
export interface SchedulerMachine {
  step(event: SchedulerEvent, now: number): readonly Decision[];
  /** A worker said something: it is there. */
  heard(worker: number, now: number): void;
  /** When a tick is due even if nothing happens; undefined: not before something happens. */
  wakeAt(): number | undefined;
}

export function schedulerMachine(): SchedulerMachine {
  const crew: Fleet = fleet();
  const stages = new Map<number, StageState>();
  let policy: SchedulerPolicy = DEFAULT_POLICY;
  let leases = 0;
  let served = 0;
  /** When a worker that says nothing, or doesn't stop, may have done so for too long. */
  let nextPatrol = Number.POSITIVE_INFINITY;
  let aloneSince = 0;
  let now = 0;
  let decisions: Decision[] = [];

  const decide = (decision: Decision) => void decisions.push(decision);
  const about = ({ id, lease }: WorkerState) => ({ worker: id, lease });
  const patrolBy = (time: number) => {
    nextPatrol = Math.min(nextPatrol, time);
  };

  /** The worker's attempt is over. */
  const free = (worker: WorkerState) => {
    if (worker.stage) worker.stage.active--;
    worker.stage = undefined;
    if (worker.isLeaving) crew.remove(worker);
    else crew.release(worker);
  };

  const stop = (worker: WorkerState, why: "superseded" | "ending") => {
    const { stage } = worker;
    if (stage && worker.status === "running") stage.copies[worker.task]!--;
    Object.assign(worker, { status: "stopping", since: now });
    patrolBy(now + policy.silence);
    decide({ type: "stop", ...about(worker), why });
  };

  const conclude = (stage: StageState, outcome: Outcome) => {
    stage.outcome = outcome;
    stage.deadline = now + stage.policy.stopGrace;
    for (const worker of crew.workers.values()) {
      if (worker.stage === stage && worker.status === "running") stop(worker, "ending");
    }
  };

  const fail = (stage: StageState, failure: StageFailure) => {
    decide({ type: "fail", stage: stage.id, failure });
    conclude(stage, "failed");
  };

  const end = (stage: StageState) => {
    stages.delete(stage.id);
    for (const worker of crew.workers.values()) if (worker.stage === stage) worker.stage = undefined;
    decide({ type: "end", stage: stage.id, outcome: stage.outcome! });
  };

  /** An attempt came to nothing: the task is tried again, unless a limit is reached. */
  const tryAgain = (worker: WorkerState, stage: StageState, task: number, limit: boolean, cause: unknown) => {
    const { id: name, lease } = worker;
    avoidWorker(stage, task, name);
    stage.progress[task] = OPEN;
    if (limit) {
      fail(stage, { why: "task", worker: name, lease, task, cause, losses: stage.losses[task]! });
      return;
    }
    // A second attempt of it is under way already.
    if (stage.copies[task]! > 0) return;
    stage.again.push(task, now);
    decide({ type: "retry", worker: name, lease, stage: stage.id, task, cause });
  };

  const failed = (worker: WorkerState, retryable: boolean, cause: unknown) => {
    const { stage, task } = worker;
    crew.proved(worker);
    if (stage && worker.status !== "stopping") {
      stage.copies[task]!--;
      stage.failures[task]!++;
      if (stage.outcome === undefined) {
        tryAgain(worker, stage, task, !retryable || stage.failures[task]! >= stage.policy.maxFailures, cause);
      }
    }
    free(worker);
  };

  const lost = (worker: WorkerState, cause: unknown) => {
    const { stage, task } = worker;
    const wasRunning = stage !== undefined && worker.status === "running";
    if (stage) stage.active--;
    const pause = crew.quarantine(worker, policy, now);
    decide({ type: "quarantine", worker: worker.id, pause, cause });
    if (!wasRunning) return;
    stage.copies[task]!--;
    stage.losses[task]!++;
    const isKiller = stage.losses[task]! >= stage.policy.maxLosses;
    tryAgain(worker, stage, task, isKiller, cause);
    if (!isKiller) return;
    // The task is to blame, not those whom it ended.
    for (const id of stage.avoid.get(task) ?? []) {
      const blameless = crew.workers.get(id);
      if (blameless) crew.forgive(blameless);
    }
  };

  const done = (worker: WorkerState) => {
    const { stage, task } = worker;
    if (!stage || worker.status === "stopping") {
      crew.proved(worker);
      free(worker);
      return;
    }
    stage.progress[task] = COMMITTING;
    worker.status = "committing";
    decide({ type: "commit", ...about(worker) });
    if (stage.copies[task]! < 2) return;
    for (const other of crew.workers.values()) {
      const isTwin = other.stage === stage && other.task === task && other.status === "running";
      if (isTwin) stop(other, "superseded");
    }
  };

  const committed = (worker: WorkerState) => {
    const { stage, task } = worker;
    crew.proved(worker);
    if (stage) {
      stage.copies[task]!--;
      stage.progress[task] = DONE;
      stage.done++;
      stage.avoid.delete(task);
      stage.durations.add(now - worker.since);
      if (stage.done === stage.tasks && stage.outcome === undefined) conclude(stage, "succeeded");
    }
    free(worker);
  };

  const left = (worker: WorkerState) => {
    const { stage, task, status } = worker;
    worker.isLeaving = true;
    if (status === "committing") return;
    crew.remove(worker);
    if (status === "running" || status === "stopping") decide({ type: "stop", ...about(worker), why: "left" });
    if (!stage) return;
    stage.active--;
    if (status !== "running") return;
    stage.copies[task]!--;
    if (stage.copies[task] === 0 && stage.outcome === undefined) stage.again.push(task, now);
  };

  const leaving = (worker: WorkerState) => {
    worker.isLeaving = true;
    if (worker.status === "idle" || worker.status === "quarantined") crew.remove(worker);
  };

  const start = (worker: WorkerState, stage: StageState, task: number, isSpeculative: boolean) => {
    const attempt = stage.attempts[task]!++;
    stage.copies[task]!++;
    stage.active++;
    stage.served = ++served;
    crew.idle.delete(worker);
    Object.assign(worker, { status: "running", lease: ++leases, stage, task, since: now, heardAt: now });
    if (worker.beats) patrolBy(now + policy.silence);
    decide({ type: "start", ...about(worker), stage: stage.id, task, attempt, isSpeculative });
  };

  const dispatch = () => {
    if (crew.idle.size === 0) return;
    const needy = [...stages.values()].filter(hasWork);
    for (const worker of crew.idle) {
      if (needy.length === 0) return;
      const next = nextTask(needy, worker, crew, now);
      if (!next) continue;
      const { stage, task, kind, place } = next;
      if (kind === "fresh") stage.fresh++;
      else if (kind === "again") stage.again.remove(place);
      else stage.stragglers.delete(task);
      start(worker, stage, task, kind === "straggler");
      if (!hasWork(stage)) needy.splice(needy.indexOf(stage), 1);
    }
  };

  /** Workers that beat and say nothing, and workers that don't stop. */
  const patrol = () => {
    if (now < nextPatrol) return;
    nextPatrol = Number.POSITIVE_INFINITY;
    for (const worker of [...crew.workers.values()]) {
      const isWatched = worker.status === "stopping" || (worker.status === "running" && worker.beats);
      if (!isWatched) continue;
      const silentSince = worker.status === "stopping" ? worker.since : worker.heardAt;
      if (now < silentSince + policy.silence) {
        patrolBy(silentSince + policy.silence);
        continue;
      }
      decide({ type: "stop", ...about(worker), why: "silent" });
      lost(worker, undefined);
    }
  };

  const lookForStragglers = (stage: StageState) => {
    const { speculation } = stage.policy;
    if (!speculation || !mayLookForStragglers(stage) || now < stage.nextLook) return;
    stage.nextLook = now + speculation.interval;
    const longest = Math.max(speculation.multiplier * stage.durations.median(), speculation.minRuntime);
    for (const worker of crew.workers.values()) {
      const isAlone = worker.stage === stage && worker.status === "running" && stage.copies[worker.task] === 1;
      if (isAlone && now - worker.since > longest) stage.stragglers.set(worker.task, worker.machine);
    }
  };

  const onTime = (hadWorkers: boolean) => {
    crew.releaseDue(now);
    patrol();
    // The last one may have gone just now.
    if (hadWorkers && crew.workers.size === 0) aloneSince = now;
    for (const stage of [...stages.values()]) {
      lookForStragglers(stage);
      const isAlone = crew.workers.size === 0 && stage.outcome === undefined;
      if (isAlone && now >= aloneSince + stage.policy.unschedulable) fail(stage, { why: "noWorkers" });
      else if (isAlone && !stage.isAlone) decide({ type: "await", stage: stage.id });
      stage.isAlone = isAlone;
      if (stage.outcome !== undefined && (stage.active === 0 || now >= stage.deadline)) end(stage);
    }
  };

  const take = (event: SchedulerEvent) => {
    switch (event.type) {
      case "workerJoined":
        return crew.join(event.worker, event.beats, event.machine, now);
      case "stageSubmitted": {
        const stage = stageState(event.stage, event.tasks, event.policy);
        policy = event.policy;
        if (crew.workers.size === 0 && stages.size === 0) aloneSince = now;
        stages.set(event.stage, stage);
        if (stage.tasks === 0) conclude(stage, "succeeded");
        return;
      }
      case "stageCancelled": {
        const stage = stages.get(event.stage);
        if (stage && stage.outcome === undefined) conclude(stage, "cancelled");
        return;
      }
      case "tick":
        return;
    }
    const worker = crew.workers.get(event.worker);
    if (!worker) return;
    if (event.type === "workerLeft") return left(worker);
    if (event.type === "workerLeaving") return leaving(worker);
    if (event.lease !== worker.lease) return;
    if (event.type === "committed" || event.type === "commitFailed") {
      if (worker.status !== "committing") return;
      return event.type === "committed" ? committed(worker) : failed(worker, event.retryable, event.cause);
    }
    if (worker.status !== "running" && worker.status !== "stopping") return;
    switch (event.type) {
      case "attemptDone":
        return done(worker);
      case "attemptFailed":
        return failed(worker, event.retryable, event.cause);
      case "workerLost":
        return lost(worker, event.cause);
    }
  };

  return {
    step(event, time) {
      now = Math.max(now, time);
      decisions = [];
      const hadWorkers = crew.workers.size > 0;
      take(event);
      onTime(hadWorkers);
      dispatch();
      return decisions;
    },

    heard(worker, time) {
      const state = crew.workers.get(worker);
      if (state) state.heardAt = Math.max(state.heardAt, time);
    },

    wakeAt() {
      if (stages.size === 0) return undefined;
      let wake = Math.min(nextPatrol, crew.firstRelease);
      for (const stage of stages.values()) {
        if (stage.outcome !== undefined) wake = Math.min(wake, stage.deadline);
        else if (crew.workers.size === 0) wake = Math.min(wake, aloneSince + stage.policy.unschedulable);
        if (mayLookForStragglers(stage) && stage.active > 0) wake = Math.min(wake, stage.nextLook);
        // The patience of tasks that wait for a better worker ends.
        const oldest = crew.idle.size > 0 ? stage.again.oldest : undefined;
        if (oldest === undefined) continue;
        const { patience } = stage.policy;
        wake = Math.min(wake, oldest + patience > now ? oldest + patience : now + patience);
      }
      return wake === Number.POSITIVE_INFINITY ? undefined : wake;
    },
  };
}
