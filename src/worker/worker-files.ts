import type { WorkerContext } from "../data/batch-function";
import { checkShipped, type ShippedFile } from "../data/shipped-file";
import type { Storages, Url } from "../storage";
import { localStorage } from "../storage/local-storage";
import { fileUrl, localPath } from "../storage/location";
import { type ShippedCopies, shippedCopies } from "./shipped-copies";

/** How a worker reads files, and comes by what the driver ships: from where it lies, by a copy where that is not a file here. */
export function workerFiles(
  storages: Storages,
  copies: ShippedCopies = shippedCopies((url) => storages.for(url).readStream(url)),
): Pick<WorkerContext, "readFile" | "fetch" | "fetchFile"> {
  return {
    readFile(text, reading) {
      const { storage, url } = storages.at(text);
      return storage.readFile(url, reading);
    },
    ...fetchedFrom(async (file) => {
      const { storage, url } = storages.at(file.url);
      return storage === localStorage ? url : fileUrl(await copies.path(file));
    }),
  };
}

/** What is shipped. @param hereOf where a file of this machine has it */
export function fetchedFrom(hereOf: (file: ShippedFile) => Promise<Url>): Pick<WorkerContext, "fetch" | "fetchFile"> {
  return {
    fetch: async (file) => checkShipped(file, await localStorage.readFile(await hereOf(file))),
    async fetchFile(file) {
      const url = await hereOf(file);
      const there = await localStorage.stat(url);
      // Whoever asked for it reads it whole and notices damage; that it is cut short may go unnoticed.
      if (there === undefined || there === "folder" || there.size !== file.bytes)
        checkShipped(file, await localStorage.readFile(url));
      return localPath(url);
    },
  };
}
