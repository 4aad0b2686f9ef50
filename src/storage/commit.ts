import { randomUUID } from "node:crypto";
import { IllegalArgumentError, PomonaError } from "../errors";
import { baseName, joinUrl, locationUrl, parseLocation } from "./location";
import { lockOutput, type OutputLock } from "./output-lock";
import type { Storage } from "./storage";
import { storageFor } from "./storages";

export { ConcurrentWriteError } from "./output-lock";

/*
 * How a write becomes visible. Attempts write below DST/_temporary/<job>/, which readers pass over (a leading "_"), and
 * the driver renames exactly one attempt of each task into DST once all tasks are done. The renames are written down in
 * commit.json first, so that a crash between two of them is finished by the next write instead of leaving a mixture.
 * After a crash before the commit, a second run of the same job finds the tasks that ended and redoes only the others.
 * It follows Hadoop's FileOutputCommitter, version 1 (task output held back until the job commits).
 * One process at a time has the destination: see output-lock.ts.
 */

/** What to do where the destination holds data. */
export type OutputMode = "errorifexists" | "overwrite" | "append" | "ignore";

export interface OutputOptions {
  readonly mode: OutputMode;
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
  /** Where an attempt of a task writes its part. @param folder the part's folder in the output, such as `label=Apple` */
  attemptUrl(partition: number, attempt: number, folder?: string): string;
  /** Makes one attempt the task's result; a later one of the same task is refused (returns false). */
  commitTask(manifest: TaskManifest): Promise<boolean>;
  /** Makes everything visible at once and writes `_SUCCESS`. Returns the part files. */
  commit(): Promise<string[]>;
  /** Removes every trace of the job. */
  abort(): Promise<void>;
}

/** The destination holds data and the mode is `errorifexists`. */
export class PathAlreadyExistsError extends PomonaError {}

/** The destination holds files that no write made, and `overwrite` would delete them. */
export class ForeignFilesError extends PomonaError {}

/** A commit was interrupted half-way and has not been finished yet. */
export class IncompleteWriteError extends PomonaError {}

/** Names that Spark, Hadoop and this program give to the files of a data set, and to files on their way to a name. */
const DATA_FILE = /^(part-.*|_SUCCESS|_metadata|_common_metadata|\..*\.crc|\.[0-9a-f-]{36}\.tmp)$/;

interface JobRecord {
  readonly jobId: string;
  readonly fingerprint: string;
}

interface Journal {
  readonly renames: readonly (readonly [from: string, to: string])[];
  readonly deletes: readonly string[];
  /** What the renamed parts hold, for a run that finds its own commit finished. */
  readonly parts: readonly TaskManifest[];
}

/**
 * Applies the mode to what is at the destination, before any work is done. Returns false where mode `ignore` finds data.
 * @throws PathAlreadyExistsError, ForeignFilesError
 */
export async function mayWrite(destination: string, mode: OutputMode): Promise<boolean> {
  const root = locationUrl(parseLocation(destination));
  const storage = storageFor(root);
  const there = await storage.stat(root);
  if (there === undefined) return true;
  if (there !== "folder") {
    throw new PathAlreadyExistsError(`${destination} is a file; a data set is a folder of parts.`, {
      remedy: "Choose another path.",
    });
  }
  // What an unfinished write left is for `openOutput` to judge.
  if ((await storage.stat(joinUrl(root, "_temporary"))) !== undefined) return true;
  return admits(destination, await visibleFiles(storage, root), mode);
}

/**
 * Begins a write, or returns undefined where mode `ignore` finds data. Finishes an interrupted commit first, takes up a
 * crashed run of the same job, and removes what other crashed runs left.
 * @throws PathAlreadyExistsError, ConcurrentWriteError, ForeignFilesError
 */
export async function openOutput(destination: string, options: OutputOptions): Promise<OutputJob | undefined> {
  if (options.fingerprint === "") throw new IllegalArgumentError("A write needs a fingerprint.");
  if (!(await mayWrite(destination, options.mode))) return undefined;
  const root = locationUrl(parseLocation(destination));
  const storage = storageFor(root);
  const lock = await lockOutput(storage, root);
  let folder: string | undefined;
  try {
    const earlier = await takeStock(storage, root, options.fingerprint);
    if (earlier.finished) return finishedJob(earlier.finished, lock);
    if (!admits(destination, await visibleFiles(storage, root), options.mode)) {
      await lock.release();
      return undefined;
    }
    const record = earlier.crashed ?? { jobId: randomUUID(), fingerprint: options.fingerprint };
    folder = joinUrl(root, "_temporary", record.jobId);
    const resumed = earlier.crashed ? await readManifests(storage, folder) : new Map<number, TaskManifest>();
    await storage.writeFile(joinUrl(folder, "job.json"), JSON.stringify(record));
    return outputJob({ storage, root, folder, record, resumed, options, lock });
  } catch (error) {
    if (folder !== undefined) await storage.remove(folder);
    await lock.release();
    throw error;
  }
}

/** @throws PathAlreadyExistsError, ForeignFilesError */
function admits(destination: string, existing: readonly string[], mode: OutputMode): boolean {
  if (existing.length === 0) return true;
  switch (mode) {
    case "ignore":
      return false;
    case "errorifexists":
      throw new PathAlreadyExistsError(`${destination} exists and holds ${existing.length} files.`, {
        remedy:
          'Choose another path, or say what to do with the old data: mode "overwrite", "append" or "ignore" (--mode).',
      });
    case "overwrite":
      refuseForeignFiles(destination, existing);
      return true;
    case "append":
      return true;
  }
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
  readonly lock: OutputLock;
}

function outputJob({ storage, root, folder, record, resumed, options, lock }: Context): OutputJob {
  const committed = new Map(resumed);
  let isJournaled = false;
  return {
    jobId: record.jobId,
    resumed,

    attemptUrl(partition, attempt, inner = "") {
      const part = `part-${String(partition).padStart(5, "0")}-${record.jobId}-c000${options.extension}`;
      return joinUrl(folder, `attempt-${partition}-${attempt}`, ...(inner === "" ? [] : [inner]), part);
    },

    async commitTask(manifest) {
      if (committed.has(manifest.partition)) return false;
      committed.set(manifest.partition, manifest);
      await storage.writeFile(joinUrl(folder, `task-${manifest.partition}.json`), JSON.stringify(manifest));
      return true;
    },

    async commit() {
      const parts = [...committed.values()].sort((a, b) => a.partition - b.partition);
      // Below the attempt's folder a part lies as it will lie in the output.
      const inside = (url: string) => url.slice(url.indexOf("/", folder.length + 1) + 1);
      const renames = parts.map((p) => [p.url, joinUrl(root, inside(p.url))] as const);
      const deletes = options.mode === "overwrite" ? await dataFiles(storage, root) : [];
      const journal: Journal = { renames, deletes, parts };
      await storage.writeFile(joinUrl(folder, "commit.json"), JSON.stringify(journal));
      isJournaled = true;
      await replay(storage, root, folder);
      await lock.release();
      return renames.map(([, to]) => to);
    },

    async abort() {
      // A commit that failed half-way stays on record: the next write finishes it, and readers refuse it until then.
      if (!isJournaled) await storage.remove(folder);
      await lock.release();
    },
  };
}

/** A job whose earlier run died in the middle of its commit, which is finished now: there is nothing left to do. */
function finishedJob({ jobId, journal }: FinishedCommit, lock: OutputLock): OutputJob {
  return {
    jobId,
    resumed: new Map(journal.parts.map((part) => [part.partition, part])),
    attemptUrl() {
      throw new IllegalArgumentError(`Job ${jobId} is committed already.`);
    },
    commitTask: async () => false,
    async commit() {
      await lock.release();
      return journal.renames.map(([, to]) => to);
    },
    abort: () => lock.release(),
  };
}

/** Carries out a journal; safe to repeat, whatever of it was done before. */
async function replay(storage: Storage, root: string, folder: string): Promise<Journal> {
  const journal = JSON.parse(
    Buffer.from(await storage.readFile(joinUrl(folder, "commit.json"))).toString("utf8"),
  ) as Journal;
  // Without _SUCCESS nobody takes the mixture of old and new parts for a whole.
  await storage.remove(joinUrl(root, "_SUCCESS"));
  const kept = new Set(journal.renames.map(([, to]) => to));
  for (const url of journal.deletes) if (!kept.has(url)) await storage.remove(url);
  for (const emptied of foldersOf(journal.deletes, root)) await storage.removeEmptyFolder(emptied);
  for (const [from, to] of journal.renames) {
    if ((await storage.stat(from)) !== undefined) await storage.rename(from, to);
  }
  await storage.writeFile(joinUrl(root, "_SUCCESS"), "");
  await storage.remove(folder);
  return journal;
}

/** The folders `k=v` of some files below `root`, the innermost first. */
function foldersOf(urls: readonly string[], root: string): string[] {
  const folders = new Set<string>();
  for (const url of urls) {
    let folder = url.slice(0, url.lastIndexOf("/"));
    for (; folder.length > root.length; folder = folder.slice(0, folder.lastIndexOf("/"))) folders.add(folder);
  }
  return [...folders].sort((a, b) => b.length - a.length);
}

interface FinishedCommit {
  readonly jobId: string;
  readonly journal: Journal;
}

/** What earlier runs of this very job left: one that died before its commit, or one that died in it. */
interface EarlierRuns {
  readonly crashed?: JobRecord;
  readonly finished?: FinishedCommit;
}

/** Finishes, keeps or removes what earlier runs left. Their processes are gone: the lock is ours. */
async function takeStock(storage: Storage, root: string, fingerprint: string): Promise<EarlierRuns> {
  const temporary = joinUrl(root, "_temporary");
  const files = (await storage.list(temporary, { hidden: true })).map((f) => f.url);
  const folders = new Set(files.map((url) => url.slice(0, url.indexOf("/", temporary.length + 1))));
  let earlier: EarlierRuns = {};
  for (const folder of folders) {
    // The locks lie beside the jobs' folders.
    if (!folder.startsWith(`${temporary}/`)) continue;
    const names = new Set(files.filter((url) => url.startsWith(`${folder}/`)).map(baseName));
    const record = names.has("job.json") ? await readRecord(storage, folder) : undefined;
    const isSame = record?.fingerprint === fingerprint;
    if (names.has("commit.json")) {
      const journal = await replay(storage, root, folder);
      if (isSame) earlier = { finished: { jobId: record.jobId, journal } };
    } else if (isSame && earlier.crashed === undefined && earlier.finished === undefined) {
      earlier = { crashed: record };
    } else {
      await storage.remove(folder);
    }
  }
  return earlier;
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
