import { spawn } from "node:child_process";
import { statfs } from "node:fs/promises";
import { createInterface } from "node:readline";
import { CancelledError } from "../../errors";
import { cacheFolder } from "../../kernel/cache-folder";
import { killTree } from "../process-tree";
import { SparkInstallError } from "./errors";

/** With less room than this, in bytes, nothing is installed. */
const LEAST_ROOM = 2 ** 23;
/** How much of what a tool printed is told where it fails. */
const LOG_LINES = 12;

/**
 * Runs a tool to its end.
 * @param options.onLine is given each line that it prints
 * @throws SparkInstallError with the last lines that it printed, CancelledError
 */
export async function runTool(
  command: string,
  args: readonly string[],
  options: { readonly signal: AbortSignal; readonly onLine?: (line: string) => void },
): Promise<void> {
  const { signal, onLine } = options;
  const lines: string[] = [];
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  const kill = () => child.pid !== undefined && killTree(child.pid);
  signal.addEventListener("abort", kill, { once: true });
  process.once("exit", kill);
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on("line", (line) => {
      if (line.trim() !== "") lines.push(line);
      if (lines.length > LOG_LINES) lines.shift();
      onLine?.(line);
    });
  try {
    if (signal.aborted) kill();
    const how = await new Promise<number | string>((done) => {
      child.once("error", ({ message }) => done(message));
      child.once("close", (code, by) => done(code ?? `ended by ${by}`));
    });
    if (signal.aborted) throw new CancelledError("Cancelled.", { cause: signal.reason });
    if (how === 0) return;
    const told = lines.join("\n");
    const why = typeof how === "number" ? `exit code ${how}` : how;
    throw new SparkInstallError(`${[command, ...args].join(" ")}: ${why}\n${told}`.trimEnd(), await remedyFor(told));
  } finally {
    signal.removeEventListener("abort", kill);
    process.off("exit", kill);
  }
}

async function remedyFor(log: string): Promise<{ remedy?: string }> {
  if (/No space left on device|ENOSPC|Disk quota exceeded/i.test(log) || (await isFull()))
    return { remedy: "The disk is full: make room, or let POMONA_CACHE_DIR name a folder on another one." };
  if (
    /getaddrinfo|Name or service not known|Temporary failure in name resolution|NewConnectionError|UnknownHost|No matching distribution/i.test(
      log,
    )
  )
    return {
      remedy:
        "The package registry was not reached, or does not have it: check the network, and pip's or Maven's proxy and mirror.",
    };
  return {};
}

/** Not every tool says so. */
async function isFull(): Promise<boolean> {
  const { bavail, bsize } = await statfs(cacheFolder());
  return bavail * bsize < LEAST_ROOM;
}
