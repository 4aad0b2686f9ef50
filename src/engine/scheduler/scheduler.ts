import { CancelledError, PomonaError, throwIfAborted } from "../../errors";
import type { Task, TaskResult } from "../../worker/task";
import type { EndStatus, EngineEvent, EventListener } from "../events";
import type { TaskWorker, WorkerPool } from "../workers";
import { type Clock, systemClock } from "./clock";
import { NoWorkersError, remoteErrorOf, TaskFailedError, WorkerLostError } from "./errors";
import { schedulerMachine } from "./machine";
import type { Decision, Outcome, SchedulerEvent, StageFailure } from "./moves";
import type { SchedulerPolicy } from "./policy";

export interface StageRun {
  readonly jobId: string;
  readonly stageId: number;
  /** What the stage computes, for messages. */
  readonly name: string;
  /** The partitions still to do. */
  readonly partitions: readonly number[];
  /** Tasks an earlier run did, for the progress. */
  readonly resumedTasks: number;
  /** Rows that go in, all tasks together. */
  readonly rows: number;
  readonly taskFor: (partition: number, attempt: number) => Task;
  /** Makes an attempt's output the task's; runs before the task counts as done, and once for each task unless it fails. */
  readonly onTaskDone: (task: Task, result: TaskResult) => Promise<void>;
  readonly signal: AbortSignal;
}

/** Runs stages' tasks on the workers of a pool, which stages that run at the same time share evenly. */
export interface Scheduler {
  /**
   * Runs a stage's tasks, each worker one task at a time, and tries failed tasks again. The first task that fails for good stops
   * the others and is thrown. @throws TaskFailedError, NoWorkersError, CancelledError
   */
  runStage(run: StageRun): Promise<void>;
  /**
   * Resolves when no attempt of a job runs any more, also of those that the end of its stage did not wait for: until then they may
   * write. After ten seconds it resolves in any case.
   */
  quiet(jobId: string): Promise<void>;
}

/** Far longer than a thread takes to be ended, on a machine with a load of 8 too. */
const QUIET_MILLISECONDS = 10_000;

export interface SchedulerParts {
  readonly pool: Pick<WorkerPool, "watch" | "problem" | "remedy">;
  /** Asked when a stage starts. */
  readonly policy: () => SchedulerPolicy;
  readonly emit: EventListener;
  /** @default the system's */
  readonly clock?: Clock;
}

interface ActiveStage {
  readonly run: StageRun;
  readonly policy: SchedulerPolicy;
  rows: number;
  failure: unknown;
  readonly ended: (outcome: Outcome) => void;
}

interface Attempt {
  readonly workerId: number;
  readonly lease: number;
  readonly stage: ActiveStage;
  readonly worker: TaskWorker;
  readonly task: Task;
  readonly started: number;
  readonly abort: AbortController;
  result: TaskResult | undefined;
  /** What it came to was told. */
  isOver: boolean;
}

/** Lets a machine decide, and does what it decides: starts and stops attempts, commits, and tells of it. */
export function scheduler({ pool, policy, emit, clock = systemClock }: SchedulerParts): Scheduler {
  const machine = schedulerMachine();
  const workers = new Map<number, TaskWorker>();
  const stages = new Map<number, ActiveStage>();
  const attempts = new Map<number, Attempt>();
  const inFlight = new Map<Attempt, Promise<void>>();
  const waiting: SchedulerEvent[] = [];
  let numbers = 0;
  let isWatching = false;
  let isDeciding = false;
  let timer: { readonly due: number; cancel(): void } | undefined;
  let lastLoss: string | undefined;

  /** Takes what happened to the machine and does what it says; what happens meanwhile has its turn after that. */
  function step(event: SchedulerEvent): void {
    waiting.push(event);
    if (isDeciding) return;
    isDeciding = true;
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const decisions = machine.step(next, clock.now());
      for (const decision of decisions) carryOut(decision);
      forget(next);
      for (const decision of decisions) forget(decision);
    }
    isDeciding = false;
    wake();
  }

  function forget(what: SchedulerEvent | Decision): void {
    if ("lease" in what && attempts.get(what.lease)?.isOver) attempts.delete(what.lease);
  }

  function wake(): void {
    const due = machine.wakeAt();
    // A timer that is early only asks again.
    if (timer && due !== undefined && timer.due <= due) return;
    timer?.cancel();
    timer = undefined;
    if (due === undefined) return;
    const cancel = clock.after(Math.max(0, Math.ceil(due - clock.now())), () => {
      timer = undefined;
      step({ type: "tick" });
    });
    timer = { due, cancel };
  }

  /** Listeners are others' code: what one throws fails the stages that run. */
  function tell(event: EngineEvent): void {
    try {
      emit(event);
    } catch (error) {
      for (const [id, stage] of stages) {
        stage.failure ??= error;
        step({ type: "stageCancelled", stage: id });
      }
    }
  }

  function carryOut(decision: Decision): void {
    switch (decision.type) {
      case "start":
        begin(decision);
        break;
      case "stop": {
        const attempt = attempts.get(decision.lease);
        if (!attempt) return;
        if (decision.why === "silent") over(attempt, "failed");
        if (decision.why === "left") over(attempt, "cancelled");
        attempt.abort.abort(new CancelledError(`Another attempt is not needed: ${decision.why}.`));
        break;
      }
      case "commit":
        void commit(attempts.get(decision.lease)!);
        break;
      case "retry": {
        const attempt = attempts.get(decision.lease)!;
        const error = errorText(decision.cause ?? silent(attempt));
        tell({ type: "taskRetried", time: Date.now(), ...about(attempt), error });
        break;
      }
      case "quarantine": {
        const worker = workers.get(decision.worker)!;
        if (decision.pause === undefined) workers.delete(decision.worker);
        lastLoss = errorText(decision.cause ?? silent({ worker, policy: policy() }));
        const isMachines = decision.cause instanceof WorkerLostError && decision.cause.loss !== "thread";
        const retry = decision.pause === undefined ? {} : { retrySeconds: decision.pause / 1000 };
        const end = isMachines ? { withMachine: true as const } : retry;
        tell({ type: "workerLost", time: Date.now(), worker: worker.name, error: lastLoss, ...end });
        break;
      }
      case "await": {
        const { run, policy: its } = stages.get(decision.stage)!;
        const text = `There is no worker: stage ${run.stageId} (${run.name}) waits up to ${its.unschedulable / 1000} s for one to join.`;
        tell({ type: "message", time: Date.now(), level: "warn", text });
        break;
      }
      case "fail": {
        const stage = stages.get(decision.stage)!;
        stage.failure ??= failureOf(stage, decision.failure);
        break;
      }
      case "end":
        end(decision.stage, decision.outcome);
    }
  }

  function begin(decision: Extract<Decision, { type: "start" }>): void {
    const stage = stages.get(decision.stage)!;
    const worker = workers.get(decision.worker)!;
    const { worker: workerId, lease } = decision;
    const { run } = stage;
    const task = taskOf(stage, run.partitions[decision.task]!, decision.attempt);
    if (!task) {
      step({ type: "stageCancelled", stage: decision.stage });
      return;
    }
    const started = Date.now();
    const abort = new AbortController();
    const attempt: Attempt = { workerId, lease, stage, worker, task, started, abort, result: undefined, isOver: false };
    attempts.set(lease, attempt);
    tell({ type: "taskStarted", time: started, ...about(attempt) });
    const done = runAttempt(attempt).finally(() => inFlight.delete(attempt));
    inFlight.set(attempt, done);
  }

  async function runAttempt(attempt: Attempt): Promise<void> {
    const { workerId, lease, worker, task, abort } = attempt;
    const leased = { worker: workerId, lease };
    try {
      attempt.result = await worker.run(task, abort.signal, {
        onAlive: () => machine.heard(workerId, clock.now()),
        onProgress(rows) {
          machine.heard(workerId, clock.now());
          if (!attempt.isOver) tell({ type: "taskProgress", time: Date.now(), ...about(attempt), rows });
        },
        onStorageRetry({ url, operation, why, delay }) {
          machine.heard(workerId, clock.now());
          tell({ type: "storageRetried", time: Date.now(), url, operation, why, delay });
        },
        onLog(level, text) {
          machine.heard(workerId, clock.now());
          tell({ type: "message", time: Date.now(), level, text });
        },
      });
      if (abort.signal.aborted) over(attempt, "cancelled");
      step({ type: "attemptDone", ...leased });
    } catch (error) {
      over(attempt, abort.signal.aborted ? "cancelled" : "failed");
      if (error instanceof WorkerLostError) step({ type: "workerLost", ...leased, cause: error });
      else step({ type: "attemptFailed", ...leased, retryable: isRetryable(error), cause: error });
    }
  }

  async function commit(attempt: Attempt): Promise<void> {
    const { workerId, lease, stage, task } = attempt;
    const result = attempt.result!;
    const leased = { worker: workerId, lease };
    try {
      await stage.run.onTaskDone(task, result);
      stage.rows += result.rows;
      over(attempt, "succeeded");
      step({ type: "committed", ...leased });
    } catch (error) {
      over(attempt, stage.run.signal.aborted ? "cancelled" : "failed");
      step({ type: "commitFailed", ...leased, retryable: isRetryable(error), cause: error });
    }
  }

  function over(attempt: Attempt, status: EndStatus): void {
    if (attempt.isOver) return;
    attempt.isOver = true;
    const time = Date.now();
    const { rows, bytes } = status === "succeeded" ? attempt.result! : { rows: 0, bytes: 0 };
    const seconds = (time - attempt.started) / 1000;
    tell({ type: "taskEnded", time, ...about(attempt), status, rows, bytes, seconds });
  }

  function end(id: number, outcome: Outcome): void {
    const stage = stages.get(id)!;
    // Those that don't stop in time go on by themselves.
    for (const attempt of attempts.values()) if (attempt.stage === stage) over(attempt, "cancelled");
    stages.delete(id);
    stage.ended(outcome);
  }

  function failureOf({ run, policy: its }: ActiveStage, failure: StageFailure): unknown {
    if (failure.why === "noWorkers") {
      const why = pool.problem?.() ?? (lastLoss === undefined ? undefined : `The last one: ${lastLoss}`);
      return new NoWorkersError(run.stageId, run.name, its.unschedulable / 1000, why, pool.remedy);
    }
    const attempt = attempts.get(failure.lease)!;
    const error = failure.cause ?? silent(attempt);
    const remote = remoteErrorOf(error);
    const losses = error instanceof WorkerLostError ? failure.losses : 0;
    return remote ? new TaskFailedError(run.name, attempt.task, attempt.worker.name, remote, losses) : error;
  }

  function watch(): void {
    if (isWatching) return;
    isWatching = true;
    const known = new Map<TaskWorker, number>();
    pool.watch({
      joined(worker) {
        const id = numbers++;
        workers.set(id, worker);
        known.set(worker, id);
        tell({ type: "workerJoined", time: Date.now(), worker: worker.name });
        step({ type: "workerJoined", worker: id, beats: worker.beats, machine: worker.machine });
      },
      leaving(worker) {
        const id = known.get(worker);
        if (id !== undefined) step({ type: "workerLeaving", worker: id });
      },
      left(worker) {
        const id = known.get(worker);
        if (id === undefined) return;
        known.delete(worker);
        tell({ type: "workerLeft", time: Date.now(), worker: worker.name });
        step({ type: "workerLeft", worker: id });
        workers.delete(id);
      },
    });
  }

  return {
    async quiet(jobId) {
      const own = [...inFlight].flatMap(([{ stage }, done]) => (stage.run.jobId === jobId ? [done] : []));
      if (own.length === 0) return;
      let cancel = () => {};
      const late = new Promise<void>((resolve) => {
        cancel = clock.after(QUIET_MILLISECONDS, resolve);
      });
      await Promise.race([Promise.allSettled(own), late]);
      cancel();
    },

    async runStage(run) {
      const { jobId, stageId, name, resumedTasks, partitions, signal } = run;
      const its = policy();
      const started = Date.now();
      const tasks = partitions.length + resumedTasks;
      tell({ type: "stageStarted", time: started, jobId, stageId, name, tasks, resumedTasks, rows: run.rows });
      const id = numbers++;
      const cancel = () => step({ type: "stageCancelled", stage: id });
      const stage = await new Promise<ActiveStage>((resolve) => {
        const ended = () => resolve(active);
        const active: ActiveStage = { run, policy: its, rows: 0, failure: undefined, ended };
        if (signal.aborted) return ended();
        stages.set(id, active);
        watch();
        signal.addEventListener("abort", cancel, { once: true });
        step({ type: "stageSubmitted", stage: id, tasks: partitions.length, policy: its });
      });
      signal.removeEventListener("abort", cancel);
      const { rows, failure } = stage;
      const status = signal.aborted ? "cancelled" : failure === undefined ? "succeeded" : "failed";
      const time = Date.now();
      tell({ type: "stageEnded", time, jobId, stageId, status, rows, seconds: (time - started) / 1000 });
      throwIfAborted(signal);
      if (failure !== undefined) throw failure;
    },
  };
}

function about({ stage: { run }, task, worker }: Attempt) {
  const { jobId, stageId } = run;
  return { jobId, stageId, partition: task.partition, attempt: task.attempt, worker: worker.name };
}

function silent(of: { readonly worker: TaskWorker } & ({ readonly policy: SchedulerPolicy } | Pick<Attempt, "stage">)) {
  const { silence } = "policy" in of ? of.policy : of.stage.policy;
  return new WorkerLostError(of.worker.name, `nothing was heard of it for ${silence / 1000} s`, "connection");
}

/** Undefined where there is none to be had, which fails the stage. */
function taskOf(stage: ActiveStage, partition: number, attempt: number): Task | undefined {
  try {
    return stage.run.taskFor(partition, attempt);
  } catch (error) {
    stage.failure ??= error;
    return undefined;
  }
}

function isRetryable(error: unknown): boolean {
  return error instanceof PomonaError ? error.retryable : true;
}

function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
