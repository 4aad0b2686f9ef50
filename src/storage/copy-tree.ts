import { randomUUID } from "node:crypto";
import { IllegalArgumentError, throwIfAborted } from "../errors";
import { PathNotFoundError } from "./errors";
import { globPattern } from "./glob";
import { resolveLinks } from "./links";
import { baseName, isInside, joinUrl, locationUrl, parseLocation } from "./location";
import type { FileStatus, Storage } from "./storage";
import { storageFor } from "./storages";

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
  const from = locationUrl(parseLocation(src));
  const to = locationUrl(parseLocation(dst));
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
        const target = joinUrl(to, relative);
        if (!overwrite && present.get(target) === file.size) {
          result.skipped++;
        } else {
          await copyOne(file, target, signal);
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

/** Above this size a file is streamed, so that an abort need not wait for the end of the copy. */
const STREAM_ABOVE = 16 * 1024 * 1024;

/** A copy that a killed process left behind: neither a source nor in the way. */
const TEMPORARY = /^\.[0-9a-f]{8}-[0-9a-f-]{27}\.tmp$/;

interface SourceFile {
  readonly file: FileStatus;
  /** Path below the source folder. */
  readonly relative: string;
}

async function filesToCopy(from: string, options: CopyTreeOptions): Promise<SourceFile[]> {
  const { glob, files, signal } = options;
  const storage = storageFor(from);
  const found = files
    ? await statAll(storage, from, files, signal)
    : await storage.list(from, { recursive: true, hidden: true, signal });
  const wanted = glob === undefined ? undefined : globPattern(glob);
  return found
    .filter(({ url }) => !TEMPORARY.test(baseName(url)) && (wanted?.test(baseName(url)) ?? true))
    .map((file) => ({
      file,
      relative: file.url === from ? baseName(from) : file.url.slice(from.length).replace(/^\/+/, ""),
    }));
}

async function statAll(storage: Storage, from: string, files: readonly string[], signal?: AbortSignal) {
  const statuses: FileStatus[] = [];
  for (const url of new Set(files.map((file) => locationUrl(parseLocation(file))))) {
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

async function sizesBelow(to: string, signal?: AbortSignal): Promise<Map<string, number>> {
  const storage = storageFor(to);
  const there = await storage.stat(to);
  if (there === undefined) return new Map();
  if (there !== "folder") {
    throw new IllegalArgumentError(`Cannot copy to ${to}: it is a file.`, { remedy: "Name a folder as destination." });
  }
  const files = await storage.list(to, { recursive: true, hidden: true, signal });
  return new Map(files.map(({ url, size }) => [url, size]));
}

async function copyOne(file: FileStatus, target: string, signal?: AbortSignal): Promise<void> {
  const source = storageFor(file.url);
  const destination = storageFor(target);
  try {
    if (source === destination && file.size <= STREAM_ABOVE) await destination.copyFile(file.url, target, signal);
    else await copyByStream(source, file.url, destination, target, signal);
  } catch (error) {
    throwIfAborted(signal);
    // Where the source is what cannot be read, its error is the one to show.
    await source.openBlob(file.url);
    throw error;
  }
}

async function copyByStream(source: Storage, from: string, destination: Storage, to: string, signal?: AbortSignal) {
  const temporary = joinUrl(to.slice(0, to.lastIndexOf("/")), `.${randomUUID()}.tmp`);
  const blob = await source.openBlob(from);
  try {
    await destination.writeStream(
      temporary,
      untilAborted(blob.stream() as unknown as AsyncIterable<Uint8Array>, signal),
    );
    await destination.rename(temporary, to);
  } catch (error) {
    await destination.remove(temporary);
    throw error;
  }
}

async function* untilAborted(chunks: AsyncIterable<Uint8Array>, signal?: AbortSignal): AsyncIterable<Uint8Array> {
  for await (const chunk of chunks) {
    throwIfAborted(signal);
    yield chunk;
  }
}

async function refuseOverlap(from: string, to: string): Promise<void> {
  const [realFrom, realTo] = [await resolveLinks(from), await resolveLinks(to)];
  if (isInside(realFrom, realTo) || isInside(realTo, realFrom)) throw new OverlappingPathsError(realFrom, realTo);
}
