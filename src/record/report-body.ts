import { escapeHtml } from "../kernel/mime-bundle";
import { bytesText, counted, countText, durationText, rateText, shortDurationText } from "../showing/quantities";
import { type Chart, chartsOf, stageName } from "./report-charts";
import { findingsOf, isSkewed, leftOutText } from "./report-findings";
import { clockText, dateText, zoneText } from "./report-text";
import { attemptSeconds, type RunReport, type RunState, type StageReport, secondsOf, statusIn } from "./run-report";
import type { Attempt } from "./run-tally";

/** A report's content: what a page of its own and one that refreshes itself both show. */
export interface ReportBody {
  readonly title: string;
  readonly html: string;
  readonly charts: readonly Chart[];
}

/** Rows that a table has at most; what is left out is said below it. */
const MOST_ROWS = 200;

type Section = readonly [id: string, title: string, html: string];

export function reportBody(report: RunReport): ReportBody {
  const { facts } = report;
  const name = facts.about?.appName ?? "";
  const charts = facts.about?.spark ? [] : chartsOf(report);
  const jobs: Section = ["jobs", "Jobs and stages", jobsSection(report)];
  const ofTasks: Section[] = [
    ["workers-over-time", "Tasks by worker", timelineSection(report, charts)],
    ["throughput", "Rows and bytes over time", throughputSection(charts)],
    jobs,
    ["tasks", "How long tasks took", tasksSection(report, charts)],
    ["workers", "Workers", workersSection(report)],
  ];
  const { spark } = facts.about ?? {};
  const sections: Section[] = [
    ...(spark ? [jobs, ["tasks", "Tasks", sparkSection(spark)] satisfies Section] : ofTasks),
    ["troubles", "Retries and losses", troublesSection(report)],
    ["messages", "Messages", messagesSection(report)],
    ["environment", "Versions and settings", environmentSection(report)],
  ];
  const links = sections.map(([id, title]) => `<a href="#${id}">${title}</a>`).join("");
  return {
    title: `${name} · ${facts.about?.id ?? "run"}`,
    html: [
      headSection(report),
      `<nav>${links}</nav>`,
      findingsSection(report),
      ...sections.map(([id, title, html]) => `<section id="${id}"><h2>${title}</h2>${html}</section>`),
    ].join("\n"),
    charts,
  };
}

function headSection(report: RunReport): string {
  const { facts, state, totals, clock } = report;
  const { about } = facts;
  const startedAt = about?.startedAt ?? facts.jobs[0]?.startedAt;
  const when = startedAt === undefined ? "" : `${dateText(startedAt)} ${zoneText()}`;
  const until = facts.endedAt ?? facts.lastAt;
  const where = about ? `${about.master} on ${about.host}` : "";
  const many = (count: number, what: string) => (count === 1 ? what : `${what}s`);
  const { isTold } = totals;
  const tiles: (readonly [value: string, name: string, kind?: string])[] = [
    [countText(totals.jobs), many(totals.jobs, "job")],
    [isTold ? countText(totals.tasks) : "–", "tasks done"],
    [isTold ? countText(totals.rows) : "–", "rows"],
    ...(about?.spark ? [] : [[bytesText(totals.bytes), "written by tasks"] as const]),
    [durationText(clock.seconds), "of work"],
    [isTold && clock.seconds > 0 ? rateText(totals.rows / clock.seconds).replace(" rows/s", "") : "–", "rows/s"],
    [countText(totals.retries), `${many(totals.retries, "attempt")} made again`, totals.retries > 0 ? "warn" : ""],
    [countText(totals.losses), `${many(totals.losses, "worker")} lost`, totals.losses > 0 ? "warn" : ""],
    [countText(totals.failedJobs), `${many(totals.failedJobs, "job")} failed`, totals.failedJobs > 0 ? "error" : ""],
  ];
  const shown = tiles.map(([value, name, kind = ""]) => `<div class="tile ${kind}"><b>${value}</b>${name}</div>`);
  const span = startedAt === undefined ? "" : ` · ${durationText(Math.max(0, until - startedAt) / 1000)} long`;
  return `<header><h1>${escapeHtml(about?.appName ?? "A run")} <span class="badge ${state.replace(" ", "-")}">${state === "unknown" ? "no end" : state}</span></h1>
<p class="sub">${escapeHtml([about?.id, where, `${when}${span}`].filter(Boolean).join(" · "))}</p></header>
<div class="tiles">${shown.join("")}</div>`;
}

function findingsSection(report: RunReport): string {
  const found = findingsOf(report);
  if (found.length === 0) return "";
  const items = found.map(({ level, text }) => `<li class="${level}">${escapeHtml(text)}</li>`).join("");
  return `<section id="findings"><h2>What stands out</h2><ul class="findings">${items}</ul></section>`;
}

/** Spark has the tasks of a run on it; nothing here knows of single ones. */
function sparkSection({ page }: { readonly page: string | undefined }): string {
  const text = escapeHtml(page ?? "");
  const where =
    page === undefined
      ? "Spark's own page, which this session could not reach, shows them, or Spark's history server."
      : `<a href="${text}">${text}</a>, Spark's own page, shows them while its server runs, and its history server after that.`;
  return `<p>Spark ran the tasks. ${where} Stages have the same numbers there.</p>`;
}

function timelineSection(report: RunReport, charts: readonly Chart[]): string {
  if (report.facts.attempts.length === 0) return "<p>No task ran.</p>";
  const { clock } = report;
  const idle =
    clock.idleSeconds >= 0.1 ? `Time in which no job ran (${durationText(clock.idleSeconds)}) is left out. ` : "";
  const note = `${idle}${leftOutText(report) ?? ""}`;
  return `${place("timeline", charts)}${note === "" ? "" : `<p class="note">${escapeHtml(note)}</p>`}`;
}

function throughputSection(charts: readonly Chart[]): string {
  return `${place("rates", charts)}<p class="note">Rows and bytes of a task are spread evenly over the time that it took. Bytes are those that tasks wrote.</p>`;
}

function jobsSection({ facts, stages, state }: RunReport): string {
  const byStage = new Map(stages.map((each) => [each.stage, each]));
  const rows = facts.jobs.flatMap((job) => {
    const head = [
      `<tr class="job"><td>${job.number}</td><td class="long">${escapeHtml(job.description)}${job.error ? `<div class="why">${escapeHtml(firstLines(job.error))}</div>` : ""}</td>`,
      `<td>${status(statusIn(job.status, state))}</td><td>${clockText(job.startedAt)}</td>${number(durationText(secondsOf(job, facts)))}<td colspan="5"></td></tr>`,
    ].join("");
    return [head, ...job.stages.map((stage) => stageRow(byStage.get(stage), facts, state))];
  });
  const header = ["", "job, stage", "", "at", ">took", ">tasks", ">again", ">rows", ">bytes", ">rows/s"];
  return rawTable(header, rows, "stage or job");
}

function stageRow(report: StageReport | undefined, facts: RunReport["facts"], state: RunState): string {
  if (!report) return "";
  const { stage } = report;
  const seconds = secondsOf(stage, facts);
  const resumed = stage.resumedTasks > 0 ? ` (${countText(stage.resumedTasks)} from an earlier run)` : "";
  const lost = report.losses > 0 ? ` (${countText(report.losses)} lost)` : "";
  return [
    `<tr><td></td><td class="long stage">${escapeHtml(stage.name)}</td><td>${status(statusIn(stage.status, state))}</td><td>${clockText(stage.startedAt)}</td>`,
    number(durationText(seconds)),
    number(
      `${countText(stage.tasksDone)}/${countText(stage.tasks)}${stage.unit === undefined ? "" : ` ${stage.unit}`}${resumed}`,
    ),
    number(report.retries > 0 || lost !== "" ? `${countText(report.retries)}${lost}` : ""),
    number(countText(stage.rows)),
    number(facts.about?.spark ? "" : bytesText(stage.bytes)),
    number(seconds > 0 && stage.rows > 0 ? rateText(stage.rows / seconds).replace(" rows/s", "") : ""),
    "</tr>",
  ].join("");
}

function tasksSection(report: RunReport, charts: readonly Chart[]): string {
  const { stages, slowest } = report;
  const rows = stages
    .filter(({ seconds }) => seconds !== undefined)
    .map(({ stage, done, seconds, taskRows, skew, ...rest }) => {
      const { least = 0, median = 0, upperQuartile = 0, most = 0 } = seconds ?? {};
      const isBad = isSkewed({ stage, done, seconds, taskRows, skew, ...rest });
      return [
        `<tr><td class="long">${escapeHtml(stageName(stage))}</td>${number(countText(done))}`,
        ...[least, median, upperQuartile, most].map((each) => number(shortDurationText(each))),
        `<td class="number${isBad ? " warn" : ""}">${skew === undefined ? "" : `${skew.toFixed(1)}×`}</td>`,
        number(
          `${countText(taskRows?.least ?? 0)} / ${countText(taskRows?.median ?? 0)} / ${countText(taskRows?.most ?? 0)}`,
        ),
        "</tr>",
      ].join("");
    });
  if (rows.length === 0) return "<p>No task is done.</p>";
  const header = [
    "stage",
    ">tasks",
    ">shortest",
    ">median",
    ">75 %",
    ">longest",
    ">skew",
    ">rows: least / median / most",
  ];
  const longest = attemptTable(slowest, report);
  return `${place("durations", charts)}${rawTable(header, rows, "stage")}
<p class="note">Skew is the longest task as a multiple of the median.</p><h3>Slowest tasks</h3>${longest}`;
}

function attemptTable(attempts: readonly Attempt[], { facts, stages, state }: RunReport): string {
  const medians = new Map(stages.map(({ stage, seconds }) => [stage, seconds?.median ?? 0]));
  const rows = attempts.map((attempt) => {
    const { stage, partition, attempt: n, worker, start, rows: own, bytes, status: its } = attempt;
    const seconds = attemptSeconds(attempt, facts.lastAt);
    const median = medians.get(stage) ?? 0;
    return [
      `<tr><td class="long">${escapeHtml(stageName(stage))}</td>${number(String(partition))}${number(String(n + 1))}`,
      `<td>${escapeHtml(worker)}</td><td>${status(statusIn(its, state))}</td><td>${clockText(start)}</td>${number(shortDurationText(seconds))}`,
      number(median > 0 ? `${(seconds / median).toFixed(1)}×` : ""),
      `${number(countText(own))}${number(bytesText(bytes))}</tr>`,
    ].join("");
  });
  const header = ["stage", ">task", ">attempt", "worker", "", "at", ">took", ">of median", ">rows", ">bytes"];
  return rawTable(header, rows, "attempt");
}

function workersSection({ workers, clock }: RunReport): string {
  const rows = workers.map(({ worker, done, failed, losses, rows: own, busySeconds }) =>
    [
      `<tr><td>${escapeHtml(worker)}</td>${number(countText(done))}${number(failed > 0 ? countText(failed) : "")}`,
      `${number(losses > 0 ? countText(losses) : "")}${number(countText(own))}${number(durationText(busySeconds))}`,
      number(clock.seconds > 0 ? `${Math.round((100 * busySeconds) / clock.seconds)} %` : ""),
      "</tr>",
    ].join(""),
  );
  if (rows.length === 0) return "<p>No worker had a task.</p>";
  return rawTable(["worker", ">tasks", ">failed", ">lost", ">rows", ">busy", ">of the time"], rows, "worker");
}

function troublesSection(report: RunReport): string {
  const { facts, unsuccessful } = report;
  const parts: string[] = [];
  const countsOf = (title: string, counts: RunReport["facts"]["retries"]) => {
    if (counts.length === 0) return;
    const rows = counts.map(
      ({ what, count }) => `<tr>${number(countText(count))}<td class="long">${escapeHtml(firstLines(what))}</td></tr>`,
    );
    parts.push(`<h3>${title}</h3>${rawTable([">times", "why"], rows, "reason")}`);
  };
  countsOf("Attempts that were made again", facts.retries);
  if (facts.losses.length > 0) {
    const rows = facts.losses.map(
      ({ time, worker, error, isForGood }) =>
        `<tr><td>${clockText(time)}</td><td>${escapeHtml(worker)}</td><td class="long">${escapeHtml(firstLines(error))}</td><td>${isForGood ? "for good" : ""}</td></tr>`,
    );
    parts.push(`<h3>Workers that were lost</h3>${rawTable(["at", "worker", "why", ""], rows, "loss")}`);
  }
  countsOf("Requests to storage that were tried again", facts.storageRetries);
  if (unsuccessful.length > 0) parts.push(`<h3>Attempts without success</h3>${attemptTable(unsuccessful, report)}`);
  return parts.length > 0 ? parts.join("") : "<p>None.</p>";
}

function messagesSection({ facts }: RunReport): string {
  if (facts.messages.length === 0) return "<p>None.</p>";
  const rows = facts.messages.map(
    ({ time, level, text, count }) =>
      `<tr class="${level}"><td>${clockText(time)}</td><td>${level}</td><td class="long text">${escapeHtml(text)}${count > 1 ? ` <span class="times">× ${countText(count)}</span>` : ""}</td></tr>`,
  );
  const left = facts.messagesLeftOut;
  return `<details open><summary>${counted(facts.messages.length, "line")}${left > 0 ? `, ${counted(left, "line")} between the first and the last left out` : ""}</summary>${rawTable(["", "", ""], rows, "line", 1000)}</details>`;
}

function environmentSection({ facts }: RunReport): string {
  const { about, weights } = facts;
  if (!about) return "<p>The beginning of the record is missing.</p>";
  const pairs: (readonly [name: string, value: string])[] = [
    ["run", about.id],
    ["master", `${about.master}, ${counted(about.parallelism, "task")} at once`],
    [
      "driver",
      `${about.host}, process ${about.pid}, ${counted(about.cores, "core")}, ${bytesText(about.memoryBytes)} of memory`,
    ],
    ["started", `${dateText(about.startedAt)} ${zoneText()}`],
    ...weights.map((text) => ["weights", text] as const),
    ...Object.entries(about.versions),
  ];
  const table = (entries: readonly (readonly [string, string])[]) =>
    rawTable(
      ["", ""],
      entries.map(([name, value]) => `<tr><td>${escapeHtml(name)}</td><td class="long">${escapeHtml(value)}</td></tr>`),
      "line",
    );
  const settings = Object.entries(about.settings);
  const own = settings.length === 0 ? "<p>All settings have their defaults.</p>" : table(settings);
  return `${table(pairs)}<h3>Settings that are not the defaults</h3>${own}`;
}

/** Where a chart is drawn; what it shows, in words, where no script runs. */
function place(id: string, charts: readonly Chart[]): string {
  const chart = charts.find((each) => each.id === id);
  if (!chart) return "";
  const summary = escapeHtml(chart.summary);
  return `<div class="chart" id="${id}" role="img" aria-label="${summary}" style="min-height:${chart.height}px"><p class="note">${summary}</p></div>`;
}

/** A table of rows that are HTML. @param header names; one that begins with `>` is of numbers */
function rawTable(header: readonly string[], rows: readonly string[], what: string, most = MOST_ROWS): string {
  const shown = rows.slice(0, most);
  const left = rows.length - shown.length;
  const note = left > 0 ? `<p class="note">${counted(left, what)} more, left out here.</p>` : "";
  const head = header.some((name) => name !== "") ? `<thead><tr>${header.map(headCell).join("")}</tr></thead>` : "";
  return `<div class="scroll"><table>${head}<tbody>${shown.join("\n")}</tbody></table></div>${note}`;
}

function headCell(name: string): string {
  return name.startsWith(">") ? `<th class="number">${name.slice(1)}</th>` : `<th>${name}</th>`;
}

function number(text: string): string {
  return `<td class="number">${escapeHtml(text)}</td>`;
}

type ShownStatus = ReturnType<typeof statusIn<Attempt["status"]>>;

const MARKS: Readonly<Record<ShownStatus, string>> = {
  running: "●",
  succeeded: "✔",
  failed: "✖",
  lost: "✖",
  cancelled: "■",
  "broken off": "✖",
  "no end": "?",
};

function status(its: ShownStatus): string {
  return `<span class="status ${its.replace(" ", "-")}">${MARKS[its]} ${its}</span>`;
}

function firstLines(text: string): string {
  const lines = text.split("\n");
  const some = lines.slice(0, 3).join("\n");
  return some.length > 600 ? `${some.slice(0, 600)} …` : some;
}
