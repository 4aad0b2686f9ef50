import { randomUUID } from "node:crypto";
import * as callbacks from "node:fs";
import { accessSync, constants, createReadStream, createWriteStream, type Dir, existsSync, type Stats } from "node:fs";
import { copyFile, link, open, opendir, readdir, realpath, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { throwIfAborted } from "../errors";
import { mapConcurrently, untilAborted } from "./concurrently";
import { renamedDrafts } from "./drafts";
import { DiskFullError, PathNotFoundError, StorageAccessError, StorageError } from "./errors";
import { makeFolder } from "./folders";
import { baseName, fileUrl, isHidden, joinUrl, localPath, type Url } from "./location";
import type { FileStatus, ListOptions, Storage } from "./storage";

/** How many `stat` calls run at once: enough to keep a network disk busy, few enough for the descriptor limit. */
const STAT_CONCURRENCY = 64;

/** The callback form: for thousands of small files, the file handles of the promise form cost more than the reading. */
const readFile = promisify(callbacks.readFile);
const writeFile = promisify(callbacks.writeFile);
const openDescriptor = promisify(callbacks.open);
const closeDescriptor = promisify(callbacks.close);
const readDescriptor = promisify(callbacks.read);

/** Entries of a folder, and files, that are looked at together; and how many folders are. */
const LIST_AT_ONCE = 1024;
const FOLDERS_AT_ONCE = 16;

/** A piece of a file that is read from its beginning to its end. */
const STREAM_BYTES = 256 * 1024;

/** Above this size a file is copied as a stream. */
const STREAM_ABOVE = 16 * 1024 * 1024;

/** A change within this time after another may leave a file's times as they are: some file systems count seconds. */
const SETTLED_MS = 2000;

/** Files on this machine's file systems, where a file gets another name in one step. */
export const localStorage: Storage & { rename(from: Url, to: Url): Promise<void> } = {
  locks: "process",
  wholeBytes: 64 * 1024 * 1024,
  filesAtOnce: 16,
  drafts: renamedDrafts(() => localStorage),

  async *list(url, options = {}) {
    const root = localPath(url);
    const found = await attempt(url, "list", () => stat(root));
    if (found.isFile()) {
      yield statusOf(root, found);
      return;
    }
    for await (const paths of filesBelow(root, options)) {
      const statuses = await mapConcurrently(paths, STAT_CONCURRENCY, async (path) => {
        throwIfAborted(options.signal);
        // A file that vanished since its folder was read is not part of the listing.
        const status = await stat(path).catch((error: NodeJS.ErrnoException) => {
          if (error.code === "ENOENT" && path.includes("\ufffd")) throw notUtf8(path);
          if (error.code === "ENOENT") return undefined;
          throw asStorageError(error, fileUrl(path), "read");
        });
        return status?.isFile() ? statusOf(path, status) : undefined;
      });
      for (const status of statuses) if (status) yield status;
    }
  },

  async children(url) {
    const folder = localPath(url);
    const found = await stat(folder).catch(() => undefined);
    if (!found?.isDirectory()) return [];
    const entries = await attempt(url, "list", () => readdir(folder, { withFileTypes: true }));
    const children = entries.map(async (entry) => ({
      name: entry.name,
      isFolder: entry.isSymbolicLink()
        ? (await statOrUndefined(join(folder, entry.name)))?.isDirectory() === true
        : entry.isDirectory(),
    }));
    return (await Promise.all(children)).sort((a, b) => (a.name < b.name ? -1 : 1));
  },

  async stat(url) {
    const path = localPath(url);
    try {
      const found = await stat(path);
      return found.isDirectory() ? "folder" : statusOf(path, found);
    } catch (error) {
      if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
      throw asStorageError(error, url, "read");
    }
  },

  readFile: (url) => attempt(url, "read", async () => (await readFile(localPath(url))) as Uint8Array),

  readRange: (url, start, end) =>
    attempt(url, "read", async () => {
      const file = await openDescriptor(localPath(url), "r");
      try {
        const bytes = new Uint8Array(Math.max(end - start, 0));
        let length = 0;
        while (length < bytes.length) {
          const { bytesRead } = await readDescriptor(file, bytes, length, bytes.length - length, start + length);
          if (bytesRead === 0) break;
          length += bytesRead;
        }
        return bytes.subarray(0, length);
      } finally {
        await closeDescriptor(file);
      }
    }),

  async *readStream(url) {
    const file = createReadStream(localPath(url), { highWaterMark: STREAM_BYTES });
    try {
      for await (const chunk of file) yield chunk as Uint8Array;
    } catch (error) {
      throw asStorageError(error, url, "read");
    } finally {
      file.destroy();
    }
  },

  writeFile: (url, data) => writeAtomically(url, async (temporary) => writeSynced(temporary, data)),

  async createFile(url, data) {
    const path = localPath(url);
    const temporary = temporaryBeside(path);
    return attempt(url, "write", async () => {
      await makeFolder(dirname(path));
      try {
        await writeSynced(temporary, data);
        await linkOrCopy(temporary, path);
        return true;
      } catch (error) {
        if (codeOf(error) === "EEXIST") return false;
        throw error;
      } finally {
        await rm(temporary, { force: true });
      }
    });
  },

  async renewFile(url, data) {
    return attempt(url, "write", async () => {
      // Not under a temporary name: a file that another has removed must not come back.
      const file = await open(localPath(url), "r+").catch((error: unknown) => {
        if (codeOf(error) === "ENOENT") return undefined;
        throw error;
      });
      if (!file) return false;
      try {
        await file.writeFile(data);
        return true;
      } finally {
        await file.close();
      }
    });
  },

  resolve: resolveLinks,

  async writeStream(url, chunks) {
    const pieces = chunks[Symbol.asyncIterator]();
    let bytes = 0;
    const counted = async function* (first: readonly Uint8Array[]) {
      for (const chunk of first) yield chunk;
      for (let next = await pieces.next(); !next.done; next = await pieces.next()) {
        bytes += next.value.byteLength;
        yield next.value;
      }
    };
    await writeAtomically(url, async (temporary) => {
      const first = await pieces.next();
      const second = first.done ? first : await pieces.next();
      const begun = [first, second].flatMap(({ done, value }) => (done ? [] : [value as Uint8Array]));
      for (const chunk of begun) bytes += chunk.byteLength;
      // A file of one piece, as thousands of small ones are, needs no stream.
      if (second.done) await writeFile(temporary, begun[0] ?? "");
      else await pipeline(Readable.from(counted(begun), { objectMode: false }), createWriteStream(temporary));
    });
    return bytes;
  },

  async rename(from, to) {
    await attempt(to, "write", async () => {
      await makeFolder(dirname(localPath(to)));
      await rename(localPath(from), localPath(to));
    });
  },

  async copyFile(from, to, signal) {
    throwIfAborted(signal);
    if (((await statOrUndefined(localPath(from)))?.size ?? 0) > STREAM_ABOVE) {
      // So that an abort need not wait for the copy's end.
      await localStorage.writeStream(to, untilAborted(localStorage.readStream(from), signal));
      return;
    }
    await writeAtomically(to, async (temporary) => {
      // A copy-on-write clone where the file system offers one.
      await copyFile(localPath(from), temporary, constants.COPYFILE_FICLONE);
      throwIfAborted(signal);
    });
  },

  remove: (url) => attempt(url, "remove", () => rm(localPath(url), { recursive: true, force: true })),

  async removeEmptyFolder(url) {
    await rmdir(localPath(url)).catch((error: NodeJS.ErrnoException) => {
      if (!["ENOENT", "ENOTEMPTY", "EEXIST"].includes(error.code ?? "")) throw asStorageError(error, url, "remove");
    });
  },
};

function statusOf(path: string, found: Stats): FileStatus {
  const { size, mtimeMs, ctimeMs, ino } = found;
  const status = { url: fileUrl(path), size, modifiedAt: Math.floor(mtimeMs) };
  const isSettled = Math.max(mtimeMs, ctimeMs) + SETTLED_MS < Date.now();
  return isSettled ? { ...status, version: `${ino} ${size} ${mtimeMs} ${ctimeMs}` } : status;
}

/** The files below a folder, some at a time: what is held does not grow with how many there are. */
async function* filesBelow(root: string, { recursive = true, hidden = false, signal }: ListOptions) {
  const waiting = [root];
  let reading: OpenFolder[] = [];
  let files: string[] = [];
  try {
    while (waiting.length > 0 || reading.length > 0) {
      throwIfAborted(signal);
      while (reading.length < FOLDERS_AT_ONCE && waiting.length > 0) reading.push({ path: waiting.pop() as string });
      const round = await Promise.allSettled(reading.map((folder) => readSome(folder, hidden)));
      for (const some of round) {
        if (some.status === "rejected") throw some.reason;
        files.push(...some.value.files);
        if (recursive) waiting.push(...some.value.folders);
      }
      reading = reading.filter((folder) => folder.isRead !== true);
      for (; files.length >= LIST_AT_ONCE; files = files.slice(LIST_AT_ONCE)) yield files.slice(0, LIST_AT_ONCE);
    }
    if (files.length > 0) yield files;
  } finally {
    for (const { entries } of reading) await entries?.close().catch(() => {});
  }
}

/** A folder that is being listed. */
interface OpenFolder {
  readonly path: string;
  /** Absent before the first look at it. */
  entries?: Dir;
  isRead?: boolean;
}

/** The next entries of a folder; after the last it is closed. */
async function readSome(folder: OpenFolder, hidden: boolean) {
  const found = { files: [] as string[], folders: [] as string[] };
  await attempt(fileUrl(folder.path), "list", async () => {
    folder.entries ??= await opendir(folder.path, { bufferSize: LIST_AT_ONCE });
    for (let i = 0; i < LIST_AT_ONCE; i++) {
      const entry = await folder.entries.read();
      if (entry === null) {
        folder.isRead = true;
        return folder.entries.close();
      }
      if (!hidden && isHidden(entry.name)) continue;
      const path = join(folder.path, entry.name);
      const isFolder = entry.isSymbolicLink() ? await isFolderBelow(path) : entry.isDirectory();
      (isFolder ? found.folders : found.files).push(path);
    }
  });
  return found;
}

/** The URL with symbolic links followed, as far down as the path exists. */
async function resolveLinks(url: Url): Promise<Url> {
  const path = localPath(url);
  const resolved = await realpath(path).catch(() => undefined);
  if (resolved !== undefined) return fileUrl(resolved);
  const parent = dirname(path);
  if (parent === path) return url;
  return joinUrl(await resolveLinks(fileUrl(parent)), baseName(path));
}

/** True for a link to a folder, but not to one that it lies in: that would have no end. */
async function isFolderBelow(link: string): Promise<boolean> {
  if ((await statOrUndefined(link))?.isDirectory() !== true) return false;
  const [target, folder] = await Promise.all([realpath(link), realpath(dirname(link))]);
  return folder !== target && !folder.startsWith(target.endsWith(sep) ? target : `${target}${sep}`);
}

async function statOrUndefined(path: string) {
  return stat(path).catch(() => undefined);
}

async function writeAtomically(url: Url, write: (temporary: string) => Promise<void>): Promise<void> {
  const path = localPath(url);
  const temporary = temporaryBeside(path);
  await attempt(url, "write", async () => {
    await makeFolder(dirname(path));
    try {
      await write(temporary);
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  });
}

function temporaryBeside(path: string): string {
  return join(dirname(path), `.${randomUUID()}.tmp`);
}

/** Gives a file a name that must be free. A link shows the whole file at once; some file systems have none. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(codeOf(error) ?? "")) throw error;
    await copyFile(from, to, constants.COPYFILE_EXCL);
  }
}

async function writeSynced(path: string, data: Uint8Array | string): Promise<void> {
  const file = await open(path, "w");
  try {
    await file.writeFile(data);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function attempt<T>(url: Url, verb: Verb, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asStorageError(error, url, verb);
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code;
}

/** A name that is not UTF-8 cannot be spelled in a path here; leaving the file out would lose it in silence. */
function notUtf8(path: string): StorageError {
  return new StorageError(`Cannot read ${path}: its name is not UTF-8.`, fileUrl(path), {
    remedy: "Rename the file or folder, e.g. with convmv -f latin1 -t utf8.",
  });
}

const OTHER_DISK =
  "use another disk: another output, or TMPDIR for temporary files. Nothing half-written was left behind.";

type Verb = "list" | "read" | "write" | "remove";

/** The file or folder that keeps a path from being written or removed; undefined where it can't be told. */
function closedPart(path: string, verb: "write" | "remove"): string | undefined {
  for (let part = verb === "remove" ? dirname(path) : path; ; part = dirname(part)) {
    try {
      accessSync(part, constants.W_OK);
      return undefined;
    } catch (error) {
      const code = codeOf(error);
      // What lies in a folder that may not be looked into is as good as not there.
      if (["EACCES", "EPERM"].includes(code ?? "") && existsSync(part)) return part;
      if (code === "EROFS" || part === dirname(part)) return undefined;
    }
  }
}

/** The system's error as a named one; anything else as it is. */
export function asStorageError(error: unknown, url: Url, verb: Verb): unknown {
  const code = codeOf(error);
  if (code === undefined || error instanceof StorageError) return error;
  const { path: failed } = error as NodeJS.ErrnoException;
  // A draft's own name says nothing to who asked for the file.
  const path = failed === undefined || /\/\.[\da-f-]{36}\.tmp$/.test(failed) ? localPath(url) : failed;
  switch (code) {
    case "ENOENT":
      return new PathNotFoundError(`Cannot ${verb} ${path}: there is no such file or folder.`, url, {
        remedy: "Check the path; a relative one is taken from the working directory.",
        cause: error,
      });
    case "EACCES":
    case "EPERM": {
      const closed = verb === "write" || verb === "remove" ? closedPart(path, verb) : undefined;
      const why = closed === undefined ? "" : `, as ${closed} may not be changed by this user`;
      return new StorageAccessError(`Cannot ${verb} ${path}: permission denied${why} (${code}).`, url, {
        remedy:
          closed === undefined
            ? "Change the permissions, or choose another path."
            : `Change the permissions of ${closed} (chmod u+w, or have its owner do so), or choose another path.`,
        cause: error,
      });
    }
    case "EROFS":
      return new StorageAccessError(`Cannot ${verb} ${path}: its file system is read-only (${code}).`, url, {
        remedy: "Choose a path on another file system, or mount this one for writing.",
        cause: error,
      });
    case "ENOSPC":
    case "EDQUOT":
      return new DiskFullError(`Cannot ${verb} ${path}: no space left on the device (${code}).`, url, {
        remedy: `Free some space, or ${OTHER_DISK}`,
        cause: error,
      });
    case "ENOTDIR":
      return new StorageError(`Cannot ${verb} ${path}: a part of the path is a file, not a folder (${code}).`, url, {
        remedy: "Check the path, or choose another one.",
        cause: error,
      });
    case "EFBIG":
      return new DiskFullError(`Cannot ${verb} ${path}: the file would be larger than is allowed here (EFBIG).`, url, {
        remedy: `Raise the limit (ulimit -f), or ${OTHER_DISK}`,
        cause: error,
      });
    default:
      return new StorageError(`Cannot ${verb} ${path}: ${(error as Error).message}`, url, {
        cause: error,
        retryable: true,
      });
  }
}
