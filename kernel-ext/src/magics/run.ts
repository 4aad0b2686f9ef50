import type { NotebookSession } from "../session/notebook-session";
import { parseSettings } from "../session/session-settings";
import { runBash } from "./bash";
import { MAGICS, type Magic } from "./catalog";
import type { MagicContext } from "./context";
import { MagicUsageError, SessionBusyError, UnknownMagicError } from "./errors";
import { helpBundle } from "./help";
import { infoBundles } from "./info";
import type { MagicCell } from "./parse";
import { runSql } from "./sql";
import { staleBundle } from "./stale";

/** Runs the magic of a cell. @throws what the magic throws: its own named errors, or those of the code in its body */
export async function runMagic(cell: MagicCell, context: MagicContext): Promise<void> {
  const magic = MAGICS.find((candidate) => candidate.name === cell.name);
  if (!magic) throw new UnknownMagicError(cell.name);
  if (magic.body === "text" && cell.body.trim() === "") throw new MagicUsageError(magic, "nothing stands below it.");
  const { host, session } = context;
  switch (cell.name) {
    case "info":
      for (const data of infoBundles(session.active())) host.display({ data }, false);
      return;
    case "configure":
      return configure(cell, session);
    case "sql":
      return runSql(cell, magic, context);
    case "logs": {
      const lines = session.log();
      console.log(
        lines.length > 0 ? lines.join("\n") : "Nothing was logged: no session has run a job in this notebook.",
      );
      const running = session.active();
      if (running?.isOnSpark) {
        const where = running.uiWebUrl === undefined ? "Spark's pages" : `${running.uiWebUrl}/executors/`;
        console.log(`What functions print is in the executors' stderr: ${where}`);
      }
      return;
    }
    case "cleanup":
      return cleanUp(cell, session);
    case "bash":
      return runBash(cell.body, context);
    case "html":
      host.display({ data: { "text/html": cell.body, "text/plain": cell.body } }, false);
      return;
    case "markdown":
      host.display({ data: { "text/markdown": cell.body, "text/plain": cell.body } }, false);
      return;
    case "stale":
      host.display({ data: staleBundle(context.marks.stale()) }, false);
      return;
    case "time":
      return time(cell, magic, context);
    case "help":
      host.display({ data: helpBundle(cell.args[0]) }, false);
      return;
    default:
      throw new UnknownMagicError(cell.name);
  }
}

async function configure(cell: MagicCell, session: NotebookSession): Promise<void> {
  const wasRunning = session.active() !== undefined;
  await session.configure(parseSettings(cell.body), { force: cell.options.has("-f") });
  if (!wasRunning) console.log("The settings are those of the session that the first use of 'session' starts.");
}

async function cleanUp(cell: MagicCell, session: NotebookSession): Promise<void> {
  const running = session.active();
  if (!running) {
    console.log("No session runs.");
    return;
  }
  const jobs = running.history().filter((job) => job.status === "running");
  if (jobs.length > 0 && !cell.options.has("-f")) {
    const names = jobs.map((job) => job.description).join(", ");
    throw new SessionBusyError(`${jobs.length === 1 ? "A job runs" : `${jobs.length} jobs run`}: ${names}.`, {
      remedy: "Wait for the end, or use %%cleanup -f, which cancels what runs.",
    });
  }
  await session.stop();
  const cancelled =
    jobs.length > 0 ? ` ${jobs.length === 1 ? "A job was" : `${jobs.length} jobs were`} cancelled.` : "";
  const what = `Session ${running.applicationId} ended: nothing of it runs on, its temporary files are removed.`;
  console.log(`${what}${cancelled} The next use of 'session' starts a new one.`);
}

async function time(cell: MagicCell, magic: Magic, { runCell }: MagicContext): Promise<void> {
  if (cell.body.trim() === "") throw new MagicUsageError(magic, "nothing stands below it.");
  // Not of the compiler, which a notebook's first cell waits for.
  let begun: { readonly wall: number; readonly cpu: NodeJS.CpuUsage } | undefined;
  try {
    await runCell(cell.body, () => {
      begun = { wall: performance.now(), cpu: process.cpuUsage() };
    });
  } finally {
    if (begun) console.log(timesSince(begun));
  }
}

function timesSince({ wall, cpu }: { readonly wall: number; readonly cpu: NodeJS.CpuUsage }): string {
  const seconds = (performance.now() - wall) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const parts = `user ${secondsText(user / 1e6)}, system ${secondsText(system / 1e6)}`;
  return `CPU time: ${secondsText((user + system) / 1e6)} (${parts})\nWall time: ${secondsText(seconds)}`;
}

function secondsText(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds.toFixed(2)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}
