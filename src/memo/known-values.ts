import { existsSync, readFileSync, realpathSync } from "node:fs";
import { createRequire, isBuiltin } from "node:module";
import { dirname, join, sep } from "node:path";
import { isWorkerGlobal } from "../user-functions/worker-globals";
import { VERSION } from "../version";

/*
 * Values that a name and a version say all of: what the language and Node bring along, and what packages export. They are told by
 * identity, so that it does not matter by which way a program has them.
 */

/** Finds the words that stand for a value in a key. */
export interface KnownValues {
  /** Such as `Math.sqrt` or `zod 4.1.2: lib/index.js#z`; undefined for a value of the program itself. */
  of(value: object): string | undefined;
  /** True for what this package exports. */
  isOwn(value: object): boolean;
}

const load = createRequire(__filename);
/** `dist`, or `src` where it runs uncompiled. */
const OWN_FOLDER = join(__dirname, "..") + sep;

/** What is loaded now. */
export function knownValues(): KnownValues {
  const builtins = builtinValues();
  let exported: { readonly words: Map<object, string>; readonly own: Set<object> } | undefined;
  const packages = () => {
    exported ??= exportedValues();
    return exported;
  };
  return {
    of: (value) => builtins.get(value) ?? packages().words.get(value),
    isOwn: (value) => packages().own.has(value),
  };
}

/** A package's name and version, `zod 4.1.2`, as a module of that folder would find it; undefined for one that is no package's. */
export function packageVersion(specifier: string, folder: string): string | undefined {
  if (isBuiltin(specifier)) return `Node ${process.versions.node.split(".")[0]}: ${specifier.replace(/^node:/, "")}`;
  if (specifier === "pomona" || specifier.startsWith("pomona/")) return `pomona ${VERSION}`;
  if (/^[./]/.test(specifier)) return undefined;
  const parts = specifier.split("/");
  const name = specifier.startsWith("@") ? parts.slice(0, 2).join("/") : (parts[0] as string);
  for (let at = folder; ; at = dirname(at)) {
    const found = join(at, "node_modules", name);
    if (existsSync(join(found, "package.json"))) {
      // A folder that is linked there is somebody's own and changes without another version.
      return isInstalled(realpathSync(found)) ? versionIn(found) : undefined;
    }
    if (dirname(at) === at) return undefined;
  }
}

function isInstalled(path: string): boolean {
  return path.split(sep).includes("node_modules");
}

function versionIn(folder: string): string | undefined {
  try {
    const { name, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Record<string, unknown>;
    return typeof version === "string" ? `${String(name)} ${version}` : undefined;
  } catch {
    return undefined;
  }
}

function builtinValues(): ReadonlyMap<object, string> {
  const found = new Map<object, string>();
  const add = (value: unknown, words: string) => {
    if (isObject(value) && !found.has(value)) found.set(value, words);
  };
  const addMembers = (value: unknown, words: string) => {
    if (!isObject(value)) return;
    for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(value))) {
      for (const part of [descriptor.value, descriptor.get, descriptor.set] as unknown[])
        if (typeof part === "function") add(part, `${words}.${name}`);
    }
  };
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    if (!isWorkerGlobal(name)) continue;
    const value = (globalThis as Record<string, unknown>)[name];
    add(value, name);
    if (value === globalThis) continue;
    addMembers(value, name);
    if (typeof value === "function") addMembers(value.prototype, `${name}.prototype`);
  }
  for (const sample of [new Int8Array(), async () => {}, function* () {}, async function* () {}]) {
    const prototype: unknown = Object.getPrototypeOf(sample instanceof Int8Array ? Int8Array.prototype : sample);
    add((prototype as { constructor: unknown }).constructor, String((prototype as object).constructor.name));
    addMembers(prototype, `${(prototype as object).constructor.name}.prototype`);
  }
  for (const name of loadedBuiltins()) {
    const module: unknown = load(name);
    add(module, `node:${name}`);
    addMembers(module, `node:${name}`);
  }
  return found;
}

/** Node's modules that somebody has loaded, less those that warn. */
function loadedBuiltins(): string[] {
  const { moduleLoadList } = process as unknown as { readonly moduleLoadList: readonly string[] };
  const names = moduleLoadList.map((entry) => entry.replace(/^NativeModule /, ""));
  return names.filter((name) => isBuiltin(name) && !/^(?:_|internal\/|punycode$|sys$)/.test(name));
}

function exportedValues() {
  const words = new Map<object, string>();
  const own = new Set<object>();
  const versions = new Map<string, string | undefined>();
  const add = (value: unknown, text: string, isOwn: boolean) => {
    if (!isObject(value)) return;
    if (isOwn) own.add(value);
    const known = words.get(value);
    // Of several ways to it one that does not depend on what was loaded first.
    if (known === undefined || text.length < known.length || (text.length === known.length && text < known))
      words.set(value, text);
  };
  for (const [file, module] of Object.entries(load.cache)) {
    const isOwn = file.startsWith(OWN_FOLDER);
    const at = file.lastIndexOf(`${sep}node_modules${sep}`);
    if (!module || (at < 0 && !isOwn)) continue;
    const inside = isOwn ? file.slice(OWN_FOLDER.length) : file.slice(at + "/node_modules/".length);
    const count = isOwn ? 0 : inside.startsWith("@") ? 2 : 1;
    const name = inside.split(sep).slice(0, count).join(sep);
    const root = file.slice(0, file.length - inside.length) + name;
    if (!isOwn && !versions.has(root)) versions.set(root, versionIn(root));
    const version = isOwn ? `pomona ${VERSION}` : versions.get(root);
    if (version === undefined) continue;
    const text = `${version}: ${inside.slice(name.length)}`;
    const exports = module.exports as unknown;
    add(exports, text, isOwn);
    if (!isObject(exports)) continue;
    for (const [key, { value }] of Object.entries(Object.getOwnPropertyDescriptors(exports)))
      if (typeof value === "function") add(value, `${text}#${key}`, isOwn);
  }
  return { words, own };
}

function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}
