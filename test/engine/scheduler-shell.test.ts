import { describe, expect, it } from "vitest";
import type { EngineEvent } from "../../src/engine/events";
import { AttemptFailedError, TaskFailedError, WorkerLostError } from "../../src/engine/scheduler/errors";
import { DEFAULT_POLICY } from "../../src/engine/scheduler/policy";
import { type StageRun, scheduler } from "../../src/engine/scheduler/scheduler";
import type { TaskWorker } from "../../src/engine/workers";
import type { Task, TaskResult } from "../../src/worker/task";

const RESULT = { rows: 1, bytes: 1, failedRows: 0 } as unknown as TaskResult;
const broken = (retryable: boolean) => new AttemptFailedError({ name: "Error", message: "no", stack: "", retryable });

/** A scheduler over these workers, and what it told. */
function over(workers: readonly Pick<TaskWorker, "name" | "run">[]) {
  const events: EngineEvent[] = [];
  const pool = {
    watch(watcher: { joined(worker: TaskWorker): void; left(worker: TaskWorker): void }) {
      for (const worker of workers) watcher.joined({ beats: false, ...worker } as TaskWorker);
    },
  };
  const policy = () => ({ ...DEFAULT_POLICY, backOff: 5, stopGrace: 20, patience: 20 });
  const { runStage, quiet } = scheduler({ pool: pool as never, policy, emit: (event) => events.push(event) });
  const committed: number[] = [];
  const run = (tasks: number, more: Partial<StageRun> = {}) =>
    runStage({
      jobId: "j",
      stageId: 0,
      name: "test",
      partitions: Array.from({ length: tasks }, (_, i) => i),
      resumedTasks: 0,
      rows: tasks,
      taskFor: (partition, attempt) => ({ partition, attempt, stageId: 0 }) as unknown as Task,
      onTaskDone: async ({ partition }) => void committed.push(partition),
      signal: new AbortController().signal,
      ...more,
    });
  return { run, quiet, committed, events };
}

describe("the scheduler around its machine", () => {
  it("does with a dead worker beside a healthy one all that is to do, each task once", async () => {
    const healthy = { name: "well", run: async () => RESULT };
    const dead = { name: "ill", run: () => Promise.reject(new WorkerLostError("ill", "it is gone", "thread")) };
    const { run, committed, events } = over([dead, healthy]);
    await run(20);
    expect([...committed].sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(events.some((e) => e.type === "workerLost" && e.worker === "ill")).toBe(true);
    const ended = events.filter((e) => e.type === "taskEnded" && e.status === "succeeded");
    expect(ended).toHaveLength(20);
  });

  it("does not end a job's quiet while an attempt still runs that its stage did not wait for", async () => {
    let letGo = () => {};
    const stubborn = new Promise<TaskResult>((resolve) => {
      letGo = () => resolve(RESULT);
    });
    const never = { name: "deaf", run: () => stubborn };
    const fails = { name: "fails", run: () => Promise.reject(broken(false)) };
    const { run, quiet, committed } = over([never, fails]);
    await expect(run(2)).rejects.toThrow(TaskFailedError);
    let isQuiet = false;
    const waiting = quiet("j").then(() => {
      isQuiet = true;
    });
    await quiet("another job");
    expect(isQuiet).toBe(false);
    letGo();
    await waiting;
    expect([isQuiet, committed]).toEqual([true, []]);
  });

  it("tells at once that there is no worker, for which stage and how long that waits", async () => {
    const { run, events } = over([]);
    const abort = new AbortController();
    const running = run(1, { signal: abort.signal });
    expect(events.flatMap((event) => (event.type === "message" ? [event.level, event.text] : []))).toEqual([
      "warn",
      "There is no worker: stage 0 (test) waits up to 120 s for one to join.",
    ]);
    abort.abort();
    await expect(running).rejects.toThrow("Cancelled");
  });

  it("tries what fails on another worker, and cancels what runs", async () => {
    const tried: string[] = [];
    const worker = (name: string) => ({
      name,
      run: async ({ partition, attempt }: Task) => {
        tried.push(`${partition}.${attempt} ${name}`);
        if (partition === 0 && attempt === 0) throw broken(true);
        return RESULT;
      },
    });
    const { run, committed } = over([worker("a"), worker("b")]);
    await run(2);
    expect([...committed].sort()).toEqual([0, 1]);
    const [first, second] = tried.filter((text) => text.startsWith("0."));
    expect([first, second].map((text) => text!.slice(-1)).sort()).toEqual(["a", "b"]);

    const abort = new AbortController();
    const hangs = {
      name: "h",
      run: (_: Task, signal: AbortSignal) =>
        new Promise<TaskResult>((_, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
          abort.abort(new Error("enough"));
        }),
    };
    const stopped = over([hangs]);
    await expect(stopped.run(3, { signal: abort.signal })).rejects.toThrow();
    expect(stopped.events.at(-1)).toMatchObject({ type: "stageEnded", status: "cancelled" });
  });
});
