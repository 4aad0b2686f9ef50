import { join } from "node:path";
import type ts from "typescript";
import type { Compiler } from "./compiler";

/** What the `tsconfig.json` beside a notebook says. */
export interface ProjectOptions {
  /** Those that hold for cells and for the user's own files. */
  readonly options: ts.CompilerOptions;
  /** What is wrong with the file, or with one that it extends; none of the options is worth much then. */
  readonly errors: readonly ts.Diagnostic[];
}

/**
 * What the kernel decides itself: how modules are found, loaded and emitted, and what leaves no file behind. `isolatedModules`
 * and its kin ask for more than a cell can do, as a cell's names are exported for it.
 */
const NOT_TAKEN: ReadonlySet<string> = new Set([
  ...["module", "moduleResolution", "moduleSuffixes", "moduleDetection", "resolvePackageJsonExports"],
  ...["resolvePackageJsonImports", "allowImportingTsExtensions", "rewriteRelativeImportExtensions"],
  ...["isolatedModules", "isolatedDeclarations", "verbatimModuleSyntax", "erasableSyntaxOnly", "noLib", "noResolve"],
  ...["rootDir", "rootDirs", "outDir", "outFile", "declarationDir", "declaration", "declarationMap", "noEmit"],
  ...["emitDeclarationOnly", "emitBOM", "noEmitOnError", "noEmitHelpers", "importHelpers", "stripInternal"],
  ...["sourceMap", "inlineSourceMap", "inlineSources", "sourceRoot", "mapRoot", "removeComments", "newLine"],
  ...["composite", "incremental", "tsBuildInfoFile", "disableSizeLimit", "skipLibCheck", "skipDefaultLibCheck"],
  ...["allowJs", "checkJs", "maxNodeModuleJsDepth", "esModuleInterop", "resolveJsonModule", "noCheck", "plugins"],
  ...["configFilePath", "listFiles", "listEmittedFiles", "traceResolution", "explainFiles", "diagnostics"],
  ...["extendedDiagnostics", "generateTrace", "generateCpuProfile", "preserveWatchOutput", "pretty", "locale"],
]);

/**
 * Reads the `tsconfig.json` beside a notebook. It holds until the kernel's end.
 * @param cwd the notebook's folder
 */
export function projectOptions(compiler: Compiler, cwd: string): ProjectOptions {
  const { sys } = compiler;
  const path = join(cwd, "tsconfig.json");
  if (!sys.fileExists(path)) return { options: {}, errors: [] };
  const file = compiler.readJsonConfigFile(path, sys.readFile);
  const host: ts.ParseConfigHost = {
    useCaseSensitiveFileNames: sys.useCaseSensitiveFileNames,
    fileExists: sys.fileExists,
    readFile: sys.readFile,
    // Which files belong to the project is of no matter here, and looking for them may take long.
    readDirectory: () => [],
  };
  const parsed = compiler.parseJsonSourceFileConfigFileContent(file, host, cwd, undefined, path);
  const errors = parsed.errors
    .filter(({ code }) => !NO_INPUT.has(code))
    .map((error) => ({ ...error, file: error.file ?? file, start: error.start ?? 0, length: error.length ?? 1 }))
    .map((error) => ({ ...error, messageText: withAdvice(compiler, error) }));
  const taken = Object.entries(parsed.options).filter(([name]) => !NOT_TAKEN.has(name));
  return { options: runnable(compiler, Object.fromEntries(taken)), errors };
}

function withAdvice(compiler: Compiler, { messageText }: ts.Diagnostic): string {
  const told = compiler.flattenDiagnosticMessageText(messageText, "\n");
  return `${told}\nMend the file and restart the kernel, which reads it when it starts.`;
}

/** "No inputs were found in config file", "The 'files' list in config file is empty". */
const NO_INPUT: ReadonlySet<number> = new Set([18002, 18003]);

/** As cells run at once, in Node and with `await` at their top, they are compiled for no older or newer language than that. */
function runnable(compiler: Compiler, options: ts.CompilerOptions): ts.CompilerOptions {
  const { ES2017, ES2022 } = compiler.ScriptTarget;
  const { Preserve, ReactNative, ReactJSX } = compiler.JsxEmit;
  const made = { ...options };
  if (made.target !== undefined) made.target = Math.min(Math.max(made.target, ES2017), ES2022);
  if (made.jsx === Preserve || made.jsx === ReactNative) made.jsx = ReactJSX;
  return made;
}
