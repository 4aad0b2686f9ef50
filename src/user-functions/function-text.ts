import type { CellOrigin } from "../data/batch-function";
import { type ImportOrigin, kernelHost, withoutGuards } from "../kernel";

/** A function's text as its author's compiler made it, and where in a notebook it was written. */
export interface FunctionText {
  /** Without what a kernel puts into a cell's code. */
  readonly text: string;
  readonly origin: CellOrigin | undefined;
  /** Names in it that are the notebook's, with where they were imported from. */
  readonly notebookNames: ReadonlyMap<string, ImportOrigin | undefined>;
}

/** What a kernel makes of `import(x)`. Its second argument is where from, which no `import()` minds. */
const IMPORT = /\b__import__\(/g;

/** What a kernel makes of a notebook's name: `__lut.now`, and `(0, __mean.now)` where it is called. */
const NAME = /\(0, __([\p{ID_Start}$_][\p{ID_Continue}$]*)\.now\)|\b__([\p{ID_Start}$_][\p{ID_Continue}$]*)\.now\b/gu;

/** Reads a function's text. */
export function functionText(fn: (...args: never[]) => unknown): FunctionText {
  const compiled = Function.prototype.toString.call(fn);
  const found = kernelHost()?.functionOrigin(compiled);
  const notebookNames = new Map<string, ImportOrigin | undefined>();
  const unguarded = () => withoutGuards(compiled).map(({ text }) => text);
  const text = (found?.code ?? unguarded().join("\n")).replace(IMPORT, "import(").replace(NAME, (_, called, read) => {
    const name: string = called ?? read;
    notebookNames.set(name, kernelHost()?.importOf(name));
    return name;
  });
  if (!found) return { text, origin: undefined, notebookNames };
  const source = found.source.split("\n");
  const lines = found.lines.map((place) =>
    place ? { line: place.line, column: place.column, text: source[place.line - 1] ?? "" } : null,
  );
  return { text, notebookNames, origin: { cell: found.cell, lines } };
}
