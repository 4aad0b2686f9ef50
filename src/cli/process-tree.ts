import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** Ends a process and all that it has started, also in process groups of their own as kernels are, without waiting for anything. */
export function killTree(pid: number): void {
  for (const one of [pid, ...descendants(pid)]) {
    try {
      process.kill(one, "SIGKILL");
    } catch {
      // It has ended already.
    }
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

/** @see proc(5): behind the command's name, which may hold anything, stand its state and its parent. */
function withParent(pid: string): [number, number][] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return [[Number(pid), Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[1])]];
  } catch {
    return [];
  }
}

const isNumber = (name: string) => /^\d+$/.test(name);
