import { IllegalArgumentError, throwIfAborted } from "../errors";
import { activeStorages } from "./active-storages";
import { mapConcurrently, untilAborted } from "./concurrently";
import { refuseNames, type SourceFile } from "./copy-names";
import { PathNotFoundError } from "./errors";
import { globPattern } from "./glob";
import { baseName, isInside, isTemporaryName, joinUrl, schemeOf, type Url, urlOf } from "./location";
import type { FileStatus, Place, Storage } from "./storage";
import type { Storages } from "./storages";

/** How far a copy is. Files that were there already count as done. */
export interface CopyProgress {
  readonly files: number;
  readonly totalFiles: number;
  readonly bytes: number;
  readonly totalBytes: number;
}

export interface CopyTreeOptions {
  /**
   * Called once before the first file and after each file, in the caller's thread; and before that for each thousand files
   * that were found, with the totals as far as they are known.
   */
  readonly progress?: (progress: CopyProgress) => void;
  /** Stops the copy within a second; whole files stay, half of one never does. */
  readonly signal?: AbortSignal;
  /** Only files whose name matches, as Spark's `pathGlobFilter`: `*`, `?`, `[a-z]`, `{jpg,png}`. */
  readonly glob?: string;
  /** Only these files, as paths or URLs below `src`, such as the `path` column of a sample. */
  readonly files?: readonly string[];
  /** Files copied at the same time. @default 16 between local folders, 64 where one of the two is in S3 */
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

/** Files larger than this are streamed, and few at a time, since each is read and written in parts ahead of one another. */
const LARGE_BYTES = 2 * 1024 * 1024;
const LARGE_AT_ONCE = 4;

/** How often a listing is told of. */
const FOUND_AT_ONCE = 1000;

/**
 * Copies the files below `src` to the same relative paths below `dst`, each a local folder or one in S3. A file that lies
 * there with the same size is left alone, so a copy that was stopped goes on where it was; each file appears whole or not at
 * all. Empty folders, and the markers that stand for them in S3, are not copied. Within S3 the server copies; between buckets
 * with other credentials or at another endpoint the files go through this machine. If one file fails, no further one is begun
 * and its error, which names the path, is thrown.
 * @param src a folder, or one file.
 * @param dst a folder; made where it is missing.
 * @throws OverlappingPathsError if one lies inside the other
 * @throws ImpossibleNameError before anything is copied, for a key that can't be a file's name at the destination
 * @throws PathNotFoundError if `src`, or one of `files`, is not there
 * @throws CancelledError if `signal` is aborted
 */
export async function copyTree(src: string, dst: string, options: CopyTreeOptions = {}): Promise<CopyTreeResult> {
  const { progress, signal, overwrite = false } = options;
  const given = options.concurrency ?? 1;
  if (!Number.isInteger(given) || given < 1) {
    throw new IllegalArgumentError(`concurrency must be a positive integer, not ${given}.`);
  }
  throwIfAborted(signal);
  const { storages = activeStorages() } = options;
  const from = storages.at(src);
  const to = storages.at(dst);
  await refuseOverlap(from, to);
  const concurrency = options.concurrency ?? Math.max(from.storage.filesAtOnce, to.storage.filesAtOnce);

  const sources = await filesToCopy(from, options);
  const present = await sizesBelow(to, signal);
  refuseNames(to.url, sources, present);
  const done = { files: 0, bytes: 0 };
  const totals = { totalFiles: sources.length, totalBytes: sources.reduce((sum, { file }) => sum + file.size, 0) };
  const result = { copied: 0, skipped: 0, bytes: 0 };
  const account = (size: number) => {
    done.files++;
    done.bytes += size;
    progress?.({ ...done, ...totals });
  };
  progress?.({ ...done, ...totals });

  // The lanes share the queues, so each file is taken once; a few lanes take the large ones first.
  const isLarge = ({ file }: SourceFile) => file.size > LARGE_BYTES;
  const large = sources.filter(isLarge)[Symbol.iterator]();
  const small = sources.filter((source) => !isLarge(source))[Symbol.iterator]();
  let failed = false;
  const lane = async (index: number) => {
    try {
      for (const queue of index < LARGE_AT_ONCE ? [large, small] : [small]) {
        for (let next = queue.next(); !next.done; next = queue.next()) {
          if (failed) return;
          throwIfAborted(signal);
          const { file, relative } = next.value;
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
      }
    } catch (error) {
      failed = true;
      throw error;
    }
  };
  const lanes = await Promise.allSettled(
    Array.from({ length: Math.min(concurrency, sources.length) }, (_, index) => lane(index)),
  );
  const failure = lanes.find((settled): settled is PromiseRejectedResult => settled.status === "rejected");
  if (failure) throw failure.reason;
  return result;
}

async function filesToCopy(from: Place, options: CopyTreeOptions): Promise<SourceFile[]> {
  const { glob, files } = options;
  const found = files ? await statAll(from, files, options) : await allBelow(from, options);
  const wanted = glob === undefined ? undefined : globPattern(glob);
  return (
    found
      // A copy that a killed process left behind is neither a source nor in the way.
      .filter(({ url }) => !isTemporaryName(baseName(url)) && (wanted?.test(baseName(url)) ?? true))
      .map((file) => ({ file, relative: relativePath(file.url, from.url) }))
  );
}

function relativePath(url: Url, from: Url): string {
  if (url === from) return baseName(from);
  // One slash alone: in a key such as `a//b` the second one is part of a name.
  const below = url.slice(from.length);
  return below.startsWith("/") ? below.slice(1) : below;
}

async function allBelow({ storage, url }: Place, { signal, progress }: CopyTreeOptions): Promise<FileStatus[]> {
  const found: FileStatus[] = [];
  let totalBytes = 0;
  for await (const file of storage.list(url, { recursive: true, hidden: true, signal })) {
    totalBytes += file.size;
    if (found.push(file) % FOUND_AT_ONCE === 0)
      progress?.({ files: 0, bytes: 0, totalFiles: found.length, totalBytes });
  }
  return found.sort((a, b) => (a.url < b.url ? -1 : 1));
}

async function statAll({ storage, url: from }: Place, files: readonly string[], { signal, storages }: CopyTreeOptions) {
  const urls = new Set(files.map((file) => sameScheme(urlOf(file), from, storage, storages)));
  const outside = [...urls].find((url) => !isInside(url, from));
  if (outside !== undefined) throw new IllegalArgumentError(`${outside} in \`files\` does not lie below ${from}.`);
  return mapConcurrently([...urls], storage.filesAtOnce, async (url) => {
    throwIfAborted(signal);
    const status = await storage.stat(url);
    if (status !== undefined && status !== "folder") return status;
    throw new PathNotFoundError(`Cannot copy ${url}: there is no such file.`, url, {
      remedy: "Pass paths of files, as the `path` column of a binaryFile DataFrame has them.",
    });
  });
}

/** A URL with the scheme of another where one storage serves both, as `s3:` and `s3a:`. */
function sameScheme(url: Url, like: Url, storage: Storage, table: Storages = activeStorages()): Url {
  const [scheme, wanted] = [schemeOf(url), schemeOf(like)];
  return scheme !== wanted && table.for(url) === storage ? (`${wanted}${url.slice(scheme.length)}` as Url) : url;
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
    else await to.storage.writeStream(to.url, contentOf(storage, file, signal), signal);
  } catch (error) {
    throwIfAborted(signal);
    // Where the source is what cannot be read, its error is the one to show.
    await storage.readRange(file.url, 0, 1);
    throw error;
  }
}

/** A small file comes by one request. */
async function* contentOf(storage: Storage, { url, size, version }: FileStatus, signal?: AbortSignal) {
  if (size > LARGE_BYTES) yield* untilAborted(storage.readStream(url, { signal, version }), signal);
  else if (size > 0) yield await storage.readFile(url, { signal, version });
}

async function refuseOverlap(from: Place, to: Place): Promise<void> {
  const [realFrom, realTo] = [await from.storage.resolve(from.url), await to.storage.resolve(to.url)];
  if (isInside(realFrom, realTo) || isInside(realTo, realFrom)) throw new OverlappingPathsError(realFrom, realTo);
}
