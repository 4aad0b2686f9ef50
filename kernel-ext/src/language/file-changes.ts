import { type Stats, statSync } from "node:fs";
import { dirname } from "node:path";
import type ts from "typescript";

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
   * @param looksUp whether files will be looked for by name; else those that were missed matter only where another changed
   * @returns true where files came or went, so that module names may mean others
   */
  tell(looksUp: boolean): boolean;
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

interface Place {
  readonly folder: string;
  /** The first part of the path that is not there, of a folder that is not. */
  readonly missing?: string;
}

/** @param isFixed true for files that don't change while the kernel runs, such as TypeScript's own */
export function fileChanges(isFixed: (path: string) => boolean): FileChanges {
  const files = new Map<string, WatchedFile>();
  const missed = new Map<string, MissedFolder>();
  /** Of folders that were asked for: which one is watched for them. */
  const places = new Map<string, Place>();

  const tellFiles = (): { readonly changed: boolean; readonly moved: boolean } => {
    let changed = false;
    let moved = false;
    for (const [path, file] of [...files]) {
      const stamp = fileStamp(path);
      if (stamp === file.stamp) continue;
      const kind = stamp === "" ? EVENT.deleted : file.stamp === "" ? EVENT.created : EVENT.changed;
      file.stamp = stamp;
      changed = true;
      moved ||= kind !== EVENT.changed || path.endsWith("/package.json");
      if (kind === EVENT.deleted) note(path);
      for (const callback of [...file.callbacks]) callback(path, kind);
    }
    return { changed, moved };
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
    if (found) places.clear();
    return found;
  };

  const note = (path: string) => {
    const { folder, missing } = placeOf(dirname(path));
    const entry = missed.get(folder) ?? { stamp: entryStamp(folder), paths: new Set() };
    missed.set(folder, entry);
    entry.paths.add(missing ?? path);
  };

  /** TypeScript looks in many folders that are not there: the one that they would appear in tells of all of them. */
  const placeOf = (folder: string): Place => {
    const known = places.get(folder);
    if (known) return known;
    const parent = dirname(folder);
    const above = entryStamp(folder) === "" && parent !== folder ? placeOf(parent) : undefined;
    const place = above ? { folder: above.folder, missing: above.missing ?? folder } : { folder };
    places.set(folder, place);
    return place;
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
    tell(looksUp) {
      const { changed, moved } = tellFiles();
      return ((looksUp || changed) && findMissed()) || moved;
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
