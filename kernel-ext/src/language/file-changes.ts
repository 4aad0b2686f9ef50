import { type Stats, statSync } from "node:fs";
import { dirname } from "node:path";
import type ts from "@tslab/typescript-for-tslab";

/**
 * What TypeScript watches, without timers: {@link FileChanges.tell} compares the files with what they were and calls back for
 * those that changed, so that a cell sees an edit that was saved before it ran.
 */
export interface FileChanges {
  watchFile(path: string, callback: ts.FileWatcherCallback): ts.FileWatcher;
  /** Notes a file or folder that TypeScript looked for in vain. */
  missed(path: string): void;
  /** Tells that a file which exists in memory only has a new text. */
  touch(path: string): void;
  /**
   * Calls back for every file that changed since the last time.
   * @returns true where files came or went, so that module names may mean others
   */
  tell(): boolean;
}

/** As TypeScript's `FileWatcherEventKind`. */
const EVENT = { created: 0, changed: 1, deleted: 2 } as const;

interface WatchedFile {
  stamp: string;
  readonly callbacks: Set<ts.FileWatcherCallback>;
}

interface MissedFolder {
  stamp: string;
  readonly paths: Set<string>;
}

/** @param isFixed true for files that don't change while the kernel runs, such as TypeScript's own */
export function fileChanges(isFixed: (path: string) => boolean): FileChanges {
  const files = new Map<string, WatchedFile>();
  const missed = new Map<string, MissedFolder>();

  const tellFiles = (): boolean => {
    let moved = false;
    for (const [path, file] of [...files]) {
      const stamp = fileStamp(path);
      if (stamp === file.stamp) continue;
      const kind = stamp === "" ? EVENT.deleted : file.stamp === "" ? EVENT.created : EVENT.changed;
      file.stamp = stamp;
      moved ||= kind !== EVENT.changed || path.endsWith("/package.json");
      if (kind === EVENT.deleted) note(path);
      for (const callback of [...file.callbacks]) callback(path, kind);
    }
    return moved;
  };

  const findMissed = (): boolean => {
    let found = false;
    for (const [folder, entry] of [...missed]) {
      const stamp = entryStamp(folder);
      if (stamp === entry.stamp) continue;
      entry.stamp = stamp;
      for (const path of [...entry.paths]) if (entryStamp(path) !== "" && entry.paths.delete(path)) found = true;
      if (entry.paths.size === 0) missed.delete(folder);
    }
    return found;
  };

  const note = (path: string) => {
    const folder = dirname(path);
    const entry = missed.get(folder) ?? { stamp: entryStamp(folder), paths: new Set() };
    missed.set(folder, entry);
    entry.paths.add(path);
  };

  return {
    watchFile(path, callback) {
      if (isFixed(path)) return { close() {} };
      const file = files.get(path) ?? { stamp: fileStamp(path), callbacks: new Set() };
      files.set(path, file);
      file.callbacks.add(callback);
      return {
        close() {
          file.callbacks.delete(callback);
          if (file.callbacks.size === 0 && files.get(path) === file) files.delete(path);
        },
      };
    },
    missed: note,
    touch(path) {
      for (const callback of files.get(path)?.callbacks ?? []) callback(path, EVENT.changed);
    },
    tell() {
      const moved = tellFiles();
      return findMissed() || moved;
    },
  };
}

function fileStamp(path: string): string {
  const stat = statOf(path);
  return stat?.isFile() ? `${stat.mtimeMs} ${stat.size} ${stat.ino}` : "";
}

/** Of a folder, it changes when an entry comes or goes; empty where there is nothing. */
function entryStamp(path: string): string {
  const stat = statOf(path);
  return stat ? `${stat.mtimeMs} ${stat.ino}` : "";
}

/** What can't be looked at, such as a link to itself or a name too long, is not there. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
