import { IllegalArgumentError } from "../../errors";
import type { Url } from "../location";

/** Where an object is, or with a key that ends nowhere in particular, a folder. */
export interface Address {
  /** As the user wrote it: `s3`, `s3a` or `s3n`. */
  readonly scheme: string;
  readonly bucket: string;
  /** Without a slash at its end; empty for the whole bucket. */
  readonly key: string;
}

/** @throws IllegalArgumentError where there is no bucket, or where keys stand in it */
export function addressOf(url: Url): Address {
  const match = /^([a-z0-9]+):\/\/([^/]*)(?:\/(.*))?$/s.exec(url);
  const [, scheme = "s3", bucket = "", key = ""] = match ?? [];
  if (bucket.includes("@")) {
    // Not repeated in the message: a key stands in it.
    throw new IllegalArgumentError(
      `A ${scheme}: URL holds credentials before its bucket; it would be logged wherever it goes.`,
      {
        remedy: "Set fs.s3a.access.key and fs.s3a.secret.key, or use a profile.",
      },
    );
  }
  if (match && bucket !== "") return { scheme, bucket, key };
  throw new IllegalArgumentError(`${url} names no bucket.`, { remedy: `Write ${scheme}://bucket/folder.` });
}

/** The URL of a key in the bucket of an address. */
export function urlIn({ scheme, bucket }: Address, key: string): Url {
  return `${scheme}://${bucket}/${key}` as Url;
}

/** What all keys in the folder begin with. */
export function prefixOf({ key }: Address): string {
  return key === "" ? "" : `${key}/`;
}

/**
 * True for a key that stands for a folder and is no file: Amazon's console and Hadoop make `folder/`, EMR and older Hadoop
 * `folder_$folder$`.
 */
export function isFolderMarker(key: string, size: number): boolean {
  return (key.endsWith("/") || key.endsWith("_$folder$")) && size === 0;
}
