import { createRequire, Module } from "node:module";
import { join } from "node:path";
import type ts from "@tslab/typescript-for-tslab";
import { cacheFolder } from "pomona/kernel";
import { type CachedModule, codeCacheName, loadWithCodeCache } from "./code-cache";

/**
 * TypeScript (5.0.4) as tslab pins it, with exports that can be replaced, and those of its internals that are used here;
 * `test/kernel/language-contract.test.ts` holds them.
 */
export type Compiler = typeof ts & Internals;

interface Internals {
  isExpressionNode(node: ts.Node): boolean;
  findPrecedingToken(position: number, file: ts.SourceFile): ts.Node | undefined;
  /** The names that a file declares, by the binder. */
  localsOf(file: ts.SourceFile): ReadonlyMap<ts.__String, ts.Symbol> | undefined;
  /** Errors that the parser found. */
  parseErrorsOf(file: ts.SourceFile): readonly ts.DiagnosticWithLocation[];
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
  const path = loadForTslab.resolve("@tslab/typescript-for-tslab");
  const { version } = loadForTslab("@tslab/typescript-for-tslab/package.json") as { version: string };
  const cached = loadWithCodeCache(path, join(cacheFolder(), codeCacheName("typescript-for-tslab", version)));
  const original = cached.exports as Record<string, unknown>;
  // A copy, since TypeScript's own exports are accessors that can't be replaced.
  const own: Record<string, unknown> = {};
  for (const name of Object.keys(original)) own[name] = original[name];
  own.localsOf = (file: { locals?: unknown }) => file.locals;
  own.parseErrorsOf = (file: { parseDiagnostics?: unknown }) => file.parseDiagnostics ?? [];
  loadForTslab.cache[path] = Object.assign(new Module(path), { exports: own, loaded: true });
  return { compiler: own as unknown as Compiler, cached };
}
