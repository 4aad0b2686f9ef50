import { randomUUID } from "node:crypto";
import { IllegalArgumentError, PomonaError } from "../errors";
import { mapConcurrently } from "./concurrently";
import type { Draft, DraftPlace } from "./drafts";
import { baseName, isInside, joinUrl, parentOf, type Url } from "./location";
import { ConcurrentWriteError, lockOutput, type OutputLock } from "./output-lock";
import { type FileStatus, listed, type Place, type Storage } from "./storage";
import type { Storages } from "./storages";

export { ConcurrentWriteError } from "./output-lock";

/*
 * How a write becomes visible. Attempts write drafts, which nobody sees: on a storage that renames, files below
 * DST/_temporary/<job>/, which readers pass over (a leading "_"); in object storage, uploads that are not completed. The
 * driver publishes exactly one draft of each task once all tasks are done. What is to be published and removed is written
 * down in commit.json first, by one process, so that a crash in the middle is finished by the next write instead of leaving
 * a mixture. After a crash before the commit, a second run of the same job finds the tasks that ended and redoes only the
 * others. It follows Hadoop's FileOutputCommitter, version 1 (task output held back until the job commits), and its
 * committers for S3. One process at a time has the destination: see output-lock.ts.
 */

/** What a write does where the destination holds data. `errorifexists` is the default, as in Spark. */
export type SaveMode = "errorifexists" | "overwrite" | "append" | "ignore";

export interface OutputOptions {
  readonly mode: SaveMode;
  /** Equal for two runs of the same job on the same input: what a crashed run left is taken up again. */
  readonly fingerprint: string;
  /** File ending of the parts, such as `.snappy.parquet`. */
  readonly extension: string;
  /** See {@link lockOutput}. */
  readonly leaseMilliseconds?: number | undefined;
}

/** What a finished task left behind. */
export interface TaskManifest {
  readonly partition: number;
  readonly draft: Draft;
  readonly rows: number;
  readonly failedRows: number;
}

/** One job's output on its way to `destination`. */
export interface OutputJob {
  readonly jobId: string;
  /** Tasks that an earlier, crashed run of the same job had finished. */
  readonly resumed: ReadonlyMap<number, TaskManifest>;
  /** Where an attempt of a task drafts its part. @param folder the part's folder in the output, such as `label=Apple` */
  draftPlace(partition: number, attempt: number, folder?: string): DraftPlace;
  /** Makes one attempt the task's result; a later one of the same task is refused (returns false). */
  commitTask(manifest: TaskManifest): Promise<boolean>;
  /** Makes everything visible at once and writes `_SUCCESS`. Returns the part files. */
  commit(): Promise<Url[]>;
  /** Removes every trace of the job. */
  abort(): Promise<void>;
}

/** The destination holds data and the mode is `errorifexists`. */
export class PathAlreadyExistsError extends PomonaError {}

/** The destination holds files that no write made, and `overwrite` would delete them. */
export class ForeignFilesError extends PomonaError {}

/** A commit was interrupted half-way and has not been finished yet. */
export class IncompleteWriteError extends PomonaError {}

/** Files that are published or removed at the same time. */
const FILES_AT_ONCE = 16;

/** Names that Spark, Hadoop and this program give to the files of a data set, and to files on their way to a name. */
const DATA_FILE = /^(part-.*|_SUCCESS|_metadata|_common_metadata|\..*\.crc|\.[0-9a-f-]{36}\.tmp)$/;

interface OutputRecord {
  readonly jobId: string;
  readonly fingerprint: string;
}

interface Journal {
  /** What becomes visible. */
  readonly parts: readonly TaskManifest[];
  /** The files that were there, as they were then. */
  readonly deletes: readonly { readonly url: Url; readonly version?: string | undefined }[];
}

/**
 * Applies the mode to what is at the destination, before any work is done. Returns false where mode `ignore` finds data.
 * @throws PathAlreadyExistsError, ForeignFilesError
 */
export async function mayWrite(storages: Storages, destination: string, mode: SaveMode): Promise<boolean> {
  const { storage, url: root } = storages.at(destination);
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
export async function openOutput(
  storages: Storages,
  destination: string,
  options: OutputOptions,
): Promise<OutputJob | undefined> {
  if (options.fingerprint === "") throw new IllegalArgumentError("A write needs a fingerprint.");
  if (!(await mayWrite(storages, destination, options.mode))) return undefined;
  const place = storages.at(destination);
  const { storage, url: root } = place;
  const lock = await lockOutput(place, options.leaseMilliseconds);
  let folder: Url | undefined;
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
    if (folder !== undefined) await removeJob(storage, root, folder);
    await lock.release();
    throw error;
  }
}

/** @throws PathAlreadyExistsError, ForeignFilesError */
function admits(destination: string, existing: readonly FileStatus[], mode: SaveMode): boolean {
  if (existing.length === 0) return true;
  switch (mode) {
    case "ignore":
      return false;
    case "errorifexists":
      throw new PathAlreadyExistsError(`${destination} exists and holds ${existing.length} files.`, {
        remedy: 'Choose another path, or say what to do with the old data: mode "overwrite", "append" or "ignore".',
      });
    case "overwrite":
      refuseForeignFiles(destination, existing);
      return true;
    case "append":
      return true;
  }
}

/** @throws IncompleteWriteError if a commit into `url` was interrupted, so that what is visible there is a mixture. */
export async function assertWhole({ storage, url }: Place): Promise<void> {
  const temporary = joinUrl(url, "_temporary");
  if ((await storage.stat(temporary)) !== "folder") return;
  for await (const file of storage.list(temporary, { hidden: true })) {
    if (baseName(file.url) !== "commit.json") continue;
    throw new IncompleteWriteError(`${url} holds a write that was interrupted while it was made visible.`, {
      remedy: "Run that write again: it finishes the interrupted one first.",
    });
  }
}

interface Context {
  readonly storage: Storage;
  readonly root: Url;
  readonly folder: Url;
  readonly record: OutputRecord;
  readonly resumed: Map<number, TaskManifest>;
  readonly options: OutputOptions;
  readonly lock: OutputLock;
}

function outputJob({ storage, root, folder, record, resumed, options, lock }: Context): OutputJob {
  const committed = new Map(resumed);
  const journalUrl = joinUrl(folder, "commit.json");
  return {
    jobId: record.jobId,
    resumed,

    draftPlace(partition, attempt, inner = "") {
      const part = `part-${String(partition).padStart(5, "0")}-${record.jobId}-c000${options.extension}`;
      const inside = inner === "" ? [part] : [inner, part];
      return { url: joinUrl(root, ...inside), heldAt: joinUrl(folder, `attempt-${partition}-${attempt}`, ...inside) };
    },

    async commitTask(manifest) {
      if (committed.has(manifest.partition)) return false;
      committed.set(manifest.partition, manifest);
      return storage.createFile(joinUrl(folder, `task-${manifest.partition}.json`), JSON.stringify(manifest));
    },

    async commit() {
      const parts = [...committed.values()].sort((a, b) => a.partition - b.partition);
      const deletes = options.mode === "overwrite" ? await dataFiles(storage, root) : [];
      const journal: Journal = { parts, deletes: deletes.map(({ url, version }) => ({ url, version })) };
      await lock.assertHeld();
      if (!(await storage.createFile(journalUrl, JSON.stringify(journal)))) {
        throw new ConcurrentWriteError(`Another process commits job ${record.jobId} into ${root} already.`);
      }
      await replay(storage, root, folder);
      await lock.release();
      return parts.map(({ draft }) => draft.url);
    },

    async abort() {
      // A commit that failed half-way stays on record: the next write finishes it, and readers refuse it until then. What
      // another process has taken over is its own.
      const isJournaled = (await storage.stat(journalUrl)) !== undefined;
      if (!isJournaled && lock.isHeld) await removeJob(storage, root, folder);
      await lock.release();
    },
  };
}

/** Removes what a job has drafted. @param folder the job's, in `_temporary` */
export async function removeJob(storage: Storage, root: Url, folder: Url): Promise<void> {
  const id = baseName(folder);
  for await (const draft of storage.drafts.unpublished(root)) {
    if (baseName(draft.url).includes(`-${id}-`)) await draft.discard();
  }
  await storage.remove(folder);
}

/** A job whose earlier run died in the middle of its commit, which is finished now: there is nothing left to do. */
function finishedJob({ jobId, journal }: FinishedCommit, lock: OutputLock): OutputJob {
  return {
    jobId,
    resumed: new Map(journal.parts.map((part) => [part.partition, part])),
    draftPlace() {
      throw new IllegalArgumentError(`Job ${jobId} is committed already.`);
    },
    commitTask: async () => false,
    async commit() {
      await lock.release();
      return journal.parts.map(({ draft }) => draft.url);
    },
    abort: () => lock.release(),
  };
}

/** Carries out a journal; safe to repeat, whatever of it was done before. */
async function replay(storage: Storage, root: Url, folder: Url): Promise<Journal> {
  const journal = JSON.parse(await textOf(storage, joinUrl(folder, "commit.json"))) as Journal;
  // Without _SUCCESS nobody takes the mixture of old and new parts for a whole.
  await storage.remove(joinUrl(root, "_SUCCESS"));
  const published = new Set<string>();
  await mapConcurrently(journal.parts, FILES_AT_ONCE, async ({ draft }) => {
    await storage.drafts.publish(draft);
    published.add(draft.url);
  });
  const old = journal.deletes.filter(({ url }) => !published.has(url));
  await mapConcurrently(old, FILES_AT_ONCE, ({ url, version }) => storage.remove(url, version));
  for (const emptied of foldersOf(old, root)) await storage.removeEmptyFolder(emptied);
  await storage.writeFile(joinUrl(root, "_SUCCESS"), storage.locks === "lease" ? successText(folder, journal) : "");
  await removeJob(storage, root, folder);
  return journal;
}

/** What `_SUCCESS` says in object storage, as Hadoop's committers for S3 do; on disk it is empty, as Spark's is. */
function successText(folder: Url, { parts }: Journal): string {
  const rows = parts.reduce((sum, part) => sum + part.rows, 0);
  const files = parts.map(({ draft, rows }) => ({ name: baseName(draft.url), bytes: draft.bytes, rows }));
  return `${JSON.stringify({ job: baseName(folder), rows, parts: files }, undefined, 2)}\n`;
}

/** The folders `k=v` of some files below `root`, the innermost first. */
function foldersOf(files: readonly { readonly url: Url }[], root: Url): Url[] {
  const folders = new Set<Url>();
  for (const { url } of files) {
    for (let folder = parentOf(url); folder.length > root.length; folder = parentOf(folder)) folders.add(folder);
  }
  return [...folders].sort((a, b) => b.length - a.length);
}

interface FinishedCommit {
  readonly jobId: string;
  readonly journal: Journal;
}

/** What earlier runs of this very job left: one that died before its commit, or one that died in it. */
interface EarlierRuns {
  readonly crashed?: OutputRecord;
  readonly finished?: FinishedCommit;
}

/** Finishes, keeps or removes what earlier runs left. Their processes are gone: the lock is ours. */
async function takeStock(storage: Storage, root: Url, fingerprint: string): Promise<EarlierRuns> {
  const temporary = joinUrl(root, "_temporary");
  const names = new Map<string, Set<string>>();
  for await (const { url } of storage.list(temporary, { hidden: true })) {
    const [id = "", ...inside] = url.slice(temporary.length + 1).split("/");
    // The locks lie beside the jobs' folders.
    if (inside.length > 0) names.set(id, (names.get(id) ?? new Set()).add(inside.join("/")));
  }
  let earlier: EarlierRuns = {};
  for (const [id, inside] of names) {
    const folder = joinUrl(temporary, id);
    const record = inside.has("job.json") ? await readRecord(storage, folder) : undefined;
    const isSame = record?.fingerprint === fingerprint;
    if (inside.has("commit.json")) {
      const journal = await replay(storage, root, folder);
      if (isSame) earlier = { finished: { jobId: record.jobId, journal } };
    } else if (isSame && earlier.crashed === undefined && earlier.finished === undefined) {
      earlier = { crashed: record };
    } else {
      await removeJob(storage, root, folder);
    }
  }
  return earlier;
}

async function readRecord(storage: Storage, folder: Url): Promise<OutputRecord | undefined> {
  try {
    return JSON.parse(await textOf(storage, joinUrl(folder, "job.json"))) as OutputRecord;
  } catch {
    // A record cut short belongs to a run that died at once: nothing to take up.
    return undefined;
  }
}

async function readManifests(storage: Storage, folder: Url): Promise<Map<number, TaskManifest>> {
  const manifests = new Map<number, TaskManifest>();
  const written = (await listed(storage, folder, { hidden: true })).filter(({ url }) =>
    /^task-\d+\.json$/.test(baseName(url)),
  );
  await mapConcurrently(written, FILES_AT_ONCE, async ({ url }) => {
    const manifest = JSON.parse(await textOf(storage, url)) as TaskManifest;
    // A part of another size was cut short by the crash: that task is done again.
    if (await storage.drafts.isWhole(manifest.draft)) manifests.set(manifest.partition, manifest);
    else await storage.remove(url);
  });
  return manifests;
}

async function textOf(storage: Storage, url: Url): Promise<string> {
  return Buffer.from(await storage.readFile(url)).toString("utf8");
}

async function visibleFiles(storage: Storage, root: Url): Promise<FileStatus[]> {
  const files = await listed(storage, root, { hidden: true });
  return files.filter(({ url }) => !isInside(url, joinUrl(root, "_temporary")));
}

async function dataFiles(storage: Storage, root: Url): Promise<FileStatus[]> {
  return (await visibleFiles(storage, root)).filter(({ url }) => baseName(url) !== "_SUCCESS");
}

function refuseForeignFiles(destination: string, files: readonly FileStatus[]): void {
  const foreign = files.filter(({ url }) => !DATA_FILE.test(baseName(url)));
  if (foreign.length === 0) return;
  const named = foreign
    .slice(0, 3)
    .map(({ url }) => baseName(url))
    .join(", ");
  throw new ForeignFilesError(
    `${destination} holds ${foreign.length} files that no write made (${named}); overwriting would delete them.`,
    { remedy: "Choose another path, or move those files away first." },
  );
}
