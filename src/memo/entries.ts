import { randomUUID } from "node:crypto";
import { sha256Of } from "../data/shipped-file";
import {
  type FileStatus,
  joinUrl,
  listed,
  PathNotFoundError,
  type Place,
  type Storage,
  type Storages,
  type Url,
} from "../storage";
import { parentOf } from "../storage/location";
import type { KeyPart } from "./fingerprint";
import { digestOf, type TakenIn } from "./taken-in";

/*
 * Where memos are kept: `.pomona/memo/<name>/<key>/` has a folder for each time that the value was computed, and `entry.json`, which
 * names the one that counts with each of its files, and is put in place in one step once they are all there. So nobody sees
 * half a value: not beside a second kernel that computes the same, and not after a crash. A folder that was replaced stays until the
 * next time, for DataFrames that read from it; what a crash left goes after a day.
 */

/** What is kept beside a value. */
export interface Entry {
  readonly form: 1;
  readonly name: string;
  readonly key: string;
  /** Of the function's text. */
  readonly text: string;
  readonly parts: readonly KeyPart[];
  readonly reads: readonly TakenIn[];
  /** Epoch milliseconds. */
  readonly madeAt: number;
  /** How long its function took. */
  readonly milliseconds: number;
  readonly bytes: number;
  /** The folder with the value. */
  readonly folder: string;
  /** The one before. */
  readonly before?: string;
  /** Paths in that folder. */
  readonly files: readonly { readonly path: string; readonly bytes: number; readonly sha256: string }[];
}

/** An entry and where it is. */
export interface FoundEntry {
  readonly entry: Entry;
  /** The folder of its key. */
  readonly home: Url;
  /** When it was last made or taken, by the storage's clock. */
  readonly usedAt: number;
}

/** Keys of a name that are kept: of the function as it is, which a loop may call with many inputs, and of it as it was before. */
const MOST_KEYS = { same: 20, older: 4 } as const;

/** After that long, what nobody named is a crash's. */
const ABANDONED_MS = 24 * 60 * 60 * 1000;

const ENTRY = "entry.json";
/** Written whenever the value is taken. */
const USED = "used";

/** The folder of a name below that of all memos. */
export function folderOf(root: Url, name: string): Url {
  // Names that differ only in their case have one folder on some machines; keys tell them apart.
  return joinUrl(
    root,
    encodeURIComponent(name).replace(/[.*]/g, (char) => `%${char.charCodeAt(0).toString(16)}`),
  );
}

/** The entry of a key; undefined where there is none, or where its file is damaged. */
export async function entryAt({ url: home, storage }: Place): Promise<FoundEntry | undefined> {
  try {
    const text = Buffer.from(await storage.readFile(joinUrl(home, ENTRY))).toString("utf8");
    const { sha256, entry } = JSON.parse(text) as { readonly sha256: string; readonly entry: Entry };
    if (entry.form !== 1 || sha256Of(JSON.stringify(entry)) !== sha256) return undefined;
    const times = await Promise.all([ENTRY, USED].map((file) => storage.stat(joinUrl(home, file))));
    const usedAt = Math.max(...times.map((time) => (time && time !== "folder" ? time.modifiedAt : 0)));
    return { entry, home, usedAt };
  } catch (error) {
    if (error instanceof PathNotFoundError || error instanceof SyntaxError || error instanceof TypeError)
      return undefined;
    throw error;
  }
}

/** The entries of a name, the one that was used last first. */
export async function entriesOf({ url: folder, storage }: Place): Promise<FoundEntry[]> {
  const found: FoundEntry[] = [];
  for (const { name, isFolder } of await storage.children(folder)) {
    const entry = isFolder ? await entryAt({ url: joinUrl(folder, name), storage }) : undefined;
    if (entry) found.push(entry);
  }
  return found.sort((a, b) => b.usedAt - a.usedAt || b.entry.madeAt - a.entry.madeAt);
}

/** What is wrong with the files of an entry, in words; undefined where they are as they were written. */
export async function damageOf({ entry, home }: FoundEntry, storages: Storages): Promise<string | undefined> {
  const folder = joinUrl(home, entry.folder);
  const there = new Map((await filesIn(folder, storages)).map(({ url, size }) => [url.slice(folder.length + 1), size]));
  for (const { path, bytes, sha256 } of entry.files) {
    const size = there.get(path);
    if (size === undefined) return `${path} is missing`;
    if (size !== bytes || (await digestOf(joinUrl(folder, path), storages)) !== sha256) return `${path} is damaged`;
    there.delete(path);
  }
  // A data set reads whatever lies in its folder.
  const [other] = there.keys();
  return other === undefined ? undefined : `${other} was added`;
}

async function filesIn(folder: Url, storages: Storages): Promise<readonly FileStatus[]> {
  try {
    return await listed(storages.for(folder), folder, { hidden: true });
  } catch (error) {
    if (error instanceof PathNotFoundError) return [];
    throw error;
  }
}

/** Says that the value was taken. */
export async function markUsed({ home }: FoundEntry, storage: Storage): Promise<void> {
  // Where the folder may not be written to, its values can be taken all the same.
  await storage.writeFile(joinUrl(home, USED), "").catch(() => {});
}

/** A folder for a value that is being made. */
export function draftFolder(home: Url): { readonly name: string; readonly url: Url } {
  const name = `value-${randomUUID()}`;
  return { name, url: joinUrl(home, name) };
}

/** Lists what was written into such a folder. */
export async function filesOf(folder: Url, storages: Storages): Promise<Entry["files"]> {
  const files: { path: string; bytes: number; sha256: string }[] = [];
  for (const { url, size } of await filesIn(folder, storages))
    files.push({ path: url.slice(folder.length + 1), bytes: size, sha256: await digestOf(url, storages) });
  return files;
}

/** Makes an entry the one of its key, and removes what is kept no more. */
export async function commitEntry(place: Place, made: Omit<Entry, "before">): Promise<void> {
  const { url: home, storage } = place;
  const old = (await entryAt(place))?.entry;
  const entry: Entry = { ...made, ...(old && { before: old.folder }) };
  const text = JSON.stringify({ sha256: sha256Of(JSON.stringify(entry)), entry });
  await storage.writeFile(joinUrl(home, ENTRY), text);
  // What could not be tidied up is tried again the next time.
  await tidy(place, entry, old?.before).catch(() => {});
}

async function tidy({ url: home, storage }: Place, entry: Entry, done: string | undefined): Promise<void> {
  const siblings = await entriesOf({ url: parentOf(home), storage });
  const isSame = ({ entry: { text } }: FoundEntry) => text === entry.text;
  const same = siblings.filter(isSame).slice(MOST_KEYS.same);
  const older = siblings.filter((sibling) => !isSame(sibling)).slice(MOST_KEYS.older);
  for (const { home: old } of [...same, ...older]) if (old !== home) await storage.remove(old);
  for (const { name, isFolder } of await storage.children(home)) {
    if (!isFolder || name === entry.folder || name === entry.before) continue;
    if (name === done || (await isAbandoned(joinUrl(home, name), storage))) await storage.remove(joinUrl(home, name));
  }
}

async function isAbandoned(folder: Url, storage: Storage): Promise<boolean> {
  const files = await listed(storage, folder, { hidden: true });
  return files.every(({ modifiedAt }) => modifiedAt + ABANDONED_MS < Date.now());
}

/** All entries, by name. */
export async function allEntries({ url: root, storage }: Place): Promise<FoundEntry[]> {
  const found: FoundEntry[] = [];
  for (const { name, isFolder } of await storage.children(root))
    if (isFolder) found.push(...(await entriesOf({ url: joinUrl(root, name), storage })));
  return found.sort((a, b) => (a.entry.name < b.entry.name ? -1 : a.entry.name > b.entry.name ? 1 : 0));
}
