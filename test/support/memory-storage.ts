import { throwIfAborted } from "../../src/errors";
import { FileChangedError, PathNotFoundError, StorageError } from "../../src/storage/errors";
import { baseName, isHidden, parentOf, type Url } from "../../src/storage/location";
import type { FileStatus, Reading, Storage } from "../../src/storage/storage";

/** An object as it lies in the store. */
interface StoredObject {
  readonly bytes: Uint8Array;
  readonly modifiedAt: number;
  /** Another one after every write. */
  readonly etag: string;
}

/** Bytes of a piece of a stream. */
const STREAM_BYTES = 64 * 1024;

/** Object storage in memory, and what a test may look at and change from outside. */
export interface MemoryStorage extends Storage {
  readonly objects: Map<Url, StoredObject>;
  /** Uploads that nobody completed, by id. */
  readonly uploads: ReadonlyMap<string, { readonly url: Url; readonly bytes: Uint8Array }>;
  /** What was read, in order: each request for bytes, and how many of them were taken. */
  readonly reads: { readonly url: Url; readonly start: number; bytes: number }[];
  /** What the store's clock says, in epoch milliseconds. */
  now: number;
}

/**
 * Files with the semantics of object storage: keys and no folders, listings by prefix, no rename, a put that may ask that
 * nothing (or one version) is there, uploads that are invisible until they are completed.
 */
export function memoryStorage(): MemoryStorage {
  const objects = new Map<Url, StoredObject>();
  const uploads = new Map<string, { readonly url: Url; readonly bytes: Uint8Array }>();
  const completed = new Set<string>();
  let made = 0;

  const put = (url: Url, data: Uint8Array | string, condition: { ifNone?: boolean; ifMatch?: string } = {}) => {
    const there = objects.get(url);
    if (condition.ifNone && there) return false;
    if (condition.ifMatch !== undefined && there?.etag !== condition.ifMatch) return false;
    const bytes = typeof data === "string" ? Buffer.from(data) : Uint8Array.from(data);
    objects.set(url, { bytes, modifiedAt: storage.now, etag: `"${made++}"` });
    return true;
  };
  const below = (url: Url) => [...objects.keys()].filter((key) => key.startsWith(`${url}/`));
  const statusOf = (url: Url): FileStatus => {
    const { bytes, modifiedAt, etag } = objects.get(url)!;
    return { url, size: bytes.byteLength, modifiedAt, version: etag };
  };
  const bytesOf = (url: Url, { version, signal }: Reading = {}) => {
    throwIfAborted(signal);
    const found = objects.get(url);
    if (!found) throw new PathNotFoundError(`Cannot read ${url}: there is no such object.`, url);
    if (version !== undefined && found.etag !== version) throw new FileChangedError(url);
    return found.bytes;
  };
  const read = (url: Url, start: number, bytes: Uint8Array) => {
    storage.reads.push({ url, start, bytes: bytes.byteLength });
    return bytes;
  };

  const storage: MemoryStorage = {
    objects,
    uploads,
    reads: [],
    now: Date.now(),
    locks: "lease",
    wholeBytes: 256 * 1024,
    filesAtOnce: 64,

    async *list(url, { recursive = true, hidden = false } = {}) {
      if (objects.has(url)) yield statusOf(url);
      const keys = below(url);
      if (keys.length === 0 && !objects.has(url))
        throw new PathNotFoundError(`Cannot list ${url}: nothing is there.`, url);
      for (const key of keys) {
        const names = key.slice(url.length + 1).split("/");
        if ((!recursive && names.length > 1) || (!hidden && names.some(isHidden))) continue;
        if (objects.has(key)) yield statusOf(key);
      }
    },

    async children(url) {
      const children = new Map<string, boolean>();
      for (const key of below(url)) {
        const [name = "", ...rest] = key.slice(url.length + 1).split("/");
        children.set(name, rest.length > 0);
      }
      return [...children].sort().map(([name, isFolder]) => ({ name, isFolder }));
    },

    async stat(url) {
      if (objects.has(url)) return statusOf(url);
      return below(url).length > 0 ? "folder" : undefined;
    },
    resolve: async (url) => url,
    readFile: async (url, reading) => read(url, 0, bytesOf(url, reading)),
    readRange: async (url, start, end, reading) => read(url, start, bytesOf(url, reading).subarray(start, end)),
    async *readStream(url, reading) {
      const bytes = bytesOf(url, reading);
      read(url, 0, new Uint8Array());
      const request = storage.reads.at(-1)!;
      for (let at = 0; at < bytes.byteLength; at += STREAM_BYTES) {
        throwIfAborted(reading?.signal);
        const chunk = bytes.subarray(at, at + STREAM_BYTES);
        request.bytes += chunk.byteLength;
        yield chunk;
      }
    },
    async writeFile(url, data) {
      put(url, data);
    },
    createFile: async (url, data) => put(url, data, { ifNone: true }),
    async renewFile(url, data) {
      const there = objects.get(url);
      return there !== undefined && put(url, data, { ifMatch: there.etag });
    },
    async writeStream(url, chunks) {
      const bytes = await joined(chunks);
      put(url, bytes);
      return bytes.byteLength;
    },
    async copyFile(from, to) {
      put(to, bytesOf(from));
    },
    async remove(url, version) {
      if (version !== undefined && objects.get(url)?.etag !== version) return;
      for (const key of version === undefined ? [url, ...below(url)] : [url]) objects.delete(key);
    },
    async removeEmptyFolder() {},

    drafts: {
      async write({ url }, chunks) {
        const bytes = await joined(chunks);
        const id = `upload-${made++}`;
        uploads.set(id, { url, bytes });
        return { url, bytes: bytes.byteLength, token: id };
      },
      isWhole: async ({ token, bytes }) => completed.has(token) || uploads.get(token)?.bytes.byteLength === bytes,
      async publish({ url, token }) {
        const upload = uploads.get(token);
        if (upload) {
          put(url, upload.bytes);
          uploads.delete(token);
          completed.add(token);
        } else if (!completed.has(token)) throw new StorageError(`There is no upload ${token} of ${url}.`, url);
      },
      async *unpublished(root) {
        for (const [id, { url }] of uploads) {
          if (url.startsWith(`${root}/`))
            yield { url, begunAt: storage.now, discard: async () => void uploads.delete(id) };
        }
      },
    },
  };
  return storage;
}

async function joined(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(Uint8Array.from(chunk));
  return Buffer.concat(all);
}

/** The names in a folder of the store, sorted. */
export function namesIn(storage: MemoryStorage, folder: Url): string[] {
  return [...storage.objects.keys()]
    .filter((url) => parentOf(url) === folder)
    .map(baseName)
    .sort();
}
