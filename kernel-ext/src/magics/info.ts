import type { Session } from "pomona";
import { escapeHtml, JUPYTER_DISPLAY, type MimeBundle } from "pomona/kernel";
import { htmlFacts, htmlTable } from "pomona/notebook";

/** The session that runs, its settings and jobs; and the kernel. */
export function infoBundles(session: Session | undefined): MimeBundle[] {
  const kernel = factsBundle("Kernel", kernelFacts());
  if (!session) {
    return [{ "text/plain": "No session runs. The first use of 'session' starts one." }, kernel];
  }
  return [
    session[JUPYTER_DISPLAY](),
    factsBundle("Settings that differ from their defaults", settingFacts(session)),
    workerBundle(session),
    factsBundle("Jobs", jobFacts(session)),
    kernel,
  ];
}

type Facts = readonly (readonly [name: string, value: string])[];

function settingFacts(session: Session): Facts {
  return session.conf
    .changed()
    .map(({ name, value, usual }) => [name, `${value} (default ${usual ?? "none"})`] as const);
}

/** What `session.workers()` tells. */
function workerBundle(session: Session): MimeBundle {
  const workers = session.workers();
  const columns: readonly (readonly [header: string, of: (worker: (typeof workers)[number]) => string | number])[] = [
    ["endpoint", ({ endpoint }) => endpoint],
    ["state", ({ state }) => state],
    ["slots", ({ slots }) => slots],
    ["running", ({ running }) => running],
    ["done", ({ done }) => done],
    ["failed", ({ failed }) => failed],
    ["rows/s", ({ rowsPerSecond }) => rowsPerSecond ?? ""],
    ["MB", ({ memory }) => (memory === undefined ? "" : megabytes(memory))],
    ["Pomona", ({ version }) => version ?? ""],
    ["problem", ({ problem }) => problem ?? ""],
  ];
  // Of executors Spark's page tells no more.
  const shown = session.isOnSpark ? columns.filter(([name]) => !["rows/s", "MB", "Pomona"].includes(name)) : columns;
  const title = session.isOnSpark ? "Executors, with the tasks of all sessions" : "Workers";
  const header = shown.map(([name]) => name);
  const rows = workers.map((worker) => shown.map(([, of]) => String(of(worker))));
  const right = shown.map(([name]) => !["endpoint", "state", "Pomona", "problem"].includes(name));
  const widths = header.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]) =>
    `  ${cells.map((cell, i) => (right[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))).join("  ")}`.trimEnd();
  return {
    "text/html": `<b>${title}</b>${htmlTable({ header, rows, right })}`,
    "text/plain": [title, line(header), ...rows.map(line)].join("\n"),
  };
}

/** The latest jobs that are listed. */
const MOST_JOBS = 20;

function jobFacts(session: Session): Facts {
  const jobs = session.history();
  const latest = jobs.slice(-MOST_JOBS).map((job, i): readonly [string, string] => {
    const number = jobs.length - Math.min(MOST_JOBS, jobs.length) + i + 1;
    // What came out: the stages before had these rows too. Spark 3.5 tells of no stages.
    const rows = job.stages.at(-1)?.rows;
    const came = rows === undefined ? "" : `, ${rows.toLocaleString("en-US")} rows`;
    const seconds = job.seconds ?? (Date.now() - job.startedAt) / 1000;
    const retries = job.stages.reduce((sum, stage) => sum + stage.retries, 0);
    const tried = retries > 0 ? `, ${retries} tried again` : "";
    const lost = job.lostWorkers > 0 ? `, ${job.lostWorkers} ${job.lostWorkers === 1 ? "worker" : "workers"} lost` : "";
    const asked = job.storageRetries > 0 ? `, ${job.storageRetries} requests to S3 tried again` : "";
    const told = `${job.status}, ${seconds.toFixed(1)} s${came}${tried}${lost}${asked}`;
    return [String(number), `${job.description}: ${told}`];
  });
  return jobs.length > MOST_JOBS ? [["", `${jobs.length - MOST_JOBS} earlier jobs`], ...latest] : latest;
}

function kernelFacts(): Facts {
  const versionOf = (name: string) => (require(`${name}/package.json`) as { version: string }).version;
  const { rss, heapUsed } = process.memoryUsage();
  return [
    ["Pomona", versionOf("pomona")],
    ["Node", process.version],
    ["TypeScript", versionOf("typescript")],
    ["Memory", `${megabytes(rss)} MB, of which ${megabytes(heapUsed)} MB are values of JavaScript`],
    ["Process", `${process.pid}, up for ${Math.round(process.uptime())} s`],
    ["Folder", process.cwd()],
  ];
}

function megabytes(bytes: number): string {
  return Math.round(bytes / 1e6).toLocaleString("en-US");
}

function factsBundle(title: string, facts: Facts): MimeBundle {
  const shown: Facts = facts.length > 0 ? facts : [["", "none"]];
  const width = Math.max(...shown.map(([name]) => name.length)) + 2;
  return {
    "text/html": `<b>${escapeHtml(title)}</b>${htmlFacts(shown)}`,
    "text/plain": [title, ...shown.map(([name, value]) => `  ${name.padEnd(width)}${value}`)].join("\n"),
  };
}
