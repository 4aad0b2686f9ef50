import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** A process, which is told from a later one of the same number by when it began. */
export interface ProcessId {
  readonly pid: number;
  /** In the system's own form. */
  readonly start: string;
}

const LOOK_EVERY_MS = 100;

/** Ends a process and all that it has started, also in process groups of their own as kernels are, without waiting for anything. */
export function killTree(pid: number): void {
  for (const one of [pid, ...descendants(pid)]) signalProcess(one, "SIGKILL");
}

/** The process of that number, or undefined where there is none that runs. */
export function processId(pid: number): ProcessId | undefined {
  try {
    const start = process.platform === "linux" ? startInProc(pid) : startByPs(pid);
    return start === undefined || start === "" ? undefined : { pid, start };
  } catch {
    return undefined;
  }
}

/** Whether that process, and no later one of the same number, still runs. */
export const isRunning = ({ pid, start }: ProcessId): boolean => processId(pid)?.start === start;

/** Asks processes to end, waits for them and for all that they have started, and kills what is left. @param within milliseconds */
export async function endProcesses(ids: readonly ProcessId[], within: number): Promise<void> {
  const asked = ids.filter(isRunning);
  const all = [...asked, ...asked.flatMap(({ pid }) => descendants(pid)).flatMap((pid) => processId(pid) ?? [])];
  for (const { pid } of asked) signalProcess(pid, "SIGTERM");
  const end = Date.now() + within;
  while (all.some(isRunning) && Date.now() < end) await sleep(LOOK_EVERY_MS);
  for (const id of all) if (isRunning(id)) killTree(id.pid);
  while (all.some(isRunning)) await sleep(LOOK_EVERY_MS);
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended already.
  }
}

function descendants(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const [child, parent] of processes()) children.set(parent, [...(children.get(parent) ?? []), child]);
  const below = (of: number): number[] => (children.get(of) ?? []).flatMap((child) => [child, ...below(child)]);
  return below(pid);
}

/** Every process that can be seen, with its parent. */
function processes(): [number, number][] {
  try {
    if (process.platform === "linux") return readdirSync("/proc").filter(isNumber).flatMap(withParent);
    const told = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" });
    return told
      .trim()
      .split("\n")
      .map((line) => line.trim().split(/\s+/).map(Number) as [number, number]);
  } catch {
    return [];
  }
}

function withParent(pid: string): [number, number][] {
  try {
    return [[Number(pid), Number(statOf(pid)[1])]];
  } catch {
    return [];
  }
}

/** Clock ticks since the machine's start; undefined for one that has ended and that nobody has asked for yet. */
function startInProc(pid: number): string | undefined {
  const [state, ...rest] = statOf(pid);
  return state === "Z" ? undefined : rest[18];
}

function startByPs(pid: number): string | undefined {
  const told = execFileSync("ps", ["-o", "stat=,lstart=", "-p", String(pid)], { encoding: "utf8" }).trim();
  return told.startsWith("Z") ? undefined : told.replace(/^\S+\s+/, "");
}

/** @see proc(5): behind the command's name, which may hold anything, stand its state, its parent and more. */
function statOf(pid: string | number): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

const isNumber = (name: string) => /^\d+$/.test(name);
