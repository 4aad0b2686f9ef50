import { randomUUID } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { PomonaError } from "../errors";
import { PathNotFoundError } from "./errors";
import { baseName, joinUrl, type Url } from "./location";
import { listed, type Place, type Storage } from "./storage";

/*
 * One process at a time may write to a destination. Its lock is a file DST/_temporary/lock-<n>.json, made so that only one
 * process can make it. A lock whose holder is gone is not removed but outnumbered, by lock n + 1: of several processes that
 * find a dead lock, one makes the next. Whether a holder is gone is seen from its process, on the same machine; else from its
 * lease: the holder writes its lock again and again, and one that is older than it promised is free. Its age is by the
 * storage's clock alone: two machines' clocks may differ. On object storage a machine is known by what no other one has, since
 * many containers are called the same.
 */

/** How long a holder that can't be looked up keeps a lock that it does not renew. */
export const LEASE_MILLISECONDS = 120_000;

/** The right to write to a destination. */
export interface OutputLock {
  /** Before what cannot be taken back. @throws ConcurrentWriteError where another has taken the lock over */
  assertHeld(): Promise<void>;
  /** True until another was seen to have taken it over. */
  readonly isHeld: boolean;
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
  /** Which machine, and on it which space of process ids; absent where that can't be told. */
  readonly machine?: string;
  /** True where the destination did not exist before. */
  readonly madeFolder: boolean;
  /** It is renewed at least so often. */
  readonly leaseMilliseconds?: number;
}

/**
 * Takes the lock of a destination.
 * @param leaseMilliseconds how long it is ours where nobody can look us up and we don't renew it
 * @throws ConcurrentWriteError if a running process has it
 */
export async function lockOutput(
  { storage, url: root }: Place,
  leaseMilliseconds = LEASE_MILLISECONDS,
): Promise<OutputLock> {
  const temporary = joinUrl(root, "_temporary");
  const existed = (await storage.stat(root)) !== undefined;
  for (;;) {
    const earlier = await readLocks(storage, temporary);
    await refuseRunning(storage, root, temporary, earlier);
    const number = Math.max(-1, ...earlier.map((lock) => lock.number)) + 1;
    const madeFolder = !existed || earlier.some(({ record }) => record?.madeFolder === true);
    const record: LockRecord = { ...thisProcess(), madeFolder, leaseMilliseconds };
    const url = joinUrl(temporary, `lock-${number}.json`);
    try {
      // False: another process was faster, and the next look finds it.
      if (!(await storage.createFile(url, JSON.stringify(record)))) continue;
      // Locks that came and went since the look may have left a number free below ours.
      const others = (await readLocks(storage, temporary)).filter((lock) => lock.url !== url);
      await refuseRunning(storage, root, temporary, others);
    } catch (error) {
      await storage.remove(url);
      await removeEmptyFolders(madeFolder);
      throw error;
    }
    return held(url, number, record);
  }

  function held(url: Url, number: number, record: LockRecord): OutputLock {
    let isHeld = true;
    const renewing = setInterval(() => {
      // One that fails is made good by the next, or it is found out before the commit.
      storage.renewFile(url, JSON.stringify(record)).catch(() => {});
    }, leaseMilliseconds / 4);
    // A lock must not keep a script from ending.
    renewing.unref();
    return {
      get isHeld() {
        return isHeld;
      },
      async assertHeld() {
        const locks = await readLocks(storage, temporary);
        const other = locks.find((lock) => lock.number > number);
        if (locks.some((lock) => lock.url === url) && !other) return;
        isHeld = false;
        throw new ConcurrentWriteError(
          `${other?.record ? `Process ${other.record.pid} on ${other.record.host}` : "Another process"} has taken over the write to ${root}.`,
          { remedy: "This process had not been heard of for too long. Wait for the other one to end, then look." },
        );
      },
      async release() {
        clearInterval(renewing);
        if (!isHeld) return;
        // Our own, which has the highest number, goes last: until then the others stay outnumbered.
        for (const lock of await readLocks(storage, temporary)) await storage.remove(lock.url);
        await removeEmptyFolders(record.madeFolder);
      },
    };
  }

  async function removeEmptyFolders(madeFolder: boolean): Promise<void> {
    await storage.removeEmptyFolder(temporary);
    if (madeFolder) await storage.removeEmptyFolder(root);
  }
}

interface Lock {
  readonly url: Url;
  readonly number: number;
  /** When it was last renewed, by the storage's clock. */
  readonly renewedAt: number;
  /** Undefined where the file is gone or was cut short. */
  readonly record: LockRecord | undefined;
}

/** The locks in `_temporary`, by number. */
async function readLocks(storage: Storage, temporary: Url): Promise<Lock[]> {
  const locks: Lock[] = [];
  const files = await listed(storage, temporary, { hidden: true, recursive: false }).catch((error: unknown) => {
    if (error instanceof PathNotFoundError) return [];
    throw error;
  });
  for (const { url, modifiedAt } of files) {
    const number = /^lock-(\d+)\.json$/.exec(baseName(url))?.[1];
    if (number === undefined) continue;
    locks.push({ url, number: Number(number), renewedAt: modifiedAt, record: await readRecord(storage, url) });
  }
  return locks.sort((a, b) => a.number - b.number);
}

async function readRecord(storage: Storage, url: Url): Promise<LockRecord | undefined> {
  try {
    return JSON.parse(Buffer.from(await storage.readFile(url)).toString("utf8")) as LockRecord;
  } catch {
    return undefined;
  }
}

async function refuseRunning(storage: Storage, root: Url, temporary: Url, locks: readonly Lock[]): Promise<void> {
  const leased = locks.some(({ record }) => record !== undefined && !isLocal(storage, record));
  const running = runningIn(storage, locks, leased ? await timeOf(storage, temporary) : 0);
  if (!running) return;
  const promised = Math.ceil((running.leaseMilliseconds ?? LEASE_MILLISECONDS) / 1000);
  const elsewhere = isLocal(storage, running)
    ? ""
    : ` If it is gone for good, its lock ends ${promised} s after its last sign.`;
  throw new ConcurrentWriteError(`Process ${running.pid} on ${running.host} is writing to ${root}.`, {
    remedy: `Wait for it to end, stop it, or choose another path.${elsewhere}`,
  });
}

/** True where the holder is a process of this machine. */
function isHere(storage: Storage, { host, machine }: LockRecord): boolean {
  return storage.locks === "process" ? host === hostname() : machine !== undefined && machine === thisMachine();
}

function isLocal(storage: Storage, record: LockRecord): boolean {
  return storage.locks === "process" && isHere(storage, record);
}

/** The lock of a writer that runs. @param now by the storage's clock */
function runningIn(storage: Storage, locks: readonly Lock[], now: number): LockRecord | undefined {
  return locks.find(({ record, renewedAt, number }) => {
    if (record === undefined) return false;
    if (isHere(storage, record) && !isRunning(record)) return false;
    if (isLocal(storage, record)) return true;
    // What is outnumbered counts no more, for who renews it still has lost it.
    const isOutnumbered = locks.some((lock) => lock.number > number && lock.record !== undefined);
    return !isOutnumbered && now - renewedAt <= (record.leaseMilliseconds ?? LEASE_MILLISECONDS);
  })?.record;
}

/** Who writes to a destination, as `process 12 on host`, as far as it is seen without writing anything there. */
export async function writerAt({ storage, url }: Place): Promise<string | undefined> {
  const running = runningIn(storage, await readLocks(storage, joinUrl(url, "_temporary")), Date.now());
  return running && `process ${running.pid} on ${running.host}`;
}

/** What time it is by the storage's clock: that of a file made now. */
async function timeOf(storage: Storage, temporary: Url): Promise<number> {
  const url = joinUrl(temporary, `clock-${randomUUID()}.json`);
  await storage.writeFile(url, "");
  try {
    const status = await storage.stat(url);
    return status === undefined || status === "folder" ? Date.now() : status.modifiedAt;
  } finally {
    await storage.remove(url);
  }
}

function thisProcess() {
  const machine = thisMachine();
  const { pid } = process;
  return {
    host: hostname(),
    pid,
    processStart: processStart(pid) ?? "",
    ...(machine === undefined ? {} : { machine }),
  };
}

/** Another one after every start of the system, and in every container. */
function thisMachine(): string | undefined {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return undefined;
  }
}

function isRunning(record: LockRecord): boolean {
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
