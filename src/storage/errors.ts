import { PomonaError } from "../errors";

/** A file or folder could not be read or written; `code` is the system's (`EACCES`, `ENOSPC`, ...). */
export class StorageError extends PomonaError {
  readonly url: string;
  readonly code: string | undefined;

  constructor(message: string, url: string, options: { remedy?: string; cause?: unknown; retryable?: boolean } = {}) {
    super(message, options);
    this.url = url;
    this.code = (options.cause as NodeJS.ErrnoException | undefined)?.code;
  }
}

/** Nothing is at the path. */
export class PathNotFoundError extends StorageError {}

/** The path exists, but this user may not read or write it. */
export class StorageAccessError extends StorageError {}

/** A file was written anew while it was read: what came of it does not fit together. */
export class FileChangedError extends StorageError {
  constructor(url: string, options: { cause?: unknown } = {}) {
    super(`${url} was written anew while it was read.`, url, {
      remedy: "Run it again, once nobody writes there: it reads what is there then.",
      ...options,
    });
  }
}

/** The disk is full. */
export class DiskFullError extends StorageError {}
