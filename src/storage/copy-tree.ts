import { IllegalArgumentError, throwIfAborted } from "../errors";
import { activeStorages } from "./active-storages";
import { untilAborted } from "./concurrently";
import { PathNotFoundError } from "./errors";
import { globPattern } from "./glob";
import { baseName, isInside, joinUrl, type Url, urlOf } from "./location";
import { type FileStatus, listed, type Place, type Storage } from "./storage";
import type { Storages } from "./storages";

/** How far a copy is. Files that were there already count as done. */
export interface CopyProgress {
  readonly files: number;
  readonly totalFiles: number;
  readonly bytes: number;
  readonly totalBytes: number;
}

export interface CopyTreeOptions {
  /** Called once before the first file and after each file, in the caller's thread. */
  readonly progress?: (progress: CopyProgress) => void;
  /** Stops the copy within a second; whole files stay, half of one never does. */
  readonly signal?: AbortSignal;
  /** Only files whose name matches, as Spark's `pathGlobFilter`: `*`, `?`, `[a-z]`, `{jpg,png}`. */
  readonly glob?: string;
  /** Only these files, as paths or URLs below `src`, such as the `path` column of a sample. */
  readonly files?: readonly string[];
  /** Files copied at the same time. @default 16 */
  readonly concurrency?: number;
  /** Copy also what lies at the destination with the same size. @default false */
  readonly overwrite?: boolean;
  /** Where both are found, such as a session's: `session.runtime.storages`. @default those of the session that runs */
  readonly storages?: Storages;
}

export interface CopyTreeResult {
  /** Files copied by this call. */
  readonly copied: number;
  /** Files that lay at the destination with the same size already. */
  readonly skipped: number;
  /** Bytes copied by this call. */
  readonly bytes: number;
}

/** Thrown when one of the two folders of a copy lies inside the other, or both are the same. */
export class OverlappingPathsError extends IllegalArgumentError {
  constructor(
    readonly src: string,
    readonly dst: string,
  ) {
    const how = src === dst ? "are the same folder" : "lie inside one another";
    super(`Cannot copy ${src} to ${dst}: they ${how}.`, { remedy: "Choose a destination outside the source." });
  }
}

/**
 * Copies the files below `src` to the same relative paths below `dst`. A file that lies there with the same size is left
 * alone, so a copy that was stopped goes on where it was; each file appears whole or not at all. Empty folders are not
 * copied. If one file fails, no further one is begun and its error, which names the path, is thrown.
 * @param src a folder, or one file.
 * @param dst a folder; made where it is missing.
 * @throws OverlappingPathsError if one lies inside the other
 * @throws PathNotFoundError if `src`, or one of `files`, is not there
 * @throws CancelledError if `signal` is aborted
 */
export async function copyTree(src: string, dst: string, options: CopyTreeOptions = {}): Promise<CopyTreeResult> {
  const { progress, signal, overwrite = false, concurrency = 16 } = options;
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw new IllegalArgumentError(`concurrency must be a positive integer, not ${concurrency}.`);
  }
  throwIfAborted(signal);
  const { storages = activeStorages() } = options;
  const from = storages.at(src);
  const to = storages.at(dst);
  await refuseOverlap(from, to);

  const sources = await filesToCopy(from, options);
  const present = await sizesBelow(to, signal);
  const done = { files: 0, bytes: 0 };
  const totals = { totalFiles: sources.length, totalBytes: sources.reduce((sum, { file }) => sum + file.size, 0) };
  const result = { copied: 0, skipped: 0, bytes: 0 };
  const account = (size: number) => {
    done.files++;
    done.bytes += size;
    progress?.({ ...done, ...totals });
  };
  progress?.({ ...done, ...totals });

  const waiting = sources[Symbol.iterator]();
  let failed = false;
  const lane = async () => {
    try {
      // The lanes share one iterator, so each file is taken once.
      for (const { file, relative } of waiting) {
        if (failed) return;
        throwIfAborted(signal);
        const target = joinUrl(to.url, relative);
        if (!overwrite && present.get(target) === file.size) {
          result.skipped++;
        } else {
          await copyOne({ storage: from.storage, file }, { storage: to.storage, url: target }, signal);
          result.copied++;
          result.bytes += file.size;
        }
        account(file.size);
      }
    } catch (error) {
      failed = true;
      throw error;
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(concurrency, sources.length) }, lane));
  const failure = lanes.find((settled): settled is PromiseRejectedResult => settled.status === "rejected");
  if (failure) throw failure.reason;
  return result;
}

/** A copy that a killed process left behind: neither a source nor in the way. */
const TEMPORARY = /^\.[0-9a-f]{8}-[0-9a-f-]{27}\.tmp$/;

interface SourceFile {
  readonly file: FileStatus;
  /** Path below the source folder. */
  readonly relative: string;
}

async function filesToCopy({ storage, url: from }: Place, options: CopyTreeOptions): Promise<SourceFile[]> {
  const { glob, files, signal } = options;
  const found = files
    ? await statAll(storage, from, files, signal)
    : await listed(storage, from, { recursive: true, hidden: true, signal });
  const wanted = glob === undefined ? undefined : globPattern(glob);
  return found
    .filter(({ url }) => !TEMPORARY.test(baseName(url)) && (wanted?.test(baseName(url)) ?? true))
    .map((file) => ({
      file,
      relative: file.url === from ? baseName(from) : file.url.slice(from.length).replace(/^\/+/, ""),
    }));
}

async function statAll(storage: Storage, from: Url, files: readonly string[], signal?: AbortSignal) {
  const statuses: FileStatus[] = [];
  for (const url of new Set(files.map(urlOf))) {
    throwIfAborted(signal);
    if (!isInside(url, from)) throw new IllegalArgumentError(`${url} in \`files\` does not lie below ${from}.`);
    const status = await storage.stat(url);
    if (status === undefined || status === "folder") {
      throw new PathNotFoundError(`Cannot copy ${url}: there is no such file.`, url, {
        remedy: "Pass paths of files, as the `path` column of a binaryFile DataFrame has them.",
      });
    }
    statuses.push(status);
  }
  return statuses;
}

async function sizesBelow({ storage, url: to }: Place, signal?: AbortSignal): Promise<Map<string, number>> {
  const there = await storage.stat(to);
  if (there === undefined) return new Map();
  if (there !== "folder") {
    throw new IllegalArgumentError(`Cannot copy to ${to}: it is a file.`, { remedy: "Name a folder as destination." });
  }
  const sizes = new Map<string, number>();
  for await (const { url, size } of storage.list(to, { recursive: true, hidden: true, signal })) sizes.set(url, size);
  return sizes;
}

async function copyOne(
  { storage, file }: { readonly storage: Storage; readonly file: FileStatus },
  to: Place,
  signal?: AbortSignal,
): Promise<void> {
  try {
    if (storage === to.storage) await storage.copyFile(file.url, to.url, signal);
    else
      await to.storage.writeStream(
        to.url,
        untilAborted(storage.readStream(file.url, { signal, version: file.version }), signal),
      );
  } catch (error) {
    throwIfAborted(signal);
    // Where the source is what cannot be read, its error is the one to show.
    await storage.readRange(file.url, 0, 1);
    throw error;
  }
}

async function refuseOverlap(from: Place, to: Place): Promise<void> {
  const [realFrom, realTo] = [await from.storage.resolve(from.url), await to.storage.resolve(to.url)];
  if (isInside(realFrom, realTo) || isInside(realTo, realFrom)) throw new OverlappingPathsError(realFrom, realTo);
}
