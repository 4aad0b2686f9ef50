import type { Session } from "pomona";
import { escapeHtml, JUPYTER_DISPLAY, type MimeBundle } from "pomona/kernel";
import { htmlFacts } from "pomona/notebook";

/** The session that runs, its settings and jobs; and the kernel. */
export function infoBundles(session: Session | undefined): MimeBundle[] {
  const kernel = factsBundle("Kernel", kernelFacts());
  if (!session) {
    return [{ "text/plain": "No session runs. The first use of 'session' starts one." }, kernel];
  }
  return [
    session[JUPYTER_DISPLAY](),
    factsBundle("Settings that differ from their defaults", settingFacts(session)),
    factsBundle("Workers", workerFacts(session)),
    factsBundle("Jobs", jobFacts(session)),
    kernel,
  ];
}

type Facts = readonly (readonly [name: string, value: string])[];

function settingFacts(session: Session): Facts {
  const { SETTINGS } = require("pomona") as typeof import("pomona");
  return Object.entries(session.conf.getAll()).flatMap(([name, value]) => {
    const usual: string | undefined = SETTINGS[name as keyof typeof SETTINGS]?.default;
    return value === usual ? [] : [[name, `${value} (default ${usual ?? "none"})`] as const];
  });
}

function workerFacts(session: Session): Facts {
  return session.workers().map(({ endpoint, state, slots, running, done, failed, rowsPerSecond, memory, version }) => {
    const speed = rowsPerSecond === undefined ? "" : `, ${rowsPerSecond.toFixed(1)} rows/s`;
    const used = memory === undefined ? "" : `, ${megabytes(memory)} MB`;
    const tasks = `${running} running, ${done} done, ${failed} failed`;
    return [endpoint, `${state}, ${slots} slots, ${tasks}${speed}${used}${version ? `, Pomona ${version}` : ""}`];
  });
}

/** The latest jobs that are listed. */
const MOST_JOBS = 20;

function jobFacts(session: Session): Facts {
  const jobs = session.history();
  const latest = jobs.slice(-MOST_JOBS).map((job, i): readonly [string, string] => {
    const number = jobs.length - Math.min(MOST_JOBS, jobs.length) + i + 1;
    const rows = job.stages.reduce((sum, stage) => sum + stage.rows, 0);
    const seconds = job.seconds ?? (Date.now() - job.startedAt) / 1000;
    const retries = job.stages.reduce((sum, stage) => sum + stage.retries, 0);
    const tried = retries > 0 ? `, ${retries} tried again` : "";
    const lost = job.lostWorkers > 0 ? `, ${job.lostWorkers} ${job.lostWorkers === 1 ? "worker" : "workers"} lost` : "";
    const asked = job.storageRetries > 0 ? `, ${job.storageRetries} requests to S3 tried again` : "";
    const told = `${job.status}, ${seconds.toFixed(1)} s, ${rows.toLocaleString("en-US")} rows${tried}${lost}${asked}`;
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
