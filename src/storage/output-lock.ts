import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { PomonaError } from "../errors";
import { PathNotFoundError } from "./errors";
import { baseName, joinUrl } from "./location";
import type { Storage } from "./storage";

/*
 * One process at a time may write to a destination. Its lock is a file DST/_temporary/lock-<n>.json, made so that only one
 * process can make it. A lock whose process is gone is not removed but outnumbered, by lock n + 1: of several processes
 * that find a dead lock, one makes the next.
 */

/** The right to write to a destination. */
export interface OutputLock {
  /** Gives it back, and removes what it made: `_temporary` and the destination itself where they are empty. */
  release(): Promise<void>;
}

/** Another running process writes to the same destination. */
export class ConcurrentWriteError extends PomonaError {}

interface LockRecord {
  readonly host: string;
  readonly pid: number;
  /** The process's start time, so that a reused pid is not taken for the same process. */
  readonly processStart: string;
  /** True where the destination did not exist before. */
  readonly madeFolder: boolean;
}

/** Takes the lock of a destination. @throws ConcurrentWriteError if a running process has it */
export async function lockOutput(storage: Storage, root: string): Promise<OutputLock> {
  const temporary = joinUrl(root, "_temporary");
  const existed = (await storage.stat(root)) !== undefined;
  for (;;) {
    const earlier = await readLocks(storage, temporary);
    refuseRunning(root, earlier);
    const number = Math.max(-1, ...earlier.map((lock) => lock.number)) + 1;
    const madeFolder = !existed || earlier.some(({ record }) => record?.madeFolder === true);
    const record: LockRecord = { ...thisProcess(), madeFolder };
    const url = joinUrl(temporary, `lock-${number}.json`);
    try {
      // False: another process was faster, and the next look finds it.
      if (!(await storage.createFile(url, JSON.stringify(record)))) continue;
      // Locks that came and went since the look may have left a number free below ours.
      refuseRunning(
        root,
        (await readLocks(storage, temporary)).filter((lock) => lock.url !== url),
      );
    } catch (error) {
      await storage.remove(url);
      await removeEmptyFolders(madeFolder);
      throw error;
    }
    return {
      async release() {
        // Our own, which has the highest number, goes last: until then the others stay outnumbered.
        for (const lock of await readLocks(storage, temporary)) await storage.remove(lock.url);
        await removeEmptyFolders(madeFolder);
      },
    };
  }

  async function removeEmptyFolders(madeFolder: boolean): Promise<void> {
    await storage.removeEmptyFolder(temporary);
    if (madeFolder) await storage.removeEmptyFolder(root);
  }
}

interface Lock {
  readonly url: string;
  readonly number: number;
  /** Undefined where the file is gone or was cut short. */
  readonly record: LockRecord | undefined;
}

/** The locks in `_temporary`, by number. */
async function readLocks(storage: Storage, temporary: string): Promise<Lock[]> {
  const locks: Lock[] = [];
  const files = await storage.list(temporary, { hidden: true, recursive: false }).catch((error: unknown) => {
    if (error instanceof PathNotFoundError) return [];
    throw error;
  });
  for (const { url } of files) {
    const number = /^lock-(\d+)\.json$/.exec(baseName(url))?.[1];
    if (number !== undefined) locks.push({ url, number: Number(number), record: await readRecord(storage, url) });
  }
  return locks.sort((a, b) => a.number - b.number);
}

async function readRecord(storage: Storage, url: string): Promise<LockRecord | undefined> {
  try {
    return JSON.parse(Buffer.from(await storage.readFile(url)).toString("utf8")) as LockRecord;
  } catch {
    return undefined;
  }
}

function refuseRunning(root: string, locks: readonly Lock[]): void {
  const running = locks.find(({ record }) => record !== undefined && isRunning(record))?.record;
  if (!running) return;
  const elsewhere = running.host === hostname() ? "" : " If it is gone for good, remove the folder _temporary there.";
  throw new ConcurrentWriteError(`Process ${running.pid} on ${running.host} is writing to ${root}.`, {
    remedy: `Wait for it to end, stop it, or choose another path.${elsewhere}`,
  });
}

function thisProcess() {
  return { host: hostname(), pid: process.pid, processStart: processStart(process.pid) ?? "" };
}

/** Another host's process can't be looked at; it counts as running, since its output may still grow. */
function isRunning(record: LockRecord): boolean {
  if (record.host !== hostname()) return true;
  const start = processStart(record.pid);
  return start !== undefined && start === record.processStart;
}

/** When a process started, in the system's own ticks; undefined if there is none. Field 22 of proc(5)'s `stat`. */
function processStart(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    // Without /proc (macOS) only the pid itself can be asked.
    try {
      process.kill(pid, 0);
      return "unknown";
    } catch {
      return undefined;
    }
  }
}
