export interface FileStatus {
  /** In Spark's form: `file:/abs/path`. */
  readonly url: string;
  /** Bytes. */
  readonly size: number;
  /** Epoch milliseconds. */
  readonly modifiedAt: number;
  /** Another one after every change; absent where the next change might not show, as right after one. */
  readonly version?: string;
}

export interface ListOptions {
  /** Look into sub-folders. @default true */
  readonly recursive?: boolean;
  /** Also what Spark passes over; see `isHidden`. @default false */
  readonly hidden?: boolean;
  readonly signal?: AbortSignal;
}

/** Files by URL, on one kind of storage. Every failure is a {@link StorageError} that names the URL. */
export interface Storage {
  /** The files below `url` (or `url` itself, if it is a file), sorted by URL. @throws PathNotFoundError */
  list(url: string, options?: ListOptions): Promise<FileStatus[]>;
  /** The names in a folder, sorted; none where there is no folder. */
  children(url: string): Promise<readonly { readonly name: string; readonly isFolder: boolean }[]>;
  /** What is at `url`: a file's status, `"folder"`, or undefined. */
  stat(url: string): Promise<FileStatus | "folder" | undefined>;
  readFile(url: string): Promise<Uint8Array>;
  /** The bytes from `start` to before `end`; fewer where the file ends before. */
  readRange(url: string, start: number, end: number): Promise<Uint8Array>;
  /** The file as a blob that reads only the ranges asked of it. */
  openBlob(url: string): Promise<Blob>;
  /** Writes the whole file or nothing: under a temporary name first, then renamed. */
  writeFile(url: string, data: Uint8Array | string): Promise<void>;
  /** Writes the whole file where there is none; false, and nothing done, where there is one. Of several at once one succeeds. */
  createFile(url: string, data: Uint8Array | string): Promise<boolean>;
  /** Writes a stream to a new file; a failure leaves nothing. Returns the bytes written. */
  writeStream(url: string, chunks: AsyncIterable<Uint8Array>): Promise<number>;
  /** Renames one file, replacing what is there. */
  rename(from: string, to: string): Promise<void>;
  /** Copies one file, atomically at `to`. */
  copyFile(from: string, to: string, signal?: AbortSignal): Promise<void>;
  /** Removes a file, or a folder with all that is in it; nothing there is fine. */
  remove(url: string): Promise<void>;
  /** Removes a folder if it is empty. */
  removeEmptyFolder(url: string): Promise<void>;
}
