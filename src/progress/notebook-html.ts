import type { EndStatus } from "../engine/events";
import { summaryOf } from "../errors";
import { escapeHtml, type MimeBundle } from "../kernel/mime-bundle";
import { countText, durationText, rateText } from "../showing/quantities";
import { endpointsText } from "./endpoints";
import { fractionDone, type JobProgress, type StageProgress, storageRetryTexts, tasksText } from "./state";

/** Lines from the engine and the workers, the latest last. */
export interface ProgressNotes {
  readonly warnings: string[];
  readonly lines: string[];
}

/** A job's state as HTML and as text. Inline styles alone, with colours that stand out on white and on black. */
export function progressBundle(job: JobProgress, notes: ProgressNotes): MimeBundle {
  return { "text/html": progressHtml(job, notes), "text/plain": progressText(job) };
}

/** The colour of a state. */
export const COLOURS: Readonly<Record<EndStatus | "running", string>> = {
  running: "#2196f3",
  succeeded: "#43a047",
  failed: "#e53935",
  cancelled: "#fb8c00",
};

const MARKS: Readonly<Record<EndStatus | "running", string>> = {
  running: "●",
  succeeded: "✔",
  failed: "✖",
  cancelled: "■",
};

function progressHtml(job: JobProgress, notes: ProgressNotes): string {
  return [
    `<div style="border-left:3px solid ${COLOURS[job.status]};padding:2px 0 2px 10px;font-size:90%">`,
    `<div>${headHtml(job)}</div>`,
    ...job.stages.map(stageHtml),
    notesHtml(job, notes),
    "</div>",
  ].join("");
}

/** The line about the job as a whole. */
export function headHtml(job: JobProgress): string {
  const colour = COLOURS[job.status];
  const state = job.status === "running" ? durationText(job.seconds) : `${job.status} in ${durationText(job.seconds)}`;
  const mark = `<span style="color:${colour}">${MARKS[job.status]}</span>`;
  return `${mark} <b>${escapeHtml(job.description)}</b> <span style="opacity:0.7">${state}</span>`;
}

/** The lines below the stages: where the tasks run, the error, the warnings, the log. */
export function notesHtml(job: JobProgress, notes: ProgressNotes): string {
  const error = job.error ? [`<div style="color:${COLOURS.failed}">${escapeHtml(summaryOf(job.error))}</div>`] : [];
  const warnings = notes.warnings.map(
    (line) => `<div style="color:${COLOURS.cancelled}">Warning: ${escapeHtml(line)}</div>`,
  );
  const lines = notes.lines.map((line) => `<div style="opacity:0.7">${escapeHtml(line)}</div>`);
  const retries = storageRetryTexts(job).map(
    (text) => `<div style="color:${COLOURS.cancelled}">${escapeHtml(text)}</div>`,
  );
  const where = endpointsText(job.endpoints, job.status === "running");
  const endpoints = where === undefined ? [] : [`<div style="opacity:0.8">${escapeHtml(where)}</div>`];
  return [...endpoints, ...error, ...retries, ...warnings, ...lines].join("");
}

/** What stands beside a stage's bar: `25 % · 1/4 tasks, 2 running · 100/400 rows · 9.5 rows/s · 31 s left`. */
export function stageText(stage: StageProgress): string {
  return [`${Math.floor(fractionDone(stage) * 100)} %`, ...stageFacts(stage)].join(" · ");
}

function stageHtml(stage: StageProgress): string {
  const percent = Math.floor(fractionDone(stage) * 100);
  const bar = `<div style="width:${percent}%;height:8px;border-radius:4px;background:${COLOURS[stage.status]}"></div>`;
  const track = "display:inline-block;width:240px;height:8px;border-radius:4px;background:rgba(128,128,128,0.3)";
  return [
    `<div><span style="display:inline-block;min-width:160px;margin-right:10px">${escapeHtml(stage.name)}</span>`,
    `<div style="${track}">${bar}</div> `,
    `<span style="opacity:0.8">${escapeHtml(stageText(stage))}</span></div>`,
  ].join("");
}

function stageFacts(stage: StageProgress): string[] {
  const facts = [tasksText(stage)];
  if (stage.rows > 0) facts.push(`${countText(stage.doneRows)}/${countText(stage.rows)} rows`);
  if (stage.rowsPerSecond !== undefined) facts.push(rateText(stage.rowsPerSecond));
  if (stage.secondsLeft !== undefined) facts.push(`${durationText(stage.secondsLeft)} left`);
  if (stage.status !== "running") facts.push(durationText(stage.seconds));
  return facts;
}

function progressText(job: JobProgress): string {
  const state = job.status === "running" ? "running for" : `${job.status} in`;
  const stages = job.stages.map((stage) => `  ${stage.name}: ${stageFacts(stage).join(", ")}`);
  const where = endpointsText(job.endpoints, job.status === "running");
  const endpoints = where === undefined ? [] : [`  ${where}`];
  const error = job.error ? [`  ${summaryOf(job.error)}`] : [];
  return [`${job.description}: ${state} ${durationText(job.seconds)}`, ...stages, ...endpoints, ...error].join("\n");
}
