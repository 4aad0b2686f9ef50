import type { WorkerContext } from "../data/batch-function";
import { checkShipped, type ShippedFile } from "../data/shipped-file";
import type { Storages } from "../storage";
import { localStorage } from "../storage/local-storage";
import { fileUrl, localPath } from "../storage/location";
import { type ShippedCopies, shippedCopies } from "./shipped-copies";

/** How a worker reads files, and comes by what the driver ships: from where it lies, by a copy where that is not a file here. */
export function workerFiles(
  storages: Storages,
  copies: ShippedCopies = shippedCopies((url) => storages.for(url).readStream(url)),
): Pick<WorkerContext, "readFile" | "fetch" | "fetchFile"> {
  const hereOf = async (file: ShippedFile) => {
    const { storage, url } = storages.at(file.url);
    return storage === localStorage ? url : fileUrl(await copies.path(file));
  };
  return {
    readFile(text, reading) {
      const { storage, url } = storages.at(text);
      return storage.readFile(url, reading);
    },
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
