import { randomUUID } from "node:crypto";
import { readdirSync, rmSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { makeFolderSync } from "../storage/folders";
import { asStorageError } from "../storage/local-failures";
import { fileUrl } from "../storage/location";

/** A folder for what lives between two stages; gone when the session ends, or the process. */
export interface Spool {
  readonly folder: string;
  /** A path that is not in use; nothing is there yet. */
  fresh(name: string): string;
  /** A folder inside, for one job. */
  scratch(): Spool;
  close(): void;
}

/**
 * @param parent where the folder goes. @default the system's folder for temporary files
 * @param options.isShared whether sessions on other machines have theirs there too: their processes are not seen from here
 */
export function openSpool(parent = tmpdir(), { isShared = false } = {}): Spool {
  const prefix = isShared ? `pomona-at-${hostname()}-` : "pomona-";
  removeAbandoned(parent, prefix);
  const spool = spoolIn(join(parent, `${prefix}${process.pid}-${randomUUID().slice(0, 8)}`));
  process.once("exit", spool.close);
  return {
    ...spool,
    close() {
      process.off("exit", spool.close);
      spool.close();
    },
  };
}

function spoolIn(folder: string): Spool {
  try {
    makeFolderSync(folder);
  } catch (error) {
    throw asStorageError(error, fileUrl(folder), "write");
  }
  let files = 0;
  const fresh = (name: string) => join(folder, `${String(files++).padStart(4, "0")}-${name}`);
  return {
    folder,
    fresh,
    scratch: () => spoolIn(fresh("job")),
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A killed process could not clean up after itself; the next one does. */
function removeAbandoned(parent: string, prefix: string): void {
  let names: string[];
  try {
    names = readdirSync(parent);
  } catch {
    return;
  }
  for (const name of names) {
    const pid = name.startsWith(prefix) && /^(\d+)-[0-9a-f]{8}$/.exec(name.slice(prefix.length))?.[1];
    if (!pid || isAlive(Number(pid))) continue;
    try {
      rmSync(join(parent, name), { recursive: true, force: true });
    } catch {
      // Another user's: theirs to remove.
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
