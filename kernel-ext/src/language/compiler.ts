import { createRequire, Module } from "node:module";
import { join } from "node:path";
import { cacheFolder } from "pomona/kernel";
import type ts from "typescript";
import { type CachedModule, codeCacheName, loadWithCodeCache } from "./code-cache";

/**
 * TypeScript, which takes the place of the older fork that tslab brings, with exports that can be replaced, and those of its
 * internals that are used here; `test/kernel/language-contract.test.ts` holds them.
 */
export type Compiler = typeof ts & Internals;

interface Internals {
  readonly nullTransformationContext: ts.TransformationContext;
  isExpressionNode(node: ts.Node): boolean;
  isAssignmentTarget(node: ts.Node): boolean;
  getTouchingPropertyName(file: ts.SourceFile, position: number): ts.Node;
  getContainerNode(node: ts.Node): ts.Node | undefined;
  createTextSpanFromNode(node: ts.Node, file: ts.SourceFile): ts.TextSpan;
  typeToDisplayParts(checker: ts.TypeChecker, type: ts.Type, within: ts.Node | undefined): ts.SymbolDisplayPart[];
  getContainingObjectLiteralElement(node: ts.Node): ts.ObjectLiteralElement | undefined;
  SymbolDisplay: {
    getSymbolDisplayPartsDocumentationAndSymbolKind(
      checker: ts.TypeChecker,
      symbol: ts.Symbol,
      file: ts.SourceFile,
      within: ts.Node | undefined,
      node: ts.Node,
    ): Pick<ts.QuickInfo, "displayParts" | "documentation" | "tags"> & { readonly symbolKind: ts.ScriptElementKind };
    getSymbolModifiers(checker: ts.TypeChecker, symbol: ts.Symbol): string;
  };
  readonly objectAllocator: Readonly<Record<"getSymbolConstructor" | "getSignatureConstructor", () => WithPrototype>>;
  getSourceFileOfNode(node: ts.Node): ts.SourceFile | undefined;
  canHaveJSDoc(node: ts.Node): boolean;
  getJSDocCommentRanges(node: ts.Node, text: string): readonly ts.CommentRange[] | undefined;
  /** Parses a doc comment that stands somewhere in a text. */
  parseIsolatedJSDocComment(text: string, start: number, length: number): { readonly jsDoc?: ts.JSDoc } | undefined;
  setParent(child: ts.Node, parent: ts.Node): void;
  findPrecedingToken(position: number, file: ts.SourceFile): ts.Node | undefined;
  /** The names that a file or a scope in it declares, by the binder. */
  localsOf(node: ts.Node): ReadonlyMap<ts.__String, ts.Symbol> | undefined;
  /** Errors that the parser found. */
  parseErrorsOf(file: ts.SourceFile): readonly ts.DiagnosticWithLocation[];
  /** The files of modules that a file imports, in any way. */
  importsOf(program: ts.Program, file: ts.SourceFile): readonly ts.SourceFile[];
  bindSourceFile(file: ts.SourceFile, options: ts.CompilerOptions): void;
  getTransformers(options: ts.CompilerOptions, custom: ts.CustomTransformers): { readonly scriptTransformers: unknown };
  transformNodes(
    resolver: EmitResolver,
    host: ts.CompilerHost,
    factory: ts.NodeFactory,
    options: ts.CompilerOptions,
    files: readonly ts.SourceFile[],
    transformers: unknown,
    allowDtsFiles: boolean,
  ): Transformation;
  createTextWriter(newLine: string): { getText(): string };
  createSourceMapGenerator(
    host: ts.CompilerHost,
    file: string,
    sourceRoot: string,
    sourcesFolder: string,
    options: ts.CompilerOptions,
  ): { toString(): string };
}

interface WithPrototype {
  readonly prototype: Record<string, ((...args: unknown[]) => unknown) | undefined>;
}

/** What a name stands for, asked while code is written. */
export interface EmitResolver {
  hasGlobalName(name: string): boolean;
}

interface Transformation {
  readonly transformed: readonly ts.SourceFile[];
  emitNodeWithNotification: NonNullable<ts.PrintHandlers["onEmitNode"]>;
  isEmitNotificationEnabled: NonNullable<ts.PrintHandlers["isEmitNotificationEnabled"]>;
  substituteNode: NonNullable<ts.PrintHandlers["substituteNode"]>;
  dispose(): void;
}

const load = createRequire(__filename);
const loadForTslab = createRequire(load.resolve("tslab/package.json"));

const loaded = loadCompiler();

export const compiler: Compiler = loaded.compiler;

/** TypeScript's own compiled code, for the next kernel's start. */
export const compiledCode: Omit<CachedModule, "exports"> = loaded.cached;

function loadCompiler(): { readonly compiler: Compiler; readonly cached: CachedModule } {
  const path = load.resolve("typescript");
  const { version } = load("typescript/package.json") as { version: string };
  const cached = loadWithCodeCache(path, join(cacheFolder(), codeCacheName("typescript", version)));
  const original = cached.exports as Record<string, unknown>;
  // A copy, since TypeScript's own exports are accessors that can't be replaced.
  const own: Record<string, unknown> = {};
  for (const name of Object.keys(original)) own[name] = original[name];
  own.localsOf = (file: { locals?: unknown }) => file.locals;
  own.importsOf = importsOf;
  own.parseErrorsOf = (file: { parseDiagnostics?: unknown }) => file.parseDiagnostics ?? [];
  const fork = loadForTslab.resolve("@tslab/typescript-for-tslab");
  loadForTslab.cache[fork] = Object.assign(new Module(fork), { exports: own, loaded: true });
  return { compiler: own as unknown as Compiler, cached };
}

type WithResolutions = ts.Program & {
  getResolvedModuleFromModuleSpecifier(
    name: ts.StringLiteralLike,
    file: ts.SourceFile,
  ): { readonly resolvedModule?: ts.ResolvedModule } | undefined;
};

function importsOf(program: ts.Program, file: ts.SourceFile): readonly ts.SourceFile[] {
  const { imports = [] } = file as { imports?: readonly ts.StringLiteralLike[] };
  return imports.flatMap((name) => {
    const found = (program as WithResolutions).getResolvedModuleFromModuleSpecifier(name, file)?.resolvedModule;
    return (found && program.getSourceFile(found.resolvedFileName)) ?? [];
  });
}
