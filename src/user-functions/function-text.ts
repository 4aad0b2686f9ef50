import type { CellOrigin } from "../data/batch-function";
import { kernelHost } from "../kernel";

/** A function's text as its author's compiler made it, and where in a notebook it was written. */
export interface FunctionText {
  /** Without what a kernel puts into a cell's code. */
  readonly text: string;
  readonly origin: CellOrigin | undefined;
}

/** What a kernel puts at the start of bodies, so that it can interrupt them: no use on a worker, which has other means. */
const GUARD = /\n[^\S\n]*__stop__\(\d+\);(?=\n)|__stop__\(\d+\); ?/g;

/** What a kernel makes of `import(x)`. Its second argument is where from, which no `import()` minds. */
const IMPORT = /\b__import__\(/g;

/** Reads a function's text. */
export function functionText(fn: (...args: never[]) => unknown): FunctionText {
  const compiled = Function.prototype.toString.call(fn);
  const found = kernelHost()?.functionOrigin(compiled);
  const text = (found?.code ?? compiled.replace(GUARD, "")).replace(IMPORT, "import(");
  if (!found) return { text, origin: undefined };
  const source = found.source.split("\n");
  const lines = found.lines.map((place) =>
    place ? { line: place.line, column: place.column, text: source[place.line - 1] ?? "" } : null,
  );
  return { text, origin: { cell: found.cell, lines } };
}
