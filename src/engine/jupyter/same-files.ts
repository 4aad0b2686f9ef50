import { randomUUID } from "node:crypto";
import { rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { localPath, schemeOf } from "../../storage/location";
import type { Task } from "../../worker/task";

/** Asks a machine for a file's text; null where it has none. */
export type Probe = (path: string) => Promise<string | null>;

/** True where a machine sees a folder of this one: what is written into it here is read there. */
export async function seesFolder(folder: string, probe: Probe): Promise<boolean> {
  // A name that who cleans folders knows, should this process be killed in between.
  const path = join(folder, `.${randomUUID()}.tmp`);
  const text = randomUUID();
  await writeFile(path, text);
  try {
    return (await probe(path)) === text;
  } finally {
    await rm(path, { force: true });
  }
}

/** The same, asked once for each folder. */
export function folderSight(probe: Probe): (folder: string) => Promise<boolean> {
  const known = new Map<string, Promise<boolean>>();
  return (folder) => {
    const isSeen = known.get(folder) ?? seesFolder(folder, probe);
    known.set(folder, isSeen);
    isSeen.catch(() => known.delete(folder));
    return isSeen;
  };
}

/** The folder, as far down as there is one, that a task writes into; undefined where its output is no file. */
export async function outputFolder({ output }: Task): Promise<string | undefined> {
  return schemeOf(output.url) === "file" ? existing(dirname(localPath(output.url))) : undefined;
}

async function existing(folder: string): Promise<string> {
  for (let at = folder; ; at = dirname(at)) {
    const there = await stat(at).catch(() => undefined);
    if (there?.isDirectory() || at === dirname(at)) return at;
  }
}
