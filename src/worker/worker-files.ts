import { join } from "node:path";
import type { WorkerContext } from "../data/batch-function";
import { checkShipped, type ShippedFile } from "../data/shipped-file";
import { cacheFolder } from "../kernel/cache-folder";
import type { Storages } from "../storage";
import { localPath } from "../storage/location";

/** @property forget removes this machine's copy of what is no longer shipped */
type WorkerFiles = Pick<WorkerContext, "readFile" | "fetch" | "fetchFile"> & {
  forget(file: ShippedFile): Promise<void>;
};

/** How a worker reads files, and comes by what the driver ships: from where it lies, once a machine where that is not a file here. */
export function workerFiles(storages: Storages): WorkerFiles {
  const readFile = (text: string, signal?: AbortSignal) => {
    const { storage, url } = storages.at(text);
    return storage.readFile(url, { signal });
  };
  const fetch = async (file: ShippedFile) => checkShipped(file, await readFile(file.url));
  const copyOf = ({ sha256 }: ShippedFile) => storages.at(join(cacheFolder(), "shipped", sha256));
  const isHere = ({ url }: ShippedFile) => storages.at(url).url.startsWith("file:");
  return {
    readFile,
    fetch,
    async fetchFile(file) {
      const { storage, url } = isHere(file) ? storages.at(file.url) : copyOf(file);
      const there = await storage.stat(url);
      const isWhole = there !== undefined && there !== "folder" && there.size === file.bytes;
      // Whoever asked for it reads it whole and notices damage; that it is cut short may go unnoticed.
      if (!isWhole) {
        const content = await fetch(file);
        if (!isHere(file)) await storage.writeFile(url, content);
      }
      return localPath(url);
    },
    async forget(file) {
      if (isHere(file)) return;
      const { storage, url } = copyOf(file);
      await storage.remove(url).catch(() => undefined);
    },
  };
}
