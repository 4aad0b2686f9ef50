import { readFileSync } from "node:fs";

/**
 * Milliseconds that a process's main thread could have run since its start, but had to wait for a core: what a limit on its
 * time has to leave out on a machine that does other work too. 0 where the system does not tell.
 */
export function waitedForCore(pid: number): number {
  try {
    const [, nanoseconds] = readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ");
    return Number(nanoseconds) / 1e6;
  } catch {
    return 0;
  }
}
