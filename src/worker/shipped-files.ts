import { randomUUID } from "node:crypto";
import { mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { WorkerContext } from "../data/batch-function";
import { checkShipped, type ShippedFile } from "../data/shipped-file";
import { cacheFolder } from "../kernel/cache-folder";
import type { Storages } from "../storage";
import { localPath } from "../storage/location";

/** How a worker comes by what the driver ships: from where it lies, once a machine where that is not a file here. */
export function shippedFiles(storages: Storages): Pick<WorkerContext, "fetch" | "fetchFile"> {
  const fetch = async (file: ShippedFile) => {
    const { storage, url } = storages.at(file.url);
    return checkShipped(file, await storage.readFile(url));
  };
  return {
    fetch,
    async fetchFile(file) {
      const { url } = storages.at(file.url);
      if (url.startsWith("file:")) {
        const path = localPath(url);
        // Read whole by whoever asked for it, who notices damage; that it is cut short may go unnoticed.
        if ((await sizeOf(path)) !== file.bytes) await fetch(file);
        return path;
      }
      const path = join(cacheFolder(), "shipped", file.sha256);
      if ((await sizeOf(path)) !== file.bytes) await keep(path, await fetch(file));
      return path;
    },
  };
}

async function sizeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.size;
}

/** Of several threads that fetch the same, each writes a file of its own; the last one's name stays. */
async function keep(path: string, content: Uint8Array): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await mkdir(join(path, ".."), { recursive: true });
    await writeFile(temporary, content);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
