import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cacheDir } from "./paths.mjs";

const done = ".pomona-complete";

/** The folder of a cache entry, or undefined where it has not been made (or not to the end). */
export function cached(name) {
  const folder = join(cacheDir, name);
  return existsSync(join(folder, done)) ? folder : undefined;
}

/**
 * Gives the folder of a cache entry; makes it with `build(folder)` where it is missing. One process builds, others wait.
 * Built in place, because a virtual environment cannot be moved; a mark written last says that it is whole, and an entry
 * without the mark is built anew.
 */
export async function cacheEntry(name, build) {
  const folder = join(cacheDir, name);
  if (cached(name)) return folder;
  const release = await lock(`${folder}.lock`);
  try {
    if (!cached(name)) {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true });
      await build(folder);
      writeFileSync(join(folder, done), `${new Date().toISOString()}\n`);
    }
    return folder;
  } finally {
    release();
  }
}

/** Takes a lock file that holds our process id; a lock whose process is gone is taken over. */
async function lock(file) {
  mkdirSync(cacheDir, { recursive: true });
  for (let waited = false; ; waited = true) {
    try {
      writeFileSync(file, String(process.pid), { flag: "wx" });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    const owner = lockOwner(file);
    if (owner !== undefined && !isAlive(owner)) rmSync(file, { force: true });
    else {
      if (!waited) console.log(`  waiting for process ${owner ?? "?"}, which is building ${file.slice(0, -5)}`);
      await sleep(500);
    }
  }
}

function lockOwner(file) {
  try {
    return Number(readFileSync(file, "utf8")) || undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}
