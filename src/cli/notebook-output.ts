import { constants, existsSync } from "node:fs";
import { copyFile, readFile } from "node:fs/promises";
import { basename, extname, join, resolve } from "node:path";
import { CancelledError } from "../errors";
import { StorageAccessError } from "../storage";
import { makeFolder } from "../storage/folders";
import { localPath, schemeOf } from "../storage/location";
import type { Place } from "../storage/storage";
import { UsageError } from "./command";

/** Beside a notebook. */
export function htmlOf<T extends string>(notebook: T): T {
  return notebook.replace(/(\.ipynb)?$/, ".html") as T;
}

/** A local path as such, anything else as its URL. */
export function shownPath({ url }: Pick<Place, "url">): string {
  return schemeOf(url) === "file" ? localPath(url) : url;
}

/**
 * Whether a notebook may be written there, as far as it can be seen before it has run: that it is no folder, that the bucket is there, and who asks is known.
 * @throws StorageError, UsageError
 */
export async function checkOutput(place: Place): Promise<void> {
  try {
    if ((await place.storage.stat(place.url)) !== "folder") return;
  } catch (error) {
    // Who may only write there is not told what is there.
    const isDenied = error instanceof StorageAccessError && ["AccessDenied", undefined].includes(error.code);
    if (!isDenied) throw error;
    return;
  }
  const path = shownPath(place);
  throw new UsageError(`The output ${path} is a folder.`, { remedy: `Name the notebook too: ${path}/out.ipynb.` });
}

/** Where an executed notebook went. */
export type Delivery =
  | { readonly kind: "written"; readonly paths: readonly string[] }
  | { readonly kind: "kept"; readonly path: string; readonly why: string };

/**
 * Puts an executed notebook, and the HTML beside it, where it was asked for. An hour's work is not lost where that fails or is stopped: it is kept on this machine.
 * @param signal stops the writing; one that is aborted already has stopped the notebook, which is written as far as it came
 */
export async function deliver(executed: string, { storage, url }: Place, signal: AbortSignal): Promise<Delivery> {
  const files = [[executed, url] as const, [htmlOf(executed), htmlOf(url)] as const].filter(([path]) =>
    existsSync(path),
  );
  const stopped = signal.aborted ? new Promise<never>(() => {}) : rejectedBy(signal);
  const written = (async () => {
    for (const [path, at] of files) await storage.writeFile(at, await readFile(path));
  })();
  try {
    await Promise.race([written, stopped]);
  } catch (error) {
    written.catch(() => {});
    return {
      kind: "kept",
      path: await keptHere(executed),
      why: error instanceof Error ? error.message : String(error),
    };
  }
  return { kind: "written", paths: files.map(([, at]) => at) };
}

/**
 * Copies an executed notebook, and the HTML beside it, to `out/` in the current folder, over nothing that is there.
 * @returns its path; where nothing can be written in the current folder, its path as it was
 */
export async function keptHere(executed: string): Promise<string> {
  const folder = resolve("out");
  const stem = basename(executed, extname(executed));
  try {
    await makeFolder(folder);
    for (let n = 1; ; n++) {
      const path = join(folder, `${stem}${n === 1 ? "" : `-${n}`}${extname(executed)}`);
      try {
        await copyFile(executed, path, constants.COPYFILE_EXCL);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "EEXIST") continue;
        throw error;
      }
      if (existsSync(htmlOf(executed))) await copyFile(htmlOf(executed), htmlOf(path));
      return path;
    }
  } catch {
    return executed;
  }
}

function rejectedBy(signal: AbortSignal): Promise<never> {
  const aborted = new Promise<never>((_, reject) =>
    signal.addEventListener("abort", () => reject(new CancelledError("stopped.")), { once: true }),
  );
  aborted.catch(() => {});
  return aborted;
}
