import { resolve } from "node:path";
import { IllegalArgumentError } from "../errors";

declare const BRAND: unique symbol;

/**
 * Where a file or folder is, as text: `<scheme>:<where>` without a slash at its end. Local ones are written as Spark writes
 * them, `file:/abs/path`: the path is taken as it stands, not percent-decoded, so that a file named `50%25.jpg` stays itself.
 * A type of its own, so that a path that nobody looked at is not taken for one; {@link urlOf} makes it.
 */
export type Url = string & { readonly [BRAND]: "Url" };

/**
 * What a user writes, as a URL: a local path (relative to the working directory), a `file:` URL, or another storage's URL.
 * @throws IllegalArgumentError for an empty text
 */
export function urlOf(text: string): Url {
  if (text.trim() === "") throw new IllegalArgumentError("A path is empty.", { remedy: "Name a folder or a file." });
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]+):/.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return fileUrl(resolve(text));
  const rest = text.slice(scheme.length + 1);
  if (scheme === "file") return fileUrl(resolve(rest.replace(/^\/+/, "/")));
  return `${scheme}:${rest.replace(/(?<=[^/])\/+$/, "")}` as Url;
}

/** The URL of a local file or folder. @param path absolute, without a slash at its end */
export function fileUrl(path: string): Url {
  return `file:${path}` as Url;
}

/** The kind of storage that a URL names, such as `file`. */
export function schemeOf(url: Url): string {
  return url.slice(0, url.indexOf(":"));
}

/** The absolute path of a local file or folder, for what reads it without a storage. @throws IllegalArgumentError for another one */
export function localPath(url: Url): string {
  if (schemeOf(url) === "file") return url.slice("file:".length);
  throw new IllegalArgumentError(`${url} is not on this machine.`, { remedy: "Use a local path or a file: URL." });
}

/** A URL's first folder and what lies below it: `file:/` and `a/b`, `s3://bucket` and `a/b`. */
export function splitRoot(url: Url): { readonly root: Url; readonly path: string } {
  const root = /^[^:]+:(?:\/\/[^/]*|\/)/.exec(url)?.[0] ?? url;
  return { root: root as Url, path: url.slice(root.length).replace(/^\/+/, "") };
}

/** The last component of a URL or path. */
export function baseName(url: string): string {
  return url.slice(url.lastIndexOf("/") + 1);
}

/** `folder` and `names` joined by one slash. */
export function joinUrl(folder: Url, ...names: readonly string[]): Url {
  return [folder.replace(/\/+$/, ""), ...names].join("/") as Url;
}

/** The folder that a file or folder lies in. */
export function parentOf(url: Url): Url {
  return url.slice(0, url.lastIndexOf("/")) as Url;
}

/** True where `inner` is `outer` or lies below it. */
export function isInside(inner: Url, outer: Url): boolean {
  return inner === outer || inner.startsWith(outer.endsWith("/") ? outer : `${outer}/`);
}

/** True for the name of a file on its way to another, on a storage that renames: what a killed process leaves of it. */
export function isTemporaryName(name: string): boolean {
  return /^\.[0-9a-f]{8}-[0-9a-f-]{27}\.tmp$/.test(name);
}

/**
 * True for a file or folder that Spark passes over: `_SUCCESS`, `.crc`, a copy under way; but not a partition's `_x=1`.
 * @see https://github.com/apache/spark/blob/master/core/src/main/scala/org/apache/spark/util/HadoopFSUtils.scala
 */
export function isHidden(name: string): boolean {
  return name.startsWith(".") || (name.startsWith("_") && !name.includes("=")) || name.endsWith("._COPYING_");
}
