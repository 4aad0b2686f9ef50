import type { CellOrigin } from "../data/batch-function";
import { kernelHost, withoutGuards } from "../kernel";

/** A function's text as its author's compiler made it, and where in a notebook it was written. */
export interface FunctionText {
  /** Without what a kernel puts into a cell's code. */
  readonly text: string;
  readonly origin: CellOrigin | undefined;
}

/** What a kernel makes of `import(x)`. Its second argument is where from, which no `import()` minds. */
const IMPORT = /\b__import__\(/g;

/** Reads a function's text. */
export function functionText(fn: (...args: never[]) => unknown): FunctionText {
  const compiled = Function.prototype.toString.call(fn);
  const found = kernelHost()?.functionOrigin(compiled);
  const unguarded = () => withoutGuards(compiled).map(({ text }) => text);
  const text = (found?.code ?? unguarded().join("\n")).replace(IMPORT, "import(");
  if (!found) return { text, origin: undefined };
  const source = found.source.split("\n");
  const lines = found.lines.map((place) =>
    place ? { line: place.line, column: place.column, text: source[place.line - 1] ?? "" } : null,
  );
  return { text, origin: { cell: found.cell, lines } };
}
