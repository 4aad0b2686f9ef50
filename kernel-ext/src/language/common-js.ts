import { isBuiltin } from "node:module";
import type ts from "typescript";
import type { CellUses } from "../messages";
import type { Compiler } from "./compiler";
import { dynamicImports } from "./dynamic-imports";
import { guards } from "./guards";
import { importMeta } from "./import-meta";
import { mappedNames } from "./mapped-names";
import { type NotebookNames, notebookNames } from "./notebook-names";
import { transpile } from "./transpile";

export interface CommonJs {
  readonly code: string;
  /** From `code` to the ES module. */
  readonly map: string;
  /** Packages that it imports statically. */
  readonly packages: readonly string[];
  /** What a cell does with the notebook's names. */
  readonly uses: CellUses | undefined;
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
 * @param names of a cell
 */
export function toCommonJs(
  compiler: Compiler,
  code: string,
  options: ts.CompilerOptions,
  { execution, path, cwd, fileOf }: ModuleFacts,
  names?: Omit<NotebookNames, "begin" | "note">,
): CommonJs {
  const packages = new Set<string>();
  let prologue = "";
  const begin = (text: string) => {
    prologue = `${text} `;
  };
  let uses: CellUses | undefined;
  const note = (noted: CellUses) => {
    uses = noted;
  };
  const collect: ts.TransformerFactory<ts.SourceFile> = () => (file) => {
    for (const id of staticImports(compiler, file)) if (isPackage(id)) packages.add(id);
    return file;
  };
  const made = transpile(compiler, code, options, [
    ...(names ? [notebookNames(compiler, { ...names, begin, note })] : []),
    mappedNames(compiler, fileOf),
    collect,
    guards(compiler, execution),
    dynamicImports(compiler, path),
    importMeta(compiler, cwd, path),
  ]);
  // On the first line, which is the compiler's own, so that no position moves.
  return { code: prologue + made.code, map: made.map, packages: [...packages], uses };
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
