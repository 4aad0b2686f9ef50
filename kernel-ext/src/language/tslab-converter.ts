import { createRequire } from "node:module";
import { join } from "node:path";
import type ts from "typescript";
import { compiler } from "./compiler";
import { parseCommentsWhenAsked, WITHOUT_COMMENTS } from "./doc-comments";
import { quickInfo } from "./quick-info";

/**
 * The one place that touches tslab's converter (1.0.22, pinned exactly);
 * `test/kernel/language-contract.test.ts` holds what is relied on:
 *  - `dist/converter`: `createConverter`, its `convert`, `complete`, `inspect`, `addModule` and `close`, and that it calls
 *    TypeScript through the module's exports, so that `createWatchCompilerHost`, `transpileModule`,
 *    `getPreEmitDiagnosticsOfFiles`, `getPreEmitDiagnostics` and `Completions` can be wrapped there, and what its own fork of
 *    TypeScript alone has, put there;
 *  - `dist/metadata`: `getCodeMetadata`; `dist/inspect`: `printQuickInfo`;
 *  - the names under which TypeScript schedules timers.
 */

/** What the cells' compiler is made of; the rest is tslab's. */
export interface ConverterHooks {
  /** The notebook's folder. */
  readonly cwd: string;
  readonly options: ts.CompilerOptions;
  /** Told of each file and folder that TypeScript looked for in vain. */
  missed(path: string): void;
  watchFile(path: string, callback: ts.FileWatcherCallback): ts.FileWatcher;
  /** Parts of the compiler's host that take the place of TypeScript's own; `system` tells of what is missed. */
  host(system: ts.System): Partial<ts.CompilerHost>;
  /** Told of the file that stands for the cell, before it is checked. */
  parsed(cell: ts.SourceFile): void;
  /** Transforms of a cell's syntax tree before TypeScript's own. */
  beforeEmit(program: ts.Program): readonly ts.TransformerFactory<ts.SourceFile>[];
  /** The source map of a cell's first step, from TypeScript to ES modules. */
  emitted(map: string): void;
  /** The second step: ES modules to CommonJS. */
  toCommonJs(code: string, options: ts.CompilerOptions): string;
  /** What tslab is to know of the errors of a cell and the files it depends on. */
  diagnose(program: ts.Program, files: readonly ts.SourceFile[]): readonly ts.Diagnostic[];
}

/** tslab's converter. Positions are UTF-16 offsets in the cell. */
export interface TslabConverter {
  convert(previous: string, source: string): TslabConverted;
  /** Makes a file that exists in memory only. */
  addModule(name: string, source: string, meta: CodeMetadata): unknown;
  inspect(previous: string, source: string, position: number): ts.QuickInfo | undefined;
  complete(previous: string, source: string, position: number): { readonly original: ts.CompletionInfo | undefined };
  close(): void;
  /** The program of the last call. */
  builder(): ts.BuilderProgram;
  /** Absolute paths of the files that stand for the cell and for what earlier cells declare. */
  readonly cellFile: string;
  readonly declarationsFile: string;
}

export interface TslabConverted {
  readonly diagnostics: readonly { readonly start: { readonly offset: number }; readonly code: number }[];
  readonly output?: string;
  readonly declOutput?: string;
  readonly hasToplevelAwait?: boolean;
  readonly lastExpressionVar?: string;
}

export interface CodeMetadata {
  readonly module?: string;
  readonly jsx?: boolean;
}

/** What tslab puts before a cell and before a module in memory. */
export const SOURCE_PREFIX = "export {};\n";

const load = createRequire(__filename);

/** The same for every converter of this thread: whose call runs is {@link active}. */
let active: ConverterHooks | undefined;

wrap(compiler as unknown as Wrapped);
parseCommentsWhenAsked(compiler);

interface CellFile {
  readonly locals?: Map<ts.__String, unknown>;
  original?: unknown;
}

interface TslabModules {
  createConverter(options: {
    isJS: boolean;
    isBrowser: boolean;
  }): Omit<TslabConverter, "builder" | "cellFile" | "declarationsFile">;
}

export function createTslabConverter(hooks: ConverterHooks): TslabConverter {
  const { createConverter } = load("tslab/dist/converter") as TslabModules;
  let builder: ts.BuilderProgram | undefined;
  const cellFile = join(hooks.cwd, "__tslab__.ts").replaceAll("\\", "/");
  const declarationsFile = join(hooks.cwd, "__prev__.d.ts").replaceAll("\\", "/");
  const within = <T>(call: () => T): T => {
    const outer = active;
    active = hooks;
    try {
      return call();
    } finally {
      active = outer;
    }
  };
  const taken = (made: ts.BuilderProgram) => {
    builder = made;
    // tslab asks for their names, and makes the one the other's scope, which binding them later would undo.
    for (const each of [made.getSourceFile(cellFile), made.getSourceFile(declarationsFile)])
      if (each) compiler.bindSourceFile(each, made.getCompilerOptions());
    const file = made.getSourceFile(cellFile);
    if (file) hooks.parsed(file);
    const cell = file as CellFile | undefined;
    // tslab exports all names of a cell, and takes `declare global` for one.
    cell?.locals?.delete("__global" as ts.__String);
    if (cell?.locals) tellNamesAsWritten(cell.locals);
    // A cell with `await (` is parsed twice; what is asked of the first file, which is part of no program, fails.
    if (cell?.original) cell.original = undefined;
  };
  const converter = within(() =>
    inFolder(hooks.cwd, () => {
      created = { cellFile, declarationsFile, taken };
      return createConverter({ isJS: false, isBrowser: false });
    }),
  );
  return {
    convert: (...values) => within(() => converter.convert(...values)),
    addModule: (...values) => within(() => converter.addModule(...values)),
    inspect: (...values) => within(() => converter.inspect(...values)),
    complete: (...values) => within(() => converter.complete(...values)),
    close: () => converter.close(),
    builder: () => builder as ts.BuilderProgram,
    cellFile,
    declarationsFile,
  };
}

/** tslab takes TypeScript's keys, which have a third underscore where a name begins with two, for the names that it exports. */
function tellNamesAsWritten(locals: Map<ts.__String, unknown>): void {
  const { forEach } = Map.prototype;
  locals.forEach = (tell) =>
    forEach.call(locals, (symbol, key) =>
      tell(symbol, compiler.unescapeLeadingUnderscores(key) as ts.__String, locals),
    );
}

/** What a doc comment at a cell's head says, such as `@module stats`. */
export const { getCodeMetadata: codeMetadata } = load("tslab/dist/metadata") as {
  getCodeMetadata(source: string): CodeMetadata;
};

/** Plain text of what a name is. */
export function printQuickInfo(info: ts.QuickInfo): string {
  return (load("tslab/dist/inspect") as { printQuickInfo(info: ts.QuickInfo): string }).printQuickInfo(info);
}

/** tslab's converter takes the current folder for the notebook's. */
function inFolder<T>(folder: string, call: () => T): T {
  const { sys } = compiler;
  const current = sys.getCurrentDirectory;
  sys.getCurrentDirectory = () => folder;
  try {
    return call();
  } finally {
    sys.getCurrentDirectory = current;
  }
}

let created: {
  readonly cellFile: string;
  readonly declarationsFile: string;
  taken(builder: ts.BuilderProgram): void;
};

type CreateHost = (
  roots: string[],
  options: ts.CompilerOptions,
  system: ts.System,
  createProgram: unknown,
  ...rest: unknown[]
) => ts.WatchCompilerHostOfFilesAndCompilerOptions<ts.BuilderProgram>;

type CompletionsAt = (host: unknown, program: ts.Program, ...rest: unknown[]) => unknown;

/** The exports that tslab calls and that work otherwise here. */
interface Wrapped {
  createWatchCompilerHost: CreateHost;
  transpileModule: typeof ts.transpileModule;
  getPreEmitDiagnosticsOfFiles(program: ts.Program, files: readonly ts.SourceFile[]): readonly ts.Diagnostic[];
  getPreEmitDiagnostics(program: ts.Program, file: ts.SourceFile): readonly ts.Diagnostic[];
  Completions: { getCompletionsAtPosition: CompletionsAt; getCompletionsAtPositionForTslab?: CompletionsAt };
  // Of tslab's own TypeScript alone.
  getDefaultTypeRoots(): string[];
  getNullTransformationContext(): ts.TransformationContext;
  getQuickInfoAtPosition(
    file: ts.SourceFile,
    checker: ts.TypeChecker,
    token: unknown,
    position: number,
  ): ts.QuickInfo | undefined;
  readonly sys: ts.System;
}

function wrap(wrapped: Wrapped): void {
  const { createWatchCompilerHost, transpileModule, Completions } = wrapped;
  wrapped.createWatchCompilerHost = (roots, options, system, createProgram, ...rest) =>
    active
      ? watchHost(createWatchCompilerHost, roots, options, system, active, rest)
      : createWatchCompilerHost(roots, options, system, createProgram, ...rest);
  wrapped.transpileModule = (code, options) => {
    if (!active) return transpileModule(code, options);
    return { outputText: active.toCommonJs(code, options.compilerOptions ?? {}) };
  };
  wrapped.getPreEmitDiagnosticsOfFiles = (program, files) => active?.diagnose(program, files) ?? [];
  wrapped.getPreEmitDiagnostics = (program, file) => active?.diagnose(program, [file]) ?? [];
  // Ours are given with the other options.
  wrapped.getDefaultTypeRoots = () => [];
  wrapped.getNullTransformationContext = () => compiler.nullTransformationContext;
  wrapped.getQuickInfoAtPosition = (file, checker, _token, position) => quickInfo(compiler, checker, file, position);
  wrapped.Completions = {
    ...Completions,
    // tslab gives an empty host, without which there are no completions of module names.
    getCompletionsAtPositionForTslab: (_host, program, ...rest) =>
      Completions.getCompletionsAtPosition(completionHost(wrapped.sys, program), program, ...rest),
  };
}

function completionHost(system: ts.System, program: ts.Program): object {
  return {
    ...system,
    useCaseSensitiveFileNames: () => system.useCaseSensitiveFileNames,
    getCompilationSettings: () => program.getCompilerOptions(),
    getCurrentDirectory: () => program.getCurrentDirectory(),
  };
}

function watchHost(
  create: CreateHost,
  roots: string[],
  options: ts.CompilerOptions,
  system: ts.System,
  hooks: ConverterHooks,
  rest: readonly unknown[],
): ts.WatchCompilerHostOfFilesAndCompilerOptions<ts.BuilderProgram> {
  const files = created;
  Object.assign(options, hooks.options);
  redirectSystem(system, hooks, files);
  // Nothing is kept of what it knows beyond a program, and finding it out, for all files, takes longer than a cell.
  const host = Object.assign(
    create(roots, options, system, compiler.createAbstractBuilder, ...rest),
    hooks.host(system),
    { jsDocParsingMode: WITHOUT_COMMENTS },
  );
  const { setTimeout } = host;
  // TypeScript applies what else it would wait for, failed look-ups, whenever it updates the program, which a cell always does;
  // tslab can hold one timer only.
  host.setTimeout = (callback, ...args) =>
    callback.name === "updateProgramWithWatchStatus" ? setTimeout?.(callback, ...args) : undefined;
  let listener: ((builder: ts.BuilderProgram) => void) | undefined;
  Object.defineProperty(host, "afterProgramCreate", {
    get: () => (builder: ts.BuilderProgram) => {
      wrapEmit(builder, hooks, files.cellFile);
      // Only those that tslab would emit itself.
      builder.getAllDependencies = ({ fileName }) => [fileName];
      files.taken(builder);
      listener?.(builder);
    },
    set: (given: typeof listener) => {
      listener = given;
    },
  });
  return host;
}

function redirectSystem(system: ts.System, hooks: ConverterHooks, files: typeof created): void {
  const { watchFile, fileExists, directoryExists } = system;
  system.watchFile = (path, callback, ...rest) =>
    path === files.cellFile || path === files.declarationsFile
      ? (watchFile as NonNullable<typeof watchFile>)(path, callback, ...rest)
      : hooks.watchFile(path, callback);
  system.watchDirectory = () => ({ close() {} });
  system.fileExists = (path) => noted(path, fileExists(path));
  system.directoryExists = (path) => noted(path, directoryExists(path));
  const noted = (path: string, exists: boolean) => {
    if (!exists) hooks.missed(path);
    return exists;
  };
}

/**
 * Hands the cell's own outputs on to tslab, under the names it expects; tslab would have the user's other files in its own form
 * and throws for those above the notebook's folder, so it gets none of them.
 */
function wrapEmit(builder: ts.BuilderProgram, hooks: ConverterHooks, cellFile: string): void {
  const { emit } = builder;
  builder.emit = (file, write, token, onlyDeclarations, transformers) => {
    if (file?.fileName !== cellFile) return { emitSkipped: true, diagnostics: [] };
    const writeOwn: ts.WriteFileCallback = (name, text, ...rest) => {
      if (name.endsWith(".map")) hooks.emitted(text);
      else write?.(`outDir/__tslab__${name.endsWith(".d.ts") ? ".d.ts" : ".js"}`, withoutMapComment(text), ...rest);
    };
    return emit.call(builder, file, writeOwn, token, onlyDeclarations, {
      ...transformers,
      before: [...hooks.beforeEmit(builder.getProgram())],
    });
  };
}

/** Without the comment that names a source map. */
function withoutMapComment(code: string): string {
  return code.replace(/\n?\/\/# sourceMappingURL=.*\s*$/, "\n");
}
