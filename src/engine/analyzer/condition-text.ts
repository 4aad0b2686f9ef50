import type { Expression } from "../../frame/plan";
import { COMMENT_OR_STRING } from "../../frame/sql-tokens";

type ColumnReference = Extract<Expression, { kind: "column" }>;

const IDENTIFIER = "(?:`(?:[^`]|``)*`|[\\p{L}_][\\p{L}\\p{N}_]*)";

/** Comments, strings and numbers, which hold no names; then names with dots between. */
const TOKENS = new RegExp(
  `${COMMENT_OR_STRING}|[0-9][\\p{L}\\p{N}_.]*|` + `(${IDENTIFIER}(?:\\s*\\.\\s*${IDENTIFIER})*)(?![\\p{L}\\p{N}_])`,
  "gu",
);

/** Words of SQL that are no columns even where one is called so. */
const RESERVED = new Set(
  "and or not is null in like rlike ilike between case when then else end true false as from where select distinct cast escape".split(
    " ",
  ),
);

/** A condition's text in pieces: SQL, and what may be columns. */
export function conditionParts(text: string): (string | ColumnReference)[] {
  const parts: (string | ColumnReference)[] = [];
  let end = 0;
  for (const match of text.matchAll(TOKENS)) {
    const [token, name] = match;
    if (name === undefined || isSyntax(name, text.slice(0, match.index), text.slice(match.index + token.length)))
      continue;
    parts.push(text.slice(end, match.index), { kind: "column", name: name.replace(/\s*\.\s*/g, ".") });
    end = match.index + token.length;
  }
  return [...parts, text.slice(end)];
}

/** A keyword, a function's name, a type's name behind `AS` or `::`, the word before a string such as `DATE '2024-01-31'`. */
function isSyntax(name: string, before: string, after: string): boolean {
  if (name.startsWith("`")) return false;
  return RESERVED.has(name.toLowerCase()) || /^\s*['(]/.test(after) || /(?:\bas|::)\s*$/i.test(before);
}
