import { readdirSync, readFileSync } from "node:fs";

/** Linux counts in hundredths of a second, whatever the machine. */
export const MS_PER_TICK = 10;

/** A process and those that it started, directly or not; where there is no /proc, the process alone. */
export function processTree(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of namesIn("/proc")) {
    const parent = /^\d+$/.test(name) ? Number(statOf(Number(name))?.[1]) : Number.NaN;
    if (!Number.isNaN(parent)) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found = [root];
  // It grows on the way.
  for (const pid of found) found.push(...(children.get(pid) ?? []));
  return found;
}

/**
 * Sends SIGINT to what this process has started since a time, as Ctrl-C in a terminal does: where the thread that runs cells waits
 * for a child process, nothing else ends that.
 */
export function interruptChildren(since: Date): void {
  // By the clock that starts are told in: a thread's own begins with the thread.
  const now = Number(textOf("/proc/uptime")?.split(" ")[0]) * 1000;
  const age = Date.now() - since.getTime();
  for (const pid of processTree(process.pid).slice(1)) {
    const start = startOf(pid);
    if (start === undefined || !(now - start <= age)) continue;
    try {
      process.kill(pid, "SIGINT");
    } catch {
      // It has ended by itself, or belongs to another user.
    }
  }
}

/** Milliseconds after the machine's start. */
function startOf(pid: number): number | undefined {
  const ticks = Number(statOf(pid)?.[19]);
  return Number.isNaN(ticks) ? undefined : ticks * MS_PER_TICK;
}

/** The fields of /proc/PID/stat behind the command's name, which may hold anything: state, parent, ... @see proc(5) */
export function statOf(pid: number): string[] | undefined {
  const text = textOf(`/proc/${pid}/stat`);
  return text?.slice(text.lastIndexOf(")") + 2).split(" ");
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** A process may end while it is looked at. */
export function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
