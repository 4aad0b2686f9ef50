import { availableParallelism, cpus, freemem, hostname, totalmem } from "node:os";
import type { Content } from "../messages";
import { MS_PER_TICK, processTree, statOf, textOf } from "./processes";

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

function processorTime(pid: number): number {
  if (pid === process.pid) {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  }
  const stat = statOf(pid);
  return stat ? (Number(stat[11]) + Number(stat[12])) * MS_PER_TICK : 0;
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
