import { basename, resolve } from "node:path";
import type { ImportedModule, SourceFunction } from "../data/batch-function";
import { IllegalArgumentError } from "../errors";
import { snapshotBroadcast } from "./broadcast";
import { Broadcast } from "./broadcast-variable";
import { type CapturedFunction, readFunction, refuseCaptures } from "./capture";
import { aliasStem } from "./capture-message";
import type { Capture } from "./captured-name";
import { type BundledModule, bundleModule, isBuiltin, isInstalled, ownEntry, requireExport } from "./import-bundle";
import { holdSnapshots, type SnapshotSource } from "./snapshots";

/** What a user function brings along to the workers. */
export interface UserFunctionOptions {
  /** The name to show in column names, progress and errors. @default the function's own, else `<lambda>` */
  readonly name?: string;
  /**
   * Values of the notebook that the function uses, by the name it uses: `{ lut }`. Plain data, typed arrays, Map, Set
   * and Date; of `sparkContext.broadcast(x)` the function reads `value`. Copied where the function is defined; each worker has its own copy, so that changes to it stay there.
   */
  readonly broadcast?: Readonly<Record<string, unknown>>;
  /**
   * Modules that the function uses: files (`./lib/stats`, TypeScript or JavaScript) or packages. A list,
   * `["./lib/stats"]`, makes what the cell imports from them work as written. A record, `{ stats: "./lib/stats" }`, binds
   * each module as a namespace; `{ scale: "./lib/stats#scale" }` binds one export, `#default` the default one.
   */
  readonly imports?: readonly string[] | Readonly<Record<string, string>>;
  /** The folder that paths in `imports` start from. @default the current folder, which is the notebook's */
  readonly root?: string;
}

/** A function that is an export of a module, made by {@link fromModule}. */
export interface ModuleFunction {
  readonly module: string;
  readonly exportName: string;
  readonly root: string | undefined;
}

/**
 * Names a function that is an export of a file or package, to use in place of a function of the notebook. Its module is
 * bundled whole, so that it may use whatever it imports.
 *
 *     const brightness = udf(fromModule("./lib/features", "brightness"), { returns: "double" });
 *
 * @param root the folder that the path starts from; default: the current one, which is the notebook's
 */
export function fromModule(module: string, exportName: string, root?: string): ModuleFunction {
  return { module, exportName, root };
}

// biome-ignore lint/suspicious/noExplicitAny: the caller's parameter types are its own; rows are checked by the result's type.
export type RowFunction = (...values: any[]) => unknown;
/**
 * Checks a function of one value that a built-in calls, such as a network's `preprocess`.
 * @throws as {@link sourceFunction}
 */
export function defineRowFunction(fn: RowFunction | ModuleFunction, options: UserFunctionOptions): SourceFunction {
  return sourceFunction(fn, options, "row", "preprocess");
}

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

/** The name the worker gives to the module that a {@link ModuleFunction} is in. */
const FUNCTION_MODULE = "__function";

/**
 * Checks a function of the program, or of a module, and makes it a value that travels: its text, its modules and its broadcast values.
 * @param caller what the program calls, for messages
 * @throws CapturedVariableError if it uses a variable that is neither in `broadcast` nor in `imports`
 * @throws UnsupportedFunctionError, BroadcastValueError, ImportBundleError
 */
export function sourceFunction(
  fn: RowFunction | ModuleFunction,
  options: UserFunctionOptions,
  form: SourceFunction["form"],
  caller: string,
): SourceFunction {
  if (typeof fn === "function") return fromText(fn, options, form);
  if (typeof fn === "object" && fn !== null && typeof fn.exportName === "string") return fromExport(fn, options, form);
  throw new IllegalArgumentError(`${caller} takes a function, not ${fn === null ? "null" : typeof fn}.`, {
    remedy: "Pass an arrow function, or fromModule(path, name) for an export of a module.",
  });
}

function fromExport(fn: ModuleFunction, options: UserFunctionOptions, form: SourceFunction["form"]): SourceFunction {
  if (options.broadcast || options.imports) {
    throw new IllegalArgumentError("A function from a module imports what it needs itself.", {
      remedy: "Leave out broadcast and imports, or pass (x) => perImage(x, lut) with both.",
    });
  }
  const module = bundleModule(fn.module, resolve(fn.root ?? options.root ?? "."));
  requireExport(module, fn.exportName);
  const name = options.name ?? (fn.exportName === "default" ? moduleStem(fn.module) : fn.exportName);
  const imports = [{ ...shipped(module), names: { [FUNCTION_MODULE]: fn.exportName } }];
  return { kind: "source", name, code: FUNCTION_MODULE, form, broadcast: {}, imports };
}

function fromText(fn: RowFunction, options: UserFunctionOptions, form: SourceFunction["form"]): SourceFunction {
  const read = readFunction(fn, options.name ?? (fn.name.replace(/^bound /, "") || "<lambda>"));
  const broadcast = options.broadcast ?? {};
  const modules = openModules(options, read);
  for (const name of [...Object.keys(broadcast), ...Object.keys(bindings(options))]) checkName(name);
  const isProvided = (capture: Capture) =>
    (capture.kind === "variable" && Object.hasOwn(broadcast, capture.name)) || bind(capture, modules);
  refuseCaptures(read, isProvided, (capture) => moduleHint(capture));
  return {
    kind: "source",
    name: read.name,
    code: read.code,
    form,
    broadcast: snapshotKeys(broadcast),
    imports: modules.map(({ module, names }) => ({ ...shipped(module), names })),
    ...(read.origin && { cellOrigin: read.origin }),
  };
}

/** Takes copies of values, which stay for as long as the record of their keys. */
function snapshotKeys(broadcast: Readonly<Record<string, unknown>>): Record<string, string> {
  const keys: Record<string, string> = {};
  const sources = new Map<string, SnapshotSource>();
  for (const [name, given] of Object.entries(broadcast)) {
    // Of a broadcast variable the function reads `value`.
    const { key, snapshot } = given instanceof Broadcast ? given.source(name) : sourceOf(name, given);
    keys[name] = key;
    sources.set(name, snapshot);
  }
  return holdSnapshots(keys, sources);
}

function sourceOf(name: string, value: unknown) {
  const snapshot = snapshotBroadcast(name, value);
  return { key: snapshot.key, snapshot: () => snapshot };
}

function checkName(name: string): void {
  if (IDENTIFIER.test(name)) return;
  throw new IllegalArgumentError(`${JSON.stringify(name)} cannot be the name of a variable.`, {
    remedy: "Name broadcast values and imports as the function uses them.",
  });
}

interface OpenModule {
  readonly module: BundledModule;
  /** True for a module of a list: any of its exports may be used by name. */
  readonly open: boolean;
  readonly names: Record<string, string>;
}

function bindings(options: UserFunctionOptions): Readonly<Record<string, string>> {
  return options.imports && !Array.isArray(options.imports) ? (options.imports as Record<string, string>) : {};
}

/** Bundles each module that the options or the function itself name. */
function openModules(options: UserFunctionOptions, read: CapturedFunction): OpenModule[] {
  const root = resolve(options.root ?? ".");
  const modules = new Map<string, OpenModule>();
  const opened = (specifier: string, open: boolean): OpenModule => {
    const found = modules.get(specifier) ?? { module: bundleModule(specifier, root), open, names: {} };
    modules.set(specifier, found);
    return found;
  };
  if (Array.isArray(options.imports)) for (const specifier of options.imports as string[]) opened(specifier, true);
  for (const [name, target] of Object.entries(bindings(options))) {
    const hash = target.lastIndexOf("#");
    const [specifier, exportName] = hash > 0 ? [target.slice(0, hash), target.slice(hash + 1)] : [target, "*"];
    const { module, names } = opened(specifier, false);
    if (exportName !== "*") requireExport(module, exportName);
    names[name] = exportName;
  }
  for (const specifier of read.requires) opened(specifier, false);
  return [...modules.values()];
}

/** Finds the module that a captured name comes from, and gives it that name there. */
function bind(capture: Capture, modules: readonly OpenModule[]): boolean {
  if (capture.kind === "member") {
    const found = modules.filter(({ module }) => isNamedAfter(capture, module));
    const owner = found.find(({ module }) => module.exports.includes(capture.name)) ?? found[0];
    if (owner) owner.names[capture.identifier] = "*";
    return owner !== undefined;
  }
  const { name, imported } = capture;
  if (modules.some(({ names }) => Object.hasOwn(names, name))) {
    checkNamespaceUse(capture, modules);
    return true;
  }
  // Where a notebook's own import says it, also from a module of a record.
  const origin = imported && modules.find(({ module }) => isSameModule(module.specifier, imported.specifier));
  if (imported && origin) {
    origin.names[name] = imported.exported;
    return true;
  }
  const exporter = modules.find(({ open, module }) => open && module.exports.includes(name));
  const owner = exporter ?? modules.find(({ open, module }) => open && moduleStem(module.specifier) === name);
  if (owner) owner.names[name] = exporter ? name : "*";
  return owner !== undefined;
}

function isSameModule(a: string, b: string): boolean {
  return a.replace(/^node:/, "") === b.replace(/^node:/, "");
}

/** In `import stats from "./stats"`, `stats` is the default export and not the namespace that the record binds. */
function checkNamespaceUse(capture: Capture, modules: readonly OpenModule[]): void {
  const owner = modules.find(({ names }) => names[capture.name] === "*");
  if (!owner?.module.exports.includes("default")) return;
  const isNamespace = capture.uses.every((use) => use.property && owner.module.exports.includes(use.property));
  if (!isNamespace) owner.names[capture.name] = "default";
}

/** True if a compiler would call the module so: `stats_1` for `./lib/stats`. Vite's aliases say nothing of the module. */
function isNamedAfter({ identifier, name }: Capture, module: BundledModule): boolean {
  if (identifier.startsWith("__vi")) return module.exports.includes(name);
  return aliasStem(identifier) === moduleIdentifier(module.specifier);
}

/** As TypeScript's `makeIdentifierFromModuleName`. */
function moduleIdentifier(specifier: string): string {
  return basename(specifier).replace(/^(\d)/, "_$1").replace(/\W/g, "_");
}

function moduleStem(specifier: string): string {
  return basename(specifier.replace(/^node:/, "")).replace(/\.[cm]?[jt]sx?$/, "");
}

/** A likely module for a remedy: a compiler's alias says the file's name, but not its folder. */
function moduleHint(capture: Capture): string {
  if (capture.imported) return capture.imported.specifier;
  const stem = capture.kind === "member" && !capture.identifier.startsWith("__vi") ? aliasStem(capture.identifier) : "";
  if (stem.startsWith("node_")) return `node:${stem.slice("node_".length).replaceAll("_", "/")}`;
  if (stem && (isBuiltin(stem) || isInstalled(stem))) return stem;
  const own = stem && capture.kind === "member" ? ownEntry(stem, capture.name) : undefined;
  if (own) return own;
  return `./${stem || (capture.uses.every((use) => use.called) ? "file" : capture.name)}`;
}

function shipped({ exports: _, ...module }: BundledModule): Omit<ImportedModule, "names"> {
  return module;
}
