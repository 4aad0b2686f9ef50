import type { FunctionOrigin } from "pomona/kernel";
import { originalPosition } from "../language/source-positions";
import { registeredCells } from "./source-registry";

/** The guards that the compiler puts into loops and functions, with the line they stand on. */
const GUARD_LINE = /^\s*__stop__\(\d+\);\s*$/;
const GUARD = /__stop__\(\d+\); ?/g;

/** The cell and lines that a function's compiled text came from; undefined for text that is not a cell's. */
export function functionOrigin(compiled: string): FunctionOrigin | undefined {
  for (const cell of registeredCells()) {
    const start = cell.compiled.indexOf(compiled);
    if (start < 0) continue;
    const before = cell.compiled.slice(0, start).split("\n");
    const firstLine = before.length;
    const firstColumn = (before.at(-1) ?? "").length + 1;
    const code: string[] = [];
    const lines: FunctionOrigin["lines"][number][] = [];
    for (const [i, text] of compiled.split("\n").entries()) {
      if (GUARD_LINE.test(text)) continue;
      code.push(text.replace(GUARD, ""));
      const column = i === 0 ? firstColumn : text.search(/\S|$/) + 1;
      lines.push(originalPosition(cell.maps, firstLine + i, column));
    }
    return { code: code.join("\n"), cell: cell.shown, lines, source: cell.source };
  }
  return undefined;
}
