import { PathNotFoundError } from "./errors";
import { globPattern } from "./glob";
import { joinUrl, splitRoot, type Url } from "./location";
import type { Storage } from "./storage";
import type { Storages } from "./storages";

/** A path with patterns of Hadoop's kind in it: `*` and `?` within a name, `[a-c]`, `{2023,2024/01}`; `\` makes one plain. */
const PATTERN = /[{}[\]*?\\]/;

/**
 * What a path of a user means: itself, or everything that fits it where it has patterns, sorted. A file or folder that is
 * really named so comes first. Hidden names fit as others do.
 * @throws PathNotFoundError where nothing fits
 * @see https://hadoop.apache.org/docs/stable/api/org/apache/hadoop/fs/FileSystem.html#globStatus-org.apache.hadoop.fs.Path-
 */
export async function expandPath(storages: Storages, path: string): Promise<Url[]> {
  const { url, storage } = storages.at(path);
  if (!PATTERN.test(path) || (await storage.stat(url)) !== undefined) return [url];
  const { root, path: patterns } = splitRoot(url);
  const found = new Set<Url>();
  for (const pattern of withoutSlashedBraces(patterns)) {
    for (const match of await matches(storage, root, pattern.split("/").filter(Boolean))) found.add(match);
  }
  if (found.size > 0) return [...found].sort();
  throw new PathNotFoundError(`Path does not exist: nothing fits ${path}.`, url, {
    remedy: "Check the pattern: * and ? stay within one name, and case matters.",
  });
}

/** The folder that all that fits a path lies below: what stands before its first name with a pattern, else the path itself. */
export async function folderOfPattern(storages: Storages, path: string): Promise<string> {
  const names = path.split("/");
  const first = names.findIndex((name) => PATTERN.test(name));
  const { url, storage } = storages.at(path);
  if (first < 0 || (await storage.stat(url)) !== undefined) return path;
  return first === 0 ? "." : names.slice(0, first).join("/") || "/";
}

async function matches(storage: Storage, folder: Url, names: readonly string[]): Promise<Url[]> {
  const [name, ...rest] = names;
  if (name === undefined) return (await storage.stat(folder)) === undefined ? [] : [folder];
  if (!PATTERN.test(name)) return matches(storage, joinUrl(folder, name), rest);
  const pattern = globPattern(name);
  const children = (await storage.children(folder)).filter(
    (child) => pattern.test(child.name) && (rest.length === 0 || child.isFolder),
  );
  const below = await Promise.all(children.map((child) => matches(storage, joinUrl(folder, child.name), rest)));
  return below.flat();
}

/** `a/{b,c/d}` is `a/b` and `a/c/d`: only such braces, since a name's own pattern knows the others. */
function withoutSlashedBraces(pattern: string): string[] {
  let depth = 0;
  let start = 0;
  for (let i = 0; i < pattern.length; i++) {
    if (pattern[i] === "\\") i++;
    else if (pattern[i] === "{" && depth++ === 0) start = i;
    else if (pattern[i] === "}" && depth > 0 && --depth === 0) {
      const inside = pattern.slice(start + 1, i);
      if (!inside.includes("/")) continue;
      const [before, after] = [pattern.slice(0, start), pattern.slice(i + 1)];
      return alternatives(inside).flatMap((one) => withoutSlashedBraces(`${before}${one}${after}`));
    }
  }
  return [pattern];
}

/** The parts between the commas that stand in no inner braces. */
function alternatives(text: string): string[] {
  const parts = [""];
  let depth = 0;
  for (const char of text) {
    if (char === "{") depth++;
    if (char === "}") depth--;
    if (char === "," && depth === 0) parts.push("");
    else parts[parts.length - 1] += char;
  }
  return parts;
}
