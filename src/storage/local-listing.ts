import type { Dir } from "node:fs";
import { opendir, realpath, stat } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import { throwIfAborted } from "../errors";
import { attempt } from "./local-failures";
import { fileUrl, isHidden } from "./location";
import type { ListOptions } from "./storage";

/** Entries of a folder, and files, that are looked at together; and how many folders are. */
const LIST_AT_ONCE = 1024;
const FOLDERS_AT_ONCE = 16;

/** The files below a folder, some at a time: what is held does not grow with how many there are. */
export async function* filesBelow(root: string, { recursive = true, hidden = false, signal }: ListOptions) {
  const waiting = [root];
  let reading: OpenFolder[] = [];
  let files: string[] = [];
  try {
    while (waiting.length > 0 || reading.length > 0) {
      throwIfAborted(signal);
      while (reading.length < FOLDERS_AT_ONCE && waiting.length > 0) reading.push({ path: waiting.pop() as string });
      const round = await Promise.allSettled(reading.map((folder) => readSome(folder, hidden)));
      for (const some of round) {
        if (some.status === "rejected") throw some.reason;
        files.push(...some.value.files);
        if (recursive) waiting.push(...some.value.folders);
      }
      reading = reading.filter((folder) => folder.isRead !== true);
      for (; files.length >= LIST_AT_ONCE; files = files.slice(LIST_AT_ONCE)) yield files.slice(0, LIST_AT_ONCE);
    }
    if (files.length > 0) yield files;
  } finally {
    for (const { entries } of reading) await entries?.close().catch(() => {});
  }
}

/** A folder that is being listed. */
interface OpenFolder {
  readonly path: string;
  /** Absent before the first look at it. */
  entries?: Dir;
  isRead?: boolean;
}

/** The next entries of a folder; after the last it is closed. */
async function readSome(folder: OpenFolder, hidden: boolean) {
  const found = { files: [] as string[], folders: [] as string[] };
  await attempt(fileUrl(folder.path), "list", async () => {
    folder.entries ??= await opendir(folder.path, { bufferSize: LIST_AT_ONCE });
    for (let i = 0; i < LIST_AT_ONCE; i++) {
      const entry = await folder.entries.read();
      if (entry === null) {
        folder.isRead = true;
        return folder.entries.close();
      }
      if (!hidden && isHidden(entry.name)) continue;
      const path = join(folder.path, entry.name);
      const isFolder = entry.isSymbolicLink() ? await isFolderBelow(path) : entry.isDirectory();
      (isFolder ? found.folders : found.files).push(path);
    }
  });
  return found;
}

/** True for a link to a folder, but not to one that it lies in: that would have no end. */
async function isFolderBelow(link: string): Promise<boolean> {
  if ((await stat(link).catch(() => undefined))?.isDirectory() !== true) return false;
  const [target, folder] = await Promise.all([realpath(link), realpath(dirname(link))]);
  return folder !== target && !folder.startsWith(target.endsWith(sep) ? target : `${target}${sep}`);
}
