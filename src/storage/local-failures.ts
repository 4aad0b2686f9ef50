import { accessSync, constants, existsSync } from "node:fs";
import { dirname } from "node:path";
import { DiskFullError, PathNotFoundError, StorageAccessError, StorageError } from "./errors";
import { fileUrl, localPath, type Url } from "./location";

/** Does something at a URL, whose failures are errors with names. @throws StorageError */
export async function attempt<T>(url: Url, verb: Verb, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asStorageError(error, url, verb);
  }
}

/** The system's name of an error, such as `ENOENT`. */
export function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code;
}

/** A name that is not UTF-8 cannot be spelled in a path here; leaving the file out would lose it in silence. */
export function notUtf8(path: string): StorageError {
  return new StorageError(`Cannot read ${path}: its name is not UTF-8.`, fileUrl(path), {
    remedy: "Rename the file or folder, e.g. with convmv -f latin1 -t utf8.",
  });
}

const OTHER_DISK =
  "use another disk: another output, or TMPDIR for temporary files. Nothing half-written was left behind.";

export type Verb = "list" | "read" | "write" | "remove";

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
