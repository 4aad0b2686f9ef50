import { describe, expect, it } from "vitest";
import { schedulerMachine } from "../../src/engine/scheduler/machine";
import type { Decision, SchedulerEvent } from "../../src/engine/scheduler/moves";
import { DEFAULT_POLICY, type SchedulerPolicy } from "../../src/engine/scheduler/policy";
import { randomWorld, simulate, type World } from "./scheduler-world";

const SEEDS = 10_000;

describe("the scheduler, in 10,000 random worlds", () => {
  it("does every task once or ends with a named failure, in time and within its limits", () => {
    const seen = {
      succeeded: 0,
      task: 0,
      losses: 0,
      noWorkers: 0,
      cancelled: 0,
      speculative: 0,
      superseded: 0,
      lost: 0,
    };
    for (let seed = 1; seed <= SEEDS; seed++) {
      const world = randomWorld(seed);
      let told: ReturnType<typeof simulate>;
      try {
        told = simulate(world);
      } catch (error) {
        throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
      }
      for (const stage of told.stages) {
        if (stage.failure?.why === "task" && stage.failure.losses >= stage.policy.maxLosses) seen.losses++;
        else if (stage.failure) seen[stage.failure.why]++;
        else if (stage.outcome === "succeeded" || stage.outcome === "cancelled") seen[stage.outcome]++;
      }
      seen.speculative += told.speculative;
      seen.superseded += told.superseded;
      seen.lost += told.lost;
    }
    // The worlds hold some of everything.
    for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(100);
  });
});

const policy = (changes: Partial<SchedulerPolicy> = {}): SchedulerPolicy => ({ ...DEFAULT_POLICY, ...changes });

/** A world without chance: what each worker does with a task, and for how long. */
function world(changes: Partial<World>): World {
  return {
    workers: [],
    stages: [],
    act: () => ({ after: 10, what: "done" }),
    commit: () => ({ after: 0, ok: true }),
    ...changes,
  };
}

const worker = (joins = 0, leaves: number | undefined = undefined, beats = true) => ({ joins, leaves, beats });
const stage = (tasks: number, its: Partial<SchedulerPolicy> = {}, submitted = 0) => ({
  tasks,
  submitted,
  cancelled: undefined,
  policy: policy(its),
});

describe("a lost worker", () => {
  it("that is dead does not fail the job: one healthy and one dead worker, 20 tasks, 4 attempts", () => {
    const told = simulate(
      world({
        workers: [worker(), worker()],
        stages: [stage(20)],
        act: ({ worker: id }) => (id === 1 ? { after: 1, what: "lost" } : { after: 100, what: "done" }),
      }),
    );
    expect(told.stages[0]).toMatchObject({ outcome: "succeeded", done: 20 });
    expect(told.lost).toBeLessThanOrEqual(8);
    expect(Math.max(...told.stages[0]!.losses)).toBeLessThan(4);
  });

  it("nor with nine dead ones, and with work that takes long", () => {
    const told = simulate(
      world({
        workers: Array.from({ length: 10 }, () => worker()),
        stages: [stage(50)],
        act: ({ worker: id }) => (id > 0 ? { after: 1, what: "lost" } : { after: 60_000, what: "done" }),
      }),
    );
    expect(told.stages[0]).toMatchObject({ outcome: "succeeded", done: 50 });
  });

  it("is left alone for longer each time, then lost for good; nobody left is an error with a name", () => {
    const told = simulate(
      world({
        workers: [worker()],
        stages: [stage(30)],
        act: () => ({ after: 1, what: "lost" }),
      }),
    );
    expect(told.pauses).toEqual([200, 400, 800, 1_600, 3_200, 6_400, 12_800, undefined]);
    expect(told.stages[0]).toMatchObject({ outcome: "failed", failure: { why: "noWorkers" } });
  });

  it("is not the task's failure: both are counted apart", () => {
    let turn = 0;
    const told = simulate(
      world({
        workers: [worker(), worker()],
        stages: [stage(1, { maxFailures: 3, maxLosses: 3 })],
        act: () => {
          turn++;
          return { after: 1, what: turn > 4 ? "done" : turn % 2 === 0 ? "failed" : "lost" };
        },
      }),
    );
    expect(told.stages[0]).toMatchObject({ outcome: "succeeded", attempts: [5] });
  });

  it("and a task that ends one after the other fails with that said, and the workers are forgiven", () => {
    const told = simulate(
      world({
        workers: [worker(), worker(), worker()],
        stages: [stage(9), stage(5, {}, 60_000)],
        act: ({ stage: id, task }) => ({ after: 5, what: id === 0 && task === 4 ? "lost" : "done" }),
      }),
    );
    expect(told.stages[0]).toMatchObject({ outcome: "failed", failure: { why: "task", task: 4, losses: 4 } });
    expect(told.stages[1]).toMatchObject({ outcome: "succeeded" });
    expect(told.stages[0]!.attempts[4]).toBe(4);
  });

  it("says nothing: its task goes elsewhere after the time that is set, and what it says later means nothing", () => {
    const told = simulate(
      world({
        workers: [worker(), worker()],
        stages: [stage(2, { silence: 5_000 })],
        act: ({ worker: id }) =>
          id === 0 ? { after: 20_000, what: "done", isSilent: true } : { after: 10, what: "done" },
      }),
    );
    expect(told.stages[0]).toMatchObject({ outcome: "succeeded", done: 2, endedAt: 5_010 });
  });

  it("may be silent where its end would be told", () => {
    const told = simulate(
      world({
        workers: [worker(0, undefined, false)],
        stages: [stage(1, { silence: 5_000 })],
        act: () => ({ after: 60_000, what: "done", isSilent: true }),
      }),
    );
    expect(told.stages[0]).toMatchObject({ outcome: "succeeded", endedAt: 60_000, attempts: [1] });
  });
});

describe("workers", () => {
  it("that join in the middle get work, and those that leave give it back", () => {
    const told = simulate(
      world({
        workers: [worker(0, 150), worker(100)],
        stages: [stage(4)],
        act: () => ({ after: 100, what: "done" }),
      }),
    );
    // One task by the first, whose second is done anew by the other.
    expect(told.stages[0]).toMatchObject({ outcome: "succeeded", endedAt: 400, failures: [0, 0, 0, 0] });
  });

  it("may come late, up to a limit", () => {
    const late = (joins: number) =>
      simulate(world({ workers: [worker(joins)], stages: [stage(1, { unschedulable: 1_000 })] })).stages[0];
    expect(late(900)).toMatchObject({ outcome: "succeeded", waits: [0] });
    expect(late(1_100)).toMatchObject({ outcome: "failed", failure: { why: "noWorkers" }, endedAt: 1_000 });
  });

  it("may all be gone for a while, whenever that is", () => {
    const gone = (again: number) =>
      simulate(
        world({
          workers: [worker(0, 5_000), worker(again)],
          stages: [stage(1, { unschedulable: 1_000 })],
          act: ({ attempt }) => ({ after: attempt === 0 ? 9_000 : 10, what: "done" }),
        }),
      ).stages[0];
    expect(gone(5_900)).toMatchObject({ outcome: "succeeded", endedAt: 5_910, waits: [5_000] });
    const failed = { outcome: "failed", failure: { why: "noWorkers" }, endedAt: 6_000, waits: [5_000] };
    expect(gone(6_100)).toMatchObject(failed);
  });

  it("are shared evenly by stages that run at once, also where there is one", () => {
    for (const count of [1, 4]) {
      const told = simulate(
        world({
          workers: Array.from({ length: count }, () => worker()),
          stages: [stage(100), stage(100), stage(4)],
        }),
      );
      const [a, b, short] = told.stages.map((s) => s.endedAt);
      expect(Math.abs(a! - b!)).toBeLessThanOrEqual(20);
      expect(short).toBeLessThanOrEqual(120 / count + 20);
    }
  });

  it("get a task that failed on another one", () => {
    const told = simulate(
      world({
        workers: [worker(), worker()],
        stages: [stage(6)],
        act: ({ worker: id }) => ({ after: 10, what: id === 0 ? "failed" : "done" }),
      }),
    );
    expect(told.stages[0]).toMatchObject({ outcome: "succeeded" });
    expect(Math.max(...told.stages[0]!.failures)).toBe(1);
  });
});

describe("a straggler", () => {
  const speculation = { quantile: 0.75, multiplier: 1.5, minRuntime: 100, interval: 100 };
  const slow = (its: Partial<SchedulerPolicy>) =>
    simulate(
      world({
        workers: [worker(), worker()],
        stages: [stage(8, its)],
        act: ({ worker: id, task }) => ({ after: id === 0 && task === 0 ? 100_000 : 1_000, what: "done" }),
      }),
    );

  it("gets a second attempt on another worker when most tasks are done; one is committed, the other stopped", () => {
    const told = slow({ speculation });
    expect(told).toMatchObject({ speculative: 1, superseded: 1 });
    expect(told.stages[0]).toMatchObject({ outcome: "succeeded", done: 8, attempts: [2, 1, 1, 1, 1, 1, 1, 1] });
    expect(told.stages[0]!.endedAt).toBeLessThan(8_200);
  });

  it("runs on where nobody asked for that", () => {
    const told = slow({});
    expect(told).toMatchObject({ speculative: 0 });
    expect(told.stages[0]).toMatchObject({ outcome: "succeeded", endedAt: 100_000 });
  });

  it("is none where it is the only task, or has not run for long", () => {
    const only = simulate(
      world({
        workers: [worker(), worker()],
        stages: [stage(1, { speculation })],
        act: () => ({ after: 100_000, what: "done" }),
      }),
    );
    expect(only.speculative).toBe(0);
    const short = simulate(
      world({
        workers: [worker(), worker()],
        stages: [stage(8, { speculation })],
        act: ({ task }) => ({ after: task === 0 ? 90 : 10, what: "done" }),
      }),
    );
    expect(short.speculative).toBe(0);
  });
});

describe("a stage that is cancelled", () => {
  it("ends within a second though a worker does not stop, which gets no task until it has", () => {
    const told = simulate(
      world({
        workers: [worker(0, undefined, false)],
        stages: [{ ...stage(3), cancelled: 50 }, stage(1, {}, 2_000)],
        act: ({ stage: id }) => ({ after: id === 0 ? 30_000 : 10, what: "done", stopsAfter: 29_000 }),
      }),
    );
    expect(told.stages[0]).toMatchObject({ outcome: "cancelled", endedAt: 950 });
    expect(told.stages[1]).toMatchObject({ outcome: "succeeded", endedAt: 29_060 });
  });
});

describe("the machine", () => {
  it("decides the same for the same events, and takes what is told too late for nothing", () => {
    const events: [SchedulerEvent, number][] = [
      [{ type: "workerJoined", worker: 7, beats: true }, 0],
      [{ type: "stageSubmitted", stage: 1, tasks: 2, policy: policy() }, 1],
      [{ type: "attemptDone", worker: 7, lease: 1 }, 5],
      [{ type: "attemptDone", worker: 7, lease: 1 }, 6],
      [{ type: "committed", worker: 7, lease: 1 }, 7],
      [{ type: "committed", worker: 7, lease: 1 }, 8],
      [{ type: "attemptFailed", worker: 7, lease: 1, retryable: false, cause: "late" }, 9],
      [{ type: "workerLost", worker: 7, lease: 2, cause: "gone" }, 10],
      [{ type: "attemptDone", worker: 7, lease: 2 }, 11],
      [{ type: "tick" }, 209],
      [{ type: "tick" }, 210],
    ];
    const run = () => {
      const machine = schedulerMachine();
      return events.map(([event, time]) => machine.step(event, time));
    };
    const start = (lease: number, task: number, attempt = 0): Decision => {
      return { type: "start", worker: 7, lease, stage: 1, task, attempt, isSpeculative: false };
    };
    expect(run()).toEqual([
      [],
      [start(1, 0)],
      [{ type: "commit", worker: 7, lease: 1 }],
      [],
      [start(2, 1)],
      [],
      [],
      [
        { type: "quarantine", worker: 7, pause: 200, cause: "gone" },
        { type: "retry", worker: 7, lease: 2, stage: 1, task: 1, cause: "gone" },
      ],
      [],
      [],
      [start(3, 1, 1)],
    ]);
    expect(run()).toEqual(run());
  });
});
