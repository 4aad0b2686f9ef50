import { join, resolve } from "node:path";
import type ts from "typescript";
import { helpAsked, parseMagic } from "../magics/parse";
import { type CellUses, type FunctionUses, NO_USES } from "../messages";
import { calledUses } from "./called-uses";
import { namesOf, readCell } from "./cell-source";
import { type Compiler, compiler } from "./compiler";
import { typescriptOf } from "./magic-cells";
import { notebookNames } from "./notebook-names";
import { preludeNames } from "./prelude";
import { transpile } from "./transpile";
import { codeMetadata, SOURCE_PREFIX } from "./tslab-converter";

/** What a notebook's cells do with its names, by their texts alone: nothing is executed, no type is looked at. */
export interface NotebookUses {
  readonly cells: readonly AnalyzedCell[];
}

export interface AnalyzedCell {
  readonly declares: readonly string[];
  /** Names that it reads when it runs, and the function that does it where it calls one. */
  readonly reads: readonly (readonly [name: string, through: string | null])[];
  /** Names that it gives values when it runs. */
  readonly sets: readonly string[];
  /** Names that it uses and that no cell declares, nor every notebook has. */
  readonly unknown: readonly string[];
  /** Why it can't be read. */
  readonly error: string | undefined;
}

/** What a cell has in scope beside JavaScript's and Node's globals. */
const OF_CELLS = ["require", "exports", "module", "arguments", "__dirname", "__filename", "undefined"];

/** @param sources the texts of code cells, in the notebook's order */
export function notebookUses(sources: readonly string[]): NotebookUses {
  const read = sources.map((source) => readSource(compiler, source));
  const declared = new Set(read.flatMap(({ names }) => names));
  const everywhere = new Set([
    ...preludeNames(compiler, resolve(join(__dirname, "..", "..", "prelude.d.ts"))),
    ...Object.getOwnPropertyNames(globalThis),
    ...OF_CELLS,
  ]);
  const known = new Set([...declared, ...read.flatMap(({ types }) => types), ...everywhere]);
  /** Names of the cells; one that every notebook has is so from the cell on that declares it. */
  const own = new Set([...declared].filter((name) => !everywhere.has(name)));
  /** Of the cells above. */
  const functions = new Map<string, FunctionUses>();
  const cells = read.map(({ code, names, error }) => {
    const others = new Set<string>();
    for (const name of names) own.add(name);
    const uses = code === undefined ? { ...NO_USES, declares: names } : usesOf(code, own, others);
    for (const name of uses.declares) functions.delete(name);
    for (const [name, does] of Object.entries(uses.functions)) functions.set(name, does);
    const { reads, writes } = calledUses(uses, (name) => functions.get(name));
    return {
      declares: uses.declares,
      reads: [...reads].map(([name, through]) => [name, through ?? null] as const),
      sets: [...new Set([...uses.declares, ...uses.writes, ...writes])],
      unknown: [...others].filter((name) => !known.has(name)),
      error,
    };
  });
  return { cells };
}

interface ReadSource {
  /** JavaScript, with all names of its top exported; undefined for a cell without. */
  readonly code: string | undefined;
  /** Names of its top that have values. */
  readonly names: readonly string[];
  /** All names of its top: types and what it says is there, `declare const`, too. */
  readonly types: readonly string[];
  readonly error: string | undefined;
}

const NO_CODE: ReadSource = { code: undefined, names: [], types: [], error: undefined };

const OPTIONS: ts.CompilerOptions = {
  target: compiler.ScriptTarget.ESNext,
  module: compiler.ModuleKind.ESNext,
  // An import is for later cells, too.
  verbatimModuleSyntax: true,
};

function readSource(compiler: Compiler, source: string): ReadSource {
  const text = typescriptOf(source);
  if (text === undefined) return { ...NO_CODE, names: magicNames(source) };
  if (helpAsked(text) !== undefined || codeMetadata(text).module) return NO_CODE;
  const cell = readCell(compiler, text, "cell.ts");
  const [error] = cell.errors;
  if (error) {
    const { line } = compiler.getLineAndCharacterOfPosition(
      { text: SOURCE_PREFIX + text } as ts.SourceFileLike & ts.SourceFile,
      error.start,
    );
    return { ...NO_CODE, error: `line ${line}: ${compiler.flattenDiagnosticMessageText(error.messageText, " ")}` };
  }
  const { outputText } = compiler.transpileModule(cell.text, { compilerOptions: OPTIONS, fileName: "cell.ts" });
  const names = [...namesOf(compiler, outputText)];
  const code = `${outputText}\nexport { ${names.join(", ")} };`;
  return { code, names, types: [...namesOf(compiler, cell.text)], error: undefined };
}

function usesOf(code: string, earlier: ReadonlySet<string>, others: Set<string>): CellUses {
  let uses = NO_USES;
  const note = (noted: CellUses) => {
    uses = noted;
  };
  const options = { target: compiler.ScriptTarget.ESNext, module: compiler.ModuleKind.ESNext };
  transpile(compiler, code, options, [notebookNames(compiler, { earlier, live: new Set(), others, begin() {}, note })]);
  return uses;
}

/** What `%%sql -o name` declares. */
function magicNames(source: string): string[] {
  try {
    const output = parseMagic(source)?.options.get("-o");
    return typeof output === "string" ? [output] : [];
  } catch {
    // A magic that is wrong fails where it runs.
    return [];
  }
}
