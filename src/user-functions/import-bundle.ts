import { readFileSync } from "node:fs";
import { builtinModules, createRequire } from "node:module";
import { join, resolve } from "node:path";
import { type BuildFailure, type BuildOptions, buildSync, type Message, type Metafile } from "esbuild";
import type { ImportedModule } from "../data/batch-function";
import { firstLine, IllegalArgumentError, nearest, PomonaError } from "../errors";

/**
 * Thrown when a module named in `imports` cannot be bundled: it is missing, has a syntax error, or imports something
 * that is missing.
 */
export class ImportBundleError extends PomonaError {
  /** The module as it was named in `imports`. */
  readonly specifier: string;
  /** Where the mistake is, if it is inside a file; lines count from 1. */
  readonly location: { readonly file: string; readonly line: number; readonly column: number } | undefined;

  constructor(specifier: string, root: string, messages: readonly Message[]) {
    const first = messages[0];
    const at = first?.location ?? undefined;
    const missing = first?.text.startsWith("Could not resolve") && !at;
    const what = missing
      ? `The module ${JSON.stringify(specifier)} of imports was not found from ${root}.`
      : `The module ${JSON.stringify(specifier)} of imports could not be bundled:\n${messages.map(messageText).join("\n")}`;
    super(what, {
      remedy: missing
        ? "A path starts with ./ or ../ and is relative to the notebook's folder; a package must be installed there."
        : undefined,
    });
    this.specifier = specifier;
    this.location = at && { file: resolve(root, at.file), line: at.line, column: at.column + 1 };
  }
}

function messageText(message: Message): string {
  const at = message.location;
  if (!at) return `  ${message.text}`;
  return `  ${at.file}:${at.line}:${at.column + 1}: ${message.text}\n    ${at.lineText.trim()}`;
}

/** A module on its way to the workers, and what it exports. */
export interface BundledModule extends Omit<ImportedModule, "names"> {
  readonly exports: readonly string[];
}

const builtins = new Set(builtinModules);
const OWN_PACKAGE = "pomona";

/** True for a package that a module in the current folder would find. */
export function isInstalled(name: string): boolean {
  try {
    createRequire(join(process.cwd(), "notebook.js")).resolve(name);
    return true;
  } catch {
    return false;
  }
}

/** True for `fs`, `node:fs`, `fs/promises`. */
export function isBuiltin(specifier: string): boolean {
  return builtins.has(specifier.replace(/^node:/, "")) || specifier.startsWith("node:");
}

/**
 * Bundles a module and all it imports to one CommonJS text with an inline source map. The files are read anew at each
 * call, so that an edited module takes effect when its cell is run again.
 *
 * Node's own modules and packages that cannot be moved stay outside: the worker requires them where it finds them. A package
 * cannot be moved if it has native parts or looks for files next to itself.
 *
 * @param specifier a path that starts with `./`, `../` or `/` (TypeScript or JavaScript), or a package
 * @param root where the path or package is looked up
 * @throws ImportBundleError
 */
export function bundleModule(specifier: string, root: string): BundledModule {
  if (isBuiltin(specifier)) return { specifier, exports: exportsAtRuntime(specifier, root) };
  const external = new Set([OWN_PACKAGE]);
  const home = () => ({ root, packages: [...external].filter((name) => name !== OWN_PACKAGE) });
  // Each round leaves the packages outside that the round before found to be unmovable.
  for (;;) {
    if (external.has(packageName(specifier)))
      return { specifier, home: home(), exports: exportsAtRuntime(specifier, root) };
    const attempt = build(specifier, root, { format: "cjs", external: [...external], sourcemap: "inline" });
    const unmovable = attempt.errors
      ? attempt.errors.flatMap((message) => nativePackage(message) ?? [])
      : unmovablePackages(attempt.metafile, root);
    const found = unmovable.filter((name) => !external.has(name));
    for (const name of found) external.add(name);
    if (found.length > 0) continue;
    if (attempt.errors) throw new ImportBundleError(specifier, root, attempt.errors);
    return { specifier, home: home(), bundle: attempt.text, exports: exportNames(specifier, root, external) };
  }
}

/** Checks that a module exports `name`. @throws IllegalArgumentError naming what it does export */
export function requireExport(module: BundledModule, name: string): void {
  if (module.exports.includes(name)) return;
  const close = nearest(name, module.exports);
  const has = module.exports.length > 0 ? `It exports ${module.exports.join(", ")}.` : "It exports nothing.";
  throw new IllegalArgumentError(`The module ${JSON.stringify(module.specifier)} has no export \`${name}\`.`, {
    remedy: close.length > 0 ? `Did you mean ${close.join(" or ")}? ${has}` : has,
  });
}

type Attempt = { errors?: undefined; text: string; metafile: Metafile } | { errors: readonly Message[] };

function build(specifier: string, root: string, options: BuildOptions): Attempt {
  try {
    const result = buildSync({
      entryPoints: [specifier],
      absWorkingDir: root,
      bundle: true,
      write: false,
      metafile: true,
      outfile: "bundle.js",
      platform: "node",
      target: "node20",
      sourcesContent: false,
      logLevel: "silent",
      ...options,
    });
    return { text: result.outputFiles?.[0]?.text ?? "", metafile: result.metafile as Metafile };
  } catch (error) {
    const failure = error as Partial<BuildFailure>;
    if (!Array.isArray(failure.errors)) throw error;
    return { errors: failure.errors };
  }
}

/** The names that a module exports. esbuild knows them for ES modules; CommonJS has to be asked. */
function exportNames(specifier: string, root: string, external: ReadonlySet<string>): readonly string[] {
  const result = build(specifier, root, { format: "esm", external: [...external] });
  if (result.errors) return exportsAtRuntime(specifier, root);
  const output = Object.values(result.metafile.outputs)[0];
  const entry = output?.entryPoint ? result.metafile.inputs[output.entryPoint] : undefined;
  if (entry?.format === "esm") return output?.exports ?? [];
  return exportsAtRuntime(specifier, root);
}

/** A CommonJS module that a cell imports is loaded already, so that asking for it here runs nothing new. */
function exportsAtRuntime(specifier: string, root: string): readonly string[] {
  try {
    const loaded = loadFrom(root, specifier);
    if (loaded === null || (typeof loaded !== "object" && typeof loaded !== "function")) return ["default"];
    return [...new Set([...Object.keys(loaded), "default"])];
  } catch (error) {
    throw new ImportBundleError(specifier, root, [
      { id: "", pluginName: "", text: firstLine(error), location: null, notes: [], detail: undefined },
    ]);
  }
}

/** As on the workers: the package itself is there from any folder. */
function loadFrom(root: string, specifier: string): unknown {
  const require = createRequire(packageName(specifier) === OWN_PACKAGE ? __filename : join(root, "notebook.js"));
  return require(specifier);
}

/** The entry of this package that a compiler's alias such as `ml_1` may stand for: `pomona/ml`, if it exports the name. */
export function ownEntry(stem: string, name: string): string | undefined {
  const specifier = `${OWN_PACKAGE}/${stem}`;
  try {
    return exportsAtRuntime(specifier, process.cwd()).includes(name) ? specifier : undefined;
  } catch {
    return undefined;
  }
}

/** The package that a `.node` file belongs to, if that is what esbuild stumbled over. */
function nativePackage(message: Message): string | undefined {
  if (!message.text.includes('".node" files')) return undefined;
  return packageOfFile(message.text.slice(message.text.indexOf(":") + 1).trim());
}

const NATIVE_HELPERS = ["bindings", "node-gyp-build", "@mapbox/node-pre-gyp", "prebuild-install", "node-addon-api"];

/** The packages among a build's inputs that must stay where they are. */
function unmovablePackages(metafile: Metafile, root: string): string[] {
  const found = new Set<string>();
  for (const file of Object.keys(metafile.inputs)) {
    const name = packageOfFile(file);
    if (!name || found.has(name)) continue;
    const path = resolve(root, file);
    if (isNativePackage(path, name) || readsItsOwnFiles(path)) found.add(name);
  }
  return [...found];
}

function isNativePackage(file: string, name: string): boolean {
  const home = file.slice(0, file.lastIndexOf(`node_modules/${name}/`) + `node_modules/${name}/`.length);
  try {
    const manifest = JSON.parse(readFileSync(join(home, "package.json"), "utf8")) as {
      gypfile?: unknown;
      binary?: unknown;
      dependencies?: Record<string, string>;
    };
    const dependencies = Object.keys(manifest.dependencies ?? {});
    return Boolean(manifest.gypfile ?? manifest.binary) || dependencies.some((d) => NATIVE_HELPERS.includes(d));
  } catch {
    return false;
  }
}

function readsItsOwnFiles(file: string): boolean {
  return /\b__dirname\b|\b__filename\b|\bimport\.meta\.(url|dirname|filename)\b/.test(readFileSync(file, "utf8"));
}

function packageOfFile(file: string): string | undefined {
  const path = file.replaceAll("\\", "/");
  const at = path.lastIndexOf("node_modules/");
  return at < 0 ? undefined : packageName(path.slice(at + "node_modules/".length));
}

function packageName(specifier: string): string {
  const parts = specifier.split("/");
  return specifier.startsWith("@") ? parts.slice(0, 2).join("/") : (parts[0] ?? specifier);
}
