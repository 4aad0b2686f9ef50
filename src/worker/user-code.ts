import { createRequire, isBuiltin, SourceMap } from "node:module";
import { join } from "node:path";
import { formatWithOptions } from "node:util";
import { deserialize } from "node:v8";
import { compileFunction, constants } from "node:vm";
import type { ImportedModule, SourceFunction, WorkerContext } from "../data/batch-function";
import type { ShippedFile } from "../data/shipped-file";
import { PomonaError } from "../errors";
import { localPath, urlOf } from "../storage/location";
import { namesShipped } from "./function-cache";

/** A user's function, ready to be called. */
export interface CompiledFunction {
  readonly spec: SourceFunction;
  call(args: readonly unknown[]): unknown;
  /** Source maps of the imported modules, by the file name that stacks show. */
  readonly sourceMaps: ReadonlyMap<string, SourceMap>;
}

/** The file name that the function's own lines have in a stack. */
export function codeFile(spec: SourceFunction): string {
  return `udf:${spec.name}`;
}

/** Functions this worker has compiled, the latest last, so that a stage's tasks share broadcast values and modules. */
const compiled = new Map<string, { readonly fn: Promise<CompiledFunction>; readonly host: Host }>();

/** How many functions a worker keeps: each holds its broadcast values. */
const KEPT_FUNCTIONS = 8;

/** Where `console` goes at the moment: a kept function logs to the task that runs it. */
interface Host {
  context: WorkerContext;
}

/** Compiles a user's function with its broadcast values and modules, or finds it among those compiled before. */
export function compileSource(spec: SourceFunction, context: WorkerContext): Promise<CompiledFunction> {
  const key = JSON.stringify(spec);
  const known = compiled.get(key);
  if (known) {
    known.host.context = context;
    compiled.delete(key);
    compiled.set(key, known);
    return known.fn;
  }
  const host: Host = { context };
  const fn = compile(spec, host);
  compiled.set(key, { fn, host });
  // A set-up that failed, say because a file could not be read, is tried afresh by the next attempt.
  fn.catch(() => compiled.delete(key));
  for (const oldest of compiled.keys()) {
    if (compiled.size <= KEPT_FUNCTIONS) break;
    compiled.delete(oldest);
  }
  return fn;
}

/** Forgets the functions that need what the driver no longer ships; a task that runs keeps its own. */
export function forgetSources(file: ShippedFile): void {
  for (const key of namesShipped(compiled, file)) compiled.delete(key);
}

async function compile(spec: SourceFunction, host: Host): Promise<CompiledFunction> {
  const names = new Map<string, unknown>();
  for (const [name, file] of Object.entries(spec.broadcast)) {
    if (typeof file === "string") throw new PomonaError(`The broadcast value ${name} of ${spec.name} was not shipped.`);
    names.set(name, deserialize(await host.context.fetch(file)));
  }
  const sourceMaps = new Map<string, SourceMap>();
  const console = workerConsole(host);
  const modules = new Map<string, unknown>();
  for (const module of spec.imports) {
    const loaded = load(module, await bundleOf(module, host.context), console, sourceMaps);
    modules.set(module.specifier, loaded);
    for (const [name, exportName] of Object.entries(module.names)) names.set(name, exportOf(loaded, exportName));
  }
  const scope = functionScope(names, modules, folderOf(spec.imports.find(({ folder }) => folder)), console);
  try {
    // The line before the code is taken back by lineOffset, so that line 1 is the function's first.
    const make = compileFunction(`return (\n${spec.code}\n);`, [...scope.keys()], {
      filename: codeFile(spec),
      lineOffset: -1,
      importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    });
    const fn = make(...scope.values()) as (...args: unknown[]) => unknown;
    return { spec, sourceMaps, call: (args) => fn(...args) };
  } catch (error) {
    throw new PomonaError(`The function ${spec.name} does not compile: ${messageOf(error)}`, { cause: error });
  }
}

/** Everything the function's text may name besides the globals. */
function functionScope(
  names: ReadonlyMap<string, unknown>,
  modules: ReadonlyMap<string, unknown>,
  root: string,
  console: Console,
): Map<string, unknown> {
  const requireFrom = requireAt(root);
  const require = (id: string): unknown => (modules.has(id) ? modules.get(id) : requireFrom(id));
  return new Map<string, unknown>([
    ["console", console],
    ["require", require],
    ["__import", async (id: string) => importStar(require(id))],
    ["__importStar", importStar],
    ["__importDefault", importDefault],
    // esbuild's keepNames wraps functions in it.
    ["__name", (fn: unknown) => fn],
    // In a notebook, variables of earlier cells are properties of `exports`.
    ["exports", Object.fromEntries(names)],
    ...names,
  ]);
}

async function bundleOf({ bundle }: ImportedModule, context: WorkerContext): Promise<string | undefined> {
  return typeof bundle === "object" ? Buffer.from(await context.fetch(bundle)).toString("utf8") : bundle;
}

function load(
  module: ImportedModule,
  bundle: string | undefined,
  console: Console,
  sourceMaps: Map<string, SourceMap>,
): unknown {
  const root = folderOf(module);
  const require = requireAt(root);
  if (bundle === undefined) return require(module.specifier);
  const filename = `module:${module.specifier}`;
  const map = inlineSourceMap(bundle);
  if (map) sourceMaps.set(filename, map);
  const own = { exports: {} as unknown };
  try {
    const run = compileFunction(bundle, ["exports", "require", "module", "__filename", "__dirname", "console"], {
      filename,
      importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    });
    run(own.exports, require, own, join(root, "bundle.js"), root, console);
  } catch (error) {
    throw new PomonaError(`The module ${module.specifier} of imports failed while it loaded: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return own.exports;
}

/** Where `require` starts: this process's folder, unless the module's author named another one that it needs. */
function folderOf(module: ImportedModule | undefined): string {
  return module?.folder === undefined ? process.cwd() : localPath(urlOf(module.folder));
}

const ownRequire = createRequire(__filename);

/** `require` from the user's folder; what is not there, such as `pomona` itself, from this package. */
function requireAt(root: string): (id: string) => unknown {
  const fromRoot = createRequire(join(root, "notebook.js"));
  return (id) => {
    if (isBuiltin(id)) return ownRequire(id);
    let path: string;
    try {
      path = fromRoot.resolve(id);
    } catch (error) {
      try {
        path = ownRequire.resolve(id);
      } catch {
        throw error;
      }
    }
    return ownRequire(path);
  };
}

function exportOf(loaded: unknown, name: string): unknown {
  if (name === "*") return importStar(loaded);
  if (name === "default") return (importDefault(loaded) as { default: unknown }).default;
  return (loaded as Record<string, unknown>)[name];
}

/** What `import * as ns` gives, as TypeScript defines it for CommonJS. */
function importStar(module: unknown): unknown {
  if (isEsModule(module)) return module;
  const properties = typeof module === "object" || typeof module === "function" ? module : {};
  return { ...properties, default: module };
}

function importDefault(module: unknown): unknown {
  return isEsModule(module) ? module : { default: module };
}

function isEsModule(module: unknown): boolean {
  return Boolean((module as { __esModule?: unknown } | null)?.__esModule);
}

function inlineSourceMap(text: string): SourceMap | undefined {
  const marker = "//# sourceMappingURL=data:application/json;base64,";
  const at = text.lastIndexOf(marker);
  if (at < 0) return undefined;
  const json = Buffer.from(text.slice(at + marker.length).trim(), "base64").toString("utf8");
  return new SourceMap(JSON.parse(json));
}

/** A console whose lines go to the driver's log; `warn` and `error` are shown to the user. */
function workerConsole(host: Host): Console {
  const line =
    (level: "debug" | "info" | "warn") =>
    (...args: unknown[]) =>
      host.context.log(level, formatWithOptions({ colors: false }, ...args));
  const own = { log: line("info"), info: line("info"), debug: line("debug"), warn: line("warn"), error: line("warn") };
  return Object.assign(Object.create(globalThis.console) as Console, own);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
