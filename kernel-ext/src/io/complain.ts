import { writeSync } from "node:fs";

/** Writes one line to the process's own stderr, which is the log of whoever started the kernel. */
export function complain(what: string, why: unknown): void {
  const reason = why instanceof Error ? why.message : String(why);
  try {
    writeSync(2, `[pomona] ${what}: ${reason.replaceAll("\n", " ")}\n`);
  } catch {
    // Nobody reads it any more.
  }
}
