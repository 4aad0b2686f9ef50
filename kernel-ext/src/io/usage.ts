import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism, cpus, freemem, hostname, totalmem } from "node:os";
import type { Content } from "../messages";

/**
 * What the kernel and its machine use, in the form of ipykernel's `usage_reply`, which extensions of JupyterLab show. Shares of
 * processor time are in percent since the time before, and zero the first time.
 */
export interface Usage {
  answer(): Content;
}

interface Ticks {
  /** Milliseconds of processor time, by process. */
  readonly processes: ReadonlyMap<number, number>;
  readonly host: { readonly busy: number; readonly all: number };
  readonly time: number;
}

export function usage(): Usage {
  let before: Ticks | undefined;
  return {
    answer() {
      const pids = processTree(process.pid);
      const now: Ticks = {
        processes: new Map(pids.map((pid) => [pid, processorTime(pid)])),
        host: hostTime(),
        time: Date.now(),
      };
      const { kernel, host } = shares(before ?? now, now);
      before = now;
      return {
        status: "ok",
        hostname: hostname(),
        pid: process.pid,
        kernel_cpu: kernel,
        kernel_memory: pids.reduce((sum, pid) => sum + memory(pid), 0),
        ...(host > 0 && { host_cpu_percent: host }),
        cpu_count: availableParallelism(),
        host_virtual_memory: hostMemory(),
      };
    },
  };
}

function shares(before: Ticks, now: Ticks): { readonly kernel: number; readonly host: number } {
  const elapsed = now.time - before.time;
  let used = 0;
  for (const [pid, time] of now.processes) used += Math.max(0, time - (before.processes.get(pid) ?? time));
  const all = now.host.all - before.host.all;
  return {
    kernel: elapsed > 0 ? rounded((100 * used) / elapsed) : 0,
    host: all > 0 ? rounded((100 * (now.host.busy - before.host.busy)) / all) : 0,
  };
}

/** A process and those that it started, directly or not; where there is no /proc, the process alone. */
function processTree(root: number): number[] {
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

/** Linux counts in hundredths of a second, whatever the machine. */
const MS_PER_TICK = 10;

function processorTime(pid: number): number {
  if (pid === process.pid) {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  }
  const stat = statOf(pid);
  return stat ? (Number(stat[11]) + Number(stat[12])) * MS_PER_TICK : 0;
}

/** The fields of /proc/PID/stat behind the command's name, which may hold anything: state, parent, ... @see proc(5) */
function statOf(pid: number): string[] | undefined {
  const text = textOf(`/proc/${pid}/stat`);
  return text?.slice(text.lastIndexOf(")") + 2).split(" ");
}

/** Bytes, those shared with other processes by their share. */
function memory(pid: number): number {
  const shared = /^Pss:\s+(\d+) kB/m.exec(textOf(`/proc/${pid}/smaps_rollup`) ?? "")?.[1];
  if (shared !== undefined) return Number(shared) * 1024;
  return pid === process.pid ? process.memoryUsage.rss() : 0;
}

function hostTime(): Ticks["host"] {
  let all = 0;
  let idle = 0;
  for (const { times } of cpus()) {
    all += times.user + times.nice + times.sys + times.idle + times.irq;
    idle += times.idle;
  }
  return { busy: all - idle, all };
}

function hostMemory(): Content {
  const total = totalmem();
  const free = freemem();
  const told = /^MemAvailable:\s+(\d+) kB/m.exec(textOf("/proc/meminfo") ?? "")?.[1];
  const available = told === undefined ? free : Number(told) * 1024;
  return { total, available, percent: rounded((100 * (total - available)) / total), used: total - available, free };
}

function rounded(percent: number): number {
  return Math.round(percent * 10) / 10;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** A process may end while it is looked at. */
function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
