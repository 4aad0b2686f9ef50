import { IllegalArgumentError } from "../errors";
import { localStorage } from "./local-storage";
import { schemeOf, type Url, urlOf } from "./location";
import type { RetryListener } from "./retries";
import { s3Storage } from "./s3/s3-storage";
import { isS3Setting } from "./s3/settings";
import type { Place, Storage, StorageSettings } from "./storage";

/** The storages that a program knows. A value: who reads or writes files is given it. */
export interface Storages {
  /** The storage that serves a URL. @throws IllegalArgumentError where none does */
  for(url: Url): Storage;
  /** What a user writes, as a URL with its storage. @throws IllegalArgumentError for an empty text, or where no storage serves it */
  at(text: string): Place;
}

/** A table of storages. @param byScheme such as `{ file: localStorage }`; a function where it depends on the URL */
export function storages(byScheme: Readonly<Record<string, Storage | ((url: Url) => Storage)>>): Storages {
  const table = new Map(Object.entries(byScheme));
  const serving = (url: Url, text: string): Storage => {
    const storage = table.get(schemeOf(url));
    if (storage) return typeof storage === "function" ? storage(url) : storage;
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

/** The name that a storage's setting has for Hadoop, from `fs.` on; undefined for another setting. */
function hadoopName(name: string): string | undefined {
  return /^(?:spark\.hadoop\.)?(fs\..+)$/.exec(name)?.[1];
}

/** Of a session's settings, those that storages are made from: Hadoop's, `fs.…`, as Spark takes them with or without `spark.hadoop.`. */
export function storageSettings(settings: Readonly<Record<string, string | undefined>>): StorageSettings {
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(settings)) {
    const key = hadoopName(name);
    if (key !== undefined && value !== undefined) found[key] = value;
  }
  return found;
}

/** True for a session's setting that a storage heeds. */
export function isStorageSetting(name: string): boolean {
  const key = hadoopName(name);
  return key !== undefined && isS3Setting(key);
}

/**
 * The storages that a session's settings name: files on this machine, and S3.
 * @param settings by name, from `fs.` on
 * @param onRetry is told of requests that are tried again
 * @param file serves `file:` URLs. @default the files of this machine
 */
export function storagesFrom(
  settings: StorageSettings = {},
  onRetry?: RetryListener,
  file: Storage | ((url: Url) => Storage) = localStorage,
): Storages {
  const s3 = s3Storage(settings, onRetry);
  // Hadoop's names for the same.
  return storages({ file, s3, s3a: s3, s3n: s3 });
}
