import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { fractionDone, type JobProgress, tasksText, trackProgress } from "../../src/progress/state";
import { jobTeller } from "./job-events";

beforeEach(() => vi.useFakeTimers({ toFake: ["Date"], now: 1_000_000 }));
afterEach(() => vi.useRealTimers());

function follow(teller: ReturnType<typeof jobTeller>) {
  const tracker = trackProgress();
  let job: JobProgress | undefined;
  teller.subscribe((event) => {
    job = tracker.apply(event) ?? job;
  });
  const now = () => {
    if (!job) throw new Error("no job");
    tracker.refresh(job, Date.now());
    return { job, stage: job.stages[0]! };
  };
  return { now, tracker };
}

const pass = (ms: number) => vi.setSystemTime(Date.now() + ms);

describe("a job's progress", () => {
  test("counts rows and tasks, and tells rate and time left", () => {
    const teller = jobTeller();
    const { now } = follow(teller);
    teller.job("featurize");
    teller.stage("image.features", 4, 400);
    for (let second = 1; second <= 10; second++) {
      if (second === 1) teller.start(0);
      pass(1000);
      teller.progress(0, second * 10);
    }
    teller.end(0, 100);
    teller.start(1);
    const { stage, job } = now();
    expect(job.seconds).toBe(10);
    expect(stage).toMatchObject({ doneTasks: 1, runningTasks: 1, doneRows: 100, rowsPerSecond: 10, secondsLeft: 30 });
    expect(fractionDone(stage)).toBe(0.25);
    expect(tasksText(stage)).toBe("1/4 tasks, 1 running");
  });

  test("takes back what a failed attempt had read", () => {
    const teller = jobTeller();
    const { now } = follow(teller);
    teller.job("featurize");
    teller.stage("image.features", 2, 200);
    teller.start(0);
    teller.start(1);
    pass(1000);
    teller.progress(0, 50);
    teller.progress(1, 70);
    teller.retry(0);
    expect(now().stage).toMatchObject({ doneRows: 70, retries: 1, runningTasks: 1 });
    teller.start(0, 1);
    pass(1000);
    teller.progress(0, 30);
    expect(now().stage.doneRows).toBe(100);
    expect(tasksText(now().stage)).toBe("0/2 tasks, 2 running, 1 retried");
  });

  test("counts tasks of an earlier run, but not into the rate", () => {
    const teller = jobTeller();
    const { now } = follow(teller);
    teller.job("featurize");
    teller.stage("image.features", 4, 400, 3);
    expect(fractionDone(now().stage)).toBe(0.75);
    teller.start(3);
    pass(2000);
    teller.progress(3, 50);
    expect(now().stage).toMatchObject({ doneRows: 350, rowsPerSecond: 25, secondsLeft: 2 });
    expect(tasksText(now().stage)).toBe("3/4 tasks, 1 running, 3 from an earlier run");
  });

  test("goes by tasks where the rows are not known", () => {
    const teller = jobTeller();
    const { now } = follow(teller);
    teller.job("scan");
    teller.stage("scan", 4, 0);
    teller.start(0);
    pass(100);
    teller.end(0, 5);
    expect(fractionDone(now().stage)).toBe(0.25);
    expect(now().stage.secondsLeft).toBeUndefined();
  });

  test("follows a rate that changes, and stays sensible between lumps", () => {
    const teller = jobTeller();
    const { now } = follow(teller);
    teller.job("featurize");
    teller.stage("image.features", 1, 100_000);
    teller.start(0);
    // A slow start of 10 rows a second, then 1,000.
    for (let second = 1; second <= 60; second++) {
      pass(1000);
      teller.progress(0, second <= 20 ? second * 10 : 200 + (second - 20) * 1000);
    }
    expect(now().stage.rowsPerSecond).toBeCloseTo(1000, 0);
    pass(900);
    expect(now().stage.rowsPerSecond).toBeCloseTo(1000, -2);
    pass(60_000);
    expect(now().stage.rowsPerSecond).toBeLessThan(300);
  });

  test("ends with totals, and forgets the job", () => {
    const teller = jobTeller();
    const { now, tracker } = follow(teller);
    teller.job("featurize");
    teller.stage("image.features", 1, 100);
    teller.start(0);
    expect(tracker.running).toHaveLength(1);
    pass(4000);
    teller.end(0, 100);
    teller.endStage("succeeded", 100);
    teller.endJob("succeeded");
    expect(now().job).toMatchObject({ status: "succeeded", seconds: 4 });
    expect(now().stage).toMatchObject({ status: "succeeded", doneRows: 100, rowsPerSecond: 25, seconds: 4 });
    expect(tracker.running).toHaveLength(0);
  });
});

describe("an engine that only counts a stage's tasks", () => {
  test("shows what it tells, in tasks and in rows", () => {
    const tracker = trackProgress();
    const at = (time: number) => ({ time, jobId: "j" });
    tracker.apply({ type: "jobStarted", ...at(0), description: "count" });
    tracker.apply({ type: "stageStarted", ...at(0), stageId: 7, name: "scan", tasks: 0, resumedTasks: 0, rows: 0 });
    const counts = { stageId: 7, tasks: 20, runningTasks: 4 };
    const job = tracker.apply({ type: "stageProgress", ...at(1000), ...counts, doneTasks: 5, doneRows: 500 });
    tracker.refresh(job!, 2000);
    const [stage] = job!.stages;
    expect([stage!.doneTasks, stage!.runningTasks, stage!.doneRows, fractionDone(stage!)]).toEqual([5, 4, 500, 0.25]);
    expect(tasksText(stage!)).toBe("5/20 tasks, 4 running");
    expect(stage!.rowsPerSecond).toBeGreaterThan(0);
  });
});
