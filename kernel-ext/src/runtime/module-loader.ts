import { existsSync, readFileSync } from "node:fs";
import { createRequire, isBuiltin } from "node:module";
import { dirname, isAbsolute, join, relative } from "node:path";
import vm from "node:vm";
import type { LocalModule } from "../messages";
import { registerSource } from "./source-registry";
import { forgetUnfinishedModules } from "./unfinished-modules";

/** What `require` and `import` give in a notebook: the user's own TypeScript files, packages beside the notebook, and ours. */
export interface ModuleLoader {
  /** Takes new versions of local modules; what imports them is loaded anew too. */
  update(modules: readonly LocalModule[]): void;
  /** Loads the packages among those that `require` can't load: ES modules with top-level await, or for `import` alone. */
  preload(packages: readonly string[]): Promise<void>;
  /** `require` of a cell. */
  requireFromCell(id: string): unknown;
  /** `import()` of a cell, or of the local module at `from`. */
  importFrom(id: string, from: string | undefined, options?: ImportCallOptions): Promise<unknown>;
  /** Forgets what an interrupt left half-loaded, so that the next `require` loads it anew. */
  forgetUnfinished(): void;
}

interface Instance {
  isLoaded: boolean;
  exports: Record<string, unknown>;
}

/** Errors of `require` that `import` does not have. */
const NEEDS_IMPORT = new Set(["ERR_REQUIRE_ASYNC_MODULE", "ERR_REQUIRE_ESM", "ERR_PACKAGE_PATH_NOT_EXPORTED"]);

const EXTENSIONS = ["", ".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs"];

export function moduleLoader(folder: string): ModuleLoader {
  const sources = new Map<string, LocalModule>();
  const instances = new Map<string, Instance>();
  const dependents = new Map<string, Set<string>>();
  const imported = new Map<string, unknown>();

  const forget = (path: string) => {
    instances.delete(path);
    const users = dependents.get(path) ?? new Set();
    dependents.delete(path);
    for (const user of users) forget(user);
  };

  const localPath = (id: string, from: string): string | undefined => {
    if (!isLocal(id)) return undefined;
    const base = isAbsolute(id) ? id : join(from, id);
    // TypeScript lets `./x.js` mean `./x.ts`.
    const bases = [
      base,
      base.replace(/\.([mc]?)js(x?)$/, ".$1ts$2"),
      base.replace(/\.js$/, ".tsx"),
      join(base, "index"),
    ];
    return bases.flatMap((path) => EXTENSIONS.map((extension) => path + extension)).find((path) => sources.has(path));
  };

  const load = (path: string): unknown => {
    const known = instances.get(path);
    if (known) return known.exports;
    const source = sources.get(path) as LocalModule;
    if (source.isAsync) throw new NotLoadedYet(path);
    const { instance, run } = instantiate(path, source);
    try {
      run();
    } catch (error) {
      instances.delete(path);
      throw error;
    }
    instance.isLoaded = true;
    return instance.exports;
  };

  /** Loads a module that awaits at its top, after those of them that it imports. */
  const loadAsync = async (path: string): Promise<void> => {
    if (instances.has(path)) return;
    const source = sources.get(path) as LocalModule;
    for (;;) {
      const { instance, run } = instantiate(path, source);
      try {
        await run();
        instance.isLoaded = true;
        return;
      } catch (error) {
        instances.delete(path);
        // Imports come first, so that nothing of it ran yet.
        if (!(error instanceof NotLoadedYet) || error.path === path) throw error;
        await loadAsync(error.path);
      }
    }
  };

  const instantiate = (path: string, source: LocalModule) => {
    const instance: Instance = { isLoaded: false, exports: {} };
    // Before it runs, because modules may import one another in a circle.
    instances.set(path, instance);
    const run = () => {
      const head = `(${source.isAsync ? "async " : ""}function (exports, require, module, __filename, __dirname) {`;
      const module = vm.runInThisContext(`${head}\n${source.code}\n})`, {
        filename: path,
        importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
      }) as (...values: unknown[]) => unknown;
      const require = requireOf(dirname(path), path);
      return module.call(instance.exports, instance.exports, require, instance, path, dirname(path));
    };
    return { instance, run };
  };

  const requireFrom = (id: string, from: string, user: string | undefined): unknown => {
    if (isOwn(id)) return require(id);
    const local = localPath(id, from);
    if (local) {
      if (user) dependents.set(local, (dependents.get(local) ?? new Set()).add(user));
      return load(local);
    }
    const known = imported.get(id);
    if (known) return known;
    const native = createRequire(join(from, "_.js"));
    // Read anew each time, as a local module is after an edit.
    if (isLocal(id) && id.endsWith(".json")) delete native.cache[native.resolve(id)];
    try {
      return native(id);
    } catch (error) {
      throw withoutOwnEntry(error);
    }
  };

  /** `require` with what Node's own has beside it. */
  const requireOf = (from: string, user: string | undefined) => {
    const { resolve, cache, extensions } = createRequire(join(from, "_.js"));
    const resolveHere = (id: string, options?: { paths?: string[] }) =>
      isOwn(id) ? require.resolve(id) : (localPath(id, from) ?? resolve(id, options));
    return Object.assign((id: string) => requireFrom(id, from, user), {
      resolve: Object.assign(resolveHere, { paths: resolve.paths }),
      cache,
      extensions,
      main: undefined,
    });
  };

  return {
    update(modules) {
      for (const module of modules) {
        forget(module.path);
        sources.set(module.path, module);
        registerSource(module.path, {
          shown: relative(folder, module.path),
          maps: module.maps,
          linesBefore: 1,
          source: existsSync(module.path) ? readFileSync(module.path, "utf8") : module.code,
          compiled: module.code,
          isCell: false,
        });
      }
    },
    async preload(packages) {
      for (const id of packages) {
        if (sources.get(id)?.isAsync) await loadAsync(id);
        if (isLocal(id) || isOwn(id) || isBuiltin(id) || imported.has(id)) continue;
        try {
          createRequire(join(folder, "_.js"))(id);
        } catch (error) {
          // Other errors come again, with the cell in their stack, when the cell itself requires it.
          if (!NEEDS_IMPORT.has(String((error as { code?: unknown }).code))) continue;
          imported.set(id, asRequired((await importNatively(folder)(id)) as Record<string, unknown>));
        }
      }
    },
    requireFromCell: requireOf(folder, undefined),
    async importFrom(id, from, options) {
      const base = from ? dirname(from) : folder;
      const local = localPath(id, base);
      if (local !== undefined && sources.get(local)?.isAsync) await loadAsync(local);
      const isOurs = isOwn(id) || local !== undefined;
      return isOurs ? requireFrom(id, base, from) : importNatively(base)(id, options);
    },
    forgetUnfinished() {
      for (const [path, { isLoaded }] of [...instances]) if (!isLoaded) forget(path);
      forgetUnfinishedModules(require.cache);
    },
  };
}

/** A module that awaits at its top, asked for before it was loaded. */
class NotLoadedYet extends Error {
  constructor(readonly path: string) {
    super(`${path} awaits outside of functions, and so can only be imported statically, or by await import(…).`);
  }
}

function isLocal(id: string): boolean {
  return /^\.\.?(\/|$)/.test(id) || isAbsolute(id);
}

/** This package is always the one that the kernel runs on, so that there is one session. */
function isOwn(id: string): boolean {
  return id === "pomona" || id.startsWith("pomona/");
}

/** Node's own `import()`, as in a file of that folder. */
function importNatively(folder: string): (id: string, options?: ImportCallOptions) => Promise<unknown> {
  return vm.runInThisContext("(id, options) => import(id, options)", {
    filename: join(folder, "cell.js"),
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  }) as (id: string, options?: ImportCallOptions) => Promise<unknown>;
}

/** A module's namespace in the form that `require` gives it, as compiled default imports expect. */
function asRequired(namespace: Record<string, unknown>): Record<string, unknown> {
  const names = Object.keys(namespace);
  const getters = names.map((name) => [name, { enumerable: true, get: () => namespace[name] }] as const);
  return Object.defineProperties({}, { ...Object.fromEntries(getters), __esModule: { value: true } });
}

/** Node's list of who required a module that is not there begins with the file that stands for the notebook or its module. */
function withoutOwnEntry(error: unknown): unknown {
  if (error instanceof Error && (error as { code?: unknown }).code === "MODULE_NOT_FOUND")
    error.message = error.message.replace(/\n- \S*\/_\.js$/m, "").replace(/\nRequire stack:$/, "");
  return error;
}
