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

/** The disk is full. */
export class DiskFullError extends StorageError {}
