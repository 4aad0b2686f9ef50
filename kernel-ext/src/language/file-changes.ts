import { readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type ts from "@tslab/typescript-for-tslab";

/**
 * What TypeScript watches, without timers: {@link FileChanges.tell} compares the files with what they were and calls back for
 * those that changed, so that a cell sees an edit that was saved before it ran.
 */
export interface FileChanges {
  watchFile(path: string, callback: ts.FileWatcherCallback): ts.FileWatcher;
  watchDirectory(path: string, callback: ts.DirectoryWatcherCallback): ts.FileWatcher;
  /** Notes a file or folder that TypeScript looked for in vain. */
  missed(path: string): void;
  /** Tells that a file which exists in memory only has a new text. */
  touch(path: string): void;
  /** Calls back for every change since the last time. */
  tell(): void;
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
  const folders = new Map<string, Set<ts.DirectoryWatcherCallback>>();
  const missed = new Map<string, MissedFolder>();

  const tellFiles = () => {
    for (const [path, file] of [...files]) {
      const stamp = fileStamp(path);
      if (stamp === file.stamp) continue;
      const kind = stamp === "" ? EVENT.deleted : file.stamp === "" ? EVENT.created : EVENT.changed;
      file.stamp = stamp;
      for (const callback of [...file.callbacks]) callback(path, kind);
    }
  };

  const tellMissed = () => {
    for (const [folder, entry] of [...missed]) {
      const stamp = folderStamp(folder);
      if (stamp === entry.stamp) continue;
      entry.stamp = stamp;
      for (const path of [...entry.paths]) {
        const found = foundAt(path);
        if (found.length === 0) continue;
        entry.paths.delete(path);
        for (const each of found) tellFolder(each);
      }
      if (entry.paths.size === 0) missed.delete(folder);
    }
  };

  /** TypeScript keeps one list of failed look-ups, so that any of its folder watchers takes the news. */
  const tellFolder = (path: string) => {
    const nearest = [...folders.keys()].filter((folder) => path.startsWith(`${folder}/`));
    const [callback] =
      folders.get(nearest.sort((a, b) => b.length - a.length)[0] ?? "") ??
      [...folders.values()].flatMap((callbacks) => [...callbacks]);
    callback?.(path);
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
    watchDirectory(path, callback) {
      const callbacks = folders.get(path) ?? new Set();
      folders.set(path, callbacks);
      callbacks.add(callback);
      return {
        close() {
          callbacks.delete(callback);
          if (callbacks.size === 0 && folders.get(path) === callbacks) folders.delete(path);
        },
      };
    },
    missed(path) {
      const folder = dirname(path);
      const entry = missed.get(folder) ?? { stamp: folderStamp(folder), paths: new Set() };
      missed.set(folder, entry);
      entry.paths.add(path);
    },
    touch(path) {
      for (const callback of files.get(path)?.callbacks ?? []) callback(path, EVENT.changed);
      const entry = missed.get(dirname(path));
      if (entry?.paths.delete(path)) tellFolder(path);
    },
    tell() {
      tellFiles();
      tellMissed();
    },
  };
}

function fileStamp(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat?.isFile() ? `${stat.mtimeMs} ${stat.size} ${stat.ino}` : "";
}

/** Changes when an entry of the folder comes or goes. */
function folderStamp(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat ? `${stat.mtimeMs} ${stat.ino}` : "";
}

/** What TypeScript has to be told of where something is now: a folder's entries too, since it hadn't looked for those. */
function foundAt(path: string): string[] {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return [];
  return stat.isDirectory() ? [path, ...readdirSync(path).map((name) => join(path, name))] : [path];
}
