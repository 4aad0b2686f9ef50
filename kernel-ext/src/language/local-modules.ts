import type ts from "typescript";
import type { LocalModule } from "../messages";
import { toCommonJs } from "./common-js";
import type { Compiler } from "./compiler";
import type { TslabConverter } from "./tslab-converter";

/** The user's own files that cells import, compiled when they are new or changed. */
export interface LocalModules {
  /** Files that the cell depends on, its own left out. */
  of(cell: ts.SourceFile): readonly ts.SourceFile[];
  /** Compiles those that have not been sent in this version, and names the packages that all of them import and those that await at their top. */
  take(files: readonly ts.SourceFile[]): { readonly modules: readonly LocalModule[]; readonly packages: Set<string> };
}

interface Sent {
  readonly version: string | undefined;
  readonly packages: readonly string[];
}

const SOURCES = /\.[cm]?[jt]sx?$/;

type MappedFile = (name: string, containing: string) => string | undefined;

/**
 * @param mappedFile the user's own file that a module's name means by `tsconfig.json`
 * @param linesBefore lines that stand before the user's text of a file, for modules in memory
 */
export function localModules(
  compiler: Compiler,
  converter: TslabConverter,
  cwd: string,
  mappedFile: MappedFile,
  linesBefore: (path: string) => number,
): LocalModules {
  const sent = new Map<string, Sent>();
  return {
    of(cell) {
      const program = converter.builder().getProgram();
      const found = new Set([cell]);
      // A set gives what is added while it is gone through as well.
      for (const file of found) {
        for (const imported of compiler.importsOf(program, file)) if (isLocal(program, imported)) found.add(imported);
      }
      found.delete(cell);
      return [...found];
    },
    take(files) {
      const modules: LocalModule[] = [];
      const packages = new Set<string>();
      for (const file of files) {
        const { version } = file as { version?: string };
        let known = sent.get(file.fileName);
        if (!known || known.version !== version) {
          const program = converter.builder().getProgram();
          const made = compileModule(compiler, program, file, cwd, mappedFile, linesBefore(file.fileName));
          modules.push(made.module);
          known = { version, packages: made.module.isAsync ? [...made.packages, file.fileName] : made.packages };
          sent.set(file.fileName, known);
        }
        for (const name of known.packages) packages.add(name);
      }
      return { modules, packages };
    },
  };
}

function isLocal(program: ts.Program, file: ts.SourceFile): boolean {
  return (
    SOURCES.test(file.fileName) &&
    !file.isDeclarationFile &&
    !file.fileName.includes("/node_modules/") &&
    !program.isSourceFileDefaultLibrary(file)
  );
}

function compileModule(
  compiler: Compiler,
  program: ts.Program,
  file: ts.SourceFile,
  cwd: string,
  mappedFile: MappedFile,
  lineOffset: number,
): { readonly module: LocalModule; readonly packages: readonly string[] } {
  let emitted = "";
  let firstMap = "";
  program.emit(file, (name, text) => {
    if (name.endsWith(".map")) firstMap = text;
    else if (!/\.d\.[cm]?ts$/.test(name)) emitted = text;
  });
  const options: ts.CompilerOptions = {
    module: compiler.ModuleKind.CommonJS,
    esModuleInterop: true,
    target: program.getCompilerOptions().target,
    newLine: compiler.NewLineKind.LineFeed,
  };
  const path = file.fileName;
  const fileOf = (name: string) => mappedFile(name, path);
  const { code, map, packages } = toCommonJs(compiler, emitted, options, { execution: 0, path, cwd, fileOf });
  const isAsync = awaitsAtTop(compiler, file);
  return { module: { path, code, isAsync, maps: { maps: [map, firstMap], lineOffset } }, packages };
}

function awaitsAtTop(compiler: Compiler, file: ts.SourceFile): boolean {
  const isAwaitUsing = ({ flags }: ts.Node) =>
    (flags & compiler.NodeFlags.AwaitUsing) === compiler.NodeFlags.AwaitUsing;
  const awaits = (node: ts.Node): boolean => {
    if (compiler.isFunctionLike(node)) return false;
    if (compiler.isAwaitExpression(node) || (compiler.isForOfStatement(node) && node.awaitModifier)) return true;
    if (compiler.isVariableDeclarationList(node) && isAwaitUsing(node)) return true;
    return compiler.forEachChild(node, (child) => awaits(child) || undefined) ?? false;
  };
  return awaits(file);
}
