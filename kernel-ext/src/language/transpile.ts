import type ts from "typescript";
import type { Compiler, EmitResolver } from "./compiler";

/** What JavaScript compiles to, and the source map from there to it. */
export interface Transpiled {
  readonly code: string;
  readonly map: string;
}

/**
 * Compiles a module in JavaScript for another module system, with the same outcome as TypeScript's own `transpileModule`, in a
 * third of the time: that one makes a program and a type checker for each module, to check types that it has not.
 */
export function transpile(
  compiler: Compiler,
  source: string,
  given: ts.CompilerOptions,
  before: ts.TransformerFactory<ts.SourceFile>[],
): Transpiled {
  const options = { ...given, ...OPTIONS };
  const file = compiler.createSourceFile(FILE, source, options.target ?? compiler.ScriptTarget.ESNext);
  compiler.bindSourceFile(file, options);
  const resolver = resolverOf(compiler, options);
  const { scriptTransformers } = compiler.getTransformers(options, { before });
  const made = compiler.transformNodes(resolver, HOST, compiler.factory, options, [file], scriptTransformers, false);
  const writer = compiler.createTextWriter(HOST.getNewLine());
  const map = compiler.createSourceMapGenerator(HOST, FILE, "", "", options);
  const printer = compiler.createPrinter(options, {
    hasGlobalName: resolver.hasGlobalName,
    onEmitNode: made.emitNodeWithNotification,
    isEmitNotificationEnabled: made.isEmitNotificationEnabled,
    substituteNode: made.substituteNode,
  }) as ts.Printer & { writeFile(file: ts.SourceFile, to: typeof writer, map: unknown): void };
  printer.writeFile(made.transformed[0] as ts.SourceFile, writer, map);
  made.dispose();
  // Workers run functions of cells by their texts, in sloppy mode, as tslab does cells.
  return { code: writer.getText().replace(/^"use strict";/, ""), map: map.toString() };
}

/** What TypeScript's transforms ask of a host beyond its public interface. */
interface EmitHost {
  getEmitModuleFormatOfFile(file: ts.SourceFile): ts.ModuleKind;
  shouldTransformImportCall(file: ts.SourceFile): boolean;
}

/** A checker of no files: names are resolved by what the binder found in the file at hand. */
let resolver: EmitResolver | undefined;
let uses = 0;

/** As a checker notes something of each file it is asked about, it is made anew from time to time. */
const MOST_USES = 100;

function resolverOf(compiler: Compiler, options: ts.CompilerOptions): EmitResolver {
  if (!resolver || ++uses > MOST_USES) {
    const checker = compiler.createProgram([], options, HOST).getTypeChecker();
    resolver = (checker as unknown as { getEmitResolver(): EmitResolver }).getEmitResolver();
    uses = 0;
  }
  return resolver;
}

const FILE = "module.js";

/** `ModuleKind.CommonJS`. */
const COMMON_JS = 1;

const OPTIONS: ts.CompilerOptions = {
  allowJs: true,
  isolatedModules: true,
  noLib: true,
  noResolve: true,
  types: [],
  sourceMap: true,
};

/** Nothing is read, and all is CommonJS. */
const HOST: ts.CompilerHost & EmitHost = {
  getSourceFile: () => undefined,
  writeFile() {},
  getDefaultLibFileName: () => "lib.d.ts",
  useCaseSensitiveFileNames: () => true,
  getCanonicalFileName: (name) => name,
  getCurrentDirectory: () => "",
  getNewLine: () => "\n",
  fileExists: () => false,
  readFile: () => undefined,
  getEmitModuleFormatOfFile: () => COMMON_JS,
  shouldTransformImportCall: () => true,
};
