import { copyFile, readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { StorageAccessError, StorageError } from "../storage";
import { makeFolder } from "../storage/folders";
import { schemeOf, type Url } from "../storage/location";
import type { Place } from "../storage/storage";

/** Beside a notebook. */
export function htmlOf<T extends string>(notebook: T): T {
  return notebook.replace(/(\.ipynb)?$/, ".html") as T;
}

/**
 * Whether a notebook may be written there, as far as it can be seen before it has run: that the bucket is there, and who asks is known.
 * @throws StorageError
 */
export async function checkOutput({ storage, url }: Place): Promise<void> {
  if (schemeOf(url) === "file") return;
  try {
    await storage.stat(url);
  } catch (error) {
    // Who may only write there is not told what is there.
    const isDenied = error instanceof StorageAccessError && ["AccessDenied", undefined].includes(error.code);
    if (!isDenied) throw error;
  }
}

/**
 * Puts an executed notebook, and its HTML, where it was asked for. An hour's work is not lost where that fails: it is kept here.
 * @returns the URLs
 * @throws StorageError
 */
export async function deliver(output: string, { storage, url }: Place, hasHtml: boolean): Promise<Url[]> {
  const files = [[output, url] as const, ...(hasHtml ? [[htmlOf(output), htmlOf(url)] as const] : [])];
  try {
    for (const [path, at] of files) await storage.writeFile(at, await readFile(path));
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    const kept = resolve("out", basename(output));
    await makeFolder(resolve("out"));
    for (const [path] of files) await copyFile(path, join(resolve("out"), basename(path)));
    const why = error.message.split("\n")[0];
    throw new StorageError(`The executed notebook could not be written: ${why}`, url, {
      remedy: `It is kept here: ${kept}`,
      cause: error,
    });
  }
  return files.map(([, at]) => at);
}
