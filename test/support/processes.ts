import { readdirSync, readFileSync } from "node:fs";

/** True for a process that is there and has not ended. */
export function isAlive(pid: number): boolean {
  try {
    // One that has ended, and that nobody has asked for yet, is none.
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

/** The processes that a process has started, and theirs. */
export function descendants(pid: number): number[] {
  const all = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const parents = all.flatMap((name): [number, number][] => {
    try {
      const text = readFileSync(`/proc/${name}/stat`, "utf8");
      return [[Number(name), Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[1])]];
    } catch {
      return [];
    }
  });
  const below = (of: number): number[] =>
    parents.filter(([, parent]) => parent === of).flatMap(([child]) => [child, ...below(child)]);
  return below(pid);
}
