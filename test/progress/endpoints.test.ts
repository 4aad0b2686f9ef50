import { expect, test } from "vitest";
import type { WorkerMachine } from "../../src/engine/contract";
import type { EngineEvent } from "../../src/engine/events";
import { endpointsText } from "../../src/progress/endpoints";
import { trackProgress } from "../../src/progress/state";

const machine = (endpoint: string, state: WorkerMachine["state"] = "ready"): WorkerMachine => {
  return { endpoint, state, slots: 2, memory: undefined, version: undefined, problem: undefined };
};

/** A job's line after these events, on these machines. */
function followed(machines: readonly WorkerMachine[], events: readonly (readonly [string, string])[]) {
  const tracker = trackProgress({ subscribe: () => () => {}, info: () => ({ machines }) });
  const about = { time: 0, jobId: "j", stageId: 0, partition: 0, attempt: 0 };
  const apply = (event: EngineEvent) => tracker.apply(event);
  const job = apply({ type: "jobStarted", time: 0, jobId: "j", description: "write" });
  for (const [what, worker] of events) {
    if (what === "start") apply({ type: "taskStarted", ...about, worker });
    if (what === "lose") apply({ type: "workerLost", time: 0, worker, error: "its kernel ended" });
    const status = what === "done" ? "succeeded" : "failed";
    if (what === "done" || what === "fail")
      apply({ type: "taskEnded", ...about, worker, status, rows: 1, bytes: 1, seconds: 1 });
  }
  tracker.refresh(job!, 1_000);
  const running = endpointsText(job!.endpoints, true);
  apply({ type: "jobEnded", time: 0, jobId: "j", status: "succeeded", seconds: 1 });
  return [running, endpointsText(job!.endpoints, false)];
}

test("tells where a job's tasks run, and what was lost", () => {
  const machines = [machine("a:1"), machine("b:2"), machine("c:3", "lost"), machine("d:4")];
  const events = [
    ["start", "a:1/1"],
    ["start", "a:1/2"],
    ["start", "b:2/1"],
    ["start", "c:3/1"],
    ["lose", "c:3/1"],
    ["fail", "c:3/1"],
    ["done", "a:1/1"],
    ["start", "d:4/1"],
    ["lose", "d:4/1"],
    ["fail", "d:4/1"],
    // It was removed from the session since.
    ["start", "e:5/1"],
    ["done", "e:5/1"],
  ] as const;
  expect(followed(machines, events)).toEqual([
    "5 endpoints, 2 of 6 slots busy: a:1 1/2; b:2 1/2; c:3 lost; d:4 0/2, was lost; e:5 gone",
    "5 endpoints: a:1 1 task; b:2 0 tasks; c:3 0 tasks, lost; d:4 0 tasks, was lost; e:5 1 task, gone",
  ]);
});

test("counts the slots that take tasks, and calls what has left after its tasks by another name than what was lost", () => {
  const draining = [machine("a:1", "draining"), machine("b:2")];
  const events = [
    ["start", "a:1/1"],
    ["start", "b:2/1"],
  ] as const;
  expect(followed(draining, events)[0]).toBe("2 endpoints, 1 of 2 slots busy: a:1 draining, 1 running; b:2 1/2");
  const left = [machine("a:1", "left"), machine("b:2")];
  const done = [...events, ["done", "a:1/1"], ["done", "b:2/1"]] as const;
  expect(followed(left, done)[1]).toBe("2 endpoints: a:1 1 task, left; b:2 1 task");
});

test("names a few of many, those first with which something is wrong", () => {
  const machines = Array.from({ length: 40 }, (_, i) => machine(`m${i}:1`, i === 33 ? "refused" : "ready"));
  const [running] = followed(machines, [["start", "m0:1/1"]]);
  expect(running).toBe(
    "40 endpoints, 1 of 78 slots busy: m33:1 refused; m0:1 1/2; m1:1 0/2; m2:1 0/2; m3:1 0/2; m4:1 0/2; 34 more",
  );
});

test("says nothing of this machine's threads, nor of a job without tasks", () => {
  expect(followed([machine("local")], [["start", "worker-1"]])).toEqual([undefined, undefined]);
  expect(followed([machine("a:1")], [])).toEqual([undefined, undefined]);
});
