import { join } from "node:path";
import type { WorkerContext } from "../data/batch-function";
import { checkShipped, type ShippedFile } from "../data/shipped-file";
import { cacheFolder } from "../kernel/cache-folder";
import type { Storages } from "../storage";
import { localPath } from "../storage/location";

/** How a worker reads files, and comes by what the driver ships: from where it lies, once a machine where that is not a file here. */
export function workerFiles(storages: Storages): Pick<WorkerContext, "readFile" | "fetch" | "fetchFile"> {
  const readFile = (text: string) => {
    const { storage, url } = storages.at(text);
    return storage.readFile(url);
  };
  const fetch = async (file: ShippedFile) => checkShipped(file, await readFile(file.url));
  return {
    readFile,
    fetch,
    async fetchFile(file) {
      const place = storages.at(file.url);
      const isHere = place.url.startsWith("file:");
      const { storage, url } = isHere ? place : storages.at(join(cacheFolder(), "shipped", file.sha256));
      const there = await storage.stat(url);
      const isWhole = there !== undefined && there !== "folder" && there.size === file.bytes;
      // Whoever asked for it reads it whole and notices damage; that it is cut short may go unnoticed.
      if (!isWhole) {
        const content = await fetch(file);
        if (!isHere) await storage.writeFile(url, content);
      }
      return localPath(url);
    },
  };
}
