import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cacheFolder } from "../../kernel/cache-folder";

/** Written last: the entry is whole. Lock and mark are those of the checkout's set-up, which makes some of the same entries. */
const MARK = ".pomona-complete";
const LOOK_EVERY_MS = 500;

/** The folder of a cache entry, or undefined where it has not been made to its end. */
export function cachedEntry(name: string): string | undefined {
  const folder = join(cacheFolder(), name);
  return existsSync(join(folder, MARK)) ? folder : undefined;
}

/**
 * Gives the folder of a cache entry; makes it with `build(folder)` where it is missing. One process builds, others wait.
 * Built in place, because a virtual environment cannot be moved; what was not built to its end is removed.
 */
export async function cacheEntry(
  name: string,
  build: (folder: string) => Promise<void>,
  { signal, note }: { readonly signal: AbortSignal; readonly note: (text: string) => void },
): Promise<string> {
  const folder = join(cacheFolder(), name);
  if (cachedEntry(name)) return folder;
  const release = await lock(
    `${folder}.lock`,
    (owner) => note(`Waiting for process ${owner}, which makes ${folder}`),
    signal,
  );
  try {
    if (cachedEntry(name)) return folder;
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    await build(folder);
    await writeFile(join(folder, MARK), `${new Date().toISOString()}\n`);
    return folder;
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  } finally {
    await release();
  }
}

/** Takes a lock file that holds our process id; a lock whose process is gone is taken over. */
async function lock(file: string, waiting: (owner: number) => void, signal: AbortSignal): Promise<() => Promise<void>> {
  await mkdir(cacheFolder(), { recursive: true });
  for (let told = false; ; ) {
    try {
      await writeFile(file, String(process.pid), { flag: "wx" });
      return () => rm(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const owner = Number(await readFile(file, "utf8").catch(() => "")) || undefined;
    if (owner !== undefined && !isThere(owner)) await rm(file, { force: true });
    else {
      if (!told && owner !== undefined) waiting(owner);
      told ||= owner !== undefined;
      await sleep(LOOK_EVERY_MS, undefined, { signal });
    }
  }
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
