import { IllegalArgumentError } from "../errors";
import { joinUrl, schemeOf, splitRoot, type Url } from "./location";
import type { FileStatus } from "./storage";

/** A file, and its path below the source folder. */
export interface SourceFile {
  readonly file: FileStatus;
  readonly relative: string;
}

/** Thrown where a file or object can't be copied since its name can't be at the destination; nothing was copied. */
export class ImpossibleNameError extends IllegalArgumentError {
  constructor(
    /** The first of them. */
    readonly url: string,
    destination: string,
    why: string,
    others: number,
  ) {
    const more = others === 0 ? "" : others === 1 ? " One more has such a name." : ` ${others} more have such names.`;
    super(`Cannot copy ${url} to ${destination}: ${why}.${more} Nothing was copied.`, {
      remedy: "Rename it, or leave it out by `glob` or `files`.",
    });
  }
}

/** What file systems take: bytes of a name, and of a path with the zero at its end. */
const NAME_BYTES = 255;
const PATH_BYTES = 4095;

/** Bytes of a key in S3. */
const KEY_BYTES = 1024;

/**
 * Looks at all names before the first file is copied: keys of S3 are any text, names of files are not.
 * @param present the files that are at the destination
 * @throws ImpossibleNameError
 */
export function refuseNames(to: Url, sources: readonly SourceFile[], present: ReadonlyMap<string, number>): void {
  const isLocal = schemeOf(to) === "file";
  const problemOf = isLocal ? fileProblems(to, sources, present) : keyProblem;
  let first: { url: string; why: string } | undefined;
  let count = 0;
  for (const { file, relative } of sources) {
    const why = problemOf(joinUrl(to, relative), relative);
    if (why === undefined) continue;
    first ??= { url: file.url, why };
    count++;
  }
  if (first) throw new ImpossibleNameError(first.url, to, first.why, count - 1);
}

function keyProblem(target: Url): string | undefined {
  const bytes = Buffer.byteLength(splitRoot(target).path);
  return bytes > KEY_BYTES ? `its key would have ${bytes} bytes, and S3 takes ${KEY_BYTES}` : undefined;
}

function fileProblems(to: Url, sources: readonly SourceFile[], present: ReadonlyMap<string, number>) {
  const files = new Set<string>(present.keys());
  const folders = new Set<string>();
  const noteFolders = (target: string) => {
    for (let end = target.lastIndexOf("/"); end > to.length; end = target.lastIndexOf("/", end - 1)) {
      const folder = target.slice(0, end);
      if (folders.has(folder)) return;
      folders.add(folder);
    }
  };
  for (const url of files) noteFolders(url);
  const seen = new Set<string>();
  for (const { relative } of sources) {
    const target = joinUrl(to, relative);
    files.add(target);
    noteFolders(target);
  }
  return (target: Url, relative: string): string | undefined => {
    const own = nameProblem(relative);
    if (own !== undefined) return own;
    const bytes = Buffer.byteLength(target.slice("file:".length));
    if (bytes > PATH_BYTES) return `its path would have ${bytes} bytes, and file systems take ${PATH_BYTES}`;
    if (folders.has(target)) return "other files lie below it, and a file system has no file that is a folder too";
    if (seen.has(target)) return "another one would have the same path";
    seen.add(target);
    for (let end = target.lastIndexOf("/"); end > to.length; end = target.lastIndexOf("/", end - 1)) {
      if (files.has(target.slice(0, end))) return `${target.slice(0, end)} would be both a file and a folder`;
    }
    return undefined;
  };
}

function nameProblem(relative: string): string | undefined {
  if (relative.includes("\0")) return "its key holds the character 0, which no file name has";
  for (const name of relative.split("/")) {
    if (name === "") return "its key has an empty name between or beside its slashes";
    if (name === "." || name === "..") return `its key holds the name "${name}", which is a way to another folder`;
    const bytes = Buffer.byteLength(name);
    if (bytes > NAME_BYTES) return `a name in its key has ${bytes} bytes, and file systems take ${NAME_BYTES}`;
  }
  return undefined;
}
