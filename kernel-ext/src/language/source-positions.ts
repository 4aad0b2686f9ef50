import { SourceMap } from "node:module";
import type { Position, SourceMaps } from "../messages";

/** Where in the user's text a place of compiled code came from; undefined for what the compiler put there itself. */
export function originalPosition(maps: SourceMaps, line: number, column: number): Position | undefined {
  let at: Position | undefined = { line, column };
  for (const map of parsed(maps)) {
    if (!at) return undefined;
    at = before(map, at);
  }
  if (!at || at.line <= maps.lineOffset) return undefined;
  return { line: at.line - maps.lineOffset, column: at.column };
}

const cache = new WeakMap<SourceMaps, readonly SourceMap[]>();

function parsed(maps: SourceMaps): readonly SourceMap[] {
  const known = cache.get(maps);
  if (known) return known;
  const made = maps.maps.map((text) => new SourceMap(JSON.parse(text)));
  cache.set(maps, made);
  return made;
}

/** One step back: the mapping at or before the place, else the line's first one. */
function before(map: SourceMap, { line, column }: Position): Position | undefined {
  const found = onLine(map, line - 1, column - 1) ?? firstOnLine(map, line - 1);
  return found && { line: found.originalLine + 1, column: found.originalColumn + 1 };
}

interface Entry {
  readonly generatedColumn: number;
  readonly originalLine: number;
  readonly originalColumn: number;
}

function onLine(map: SourceMap, line: number, column: number): Entry | undefined {
  const entry = map.findEntry(line, column);
  return "originalLine" in entry && entry.originalSource !== undefined && entry.generatedLine === line
    ? entry
    : undefined;
}

/** `findEntry` gives the last mapping up to a column, so the first one of a line is found by halving. */
function firstOnLine(map: SourceMap, line: number): Entry | undefined {
  let found = onLine(map, line, Number.MAX_SAFE_INTEGER);
  let low = 0;
  while (found && low < found.generatedColumn) {
    const middle = Math.floor((low + found.generatedColumn) / 2);
    const earlier = onLine(map, line, middle);
    if (earlier) found = earlier;
    else low = middle + 1;
  }
  return found;
}
