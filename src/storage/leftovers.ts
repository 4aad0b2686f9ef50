import { firstLine, throwIfAborted } from "../errors";
import { removeJob } from "./commit";
import type { UnpublishedDraft } from "./drafts";
import { PathNotFoundError } from "./errors";
import { baseName, isInside, isTemporaryName, joinUrl, type Url } from "./location";
import { ConcurrentWriteError, lockOutput, writerAt } from "./output-lock";
import type { FileStatus, Place } from "./storage";

/*
 * What runs that never came back leave at their outputs: locks, drafts below `_temporary`, uploads that nobody completed, and
 * files on their way to a name. Where there is a lock it tells whether somebody writes there still, and it is taken while
 * something is removed. What has none, as a single file's upload, is judged by its age.
 */

/** One thing that a run left. */
export interface Leftover {
  /** `write`: of a write that ended before its commit; `commit`: of one that ended in it; `foreign`: of another program. */
  readonly kind: "write" | "commit" | "foreign" | "upload" | "file";
  readonly url: Url;
  /** What is known of its size; an upload tells none. */
  readonly bytes: number | undefined;
  readonly files: number;
  readonly uploads: number;
  /** Milliseconds since it was last written; of an upload since it was begun. */
  readonly age: number;
  /** Why it stays; undefined for what is removed. */
  readonly kept: string | undefined;
}

export interface CleanOptions {
  /** Only look. @default false */
  readonly dryRun?: boolean;
  /** Least age in milliseconds. @default none where a lock tells that nobody writes any more, else a day */
  readonly olderThan?: number;
  readonly signal?: AbortSignal;
  /** Is told how many files were looked at. */
  readonly progress?: (files: number) => void;
}

const DAY = 86_400_000;

/** What lies beside the jobs' folders. */
const LOCK_FILE = /^(lock-\d+|clock-[0-9a-f-]+)\.json$/;

/** What a job's folder of ours has; other programs use `_temporary` too. */
const JOB_FILE = /^(job\.json|commit\.json|task-\d+\.json|attempt-)/;

/** A folder of `_temporary`: a job's. */
interface Job {
  readonly folder: Url;
  files: number;
  bytes: number;
  /** Epoch milliseconds. */
  newest: number;
  isOurs: boolean;
  isInCommit: boolean;
  readonly uploads: UnpublishedDraft[];
}

/** A folder that has `_temporary` in it. */
interface Output {
  readonly root: Url;
  readonly jobs: Map<string, Job>;
  /** Locks and clocks. */
  readonly locks: FileStatus[];
}

/**
 * Finds what runs that never came back left at a path and below it, and removes it, but never what belongs to a write that
 * runs or to a commit that was interrupted: running that write again finishes it.
 * @throws PathNotFoundError where nothing is there
 */
export async function cleanLeftovers(place: Place, options: CleanOptions = {}): Promise<Leftover[]> {
  const found = await look(place, options);
  const leftovers: Leftover[] = [];
  const writers = new Map<Url, string>();
  for (const output of found.outputs.values()) {
    throwIfAborted(options.signal);
    const { left, writer } = await cleanOutput(place, output, options);
    leftovers.push(...left);
    if (writer !== undefined) writers.set(output.root, writer);
  }
  const writerOf = (url: Url) => [...writers].find(([root]) => isInside(url, root))?.[1];
  for (const file of found.files) {
    throwIfAborted(options.signal);
    const left = judged("file", file.url, file.modifiedAt, writerOf(file.url), options, { bytes: file.size, files: 1 });
    if (left.kept === undefined && !options.dryRun) await place.storage.remove(file.url);
    leftovers.push(left);
  }
  for (const upload of found.uploads) {
    throwIfAborted(options.signal);
    const left = judged("upload", upload.url, upload.begunAt, writerOf(upload.url), options, { uploads: 1 });
    if (left.kept === undefined && !options.dryRun) await upload.discard();
    leftovers.push(left);
  }
  return leftovers;
}

async function look({ storage, url }: Place, { signal, progress }: CleanOptions) {
  const outputs = new Map<Url, Output>();
  const files: FileStatus[] = [];
  const uploads: UnpublishedDraft[] = [];
  let seen = 0;
  let nothing: unknown;
  try {
    for await (const file of storage.list(url, { hidden: true, signal })) {
      if (++seen % 1000 === 0) progress?.(seen);
      const at = file.url.indexOf("/_temporary/");
      if (at >= 0) noteTemporary(outputs, file, at);
      else if (isTemporaryName(baseName(file.url))) files.push(file);
    }
  } catch (error) {
    if (!(error instanceof PathNotFoundError)) throw error;
    // In object storage nothing may be there but uploads.
    nothing = error;
  }
  for await (const upload of storage.drafts.unpublished(url)) {
    throwIfAborted(signal);
    const job = [...outputs.values()]
      .filter(({ root }) => isInside(upload.url, root))
      .flatMap(({ jobs }) =>
        [...jobs].flatMap(([id, each]) => (baseName(upload.url).includes(`-${id}-`) ? each : [])),
      )[0];
    (job?.uploads ?? uploads).push(upload);
  }
  if (nothing !== undefined && uploads.length === 0) throw nothing;
  return { outputs, files, uploads };
}

function noteTemporary(outputs: Map<Url, Output>, file: FileStatus, at: number): void {
  const root = file.url.slice(0, at) as Url;
  const output: Output = outputs.get(root) ?? { root, jobs: new Map(), locks: [] };
  outputs.set(root, output);
  const [id = "", name] = file.url.slice(at + "/_temporary/".length).split("/");
  if (name === undefined && LOCK_FILE.test(id)) {
    output.locks.push(file);
    return;
  }
  const job: Job = output.jobs.get(id) ?? {
    ...{ folder: joinUrl(root, "_temporary", id), files: 0, bytes: 0, newest: 0 },
    ...{ isOurs: false, isInCommit: false, uploads: [] },
  };
  output.jobs.set(id, job);
  job.files++;
  job.bytes += file.size;
  job.newest = Math.max(job.newest, file.modifiedAt);
  job.isOurs ||= name !== undefined && JOB_FILE.test(name);
  job.isInCommit ||= name === "commit.json";
}

async function cleanOutput(
  { storage }: Place,
  { root, jobs, locks }: Output,
  options: CleanOptions,
): Promise<{ left: Leftover[]; writer: string | undefined }> {
  const place = { storage, url: root };
  const ours = [...jobs.values()].filter(({ isOurs }) => isOurs);
  const foreign = [...jobs.values()].filter(({ isOurs }) => !isOurs);
  const left: Leftover[] = [];
  // A lock that was taken since the listing is heeded too.
  const writer = ours.length > 0 || locks.length > 0 ? await writerAt(place) : undefined;
  const judge = (job: Job): Leftover =>
    job.isInCommit
      ? leftover("commit", job.folder, job.newest, INTERRUPTED, sizeOf(job))
      : judged(job.isOurs ? "write" : "foreign", job.folder, job.newest, writer, options, sizeOf(job), job.isOurs);
  const found = ours.map((job) => ({ job, as: judge(job) }));
  const ending = found.filter(({ as }) => as.kept === undefined);
  const isStale =
    locks.length > 0 && ours.length === 0 && writer === undefined && isOld(newestOf(locks), options, true);

  if (!options.dryRun && (ending.length > 0 || isStale)) {
    const lock = await lockOutput(place).catch((error: unknown) => {
      if (error instanceof ConcurrentWriteError) return error;
      throw error;
    });
    if (lock instanceof ConcurrentWriteError) {
      const kept = firstLine(lock);
      return { left: found.map(({ as }) => ({ ...as, kept: as.kept ?? kept })), writer: kept };
    }
    try {
      for (const each of ending) {
        // Between the listing and our lock another may have begun to commit it, and died.
        if ((await storage.stat(joinUrl(each.job.folder, "commit.json"))) === undefined)
          await removeJob(storage, root, each.job.folder);
        else each.as = { ...each.as, kind: "commit", kept: INTERRUPTED };
      }
    } finally {
      await lock.release();
    }
  }
  left.push(...found.map(({ as }) => as));
  if (isStale) {
    const bytes = locks.reduce((sum, { size }) => sum + size, 0);
    left.push(
      leftover("write", joinUrl(root, "_temporary"), newestOf(locks), undefined, { bytes, files: locks.length }),
    );
  }
  for (const job of foreign) {
    const as = judge(job);
    if (as.kept === undefined && !options.dryRun) {
      await storage.remove(job.folder);
      await storage.removeEmptyFolder(joinUrl(root, "_temporary"));
    }
    left.push(as);
  }
  return { left, writer };
}

const INTERRUPTED = "its commit was interrupted; run the same write again, which finishes it";

const sizeOf = ({ bytes, files, uploads }: Job) => ({ bytes, files, uploads: uploads.length });
const newestOf = (files: readonly FileStatus[]) => Math.max(...files.map(({ modifiedAt }) => modifiedAt));

/** @param hasLock true where a lock tells whether somebody writes there */
function isOld(newest: number, { olderThan }: CleanOptions, hasLock: boolean): boolean {
  return Date.now() - newest >= (olderThan ?? (hasLock ? Number.NEGATIVE_INFINITY : DAY));
}

function judged(
  kind: Leftover["kind"],
  url: Url,
  newest: number,
  writer: string | undefined,
  options: CleanOptions,
  size: Partial<Pick<Leftover, "bytes" | "files" | "uploads">>,
  hasLock = false,
): Leftover {
  const kept =
    writer !== undefined
      ? `${writer} is writing there`
      : isOld(newest, options, hasLock)
        ? undefined
        : "it may still be written, so young is it";
  return leftover(kind, url, newest, kept, size);
}

function leftover(
  kind: Leftover["kind"],
  url: Url,
  newest: number,
  kept: string | undefined,
  { bytes, files = 0, uploads = 0 }: Partial<Pick<Leftover, "bytes" | "files" | "uploads">>,
): Leftover {
  return { kind, url, bytes, files, uploads, age: Math.max(0, Date.now() - newest), kept };
}
