import { firstLine } from "../errors";
import { counted, countText, durationText, shortDurationText } from "../showing/quantities";
import type { StageRecord } from "./jobs";
import { stageName } from "./report-charts";
import { type RunReport, type StageReport, secondsOf } from "./run-report";
import type { RunFacts } from "./run-tally";

/** Something that stands out in a run. */
export interface Finding {
  readonly level: "error" | "warn" | "info";
  readonly text: string;
}

/** A stage's longest task is worth a word from this many times the median on, and this many seconds. */
const [SKEWED, LONG] = [3, 1];

/** Stages that are named for this; the table of tasks marks all. */
const MOST_SKEWED = 3;

/** How long, in seconds, no worker may be left without a word about it. */
const WITHOUT = 1;

/** Workers of which this much of the time had no task. */
const IDLE = 0.4;

/** What a reader of the report should see first. */
export function findingsOf(report: RunReport): Finding[] {
  const { facts, totals, stages, state } = report;
  const found: Finding[] = [];
  const add = (level: Finding["level"], text: string) => void found.push({ level, text });
  if (state === "broken off") {
    add(
      "error",
      "The run was broken off: its process is gone and wrote no end. At most its last second is missing here.",
    );
  }
  if (state === "unknown") add("warn", "The run has no end here: it runs on another machine, or was broken off.");
  if (facts.missing > 0) {
    add("warn", `${counted(facts.missing, "event")} could not be written to the record: the numbers here are too low.`);
  }
  for (const { number, description, error } of facts.jobs.filter(({ status }) => status === "failed").slice(-3)) {
    add("error", `Job ${number}, ${description}, failed: ${firstLine(error ?? "")}`);
  }
  const waited = withoutWorkersText(report);
  if (waited !== undefined) add("error", waited);
  if (totals.losses > 0) {
    const forGood = facts.losses.filter(({ isForGood }) => isForGood).length;
    const end = forGood > 0 ? `, ${countText(forGood)} of them for good` : "";
    add(
      "warn",
      `Workers were lost ${totals.losses === 1 ? "once" : `${countText(totals.losses)} times`}${end}${lostTasksText(report)}.`,
    );
  }
  if (totals.retries > 0) {
    const most = facts.retries[0];
    const after = most ? `, most often after: ${most.what.replace(/\.+$/, "")}` : "";
    add("warn", `${counted(totals.retries, "attempt")} made again${after}.`);
  }
  for (const { what, count } of facts.storageRetries.slice(0, 2)) {
    add("warn", `Storage: ${counted(count, "request")} tried again (${what}).`);
  }
  const skewed = stages.filter(isSkewed).sort((a, b) => overMedian(b) - overMedian(a));
  skewed.slice(0, MOST_SKEWED).forEach((stage, i) => {
    const { seconds, skew = 0 } = stage;
    const left = skewed.length - MOST_SKEWED;
    const more = left > 0 && i === MOST_SKEWED - 1 ? ` ${counted(left, "stage")} more: see how long tasks took.` : "";
    add(
      "warn",
      `${stageName(stage.stage)}: the longest task took ${durationText(seconds?.most ?? 0)}, ${skew.toFixed(1)} times the median. More, smaller tasks (repartition) even that out.${more}`,
    );
  });
  const idle = idleShare(report);
  if (idle !== undefined && idle > IDLE) {
    add(
      "info",
      `Workers had no task ${Math.round(idle * 100)} % of the time in which stages ran: more tasks, or fewer workers.`,
    );
  }
  if (facts.weights.some((weights) => /: random/.test(weights))) add("warn", "Random weights were used: a dry run.");
  return found;
}

export function isSkewed({ seconds, skew }: StageReport): boolean {
  return seconds !== undefined && skew !== undefined && skew >= SKEWED && seconds.most >= LONG;
}

function overMedian({ seconds }: StageReport): number {
  return seconds ? seconds.most - seconds.median : 0;
}

/** That jobs waited for workers while none was left, and which failed over it; undefined where that was short. */
function withoutWorkersText({ facts, clock }: RunReport): string | undefined {
  const spells = facts.withoutWorkers.filter(({ start, end }) => clock.at(end) - clock.at(start) >= WITHOUT);
  if (spells.length === 0) return undefined;
  const seconds = spells.reduce((sum, { start, end }) => sum + clock.at(end) - clock.at(start), 0);
  const failed = facts.jobs.filter(
    ({ status, endedAt = 0 }) =>
      status === "failed" && spells.some(({ start, end }) => start <= endedAt && endedAt <= end),
  );
  const times = spells.length === 1 ? "" : `, ${countText(spells.length)} times`;
  const until = failed.length === 0 ? "" : `, until job ${failed.map(({ number }) => number).join(", ")} failed`;
  return `No worker was left for ${durationText(seconds)}${times}${until}.`;
}

/** What became of tasks that went with their workers. */
function lostTasksText({ totals: { lostAttempts, notAgain } }: RunReport): string {
  if (lostAttempts === 0) return "";
  if (notAgain === 0) return "; their tasks were run again";
  if (notAgain === lostAttempts) return "; their tasks were not run again";
  const were = notAgain === 1 ? "was" : "were";
  return `; ${countText(notAgain)} of their ${countText(lostAttempts)} tasks ${were} not run again`;
}

/** The part of the workers' time in stages in which they had no task, but that in which none was left; undefined where it is too short to tell. */
function idleShare({ facts, totals, stages }: RunReport): number | undefined {
  const workers = facts.about?.parallelism;
  if (!workers) return undefined;
  const stageSeconds = stages
    .filter(({ done }) => done > 0)
    .reduce((sum, { stage }) => sum + secondsOf(stage, facts) - secondsWithoutWorkers(stage, facts), 0);
  return stageSeconds < 5 ? undefined : 1 - totals.taskSeconds / (stageSeconds * workers);
}

function secondsWithoutWorkers({ startedAt, endedAt }: StageRecord, { withoutWorkers, lastAt }: RunFacts): number {
  const until = endedAt ?? lastAt;
  const shared = withoutWorkers.map(({ start, end }) => Math.min(end, until) - Math.max(start, startedAt));
  return shared.reduce((sum, ms) => sum + Math.max(0, ms), 0) / 1000;
}

/** What is left out of the timeline, in words; undefined where all is there. */
export function leftOutText({ timeline, facts }: RunReport): string | undefined {
  const parts: string[] = [];
  if (timeline.together > 0) {
    parts.push(
      `${countText(timeline.attempts)} attempts in ${counted(timeline.bars.length, "bar")}: those of one stage that are shorter than ${shortDurationText(timeline.together)} and follow each other on a worker share one`,
    );
  }
  const left = facts.attempts.length - timeline.attempts;
  if (left > 0) parts.push(`${counted(left, "attempt")} not drawn`);
  const crosses = facts.losses.length - timeline.losses.length;
  if (crosses > 0)
    parts.push(`${countText(crosses)} of ${countText(facts.losses.length)} crosses for lost workers not drawn`);
  if (timeline.workersLeftOut > 0)
    parts.push(`${counted(timeline.workersLeftOut, "worker")} with the fewest tasks left out`);
  return parts.length > 0 ? `${parts.join("; ")}.` : undefined;
}
