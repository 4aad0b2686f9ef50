import { isBuiltin } from "node:module";
import type ts from "typescript";
import type { Compiler } from "./compiler";
import { dynamicImports, guards } from "./guards";
import { importMeta } from "./import-meta";
import { type Exported, liveVariables } from "./live-variables";
import { mappedNames } from "./mapped-names";
import { transpile } from "./transpile";

export interface CommonJs {
  readonly code: string;
  /** From `code` to the ES module. */
  readonly map: string;
  /** Packages that it imports statically. */
  readonly packages: readonly string[];
  /** What it exports, of a cell. */
  readonly exported: Exported;
}

export interface ModuleFacts {
  /** The cell's execution, or 0 for a local module. */
  readonly execution: number;
  /** A local module's own; undefined for a cell. */
  readonly path: string | undefined;
  /** The notebook's folder. */
  readonly cwd: string;
  /** The user's own file that a module's name means by `tsconfig.json`. */
  fileOf(name: string): string | undefined;
}

/**
 * Compiles an ES module in JavaScript to CommonJS as it runs in the kernel: with guards, `import()` by the kernel, `import.meta`.
 */
export function toCommonJs(
  compiler: Compiler,
  code: string,
  options: ts.CompilerOptions,
  { execution, path, cwd, fileOf }: ModuleFacts,
): CommonJs {
  const packages = new Set<string>();
  const exported: Exported = { live: new Set(), copied: new Set() };
  const collect: ts.TransformerFactory<ts.SourceFile> = () => (file) => {
    for (const id of staticImports(compiler, file)) if (isPackage(id)) packages.add(id);
    return file;
  };
  const made = transpile(compiler, code, options, [
    mappedNames(compiler, fileOf),
    collect,
    guards(compiler, execution),
    dynamicImports(compiler, path),
    importMeta(compiler, cwd, path),
    ...(path === undefined ? [liveVariables(compiler, exported)] : []),
  ]);
  return { ...made, packages: [...packages], exported };
}

function staticImports(compiler: Compiler, file: ts.SourceFile): string[] {
  return file.statements.flatMap((statement) => {
    if (!compiler.isImportDeclaration(statement) && !compiler.isExportDeclaration(statement)) return [];
    const { moduleSpecifier } = statement;
    return moduleSpecifier && compiler.isStringLiteral(moduleSpecifier) ? [moduleSpecifier.text] : [];
  });
}

function isPackage(id: string): boolean {
  return !/^(\.\.?(\/|$)|\/|file:)/.test(id) && !isBuiltin(id);
}
