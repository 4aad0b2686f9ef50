import { JUPYTER_DISPLAY, type MimeBundle } from "../kernel/mime-bundle";
import { htmlTable } from "../showing/html-table";
import { bytesText, counted, countText, durationText } from "../showing/quantities";
import type { Place, Storage, Url } from "../storage";
import { type LogFiles, linesOf, logAt, logNamed, logsIn } from "./logs";
import { reportPage } from "./report-page";
import { clockText } from "./report-text";
import { type RunReport, runReport, secondsOf, statusIn } from "./run-report";
import { type RunFacts, runTally } from "./run-tally";

/** Reads a log as it grows: each call goes on where the last one ended, and gives the same facts again where nothing was added. */
export function logFollower(storage: Storage): (log: LogFiles) => Promise<RunFacts> {
  const tally = runTally();
  let facts = tally.facts();
  let [segment, taken] = [0, 0];
  let version = "";
  const read = async ({ segments }: LogFiles): Promise<RunFacts> => {
    const last = segments.at(-1);
    const now = `${last?.url} ${last?.size} ${last?.modifiedAt}`;
    if (now === version) return facts;
    for await (const lines of linesOf(storage, segments.slice(segment))) {
      for (const line of lines.slice(taken)) tally.add(line);
      taken = Math.max(taken, lines.length);
      // The last file grows.
      if (segment === segments.length - 1) break;
      segment++;
      taken = 0;
    }
    version = now;
    facts = tally.facts();
    return facts;
  };
  let reading: Promise<unknown> = Promise.resolve();
  // One after another: two that read at once would count the same lines twice.
  return (log) => {
    const next = reading.then(() => read(log));
    reading = next.catch(() => {});
    return next;
  };
}

/** What a run's log tells. @throws IllegalArgumentError where there is none of that name */
export async function factsOf(folder: Place, id: string): Promise<RunFacts> {
  const log = (await logAt(folder, id)) ?? logNamed(await logsIn(folder), id, folder.url);
  return logFollower(folder.storage)(log);
}

/** A run's report: its page, and what a notebook shows of it. */
export interface SessionReport {
  /** Where it was written; undefined where that was not asked for. */
  readonly path: Url | undefined;
  /** The whole page, which needs no network. */
  toHtml(): string;
  /** A table of the run's stages. */
  [JUPYTER_DISPLAY](): MimeBundle;
}

export async function sessionReport(facts: RunFacts, to: Place | undefined): Promise<SessionReport> {
  const toHtml = () => reportPage(facts);
  if (to) await to.storage.writeFile(to.url, toHtml());
  const path = to?.url;
  return {
    path,
    toHtml,
    [JUPYTER_DISPLAY]: () => ({
      "text/html": shownReport(runReport(facts), toHtml(), path),
      "text/plain": reportText(runReport(facts), path),
    }),
  };
}

/** Stages that a notebook's table has. */
const MOST_STAGES = 40;

/** The page in a frame of its own, so that neither's style meets the other; where no script runs, a table stands in its place. */
function shownReport(report: RunReport, html: string, path: string | undefined): string {
  const framed = html.replace(/&/g, "&amp;").replace(/"/g, "&quot;");
  const { header, rows, left } = stageRows(report);
  const note = [path === undefined ? "" : `Written to ${path}.`, left > 0 ? `${counted(left, "stage")} more.` : ""];
  const right = header.map((_, i) => i > 1);
  const table = htmlTable({ header, rows, right, note: `${totalsText(report)} ${note.filter(Boolean).join(" ")}` });
  return `${table}<iframe title="Report of the run" srcdoc="${framed}" style="width:100%;height:720px;border:1px solid rgba(128,128,128,0.4);margin-top:8px"></iframe>`;
}

/** The report in a terminal. */
export function reportText(report: RunReport, path?: string): string {
  const { header, rows, left } = stageRows(report);
  const table = [header, ...rows];
  const widths = header.map((_, i) => Math.max(...table.map((row) => (row[i] ?? "").length)));
  const lines = table.map((row) =>
    row
      .map((cell, i) => (i > 1 ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
  return [
    totalsText(report),
    ...(rows.length > 0 ? lines : []),
    ...(left > 0 ? [`${counted(left, "stage")} more`] : []),
    ...lossLines(report),
    ...(path === undefined ? [] : [`Written to ${path}`]),
  ].join("\n");
}

/** Losses that a terminal names. */
const MOST_LOSSES = 10;

/** `20:27:41 127.0.0.1:18916/1 was lost in the middle of a task: the connection was closed (1006). For good.` */
function lossLines({ facts: { losses } }: RunReport): string[] {
  const lines = losses.slice(0, MOST_LOSSES).map(({ time, worker, error, isForGood }) => {
    const what = error.includes(worker) ? error : `${worker} was lost: ${error}`;
    return `${clockText(time)} ${what}${isForGood ? " For good." : ""}`;
  });
  const left = losses.length - lines.length;
  return left > 0 ? [...lines, `${countText(left)} more losses of workers`] : lines;
}

function totalsText({ totals, clock, facts, state }: RunReport): string {
  const parts = [
    `${facts.about ? `${facts.about.appName}, ${facts.about.id}` : "run"} (${state === "unknown" ? "no end" : state})`,
    counted(totals.jobs, "job") + (totals.failedJobs > 0 ? `, ${totals.failedJobs} failed` : ""),
    ...(totals.isTold ? [counted(totals.tasks, "task"), counted(totals.rows, "row")] : ["tasks and rows are not told"]),
    ...(facts.about?.spark ? [] : [bytesText(totals.bytes)]),
    `${durationText(clock.seconds)} of work`,
    ...(totals.retries > 0 ? [`${counted(totals.retries, "attempt")} made again`] : []),
    ...(totals.losses > 0 ? [`${counted(totals.losses, "worker")} lost`] : []),
  ];
  return `${parts.join("; ")}.`;
}

function stageRows({ stages, facts, state }: RunReport) {
  // Spark keeps what is of single tasks.
  const [isSpark, ofTasks] = [facts.about?.spark !== undefined, ["bytes", "median task", "longest", "again"]];
  const names = ["stage", "state", "tasks", "rows", "bytes", "took", "median task", "longest", "again"];
  const isShown = names.map((name) => !(isSpark && ofTasks.includes(name)));
  const header = names.filter((_, i) => isShown[i]);
  const rows = stages
    .slice(-MOST_STAGES)
    .map(({ stage, seconds, retries }) => [
      `${stage.job}.${stage.stageId} ${stage.name}`,
      statusIn(stage.status, state),
      `${countText(stage.tasksDone)}/${countText(stage.tasks)}`,
      countText(stage.rows),
      bytesText(stage.bytes),
      durationText(secondsOf(stage, facts)),
      seconds ? durationText(seconds.median) : "",
      seconds ? durationText(seconds.most) : "",
      retries > 0 ? countText(retries) : "",
    ])
    .map((row) => row.filter((_, i) => isShown[i]));
  return { header, rows, left: Math.max(0, stages.length - MOST_STAGES) };
}
