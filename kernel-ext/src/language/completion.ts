import type ts from "typescript";
import type { Content } from "../messages";
import type { Cells } from "./cells";
import { toCodePoints } from "./code-points";
import { type Completions, magicCompletions, typescriptOf } from "./magic-cells";
import { SOURCE_PREFIX } from "./tslab-converter";

/**
 * The content of a `complete_reply`.
 * @param position UTF-16 offset of the cursor
 * @see https://jupyter-client.readthedocs.io/en/stable/messaging.html#completion
 */
export function completeReply(cells: Cells, source: string, position: number): Content {
  const { start, end, items } = magicCompletions(source, position) ?? completionsAt(cells, source, position);
  const range = { start: toCodePoints(source, start), end: toCodePoints(source, end) };
  return {
    status: "ok",
    matches: items.map(({ text }) => text),
    cursor_start: range.start,
    cursor_end: range.end,
    metadata: { _jupyter_types_experimental: items.map((item) => ({ ...item, ...range })) },
  };
}

function completionsAt(cells: Cells, source: string, position: number): Completions {
  const code = typescriptOf(source);
  if (code === undefined) return { start: position, end: position, items: [] };
  const own = ownModules(cells, code, position);
  if (own) return own;
  const info = cells.complete(code, position);
  if (!info) return { start: position, end: position, items: [] };
  const { start, end } = replaced(info, source, position);
  const typed = source.slice(start, position);
  const earlier = info.isGlobalCompletion ? cells.earlierNames() : new Set();
  const ranked = info.entries.flatMap((entry) => {
    const rank = rankOf(entry.name, typed);
    // TypeScript takes names of earlier cells for any globals.
    const order = earlier.has(entry.name) ? FIRST : entry.sortText;
    return rank === undefined ? [] : [{ entry, key: `${rank}${order}` }];
  });
  // The order of a kind is TypeScript's own.
  ranked.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return { start, end, items: ranked.map(({ entry }) => ({ text: entry.name, type: typeOf(entry) })) };
}

/** Before what TypeScript sorts by, which begins with digits from 1. */
const FIRST = "0";

/** The package's own entries, which are not in any folder that TypeScript would search for names. */
function ownModules(cells: Cells, code: string, position: number): Completions | undefined {
  const typed = /\b(?:from|import|require\()\s*\(?\s*["'](?<typed>[^"'\n]*)$/.exec(code.slice(0, position))?.groups
    ?.typed;
  if (typed === undefined || typed === "") return undefined;
  const names = cells.ownModules.filter((name) => name.startsWith(typed));
  if (names.length === 0) return undefined;
  return {
    start: position - typed.length,
    end: position,
    items: names.map((text) => ({ text, type: "module" })),
  };
}

function replaced(info: ts.CompletionInfo, source: string, position: number): { start: number; end: number } {
  // tslab takes its prefix off the whole answer's span alone.
  const own = info.entries[0]?.replacementSpan;
  if (own) return { start: own.start - SOURCE_PREFIX.length, end: own.start - SOURCE_PREFIX.length + own.length };
  const span = info.optionalReplacementSpan;
  if (span) return { start: span.start, end: span.start + span.length };
  const before = /[\p{ID_Continue}$\u200c\u200d]*$/u.exec(source.slice(0, position))?.[0].length ?? 0;
  return { start: position - before, end: position };
}

/** 0 for names that begin as typed, then without regard to case, then those that contain it; undefined for others. */
function rankOf(name: string, typed: string): number | undefined {
  if (name.startsWith(typed)) return 0;
  const lower = name.toLowerCase();
  if (lower.startsWith(typed.toLowerCase())) return 1;
  return lower.includes(typed.toLowerCase()) ? 2 : undefined;
}

/** TypeScript's kinds of names, in the words of Jupyter's front ends. */
const TYPES: Readonly<Record<string, string>> = {
  function: "function",
  "local function": "function",
  method: "method",
  constructor: "method",
  call: "function",
  class: "class",
  "local class": "class",
  interface: "interface",
  type: "type",
  "primitive type": "type",
  "type parameter": "type",
  enum: "enum",
  "enum member": "enum",
  module: "module",
  "external module name": "module",
  script: "path",
  directory: "path",
  property: "property",
  getter: "property",
  setter: "property",
  accessor: "property",
  keyword: "keyword",
  string: "value",
};

function typeOf({ kind }: ts.CompletionEntry): string {
  return TYPES[kind] ?? "variable";
}
