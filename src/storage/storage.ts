import type { Drafts } from "./drafts";
import type { Url } from "./location";

export interface FileStatus {
  readonly url: Url;
  /** Bytes. */
  readonly size: number;
  /** Epoch milliseconds, by the storage's own clock. */
  readonly modifiedAt: number;
  /** Another one after every change; absent where the next change might not show, as right after one. */
  readonly version?: string;
}

export interface ListOptions {
  /** Look into sub-folders. @default true */
  readonly recursive?: boolean;
  /** Also what Spark passes over; see `isHidden`. @default false */
  readonly hidden?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** How a file is read. */
export interface Reading {
  /** Ends the read. @throws CancelledError where it is aborted, as the storage finds it */
  readonly signal?: AbortSignal | undefined;
  /** Read the file only while it is this one, where the storage can tell in the same step. @throws FileChangedError */
  readonly version?: string | undefined;
  /** What a listing said of it, for a storage that must tell whether a file of that name here is the one that was listed. */
  readonly listed?: Pick<FileStatus, "size" | "modifiedAt"> | undefined;
}

/**
 * Files by URL, on one kind of storage. Every failure is a {@link StorageError} that names the URL. Where there are no
 * folders, as in object storage, one is there as long as something lies in it.
 */
export interface Storage {
  /** The files below `url` (or `url` itself, if it is a file) as they are found, in no order. @throws PathNotFoundError */
  list(url: Url, options?: ListOptions): AsyncIterable<FileStatus>;
  /** The names in a folder, sorted; none where there is no folder. */
  children(url: Url): Promise<readonly { readonly name: string; readonly isFolder: boolean }[]>;
  /** What is at `url`: a file's status, `"folder"`, or undefined. */
  stat(url: Url): Promise<FileStatus | "folder" | undefined>;
  /** The URL with links followed, as far down as there is something; itself where there are no links. */
  resolve(url: Url): Promise<Url>;
  readFile(url: Url, reading?: Reading): Promise<Uint8Array>;
  /** The bytes from `start` to before `end`; fewer where the file ends before. */
  readRange(url: Url, start: number, end: number, reading?: Reading): Promise<Uint8Array>;
  /** The whole file, piece by piece; who stops early ends the read. */
  readStream(url: Url, reading?: Reading): AsyncIterable<Uint8Array>;
  /** Writes the whole file or nothing. */
  writeFile(url: Url, data: Uint8Array | string): Promise<void>;
  /**
   * Writes the whole file where there is none; false, and nothing done, where there is one. Of several at once one succeeds.
   * @param signal as for `writeStream`
   */
  createFile(url: Url, data: Uint8Array | string, signal?: AbortSignal): Promise<boolean>;
  /** Writes a file that is there once more, which makes it modified now; false, and nothing done, where there is none. */
  renewFile(url: Url, data: Uint8Array | string): Promise<boolean>;
  /**
   * Writes a stream as a whole file or nothing, in place of what is there. Returns the bytes written.
   * @param signal ends what is on its way to another machine; the stream ends itself
   */
  writeStream(url: Url, chunks: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<number>;
  /** Copies one file, atomically at `to`; where it can, without its bytes passing through here. */
  copyFile(from: Url, to: Url, signal?: AbortSignal): Promise<void>;
  /**
   * Removes a file, or a folder with all that is in it; nothing there is fine.
   * @param version remove a file only while it is this one, where the storage can tell in the same step
   */
  remove(url: Url, version?: string): Promise<void>;
  /** Removes a folder if it is empty. */
  removeEmptyFolder(url: Url): Promise<void>;
  /** How files are written that nobody sees until all of them are done. */
  readonly drafts: Drafts;
  /**
   * Whose a lock on an output is. `process`: of a process, which can be looked up on its own machine. `lease`: of whoever
   * renews it in time; only one whose process is known to be gone from this machine ends before.
   */
  readonly locks: "process" | "lease";
  /** Up to this size, in bytes, a file is best read whole, even where only some of it is needed. */
  readonly wholeBytes: number;
  /** How many small files are best read or written at the same time. */
  readonly filesAtOnce: number;
}

/** What storages are made from: Hadoop's settings by name, from `fs.` on. Plain data, which goes to workers too. */
export type StorageSettings = Readonly<Record<string, string>>;

/** A file or folder, and the storage that has it. */
export interface Place {
  readonly url: Url;
  readonly storage: Storage;
}

/** The files below `url`, sorted by URL: for those who need all of them. @throws PathNotFoundError */
export async function listed(storage: Storage, url: Url, options?: ListOptions): Promise<FileStatus[]> {
  const files: FileStatus[] = [];
  for await (const file of storage.list(url, options)) files.push(file);
  return files.sort((a, b) => (a.url < b.url ? -1 : 1));
}

/** A file whose bytes are read by range, as hyparquet's AsyncBuffer. */
export interface RangeSource {
  readonly byteLength: number;
  /** The bytes from `start` to before `end`, or to the file's end. */
  slice(start: number, end?: number): Promise<Uint8Array>;
}

/** A file by ranges; nothing is read before the first. @param byteLength as a listing or `stat` has it */
export function rangeSource({ storage, url }: Place, byteLength: number, reading?: Reading): RangeSource {
  return { byteLength, slice: (start, end = byteLength) => storage.readRange(url, start, end, reading) };
}
