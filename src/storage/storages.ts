import { IllegalArgumentError } from "../errors";
import { localStorage } from "./local-storage";
import { schemeOf, type Url, urlOf } from "./location";
import type { Place, Storage } from "./storage";

/** The storages that a program knows. A value: who reads or writes files is given it. */
export interface Storages {
  /** The storage that serves a URL. @throws IllegalArgumentError where none does */
  for(url: Url): Storage;
  /** What a user writes, as a URL with its storage. @throws IllegalArgumentError for an empty text, or where no storage serves it */
  at(text: string): Place;
}

/** A table of storages. @param byScheme such as `{ file: localStorage }` */
export function storages(byScheme: Readonly<Record<string, Storage>>): Storages {
  const table = new Map(Object.entries(byScheme));
  const serving = (url: Url, text: string): Storage => {
    const storage = table.get(schemeOf(url));
    if (storage) return storage;
    const others = [...table.keys()].filter((scheme) => scheme !== "file").map((scheme) => `${scheme}:`);
    throw new IllegalArgumentError(`No storage serves "${schemeOf(url)}:" (in ${JSON.stringify(text)}).`, {
      remedy: `Use a local path or a ${["file:", ...others].join(" or ")} URL.`,
    });
  };
  return {
    for: (url) => serving(url, url),
    at(text) {
      const url = urlOf(text);
      return { url, storage: serving(url, text) };
    },
  };
}

/** What storages are made from: plain data, which goes to workers too. */
export type StorageSettings = Readonly<Record<string, string>>;

/** Every kind of storage, by the scheme of its URLs. */
const MAKERS: Readonly<Record<string, (settings: StorageSettings) => Storage>> = {
  file: () => localStorage,
};

/** Of a session's settings, those that storages are made from: Hadoop's, `fs.…`, as Spark takes them with or without `spark.hadoop.`. */
export function storageSettings(settings: Readonly<Record<string, string | undefined>>): StorageSettings {
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(settings)) {
    const key = /^(?:spark\.hadoop\.)?(fs\..+)$/.exec(name)?.[1];
    if (key !== undefined && value !== undefined) found[key] = value;
  }
  return found;
}

/** The storages that a session's settings name. @param settings by name */
export function storagesFrom(settings: StorageSettings = {}): Storages {
  return storages(Object.fromEntries(Object.entries(MAKERS).map(([scheme, make]) => [scheme, make(settings)])));
}
