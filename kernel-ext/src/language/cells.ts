import type ts from "typescript";
import type { CellUses, Converted, LocalModule } from "../messages";
import { isUnchecked, namesOf, readCell } from "./cell-source";
import { toCommonJs } from "./common-js";
import { compiler } from "./compiler";
import { notebookOptions } from "./compiler-options";
import { diagnosticsOf, type Placing } from "./diagnostics";
import { earlierVariables } from "./earlier-variables";
import { fileChanges } from "./file-changes";
import { ANY_FRAME, type FrameVariable, loosen, reassignedFrames, withTypes } from "./frame-variables";
import { keptDeclarations } from "./kept-declarations";
import { liveImports } from "./live-imports";
import { localModules } from "./local-modules";
import { type ModuleResolution, moduleResolution } from "./module-resolution";
import { nestedVariables } from "./nested-variables";
import { openPrelude } from "./prelude";
import { projectOptions } from "./project-options";
import { remainingNamespaces } from "./remaining-namespaces";
import {
  codeMetadata,
  createTslabConverter,
  SOURCE_PREFIX,
  type TslabConverted,
  type TslabConverter,
} from "./tslab-converter";

/** The notebook's cells for the compiler: what they declare, and what a new one compiles to. */
export interface Cells {
  convert(execution: number, source: string): Converted;
  /** @param unchanged names that it declares and that have the values of earlier cells still, as it failed before */
  commit(execution: number, unchanged?: readonly string[]): void;
  warm(): void;
  /** What is offered at a place of a cell, as TypeScript puts it. Positions are UTF-16 offsets. */
  complete(source: string, position: number): ts.CompletionInfo | undefined;
  inspect(source: string, position: number): ts.QuickInfo | undefined;
  /** The file that stands for the cell of the last call. */
  file(): ts.SourceFile;
  /** Names that earlier cells declare. */
  earlierNames(): ReadonlySet<string>;
  /** `pomona` and its subpaths. */
  readonly ownModules: readonly string[];
  close(): void;
}

export interface CellsOptions {
  /** The notebook's folder, absolute. */
  readonly cwd: string;
  /** The declaration file of the names that every notebook has, absolute. */
  readonly prelude: string;
  /** This package's folder. */
  readonly packageRoot: string;
  /** Told of the packages that a cell imports, once it is parsed and before it is compiled. */
  importing?(execution: number, packages: readonly string[]): void;
}

export function openCells({ cwd, prelude: preludePath, packageRoot, importing }: CellsOptions): Cells {
  const changes = fileChanges((path) => path.includes("/node_modules/") || path.startsWith(`${packageRoot}/dist/`));
  const project = projectOptions(compiler, cwd);
  const options = notebookOptions(compiler, cwd, packageRoot, project.options);
  const prelude = openPrelude(compiler, preludePath);
  const modulesInMemory = new Set<string>();
  let committed = "";
  let resolution: ModuleResolution | undefined;
  let latest: { readonly execution: number; readonly declarations: string } | undefined;
  let call = newCall(0, "");

  const converter: TslabConverter = createTslabConverter({
    cwd,
    options,
    missed: changes.missed,
    watchFile: changes.watchFile,
    host(system) {
      resolution = moduleResolution(compiler, cwd, options, system);
      return resolution.host;
    },
    beforeEmit(program) {
      const checker = program.getTypeChecker();
      const [file, declarations] = [converter.cellFile, converter.declarationsFile].map((path) =>
        program.getSourceFile(path),
      );
      if (file) call.live = liveImports(compiler, checker, file);
      return declarations ? [earlierVariables(compiler, checker, declarations, call.earlier)] : [];
    },
    emitted(map) {
      call.emittedMap = map;
    },
    parsed(file) {
      loosen(compiler, file, call.loose);
    },
    toCommonJs(code, options) {
      const { execution, earlier, live } = call;
      const fileOf = (name: string) => mappedFile(name, converter.cellFile);
      const facts = { execution, path: undefined, cwd, fileOf };
      const made = toCommonJs(compiler, code, options, facts, { earlier, live });
      call.map = made.map;
      call.packages = made.packages;
      call.uses = made.uses;
      return made.code;
    },
    diagnose(program, files) {
      call.diagnostics = diagnose(program, files);
      return call.diagnostics;
    },
  });

  const { paths, baseUrl } = project.options;
  const isMapped = paths !== undefined || baseUrl !== undefined;
  const mappedFile = (name: string, containing: string) =>
    isMapped ? resolution?.mappedFile(name, containing) : undefined;
  // Binds the names of all libraries, which the first cell need not wait for.
  converter.builder().getProgram().getTypeChecker();

  const isModuleInMemory = (path: string) => modulesInMemory.has(path);
  const hasPrefix = (path: string) => path === converter.cellFile || isModuleInMemory(path);
  const local = localModules(compiler, converter, cwd, mappedFile, (path) => (isModuleInMemory(path) ? 1 : 0));
  const earlierNames = () => {
    const file = converter.builder()?.getSourceFile(converter.declarationsFile);
    return new Set([...((file && compiler.localsOf(file))?.keys() ?? [])].map(String));
  };
  const placing: Placing = {
    cwd,
    cellFile: converter.cellFile,
    earlier: earlierNames,
    before: (path) => (hasPrefix(path) ? { characters: SOURCE_PREFIX.length, lines: 1 } : { characters: 0, lines: 0 }),
    length: (path) => (path === converter.cellFile ? call.cellLength : undefined),
  };

  const begin = (execution: number, source: string) => {
    call = newCall(execution, source);
    if (changes.tell(NAMES_FILES.test(source))) resolution?.invalidate();
    prelude.mentionedIn(source, () => namesOf(compiler, `${committed}\n${source}`));
  };
  const cell = () => converter.builder().getSourceFile(converter.cellFile) as ts.SourceFile;

  const failed = (found: readonly ts.Diagnostic[]): Converted => ({
    kind: "diagnostics",
    diagnostics: diagnosticsOf(compiler, found, placing),
  });

  /** The errors of a cell and of all local files behind it, wherever they are. */
  const diagnose = (program: ts.Program, files: readonly ts.SourceFile[]): readonly ts.Diagnostic[] => {
    const own = files.find(({ fileName }) => fileName === converter.cellFile);
    const all = new Set([...files.filter((file) => hasPrefix(file.fileName)), ...(own ? local.of(own) : [])]);
    return [...all].flatMap((file) => [
      ...program.getSyntacticDiagnostics(file),
      ...(file === own && call.isUnchecked ? [] : program.getSemanticDiagnostics(file)),
      ...program.getDeclarationDiagnostics(file),
    ]);
  };

  /** Compiles a cell's text, again where a variable has to take DataFrames of other columns. */
  const convertText = (text: string) => {
    const variables = new Map<string, FrameVariable>();
    for (let source = text; ; source += "\n") {
      const anyFrame = [...variables.values()].filter(({ position }) => position === undefined);
      const earlier = withTypes(compiler, committed, new Map(anyFrame.map(({ name }) => [name, ANY_FRAME])));
      const converted = converter.convert(prelude.declarations() + earlier, source);
      resolution?.settle();
      const found = worthTelling(call.diagnostics, converted, converter.cellFile);
      const more = framesToLoosen(found).filter(({ name }) => !variables.has(name));
      if (more.length === 0) {
        const known = [...variables.values()].flatMap(({ name, type }) =>
          type === undefined ? [] : [[name, type] as const],
        );
        return { converted, found, types: new Map(known) };
      }
      for (const variable of more) variables.set(variable.name, variable);
      call.loose = [...variables.values()].flatMap(({ position }) => position ?? []);
      // Their type is the prelude's.
      prelude.include();
    }
  };

  const framesToLoosen = (found: readonly ts.Diagnostic[]) => {
    if (found.length === 0) return [];
    const program = converter.builder().getProgram();
    return reassignedFrames(compiler, program, cell(), program.getSourceFile(converter.declarationsFile), found);
  };

  const convertCell = (execution: number, source: string): Converted => {
    const { text, errors, awaits, imports, result } = readCell(compiler, source, converter.cellFile);
    if (errors.length > 0) return failed(errors);
    const packages = imports.filter((name) => !mappedFile(name, converter.cellFile));
    if (packages.length > 0) importing?.(execution, packages);
    const { converted, found, types } = convertText(text);
    if (found.length > 0) return failed(found);
    const nested = /\bvar\b/.test(text)
      ? nestedVariables(compiler, converter.builder().getProgram().getTypeChecker(), cell())
      : "";
    const own = withTypes(compiler, (converted.declOutput ?? "") + nested, types);
    latest = { execution, declarations: own + remainingNamespaces(compiler, committed, cell(), own) };
    const taken = local.take(local.of(cell()));
    return {
      kind: "code",
      output: hasCode(converted.output) ? converted.output : undefined,
      hasToplevelAwait: converted.hasToplevelAwait === true || awaits,
      lastExpressionVar: converted.lastExpressionVar,
      result: converted.lastExpressionVar === undefined ? undefined : result,
      maps: { maps: [call.map, call.emittedMap], lineOffset: 1 },
      modules: taken.modules,
      packages: [...new Set([...call.packages, ...taken.packages])],
      uses: call.uses,
    };
  };

  /** A cell that is a module by its `@module` comment. */
  const convertModule = (source: string, name: string, meta: ReturnType<typeof codeMetadata>): Converted => {
    const path = `${cwd}/${name}.ts${meta.jsx ? "x" : ""}`;
    modulesInMemory.add(path);
    changes.touch(path);
    resolution?.invalidate();
    converter.addModule(name, source, meta);
    resolution?.settle();
    const found = diagnosticsOf(compiler, call.diagnostics, placing).map((each) =>
      each.file === `${name}.ts` ? { ...each, file: undefined } : each,
    );
    if (found.length > 0) return { kind: "diagnostics", diagnostics: found };
    const file = converter.builder().getSourceFile(path);
    const modules: readonly LocalModule[] = file ? local.take([file, ...local.of(file)]).modules : [];
    return { kind: "module", modules };
  };

  /** What a cell that runs declares is offered in the next one already. */
  const inScope = () => {
    prelude.include();
    return prelude.declarations() + (latest?.declarations ?? committed);
  };

  return {
    convert(execution, source) {
      begin(execution, source);
      if (project.errors.length > 0) return failed(project.errors);
      const meta = codeMetadata(source);
      return meta.module ? convertModule(source, meta.module, meta) : convertCell(execution, source);
    },
    commit(execution, unchanged = []) {
      if (latest?.execution !== execution) return;
      committed = keptDeclarations(compiler, latest.declarations, committed, new Set(unchanged));
      latest = undefined;
    },
    warm() {
      prelude.include();
      converter.complete(prelude.declarations() + committed, "session.", "session.".length);
    },
    complete(source, position) {
      begin(0, source);
      return converter.complete(inScope(), source, position).original;
    },
    inspect(source, position) {
      begin(0, source);
      return converter.inspect(inScope(), source, position);
    },
    file: cell,
    earlierNames,
    // Less the one for the files behind them, which has types alone.
    ownModules: Object.keys(options.paths ?? {}).filter((name) => !name.includes("*")),
    close: () => converter.close(),
  };
}

/** What has TypeScript look for files. */
const NAMES_FILES = /\b(?:import|export|require|reference)\b/;

/** What tslab's hooks note while a cell is converted. */
interface Call {
  readonly execution: number;
  readonly cellLength: number;
  readonly isUnchecked: boolean;
  emittedMap: string;
  map: string;
  packages: readonly string[];
  diagnostics: readonly ts.Diagnostic[];
  /** Names of earlier cells that it uses. */
  readonly earlier: Set<string>;
  uses: CellUses | undefined;
  /** Imported names that their modules may assign. */
  live: ReadonlySet<string>;
  /** Where the cell declares variables that take any DataFrame. */
  loose: readonly number[];
}

function newCall(execution: number, source: string): Call {
  return {
    execution,
    cellLength: source.length,
    isUnchecked: isUnchecked(compiler, source),
    emittedMap: "",
    map: "",
    packages: [],
    diagnostics: [],
    earlier: new Set(),
    uses: undefined,
    live: new Set(),
    loose: [],
  };
}

/** tslab knows which errors of a cell are none, those of an `await` at its top; errors of other files count all. */
function worthTelling(
  found: readonly ts.Diagnostic[],
  { diagnostics }: TslabConverted,
  cellFile: string,
): readonly ts.Diagnostic[] {
  const told = new Set(diagnostics.map(({ start, code }) => `${start.offset + SOURCE_PREFIX.length} ${code}`));
  return found.filter(({ file, start, code }) => file?.fileName !== cellFile || told.has(`${start} ${code}`));
}

/** What the compiler writes for a module without any statement is none; comments stay. */
const NO_CODE =
  /^(?:Object\.defineProperty\(exports, "__esModule", \{ value: true \}\);|\s|\/\/.*|\/\*(?:[^*]|\*(?!\/))*\*\/)*$/;

function hasCode(output: string | undefined): boolean {
  return output !== undefined && !NO_CODE.test(output);
}
