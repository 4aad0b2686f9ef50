import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { IllegalArgumentError, PomonaError } from "../errors";
import { baseName, joinUrl, locationUrl, parseLocation } from "./location";
import { type Storage, storageFor } from "./storage";

/*
 * How a write becomes visible. Attempts write below DST/_temporary/<job>/, which readers pass over (a leading "_"), and
 * the driver renames exactly one attempt of each task into DST once all tasks are done. The renames are written down in
 * commit.json first, so that a crash between two of them is finished by the next write instead of leaving a mixture.
 * After a crash before the commit, a second run of the same job finds the tasks that ended and redoes only the others.
 * It follows Hadoop's FileOutputCommitter, version 1 (task output held back until the job commits).
 */

export interface OutputOptions {
  readonly mode: "errorifexists" | "overwrite" | "append" | "ignore";
  /** Equal for two runs of the same job on the same input: what a crashed run left is taken up again. */
  readonly fingerprint: string;
  /** File ending of the parts, such as `.snappy.parquet`. */
  readonly extension: string;
}

/** What a finished task left behind. */
export interface TaskManifest {
  readonly partition: number;
  readonly url: string;
  readonly rows: number;
  readonly bytes: number;
  readonly failedRows: number;
}

/** One job's output on its way to `destination`. */
export interface OutputJob {
  readonly jobId: string;
  /** Tasks that an earlier, crashed run of the same job had finished. */
  readonly resumed: ReadonlyMap<number, TaskManifest>;
  /** Where an attempt of a task writes its part. */
  attemptUrl(partition: number, attempt: number): string;
  /** Makes one attempt the task's result; a later one of the same task is refused (returns false). */
  commitTask(manifest: TaskManifest): Promise<boolean>;
  /** Makes everything visible at once and writes `_SUCCESS`. Returns the part files. */
  commit(): Promise<string[]>;
  /** Removes every trace of the job. */
  abort(): Promise<void>;
}

/** The destination holds data and the mode is `errorifexists`. */
export class PathAlreadyExistsError extends PomonaError {}

/** Another running process writes to the same destination. */
export class ConcurrentWriteError extends PomonaError {}

/** The destination holds files that no write made, and `overwrite` would delete them. */
export class ForeignFilesError extends PomonaError {}

/** A commit was interrupted half-way and has not been finished yet. */
export class IncompleteWriteError extends PomonaError {}

/** Names that Spark, Hadoop and this program give to the files of a data set. */
const DATA_FILE = /^(part-.*|_SUCCESS|_metadata|_common_metadata|\..*\.crc)$/;

interface JobRecord {
  readonly jobId: string;
  readonly fingerprint: string;
  readonly host: string;
  readonly pid: number;
  /** The process's start time, so that a reused pid is not taken for the same process. */
  readonly processStart: string;
}

interface Journal {
  readonly renames: readonly (readonly [from: string, to: string])[];
  readonly deletes: readonly string[];
}

/**
 * Begins a write, or returns undefined where mode `ignore` finds data. Finishes an interrupted commit first, takes up a
 * crashed run of the same job, and removes what other crashed runs left.
 * @throws PathAlreadyExistsError, ConcurrentWriteError, ForeignFilesError
 */
export async function openOutput(destination: string, options: OutputOptions): Promise<OutputJob | undefined> {
  const root = locationUrl(parseLocation(destination));
  const storage = storageFor(root);
  const there = await storage.stat(root);
  if (there !== undefined && there !== "folder") {
    throw new PathAlreadyExistsError(`${destination} is a file; a data set is a folder of parts.`, {
      remedy: "Choose another path.",
    });
  }
  const earlier = there === undefined ? [] : await takeStock(storage, root, options.fingerprint);
  const existing = there === undefined ? [] : await visibleFiles(storage, root);
  if (existing.length > 0) {
    if (options.mode === "ignore") return undefined;
    if (options.mode === "errorifexists") {
      throw new PathAlreadyExistsError(`${destination} exists and holds ${existing.length} files.`, {
        remedy: 'Choose another path, or say what to do with the old data: mode "overwrite", "append" or "ignore".',
      });
    }
    if (options.mode === "overwrite") refuseForeignFiles(destination, existing);
  }
  const record = earlier[0] ?? newRecord(options.fingerprint);
  const folder = joinUrl(root, "_temporary", record.jobId);
  const resumed = earlier[0] ? await readManifests(storage, folder) : new Map<number, TaskManifest>();
  await storage.writeFile(joinUrl(folder, "job.json"), JSON.stringify({ ...record, ...thisProcess() }));
  return outputJob({ storage, root, folder, record, resumed, options, existed: there !== undefined });
}

/** @throws IncompleteWriteError if a commit into `url` was interrupted, so that what is visible there is a mixture. */
export async function assertWhole(url: string): Promise<void> {
  const storage = storageFor(url);
  const root = locationUrl(parseLocation(url));
  if ((await storage.stat(joinUrl(root, "_temporary"))) !== "folder") return;
  const journals = (await storage.list(joinUrl(root, "_temporary"), { hidden: true })).filter(
    (f) => baseName(f.url) === "commit.json",
  );
  if (journals.length > 0) {
    throw new IncompleteWriteError(`${url} holds a write that was interrupted while it was made visible.`, {
      remedy: "Run that write again: it finishes the interrupted one first.",
    });
  }
}

interface Context {
  readonly storage: Storage;
  readonly root: string;
  readonly folder: string;
  readonly record: JobRecord;
  readonly resumed: Map<number, TaskManifest>;
  readonly options: OutputOptions;
  readonly existed: boolean;
}

function outputJob({ storage, root, folder, record, resumed, options, existed }: Context): OutputJob {
  const committed = new Map(resumed);
  return {
    jobId: record.jobId,
    resumed,

    attemptUrl(partition, attempt) {
      const part = `part-${String(partition).padStart(5, "0")}-${record.jobId}-c000${options.extension}`;
      return joinUrl(folder, `attempt-${partition}-${attempt}`, part);
    },

    async commitTask(manifest) {
      if (committed.has(manifest.partition)) return false;
      committed.set(manifest.partition, manifest);
      await storage.writeFile(joinUrl(folder, `task-${manifest.partition}.json`), JSON.stringify(manifest));
      return true;
    },

    async commit() {
      const parts = [...committed.values()].sort((a, b) => a.partition - b.partition);
      const renames = parts.map((p) => [p.url, joinUrl(root, baseName(p.url))] as const);
      const deletes = options.mode === "overwrite" ? await dataFiles(storage, root) : [];
      await storage.writeFile(joinUrl(folder, "commit.json"), JSON.stringify({ renames, deletes } satisfies Journal));
      await replay(storage, root, folder);
      return renames.map(([, to]) => to);
    },

    async abort() {
      await storage.remove(folder);
      await storage.removeEmptyFolder(joinUrl(root, "_temporary"));
      if (!existed) await storage.removeEmptyFolder(root);
    },
  };
}

/** Carries out a journal; safe to repeat, whatever of it was done before. */
async function replay(storage: Storage, root: string, folder: string): Promise<void> {
  const journal = JSON.parse(
    Buffer.from(await storage.readFile(joinUrl(folder, "commit.json"))).toString("utf8"),
  ) as Journal;
  // Without _SUCCESS nobody takes the mixture of old and new parts for a whole.
  await storage.remove(joinUrl(root, "_SUCCESS"));
  const kept = new Set(journal.renames.map(([, to]) => to));
  for (const url of journal.deletes) if (!kept.has(url)) await storage.remove(url);
  for (const [from, to] of journal.renames) {
    if ((await storage.stat(from)) !== undefined) await storage.rename(from, to);
  }
  await storage.writeFile(joinUrl(root, "_SUCCESS"), "");
  await storage.remove(folder);
  await storage.removeEmptyFolder(joinUrl(root, "_temporary"));
}

/** Finishes, keeps or removes what earlier runs left; returns the crashed run of this very job, if there is one. */
async function takeStock(storage: Storage, root: string, fingerprint: string): Promise<JobRecord[]> {
  const temporary = joinUrl(root, "_temporary");
  if ((await storage.stat(temporary)) !== "folder") return [];
  const files = await storage.list(temporary, { hidden: true });
  const folders = new Set(files.map((f) => f.url.slice(0, f.url.indexOf("/", temporary.length + 1))));
  const takenUp: JobRecord[] = [];
  for (const folder of folders) {
    const names = new Set(files.filter((f) => f.url.startsWith(`${folder}/`)).map((f) => baseName(f.url)));
    const record = names.has("job.json") ? await readRecord(storage, folder) : undefined;
    if (record && isRunning(record)) {
      throw new ConcurrentWriteError(`Process ${record.pid} on ${record.host} is writing to ${root}.`, {
        remedy: "Wait for it to end, stop it, or choose another path.",
      });
    }
    if (names.has("commit.json")) await replay(storage, root, folder);
    else if (record?.fingerprint === fingerprint && takenUp.length === 0) takenUp.push(record);
    else await storage.remove(folder);
  }
  if (takenUp.length === 0) await storage.removeEmptyFolder(temporary);
  return takenUp;
}

async function readRecord(storage: Storage, folder: string): Promise<JobRecord | undefined> {
  try {
    return JSON.parse(Buffer.from(await storage.readFile(joinUrl(folder, "job.json"))).toString("utf8")) as JobRecord;
  } catch {
    // A record cut short belongs to a run that died at once: nothing to take up.
    return undefined;
  }
}

async function readManifests(storage: Storage, folder: string): Promise<Map<number, TaskManifest>> {
  const manifests = new Map<number, TaskManifest>();
  for (const file of await storage.list(folder, { hidden: true })) {
    if (!/^task-\d+\.json$/.test(baseName(file.url))) continue;
    const manifest = JSON.parse(Buffer.from(await storage.readFile(file.url)).toString("utf8")) as TaskManifest;
    const part = await storage.stat(manifest.url);
    // A part of another size was cut short by the crash: that task is done again.
    if (part !== undefined && part !== "folder" && part.size === manifest.bytes) {
      manifests.set(manifest.partition, manifest);
    }
  }
  return manifests;
}

async function visibleFiles(storage: Storage, root: string): Promise<string[]> {
  return (await storage.list(root, { hidden: true })).map((f) => f.url).filter((url) => !isTemporary(url, root));
}

async function dataFiles(storage: Storage, root: string): Promise<string[]> {
  return (await visibleFiles(storage, root)).filter((url) => baseName(url) !== "_SUCCESS");
}

function isTemporary(url: string, root: string): boolean {
  return url.startsWith(`${joinUrl(root, "_temporary")}/`);
}

function refuseForeignFiles(destination: string, files: readonly string[]): void {
  const foreign = files.filter((url) => !DATA_FILE.test(baseName(url)));
  if (foreign.length === 0) return;
  const named = foreign.slice(0, 3).map(baseName).join(", ");
  throw new ForeignFilesError(
    `${destination} holds ${foreign.length} files that no write made (${named}); overwriting would delete them.`,
    { remedy: "Choose another path, or move those files away first." },
  );
}

function newRecord(fingerprint: string): JobRecord {
  if (fingerprint === "") throw new IllegalArgumentError("A write needs a fingerprint.");
  return { jobId: randomUUID(), fingerprint, ...thisProcess() };
}

function thisProcess() {
  return { host: hostname(), pid: process.pid, processStart: processStart(process.pid) ?? "" };
}

/** Another host's process can't be looked at; it counts as running, since its output may still grow. */
function isRunning(record: JobRecord): boolean {
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
