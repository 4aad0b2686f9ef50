import { hostname } from "node:os";
import { expect, it } from "vitest";
import type { EngineEvent } from "../../src/engine/events";
import { reportBody } from "../../src/record/report-body";
import { findingsOf } from "../../src/record/report-findings";
import { reportPage } from "../../src/record/report-page";
import { runReport, spreadOf } from "../../src/record/run-report";
import { runTally } from "../../src/record/run-tally";
import { reportText } from "../../src/record/session-report";
import { MOST_BARS } from "../../src/record/timeline";
import { aboutRun, linesOfRun, simulatedRun } from "./simulated-run";

function reportOf(events: readonly EngineEvent[], about = aboutRun()) {
  const tally = runTally();
  for (const line of linesOfRun(events, about)) tally.add(line);
  return runReport(tally.facts());
}

const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);
const ended = (events: readonly EngineEvent[]) => events.filter((event) => event.type === "taskEnded");

it.each([1, 2, 3])("has the sums of its events (seed %i)", (seed) => {
  const events = simulatedRun({ seed, jobs: 3, tasks: 60, workers: 4 });
  const report = reportOf(events);
  const done = ended(events).filter(({ status }) => status === "succeeded");
  const count = (type: EngineEvent["type"]) => events.filter((event) => event.type === type).length;
  const tookSeconds = sum(ended(events).map(({ seconds }) => seconds));

  expect(report.totals).toMatchObject({
    jobs: 3,
    failedJobs: 0,
    tasks: done.length,
    rows: sum(done.map(({ rows }) => rows)),
    bytes: sum(done.map(({ bytes }) => bytes)),
    retries: count("taskRetried"),
    losses: count("workerLost"),
  });
  expect(report.totals.taskSeconds).toBeCloseTo(tookSeconds, 6);
  expect(count("workerLost")).toBeGreaterThan(0);

  // What is spread over time is all there is.
  const { rates, clock } = report;
  expect(sum(rates.rows)).toBeCloseTo(report.totals.rows, 6);
  expect(sum(rates.bytes)).toBeCloseTo(report.totals.bytes, 3);
  expect(sum(rates.taskSeconds)).toBeCloseTo(tookSeconds, 6);
  expect(rates.rows.length * rates.binSeconds).toBeCloseTo(clock.seconds, 6);

  // Jobs, one after another, with a minute between them.
  const jobs = events.filter((event) => event.type === "jobEnded");
  expect(clock.seconds).toBeCloseTo(sum(jobs.map(({ seconds }) => seconds)), 6);
  expect(clock.idleSeconds).toBeCloseTo(120, 6);
  expect(clock.pauses.map(({ idle }) => idle)).toEqual([60, 60]);

  for (const { stage, done: tasks, seconds, taskRows, skew } of report.stages) {
    const own = done.filter(
      ({ jobId, stageId }) => jobId === report.facts.jobs[stage.job - 1]?.jobId && stageId === stage.stageId,
    );
    const took = own.map((event) => event.seconds).sort((a, b) => a - b);
    expect(tasks).toBe(own.length);
    expect(stage).toMatchObject({ tasksDone: own.length + 2, rows: sum(own.map(({ rows }) => rows)) });
    expect(seconds).toMatchObject({ least: took[0], most: took.at(-1) });
    const middle = took.length / 2;
    expect(seconds?.median).toBeCloseTo(((took[middle - 1] as number) + (took[middle] as number)) / 2, 9);
    expect(skew).toBeCloseTo((took.at(-1) as number) / (seconds?.median as number), 9);
    expect(taskRows?.most).toBe(Math.max(...own.map(({ rows }) => rows)));
  }

  for (const { worker, done: tasks, busySeconds, losses, rows, failed } of report.workers) {
    const own = ended(events).filter((event) => event.worker === worker);
    expect(tasks).toBe(own.filter(({ status }) => status === "succeeded").length);
    expect(failed).toBe(own.filter(({ status }) => status === "failed").length);
    expect(rows).toBe(sum(own.map((event) => event.rows)));
    expect(busySeconds).toBeCloseTo(sum(own.map(({ seconds }) => seconds)), 6);
    expect(losses).toBe(events.filter((event) => event.type === "workerLost" && event.worker === worker).length);
  }

  const lost = report.facts.attempts.filter(({ status }) => status === "lost");
  expect(lost.length).toBe(count("workerLost"));
  expect(sum(report.stages.map(({ losses }) => losses))).toBe(lost.length);
  const longest = done.map(({ seconds }) => seconds).sort((a, b) => b - a);
  expect(report.slowest.map(({ start, end }) => ((end ?? 0) - start) / 1000)).toEqual(longest.slice(0, 20));
  // Each attempt has its bar, at its time.
  expect(report.timeline).toMatchObject({ together: 0, attempts: ended(events).length, workersLeftOut: 0 });
  expect(sum(report.timeline.bars.map((bar) => bar.seconds))).toBeCloseTo(tookSeconds, 6);
});

it("draws 100,000 tasks in a bounded number of marks, and says so", () => {
  const events = simulatedRun({ seed: 7, jobs: 1, tasks: 50_000, workers: 100 });
  const report = reportOf(events);
  expect(report.totals.tasks).toBe(100_000);
  expect(report.timeline.bars.length).toBeLessThanOrEqual(MOST_BARS);
  expect(report.timeline.workers.length).toBe(64);
  // A bar for several attempts is as long as these, those that failed above all.
  const failed = report.timeline.bars.filter(({ status }) => status === "failed" || status === "lost");
  const seconds = sum(failed.map((bar) => bar.seconds));
  const took = ended(events).filter(({ status }) => status === "failed");
  expect(failed.length).toBeGreaterThan(100);
  expect(seconds).toBeLessThanOrEqual(sum(took.map((event) => event.seconds)));
  for (const bar of report.timeline.bars) expect(bar.seconds).toBeLessThanOrEqual(bar.to - bar.from + 1e-9);
  const shown = new Set(report.timeline.workers);
  expect(report.timeline.losses.length).toBe(500);
  expect(report.timeline.losses.every(({ worker }) => shown.has(worker))).toBe(true);
  const { html, charts } = reportBody(report);
  expect(html).toMatch(/attempts in [\d,]+ bars: those of one stage that are shorter than/);
  expect(html).toContain("36 workers with the fewest tasks left out");
  const losses = report.totals.losses.toLocaleString("en-US");
  const missing = (report.totals.losses - 500).toLocaleString("en-US");
  expect(html).toContain(`${missing} of ${losses} crosses for lost workers not drawn`);
  expect(html).toMatch(/attempts? more, left out here/);
  expect(html.length + JSON.stringify(charts).length).toBeLessThan(2_000_000);
});

it("says what stands out", () => {
  const at = (time: number) => ({ time, jobId: "a", stageId: 0 });
  const task = (partition: number, from: number, to: number): EngineEvent[] => [
    { type: "taskStarted", ...at(from), partition, attempt: 0, worker: "worker-1" },
    {
      type: "taskEnded",
      ...at(to),
      partition,
      attempt: 0,
      worker: "worker-1",
      status: "succeeded",
      rows: 1,
      bytes: 1,
      seconds: (to - from) / 1000,
    },
  ];
  const weights = "mobileNetV2 runs on wasm with weights from random (seed 1).";
  const events: EngineEvent[] = [
    { type: "jobStarted", time: 0, jobId: "a", description: "collect" },
    { type: "stageStarted", ...at(0), name: "features", tasks: 3, resumedTasks: 0, rows: 3 },
    { type: "message", time: 0, level: "info", text: weights },
    ...task(0, 0, 1_000),
    ...task(1, 1_000, 2_000),
    ...task(2, 2_000, 12_000),
    { type: "storageRetried", time: 3, url: "s3://b/k", operation: "GetObject", why: "SlowDown, 503", delay: 5 },
    { type: "stageEnded", ...at(12_000), status: "failed", rows: 3, seconds: 12 },
    { type: "jobEnded", time: 12_000, jobId: "a", status: "failed", seconds: 12, error: "no <such> fruit\nremedy" },
  ];
  const report = reportOf(events);
  expect(findingsOf(report).map(({ text }) => text)).toEqual([
    "Job 1, collect, failed: no <such> fruit",
    "Storage: 1 request tried again (GetObject: SlowDown, 503).",
    "job 1, features: the longest task took 10 s, 10.0 times the median. More, smaller tasks (repartition) even that out.",
    "Workers had no task 75 % of the time in which stages ran: more tasks, or fewer workers.",
    "Random weights were used: a dry run.",
  ]);
  expect(report.facts.weights).toEqual(["mobileNetV2: random (seed 1) (wasm)"]);
});

it("says that none was left of a run that lost all its workers, and no more than what became of their tasks", () => {
  const at = (time: number) => ({ time, jobId: "a", stageId: 0 });
  const error = "There is no worker for stage 0 (features), and none joined for 12 s.";
  const workers = ["worker-1", "worker-2"];
  const lost = workers.flatMap((worker, partition): EngineEvent[] => [
    { type: "taskEnded", ...at(3_000), partition, attempt: 0, worker, status: "failed", rows: 0, bytes: 0, seconds: 3 },
    { type: "workerLost", time: 3_000, worker, error: `${worker} was lost: it is gone.` },
    { type: "taskRetried", ...at(3_000), partition, attempt: 0, worker, error: "lost" },
    { type: "workerLeft", time: 3_000, worker },
  ]);
  const events: EngineEvent[] = [
    { type: "jobStarted", time: 0, jobId: "a", description: "collect" },
    { type: "stageStarted", ...at(0), name: "features", tasks: 2, resumedTasks: 0, rows: 2 },
    ...workers.map((worker): EngineEvent => ({ type: "workerJoined", time: 0, worker })),
    ...workers.map(
      (worker, partition): EngineEvent => ({ type: "taskStarted", ...at(0), partition, attempt: 0, worker }),
    ),
    ...lost,
  ];
  const ends: EngineEvent[] = [
    { type: "stageEnded", ...at(15_000), status: "failed", rows: 0, seconds: 15 },
    { type: "jobEnded", time: 15_000, jobId: "a", status: "failed", seconds: 15, error },
  ];
  const report = reportOf([...events, ...ends], aboutRun({ parallelism: 2 }));
  expect(findingsOf(report).map(({ text }) => text)).toEqual([
    `Job 1, collect, failed: ${error}`,
    "No worker was left for 12 s, until job 1 failed.",
    "Workers were lost 2 times, 2 of them for good; their tasks were not run again.",
  ]);
  expect(report.totals).toMatchObject({ retries: 0, losses: 2 });
  // Both charts over time have the same axis, and show when none was left.
  const [timeline, rates] = reportBody(report).charts;
  for (const chart of [timeline, rates]) {
    expect(chart?.layout).toMatchObject({ xaxis: { range: [0, 15] }, shapes: [{ type: "rect", x0: 3, x1: 15 }] });
  }
  expect(timeline?.layout.margin).toEqual(rates?.layout.margin);
  expect(reportText(report)).toContain("worker-1 was lost: it is gone. For good.");

  // One of them comes back, and does one of the two tasks.
  const again = { partition: 1, attempt: 1, worker: "worker-2" };
  const back: EngineEvent[] = [
    { type: "workerJoined", time: 6_000, worker: "worker-2" },
    { type: "taskStarted", ...at(6_000), ...again },
    { type: "taskEnded", ...at(15_000), ...again, status: "succeeded", rows: 1, bytes: 1, seconds: 9 },
  ];
  const partly = reportOf([...events, ...back, ...ends], aboutRun({ parallelism: 2 }));
  expect(partly.totals.retries).toBe(1);
  expect(findingsOf(partly).map(({ text }) => text)).toEqual(
    expect.arrayContaining([
      "No worker was left for 3.0 s.",
      "Workers were lost 2 times, 2 of them for good; 1 of their 2 tasks was not run again.",
    ]),
  );
});

it("names the stages that uneven tasks cost most, from a second on, and their stages in their order", () => {
  const events: EngineEvent[] = [{ type: "jobStarted", time: 0, jobId: "a", description: "collect" }];
  [600, 1_200, 1_500, 3_200, 1_400].forEach((long, stageId) => {
    const at = (time: number) => ({ time, jobId: "a", stageId });
    events.push({ type: "stageStarted", ...at(0), name: `step ${stageId}`, tasks: 3, resumedTasks: 0, rows: 3 });
    [100, 100, long].forEach((ms, partition) => {
      // The last stage's are on the first worker.
      const task = { partition, attempt: 0, worker: `worker-${9 - stageId}` };
      events.push({ type: "taskStarted", ...at(0), ...task });
      events.push({ type: "taskEnded", ...at(ms), ...task, status: "succeeded", rows: 1, bytes: 1, seconds: ms / 1e3 });
    });
  });
  const report = reportOf(events, aboutRun({ parallelism: 1 }));
  const uneven = findingsOf(report).filter(({ text }) => text.includes("longest task"));
  expect(uneven.map(({ text }) => text.match(/step \d|\d stages? more/g))).toEqual([
    ["step 3"],
    ["step 2"],
    ["step 4", "1 stage more"],
  ]);
  const names = reportBody(report).charts[0]?.data.map(({ name }) => name);
  expect(names).toEqual([0, 1, 2, 3, 4].map((n) => `job 1, step ${n}`));
});

it("tells a run that goes on from one whose process is gone", () => {
  const stateOf = (about = aboutRun()) => {
    const tally = runTally();
    tally.add(about);
    tally.add({ type: "jobStarted", time: 5, jobId: "a", description: "collect" });
    tally.add({ type: "message", time: 2_005, level: "info", text: "still here" });
    const report = runReport(tally.facts());
    expect(report.clock.seconds).toBe(2);
    // Nothing runs where the run does not.
    const shown = report.state === "unknown" ? "no end" : report.state;
    expect(reportBody(report).html).toMatch(new RegExp(`<span class="status [a-z-]+">. ${shown}</span>`));
    expect(reportText(report)).toContain("fruits & co, local-1000");
    return report.state;
  };
  expect(stateOf()).toBe("unknown");
  expect(stateOf(aboutRun({ host: hostname(), pid: process.pid }))).toBe("running");
  expect(stateOf(aboutRun({ host: hostname(), pid: 2 ** 22 + 1 }))).toBe("broken off");
});

it("lets nothing that a run says be markup", () => {
  const evil = '</script><script>alert(1)</script><img src=x onerror="alert(1)">';
  const events: EngineEvent[] = [
    { type: "jobStarted", time: 0, jobId: "a", description: evil },
    { type: "stageStarted", time: 0, jobId: "a", stageId: 0, name: evil, tasks: 1, resumedTasks: 0, rows: 0 },
    { type: "taskStarted", time: 0, jobId: "a", stageId: 0, partition: 0, attempt: 0, worker: evil },
    { type: "taskRetried", time: 1, jobId: "a", stageId: 0, partition: 0, attempt: 0, worker: evil, error: evil },
    { type: "workerLost", time: 1, worker: evil, error: evil },
    { type: "message", time: 1, level: "warn", text: evil },
    { type: "jobEnded", time: 2, jobId: "a", status: "failed", seconds: 1, error: evil },
  ];
  const tally = runTally();
  for (const line of linesOfRun(events, aboutRun({ appName: evil, settings: { [evil]: evil } }))) tally.add(line);
  const html = reportPage(tally.facts());
  expect(html).not.toContain("<script>alert");
  expect(html).not.toContain("<img src=x");
});

it("has quantiles as numpy has them", () => {
  expect(spreadOf([4, 1, 3, 2])).toEqual({ least: 1, lowerQuartile: 1.75, median: 2.5, upperQuartile: 3.25, most: 4 });
  expect(spreadOf([])).toBeUndefined();
});
