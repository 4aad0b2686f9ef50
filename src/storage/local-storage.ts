import { randomUUID } from "node:crypto";
import * as callbacks from "node:fs";
import { constants, createWriteStream, openAsBlob, type Stats } from "node:fs";
import { copyFile, link, open, readdir, realpath, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { throwIfAborted } from "../errors";
import { mapConcurrently } from "./concurrently";
import { DiskFullError, PathNotFoundError, StorageAccessError, StorageError } from "./errors";
import { makeFolder } from "./folders";
import { isHidden, locationUrl, parseLocation } from "./location";
import type { FileStatus, ListOptions, Storage } from "./storage";

/** How many `stat` calls run at once: enough to keep a network disk busy, few enough for the descriptor limit. */
const STAT_CONCURRENCY = 64;

/** The callback form: for thousands of small files, the file handles of the promise form cost more than the reading. */
const readFile = promisify(callbacks.readFile);
const openDescriptor = promisify(callbacks.open);
const closeDescriptor = promisify(callbacks.close);
const readDescriptor = promisify(callbacks.read);

/** A change within this time after another may leave a file's times as they are: some file systems count seconds. */
const SETTLED_MS = 2000;

/** Files on this machine's file systems. */
export const localStorage: Storage = {
  async list(url, options = {}) {
    const root = pathOf(url);
    const found = await attempt(url, "list", () => stat(root));
    if (found.isFile()) return [statusOf(root, found)];
    const paths = await filesBelow(root, options);
    const statuses = await mapConcurrently(paths, STAT_CONCURRENCY, async (path) => {
      throwIfAborted(options.signal);
      // A file that vanished since its folder was read is not part of the listing.
      const status = await stat(path).catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT" && path.includes("\ufffd")) throw notUtf8(path);
        if (error.code === "ENOENT") return undefined;
        throw asStorageError(error, locationUrl({ scheme: "file", path }), "read");
      });
      return status?.isFile() ? statusOf(path, status) : undefined;
    });
    return statuses.filter((s): s is FileStatus => s !== undefined).sort((a, b) => (a.url < b.url ? -1 : 1));
  },

  async children(url) {
    const folder = pathOf(url);
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
    const path = pathOf(url);
    try {
      const found = await stat(path);
      return found.isDirectory() ? "folder" : statusOf(path, found);
    } catch (error) {
      if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
      throw asStorageError(error, url, "read");
    }
  },

  readFile: (url) => attempt(url, "read", async () => (await readFile(pathOf(url))) as Uint8Array),

  readRange: (url, start, end) =>
    attempt(url, "read", async () => {
      const file = await openDescriptor(pathOf(url), "r");
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

  openBlob: (url) =>
    attempt(url, "read", async () => {
      // openAsBlob reports a missing or forbidden file only on the first read, and without a code.
      await (await open(pathOf(url))).close();
      return openAsBlob(pathOf(url));
    }),

  writeFile: (url, data) => writeAtomically(url, async (temporary) => writeSynced(temporary, data)),

  async createFile(url, data) {
    const path = pathOf(url);
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

  async writeStream(url, chunks) {
    const path = pathOf(url);
    let bytes = 0;
    const counted = async function* () {
      for await (const chunk of chunks) {
        bytes += chunk.byteLength;
        yield chunk;
      }
    };
    return attempt(url, "write", async () => {
      await makeFolder(dirname(path));
      try {
        await pipeline(Readable.from(counted(), { objectMode: false }), createWriteStream(path));
        return bytes;
      } catch (error) {
        await rm(path, { force: true });
        throw error;
      }
    });
  },

  async rename(from, to) {
    await attempt(to, "write", async () => {
      await makeFolder(dirname(pathOf(to)));
      await rename(pathOf(from), pathOf(to));
    });
  },

  copyFile: (from, to, signal) =>
    writeAtomically(to, async (temporary) => {
      throwIfAborted(signal);
      // A copy-on-write clone where the file system offers one.
      await copyFile(pathOf(from), temporary, constants.COPYFILE_FICLONE);
      throwIfAborted(signal);
    }),

  remove: (url) => attempt(url, "remove", () => rm(pathOf(url), { recursive: true, force: true })),

  async removeEmptyFolder(url) {
    await rmdir(pathOf(url)).catch((error: NodeJS.ErrnoException) => {
      if (!["ENOENT", "ENOTEMPTY", "EEXIST"].includes(error.code ?? "")) throw asStorageError(error, url, "remove");
    });
  },
};

function pathOf(url: string): string {
  return parseLocation(url).path;
}

function statusOf(path: string, found: Stats): FileStatus {
  const { size, mtimeMs, ctimeMs, ino } = found;
  const status = { url: locationUrl({ scheme: "file", path }), size, modifiedAt: Math.floor(mtimeMs) };
  const isSettled = Math.max(mtimeMs, ctimeMs) + SETTLED_MS < Date.now();
  return isSettled ? { ...status, version: `${ino} ${size} ${mtimeMs} ${ctimeMs}` } : status;
}

async function filesBelow(folder: string, options: ListOptions): Promise<string[]> {
  const { recursive = true, hidden = false, signal } = options;
  throwIfAborted(signal);
  const url = locationUrl({ scheme: "file", path: folder });
  const entries = await attempt(url, "list", () => readdir(folder, { withFileTypes: true }));
  const files: string[] = [];
  for (const entry of entries) {
    if (!hidden && isHidden(entry.name)) continue;
    const path = join(folder, entry.name);
    const isFolder = entry.isSymbolicLink() ? await isFolderBelow(path) : entry.isDirectory();
    if (!isFolder) files.push(path);
    else if (recursive) files.push(...(await filesBelow(path, options)));
  }
  return files;
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

async function writeAtomically(url: string, write: (temporary: string) => Promise<void>): Promise<void> {
  const path = pathOf(url);
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

async function attempt<T>(url: string, verb: Verb, work: () => Promise<T>): Promise<T> {
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
  return new StorageError(`Cannot read ${path}: its name is not UTF-8.`, locationUrl({ scheme: "file", path }), {
    remedy: "Rename the file or folder, e.g. with convmv -f latin1 -t utf8.",
  });
}

const OTHER_DISK =
  "use another disk: another output, or TMPDIR for temporary files. Nothing half-written was left behind.";

type Verb = "list" | "read" | "write" | "remove";

/** The system's error as a named one; anything else as it is. */
export function asStorageError(error: unknown, url: string, verb: Verb): unknown {
  const code = codeOf(error);
  if (code === undefined || error instanceof StorageError) return error;
  const path = (error as NodeJS.ErrnoException).path ?? pathOf(url);
  switch (code) {
    case "ENOENT":
      return new PathNotFoundError(`Cannot ${verb} ${path}: there is no such file or folder.`, url, {
        remedy: "Check the path; a relative one is taken from the working directory.",
        cause: error,
      });
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new StorageAccessError(`Cannot ${verb} ${path}: permission denied (${code}).`, url, {
        remedy: "Change the permissions, or choose another path.",
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
