import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { PomonaError } from "pomona/kernel";
import { BashError } from "./errors";

/** How long a command that was interrupted has to end by itself. */
const GRACE_MS = 400;

/** How long output is waited for after the shell has ended: a program in the background may hold it open for good. */
const DRAIN_MS = 250;

/** Thrown where there is no bash. */
export class BashMissingError extends PomonaError {}

/** Thrown where the folder that commands run in was removed. */
export class FolderMissingError extends PomonaError {}

/**
 * Runs shell commands, their output going to the cell as it comes.
 * @throws BashError for another exit code than 0; the signal's reason where it was aborted
 */
export async function runBash(
  commands: string,
  { cwd, signal }: { readonly cwd: string; readonly signal: AbortSignal },
): Promise<void> {
  signal.throwIfAborted();
  // A process group of its own, so that an interrupt reaches what the shell has started.
  const shell = spawn("bash", ["-c", commands], { cwd, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const ended = endOf(shell, cwd);
  for (const name of ["stdout", "stderr"] as const) {
    shell[name].setEncoding("utf8").on("data", (text: string) => process[name].write(text));
  }
  const stop = () => void killGroup(shell);
  signal.addEventListener("abort", stop, { once: true });
  try {
    const [code, by] = await ended;
    signal.throwIfAborted();
    if (code !== 0) throw new BashError(code, by);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

async function endOf(shell: ChildProcess, cwd: string): Promise<[code: number | null, signal: NodeJS.Signals | null]> {
  const closed = once(shell, "close").catch(() => undefined);
  try {
    const [code, by] = (await once(shell, "exit")) as [number | null, NodeJS.Signals | null];
    await Promise.race([closed, new Promise((done) => setTimeout(done, DRAIN_MS))]);
    return [code, by];
  } catch (error) {
    // Node says the same of both.
    if (!existsSync(cwd)) throw new FolderMissingError(`The notebook's folder is gone: ${cwd}.`, { cause: error });
    throw new BashMissingError(`bash can't be started: ${(error as Error).message}.`, {
      remedy: "Install bash, or see to it that the search path of the Jupyter server has it.",
      cause: error,
    });
  }
}

async function killGroup(shell: ChildProcess): Promise<void> {
  kill(shell, "SIGINT");
  await Promise.race([once(shell, "exit"), new Promise((done) => setTimeout(done, GRACE_MS))]);
  // Also where the shell has ended: what it started may have not.
  kill(shell, "SIGKILL");
}

function kill({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
