import { type FunctionOrigin, withoutGuards } from "pomona/kernel";
import { originalPosition } from "../language/source-positions";
import { registeredCells } from "./source-registry";

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
    const guarded = compiled.split("\n");
    for (const { text, line } of withoutGuards(compiled)) {
      code.push(text);
      const column = line === 0 ? firstColumn : (guarded[line] ?? "").search(/\S|$/) + 1;
      lines.push(originalPosition(cell.maps, firstLine + line, column));
    }
    return { code: code.join("\n"), cell: cell.shown, lines, source: cell.source };
  }
  return undefined;
}
