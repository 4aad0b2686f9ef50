import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, parse } from "node:path";
import type ts from "typescript";
import type { Compiler } from "./compiler";

/**
 * What a notebook's cells are compiled with beyond tslab's own options.
 * @param cwd the notebook's folder
 * @param packageRoot the folder of this package, whose `pomona` always wins
 * @param project what the notebook's `tsconfig.json` says
 */
export function notebookOptions(
  compiler: Compiler,
  cwd: string,
  packageRoot: string,
  project: ts.CompilerOptions,
): ts.CompilerOptions {
  return {
    // TypeScript's own default; tslab's are those of TypeScript 4.
    experimentalDecorators: false,
    ...project,
    // Finds types that a package declares in `exports` alone.
    moduleResolution: compiler.ModuleResolutionKind.Bundler,
    customConditions: ["node", ...(project.customConditions ?? [])],
    allowImportingTsExtensions: true,
    // Lets a cell import modules from above its folder.
    rootDir: parse(cwd).root,
    sourceMap: true,
    lib: [...new Set([...LIBRARIES, ...(project.lib ?? [])])],
    types: [...new Set(["node", ...(project.types ?? [])])],
    typeRoots: [...new Set([...(project.typeRoots ?? []), ...typeRoots(cwd, packageRoot)])],
    // A user's plain JavaScript is taken as it is; its syntax is checked all the same.
    checkJs: false,
    paths: { ...project.paths, ...ownPaths(packageRoot) },
  };
}

/** What Node gives. */
const LIBRARIES = ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts", "lib.decorators.d.ts"];

/** The `@types` folders from the notebook's upwards; Node's types come from this package where those have none. */
function typeRoots(cwd: string, packageRoot: string): string[] {
  const roots = foldersUpwards(cwd)
    .map((folder) => join(folder, "node_modules", "@types"))
    .filter((folder) => existsSync(folder));
  const own = [packageRoot, dirname(require.resolve("tslab/package.json"))].flatMap((folder) => {
    try {
      return [dirname(dirname(createRequire(join(folder, "_.js")).resolve("@types/node/package.json")))];
    } catch {
      return [];
    }
  });
  return [...new Set([...roots, ...own.slice(0, 1)])];
}

function foldersUpwards(folder: string): string[] {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...foldersUpwards(parent)];
}

/**
 * `pomona` and its subpaths, as its own package.json exports them. Among them `./dist/*`, for compilers alone: by such names
 * cells declare variables of types that no entry exports. TypeScript 5.0 finds the pattern only where it has no conditions.
 */
function ownPaths(packageRoot: string): Record<string, string[]> {
  const manifest = JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8")) as {
    name: string;
    exports: Record<string, string | { types?: string }>;
  };
  const entries = Object.entries(manifest.exports).flatMap(([subpath, target]): [string, string[]][] => {
    const types = typeof target === "string" ? target : target.types;
    if (!types?.endsWith(".d.ts")) return [];
    return [[manifest.name + subpath.slice(1), [join(packageRoot, types)]]];
  });
  return Object.fromEntries(entries);
}
