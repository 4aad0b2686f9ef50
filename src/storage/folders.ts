import * as callbacks from "node:fs";
import { mkdirSync, statSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";

const stat = promisify(callbacks.stat);

/*
 * Node's own recursive mkdir never ends below a folder that takes no new names and answers ENOENT, as /proc does: it goes
 * up and down for ever. Here a folder is made only where the one above it is there.
 */

/** Makes a folder and those above it that are missing. */
export async function makeFolder(path: string): Promise<void> {
  // It is there for all files in it but the first.
  if ((await stat(path).catch(() => undefined))?.isDirectory()) return;
  try {
    await mkdir(path);
  } catch (error) {
    if (codeOf(error) === "EEXIST") return refuseFile(path, (await stat(path)).isDirectory());
    if (codeOf(error) !== "ENOENT" || dirname(path) === path) throw error;
    // The folder above may have been made by another since: only where it is there and still takes nothing is it hopeless.
    await makeFolder(dirname(path));
    await mkdir(path).catch((again: unknown) => {
      if (codeOf(again) === "ENOENT") throw takesNothing(path);
      if (codeOf(again) !== "EEXIST") throw again;
    });
  }
}

/** The same at once. */
export function makeFolderSync(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if (codeOf(error) === "EEXIST") {
      refuseFile(path, statSync(path).isDirectory());
      return;
    }
    if (codeOf(error) !== "ENOENT" || dirname(path) === path) throw error;
    makeFolderSync(dirname(path));
    try {
      mkdirSync(path);
    } catch (again) {
      if (codeOf(again) === "ENOENT") throw takesNothing(path);
      if (codeOf(again) !== "EEXIST") throw again;
    }
  }
}

function refuseFile(path: string, isFolder: boolean): void {
  if (isFolder) return;
  throw Object.assign(new Error(`${path} is a file, not a folder`), { code: "ENOTDIR", path });
}

/** The folder is there, and the system says that it is not: nothing can be made in it. */
function takesNothing(path: string): Error {
  return Object.assign(new Error(`nothing can be made in ${dirname(path)}`), { code: "EPERM", path });
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code;
}
