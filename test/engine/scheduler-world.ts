import { schedulerMachine } from "../../src/engine/scheduler/machine";
import type { Decision, Outcome, SchedulerEvent, StageFailure } from "../../src/engine/scheduler/moves";
import { DEFAULT_POLICY, type SchedulerPolicy } from "../../src/engine/scheduler/policy";

/** Workers and stages on a clock of their own. Workers' numbers are their places; stages', too. Times are milliseconds. */
export interface World {
  readonly workers: readonly {
    readonly joins: number;
    readonly leaves: number | undefined;
    /** When it says that it is going to. */
    readonly drains?: number | undefined;
    readonly machine?: string | undefined;
    readonly beats: boolean;
  }[];
  readonly stages: readonly {
    readonly tasks: number;
    readonly submitted: number;
    readonly cancelled: number | undefined;
    readonly policy: SchedulerPolicy;
  }[];
  /** What becomes of an attempt. */
  act(attempt: { worker: number; stage: number; task: number; attempt: number }): Act;
  commit(): { readonly after: number; readonly ok: boolean };
}

export interface Act {
  readonly after: number;
  readonly what: "done" | "failed" | "fatal" | "lost" | "never";
  /** Says nothing while it runs. */
  readonly isSilent?: boolean;
  /** How long it takes to stop when told to. @default 1; infinite: it never does */
  readonly stopsAfter?: number;
}

/** What became of a stage. */
export interface StageTold {
  readonly policy: SchedulerPolicy;
  outcome: Outcome | undefined;
  failure: StageFailure | undefined;
  endedAt: number;
  done: number;
  readonly committed: Uint8Array;
  readonly attempts: number[];
  readonly failures: number[];
  readonly losses: number[];
  /** Attempts that ended by nobody's fault: told to stop, or their worker was taken away. */
  readonly excused: number[];
  readonly running: number[];
  /** When it was told that it has no worker. */
  readonly waits: number[];
}

const BEAT = 1_000;

/** Lives through a world to its end. @throws Error where the scheduler breaks its word */
export function simulate(world: World) {
  const machine = schedulerMachine();
  const agenda = timeline();
  const stages = world.stages.map(({ tasks, policy }): StageTold => {
    const zeros = () => new Array<number>(tasks).fill(0);
    const counts = { attempts: zeros(), failures: zeros(), losses: zeros(), excused: zeros(), running: zeros() };
    const committed = new Uint8Array(tasks);
    return {
      policy,
      waits: [],
      outcome: undefined,
      failure: undefined,
      endedAt: Number.NaN,
      done: 0,
      committed,
      ...counts,
    };
  });
  const told = { stages, speculative: 0, superseded: 0, lost: 0, pauses: [] as (number | undefined)[] };
  const leases = new Map<number, Lease>();
  const busy = new Map<number, number>();
  let now = 0;

  const promise = (holds: boolean, what: string) => {
    if (!holds) throw new Error(`${what} at ${now}`);
  };

  const settle = (lease: Lease, event: SchedulerEvent) => {
    if (lease.isOver) return;
    lease.isOver = true;
    step(event);
  };

  const begin = ({ worker, lease: id, stage, task, attempt, isSpeculative }: Extract<Decision, { type: "start" }>) => {
    const its = stages[stage]!;
    promise(its.outcome === undefined && its.failure === undefined, `stage ${stage} starts a task after its end`);
    promise(its.committed[task] === 0, `task ${task} starts although it is done`);
    promise(attempt === its.attempts[task], `task ${task} has attempt ${attempt} twice`);
    promise(busy.get(worker) === undefined, `worker ${worker} gets a second task`);
    const { drains = Number.POSITIVE_INFINITY, machine: place } = world.workers[worker]!;
    promise(now < drains, `worker ${worker} gets a task although it is going to leave`);
    if (isSpeculative && place !== undefined) {
      const first = [...leases.values()].find((l) => l.stage === stage && l.task === task && !l.isStopped && !l.isOver);
      promise(!first || world.workers[first.worker]!.machine !== place, `task ${task} runs twice on machine ${place}`);
    }
    its.attempts[task]!++;
    its.running[task]!++;
    promise(its.running[task]! <= (its.policy.speculation ? 2 : 1), `task ${task} runs too often at once`);
    // Apart from attempts that nobody is to blame for, what there is has failed, was lost, or runs.
    const most =
      its.policy.maxFailures + its.policy.maxLosses - 1 + its.excused[task]! + (its.policy.speculation ? 1 : 0);
    promise(its.attempts[task]! <= most, `task ${task} has more than ${most} attempts`);
    if (isSpeculative) told.speculative++;
    busy.set(worker, id);
    const lease: Lease = {
      worker,
      id,
      stage,
      task,
      act: world.act({ worker, stage, task, attempt }),
      isOver: false,
      isStopped: false,
    };
    leases.set(id, lease);
    const { after, what, isSilent } = lease.act;
    if (!isSilent && world.workers[worker]!.beats) {
      const beat = () => {
        if (lease.isOver || lease.isStopped) return;
        machine.heard(worker, now);
        agenda.at(now + BEAT, beat);
      };
      beat();
    }
    if (what === "never") return;
    agenda.at(now + after, () => {
      const leased = { worker, lease: id };
      if (what === "done") {
        if (!lease.isOver) step({ type: "attemptDone", ...leased });
        if (lease.isStopped) lease.isOver = true;
      } else {
        if (!lease.isOver && !lease.isStopped) its[what === "lost" ? "losses" : "failures"][task]!++;
        if (!lease.isOver && what === "lost") told.lost++;
        if (what === "lost") settle(lease, { type: "workerLost", ...leased, cause: "lost" });
        else settle(lease, { type: "attemptFailed", ...leased, retryable: what !== "fatal", cause: "failed" });
      }
    });
  };

  const carryOut = (decision: Decision) => {
    switch (decision.type) {
      case "start":
        begin(decision);
        return;
      case "stop": {
        const lease = leases.get(decision.lease)!;
        const its = stages[lease.stage]!;
        if (!lease.isStopped) {
          its.running[lease.task]!--;
          if (decision.why === "silent") its.losses[lease.task]!++;
          else its.excused[lease.task]!++;
        }
        lease.isStopped = true;
        if (decision.why === "superseded") told.superseded++;
        if (decision.why === "silent" || decision.why === "left") {
          if (decision.why === "silent") told.lost++;
          busy.delete(lease.worker);
          lease.isOver = true;
          return;
        }
        const { stopsAfter = 1 } = lease.act;
        if (Number.isFinite(stopsAfter)) {
          agenda.at(now + stopsAfter, () =>
            settle(lease, {
              type: "attemptFailed",
              worker: lease.worker,
              lease: lease.id,
              retryable: false,
              cause: "",
            }),
          );
        }
        return;
      }
      case "commit": {
        const lease = leases.get(decision.lease)!;
        promise(!lease.isStopped, `task ${lease.task} is committed by an attempt that was stopped`);
        const { after, ok } = world.commit();
        agenda.at(now + after, () => {
          const its = stages[lease.stage]!;
          const leased = { worker: lease.worker, lease: lease.id };
          if (ok) {
            promise(its.committed[lease.task] === 0, `task ${lease.task} is committed twice`);
            its.committed[lease.task] = 1;
            its.done++;
            settle(lease, { type: "committed", ...leased });
          } else {
            its.failures[lease.task]!++;
            settle(lease, { type: "commitFailed", ...leased, retryable: true, cause: "commit" });
          }
        });
        return;
      }
      case "quarantine":
        told.pauses.push(decision.pause);
        return;
      case "await":
        promise(stages[decision.stage]!.outcome === undefined, `stage ${decision.stage} waits after its end`);
        stages[decision.stage]!.waits.push(now);
        return;
      case "fail":
        promise(stages[decision.stage]!.failure === undefined, `stage ${decision.stage} fails twice`);
        stages[decision.stage]!.failure = decision.failure;
        return;
      case "end": {
        const its = stages[decision.stage]!;
        promise(its.outcome === undefined, `stage ${decision.stage} ends twice`);
        Object.assign(its, { outcome: decision.outcome, endedAt: now });
        promise((decision.outcome === "failed") === (its.failure !== undefined), "a stage fails without a reason");
        promise(decision.outcome !== "succeeded" || its.committed.every((c) => c === 1), "a stage succeeds too soon");
        return;
      }
      case "retry":
        return;
    }
  };

  const waiting: SchedulerEvent[] = [];
  let isDeciding = false;
  function step(event: SchedulerEvent) {
    waiting.push(event);
    if (isDeciding) return;
    isDeciding = true;
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      if ("lease" in next && next.type !== "attemptDone") freed(next.lease);
      else if (next.type === "attemptDone" && leases.get(next.lease)!.isStopped) freed(next.lease);
      for (const decision of machine.step(next, now)) carryOut(decision);
    }
    isDeciding = false;
    const due = machine.wakeAt();
    if (due !== undefined) agenda.tickAt(Math.max(now, due));
  }
  const freed = (id: number) => {
    const lease = leases.get(id)!;
    if (busy.get(lease.worker) !== id) return;
    busy.delete(lease.worker);
    if (!lease.isStopped) stages[lease.stage]!.running[lease.task]!--;
    // An attempt that has come to its end needs no stop any more.
    lease.isStopped = true;
  };

  world.workers.forEach(({ joins, leaves, drains, beats, machine }, worker) => {
    agenda.at(joins, () => step({ type: "workerJoined", worker, beats, machine }));
    if (drains !== undefined) agenda.at(drains, () => step({ type: "workerLeaving", worker }));
    if (leaves !== undefined) agenda.at(leaves, () => step({ type: "workerLeft", worker }));
  });
  world.stages.forEach(({ tasks, submitted, cancelled, policy }, stage) => {
    agenda.at(submitted, () => step({ type: "stageSubmitted", stage, tasks, policy }));
    if (cancelled === undefined) return;
    agenda.at(Math.max(cancelled, submitted), () => {
      const isOpen = stages[stage]!.outcome === undefined;
      step({ type: "stageCancelled", stage });
      const its = stages[stage]!;
      if (isOpen && its.outcome === undefined) {
        agenda.at(now + 1_000, () =>
          promise(its.outcome !== undefined, `stage ${stage} is not over a second after its end`),
        );
      }
    });
  });
  let turns = 0;
  for (let next = agenda.next(); next; next = agenda.next()) {
    now = next.time;
    promise(++turns < 100_000, "the world does not come to an end");
    if (next.call) next.call();
    else step({ type: "tick" });
    if (stages.every(({ outcome }) => outcome !== undefined)) break;
  }
  for (const [i, { outcome }] of stages.entries()) promise(outcome !== undefined, `stage ${i} waits for ever`);
  return told;
}

interface Lease {
  readonly worker: number;
  readonly id: number;
  readonly stage: number;
  readonly task: number;
  readonly act: Act;
  isOver: boolean;
  isStopped: boolean;
}

/** What is to happen, by time; things of one time in the order in which they came. One tick at most is ahead. */
function timeline() {
  const calls: { time: number; call: () => void }[] = [];
  let tick: number | undefined;
  return {
    at(time: number, call: () => void) {
      let [low, high] = [0, calls.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (calls[middle]!.time > time) low = middle + 1;
        else high = middle;
      }
      // The next is the last, and of the same time the one that came first.
      calls.splice(low, 0, { time, call });
    },
    tickAt(time: number) {
      tick = tick === undefined ? time : Math.min(tick, time);
    },
    next(): { time: number; call: (() => void) | undefined } | undefined {
      const first = calls.at(-1);
      if (tick !== undefined && (!first || tick <= first.time)) {
        const time = tick;
        tick = undefined;
        return { time, call: undefined };
      }
      calls.pop();
      return first;
    },
  };
}

/** A world of chance: workers that die, leave, say that they will, come late, are slow or mute; tasks that fail, end their workers, or run for ever. */
export function randomWorld(seed: number): World {
  const random = generator(seed);
  const chance = (p: number) => random() < p;
  const upTo = (n: number) => Math.floor(random() * n);
  const count = 1 + upTo(6);
  const kinds = Array.from({ length: count }, () =>
    chance(0.1)
      ? "dead"
      : chance(0.1)
        ? "flaky"
        : chance(0.1)
          ? "mute"
          : chance(0.1)
            ? "stubborn"
            : chance(0.15)
              ? "slow"
              : "good",
  );
  const stages = Array.from({ length: 1 + upTo(3) }, () => {
    const limits = { maxFailures: 1 + upTo(4), maxLosses: 1 + upTo(4), workerLosses: 5 + upTo(4) };
    const times = { silence: 5_000, unschedulable: 10_000, backOff: 100 + upTo(400), longestBackOff: 5_000 };
    const speculation = { quantile: 0.5 + random() / 2, multiplier: 1 + random() * 2, minRuntime: 50, interval: 100 };
    const policy = { ...DEFAULT_POLICY, ...limits, ...times, speculation: chance(0.5) ? speculation : undefined };
    const submitted = upTo(500);
    return { tasks: upTo(20), submitted, cancelled: chance(0.1) ? submitted + upTo(3_000) : undefined, policy };
  });
  const hasMachines = chance(0.5);
  const killers = new Set(chance(0.1) ? [`${upTo(3)} ${upTo(20)}`] : []);
  const [failing, fatal] = [chance(0.5) ? 0.1 : chance(0.1) ? 0.7 : 0, chance(0.05) ? 0.02 : 0];
  return {
    workers: kinds.map((kind, i) => ({
      machine: hasMachines ? `machine ${i >> 1}` : undefined,
      joins: chance(0.7) ? 0 : upTo(3_000),
      leaves: chance(0.1) ? 3_000 + upTo(5_000) : undefined,
      drains: chance(0.1) ? 3_000 + upTo(3_000) : undefined,
      // Those that never come to an end are found out by their silence.
      beats: kind === "mute" || chance(0.7),
    })),
    stages,
    act({ worker, stage, task }) {
      const kind = kinds[worker]!;
      const base = 5 + upTo(50);
      const after = kind === "slow" ? base * 40 : base;
      const stopsAfter = kind === "stubborn" ? (chance(0.5) ? Number.POSITIVE_INFINITY : upTo(20_000)) : upTo(600);
      if (kind === "dead" || killers.has(`${stage} ${task}`)) return { after: 1 + upTo(5), what: "lost", stopsAfter };
      if (kind === "flaky" && chance(0.4)) return { after, what: "lost", stopsAfter };
      if (kind === "mute" && chance(0.5)) {
        return chance(0.5)
          ? { after: 0, what: "never", isSilent: true, stopsAfter: Number.POSITIVE_INFINITY }
          : { after: 20_000, what: "done", isSilent: true, stopsAfter };
      }
      if (chance(fatal)) return { after, what: "fatal", stopsAfter };
      if (chance(failing)) return { after, what: "failed", stopsAfter };
      return { after, what: "done", stopsAfter };
    },
    commit: () => ({ after: upTo(5), ok: !chance(0.01) }),
  };
}

/** Numbers from 0 to before 1 (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
