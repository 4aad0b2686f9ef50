import { utimes } from "node:fs/promises";
import { join } from "node:path";
import { checkedShipped, type ShippedFile, ShippedFileError } from "../data/shipped-file";
import { cacheFolder } from "../kernel/cache-folder";
import { type FileStatus, joinUrl, listed, StorageError, type Url } from "../storage";
import { localStorage } from "../storage/local-storage";
import { baseName, fileUrl, isTemporaryName, localPath } from "../storage/location";

/** Copies of what drivers ship, each once on this machine, whoever needs it. */
export interface ShippedCopies {
  /** The path of a file with the content, to be read alone. @throws ShippedFileError */
  path(file: ShippedFile): Promise<string>;
}

/** Bytes of copies that are kept; those not used for longest go first. */
const KEPT_BYTES = 1024 ** 3;

/** What is left of a copy under way, where its process was killed. */
const ABANDONED_MILLISECONDS = 24 * 60 * 60 * 1000;

/**
 * Copies in the cache folder, named by their content's hash: they stay for the next session, which ships the same network.
 * @param read brings a file here
 * @param variables say where the cache folder is. @default those of this process
 */
export function shippedCopies(
  read: (url: Url) => AsyncIterable<Uint8Array>,
  variables?: NodeJS.ProcessEnv,
): ShippedCopies {
  const folder = fileUrl(join(cacheFolder(variables), "shipped"));
  /** On their way, by sha256. */
  const coming = new Map<string, Promise<string>>();

  async function copy(file: ShippedFile): Promise<string> {
    const url = joinUrl(folder, file.sha256);
    const path = localPath(url);
    if (!(await isWhole(file, url))) {
      try {
        await localStorage.writeStream(url, checkedShipped(file, read(file.url as Url)));
      } catch (error) {
        if (!(error instanceof StorageError) || error.url !== url) throw error;
        throw new ShippedFileError(`A copy of what the session ships can't be kept on this machine: ${error.message}`, {
          remedy: "Or let POMONA_CACHE_DIR in the endpoint's env name a folder on another disk.",
          retryable: true,
          cause: error,
        });
      }
      await trim(folder);
    }
    await utimes(path, new Date(), new Date()).catch(() => undefined);
    return path;
  }

  return {
    path(file) {
      const there = coming.get(file.sha256);
      if (there) return there;
      const path = copy(file).finally(() => coming.delete(file.sha256));
      coming.set(file.sha256, path);
      return path;
    },
  };
}

/** A disk may have lost some of it since it was written. */
async function isWhole(file: ShippedFile, url: Url): Promise<boolean> {
  try {
    for await (const _ of checkedShipped(file, localStorage.readStream(url)));
    return true;
  } catch {
    return false;
  }
}

async function trim(folder: Url): Promise<void> {
  const files = await listed(localStorage, folder, { hidden: true }).catch((): FileStatus[] => []);
  const newestFirst = files.sort((a, b) => b.modifiedAt - a.modifiedAt);
  let bytes = 0;
  for (const { url, size, modifiedAt } of newestFirst) {
    if (isTemporaryName(baseName(url))) {
      if (modifiedAt + ABANDONED_MILLISECONDS > Date.now()) continue;
    } else if (bytes === 0 || bytes + size <= KEPT_BYTES) {
      bytes += size;
      continue;
    }
    await localStorage.remove(url).catch(() => undefined);
  }
}
