import { resolve } from "node:path";
import { IllegalArgumentError } from "../errors";

/**
 * Where a file or folder is. Local locations are written as Spark writes them, `file:/abs/path`: the path is taken as it
 * stands, not percent-decoded, so that a file named `50%25.jpg` stays itself.
 */
export interface Location {
  readonly scheme: "file";
  /** Absolute path without a trailing slash. */
  readonly path: string;
}

/**
 * Parses what a user writes: a local path (relative to the working directory) or a `file:` URL.
 * @throws IllegalArgumentError for an empty text or a scheme that no storage serves.
 */
export function parseLocation(text: string): Location {
  if (text.trim() === "") throw new IllegalArgumentError("A path is empty.", { remedy: "Name a folder or a file." });
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]+):/.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return { scheme: "file", path: resolve(text) };
  if (scheme === "file") return { scheme: "file", path: resolve(text.slice("file:".length).replace(/^\/+/, "/")) };
  throw new IllegalArgumentError(`No storage serves "${scheme}:" (in ${JSON.stringify(text)}).`, {
    remedy: "Use a local path or a file: URL.",
  });
}

/** A location as text, in Spark's form: `file:/abs/path`. */
export function locationUrl(location: Location): string {
  return `${location.scheme}:${location.path}`;
}

/** The last component of a URL or path. */
export function baseName(url: string): string {
  return url.slice(url.lastIndexOf("/") + 1);
}

/** `folder` and `name` joined by one slash. */
export function joinUrl(folder: string, ...names: readonly string[]): string {
  return [folder.replace(/\/+$/, ""), ...names].join("/");
}

/** True where `inner` is `outer` or lies below it; both are URLs from {@link locationUrl}. */
export function isInside(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(outer.endsWith("/") ? outer : `${outer}/`);
}

/**
 * True for a file or folder that Spark passes over: `_SUCCESS`, `.crc`, a copy under way; but not a partition's `_x=1`.
 * @see https://github.com/apache/spark/blob/master/core/src/main/scala/org/apache/spark/util/HadoopFSUtils.scala
 */
export function isHidden(name: string): boolean {
  return name.startsWith(".") || (name.startsWith("_") && !name.includes("=")) || name.endsWith("._COPYING_");
}
