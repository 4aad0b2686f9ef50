import { randomUUID } from "node:crypto";
import * as callbacks from "node:fs";
import { constants, createReadStream, createWriteStream, type Stats } from "node:fs";
import { copyFile, link, open, readdir, realpath, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { throwIfAborted } from "../errors";
import { mapConcurrently, untilAborted } from "./concurrently";
import { renamedDrafts } from "./drafts";
import { makeFolder } from "./folders";
import { asStorageError, attempt, codeOf, notUtf8 } from "./local-failures";
import { filesBelow } from "./local-listing";
import { baseName, fileUrl, joinUrl, localPath, type Url } from "./location";
import type { FileStatus, Storage } from "./storage";

/** How many `stat` calls run at once: enough to keep a network disk busy, few enough for the descriptor limit. */
const STAT_CONCURRENCY = 64;

/** The callback form: for thousands of small files, the file handles of the promise form cost more than the reading. */
const readFile = promisify(callbacks.readFile);
const writeFile = promisify(callbacks.writeFile);
const openDescriptor = promisify(callbacks.open);
const closeDescriptor = promisify(callbacks.close);
const readDescriptor = promisify(callbacks.read);

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

/** The URL with symbolic links followed, as far down as the path exists. */
async function resolveLinks(url: Url): Promise<Url> {
  const path = localPath(url);
  const resolved = await realpath(path).catch(() => undefined);
  if (resolved !== undefined) return fileUrl(resolved);
  const parent = dirname(path);
  if (parent === path) return url;
  return joinUrl(await resolveLinks(fileUrl(parent)), baseName(path));
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
