import { isBuiltin } from "node:module";
import type ts from "typescript";
import type { Compiler } from "./compiler";
import { dynamicImports, guards } from "./guards";
import { importMeta } from "./import-meta";
import { type Exported, liveVariables } from "./live-variables";
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

/**
 * Compiles an ES module in JavaScript to CommonJS as it runs in the kernel: with guards, `import()` by the kernel, `import.meta`.
 * @param execution the cell's, or 0 for a local module
 * @param path a local module's own; undefined for a cell
 * @param cwd the notebook's folder
 */
export function toCommonJs(
  compiler: Compiler,
  code: string,
  options: ts.CompilerOptions,
  { execution, path, cwd }: { readonly execution: number; readonly path: string | undefined; readonly cwd: string },
): CommonJs {
  const packages = new Set<string>();
  const exported: Exported = { live: new Set(), copied: new Set() };
  const collect: ts.TransformerFactory<ts.SourceFile> = () => (file) => {
    for (const id of staticImports(compiler, file)) if (isPackage(id)) packages.add(id);
    return file;
  };
  const made = transpile(compiler, code, options, [
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
