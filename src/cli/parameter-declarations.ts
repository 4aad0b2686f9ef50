/*
 * Reads the variables that a parameters cell declares. `kernel-ext/python/src/pomona_jupyter/declarations.py` does the same
 * for papermill; a test holds the two together.
 */

/** One variable: `let n: number = 5; // how many` has the type `number`, the default `5` and this help. */
export interface ParameterDeclaration {
  readonly name: string;
  /** As written; undefined where there is none. */
  readonly type: string | undefined;
  /** As written; undefined where there is none. */
  readonly default: string | undefined;
  readonly help: string;
}

/** The variables declared at the top level of a cell, the last of a name alone. */
export function readDeclarations(text: string): ParameterDeclaration[] {
  const source = text.replace(/\r\n/g, "\n");
  const { code, shape } = mask(source);
  const found = new Map<string, ParameterDeclaration>();
  for (const match of shape.matchAll(START)) {
    const start = match.index + match[0].length;
    const end = endOfStatement(shape, start);
    const help = commentBeside(source, shape, match.index, end);
    for (const [first, last] of declarators(shape, start, end)) {
      const declaration = declarator(code.slice(first, last), shape.slice(first, last), help);
      if (!declaration) continue;
      found.delete(declaration.name);
      found.set(declaration.name, declaration);
    }
  }
  return [...found.values()];
}

const START = /(?:^|(?<=[;\n}]))[^\S\n]*(?:export\s+)?(?:let|const|var)\s+(?=[\p{ID_Continue}$])/gu;
const HEAD = /^\s*([\p{ID_Start}$_][\p{ID_Continue}$]*)\s*(?:(!?:)|=|$)/u;
const EQUALS = /(?<![=!<>])=(?![=>])/g;
const OPEN_END = /[=|&:,+\-*/?<.(]$/;
const OPEN_START = /^[=|&:,.?+\-*/)\]]/;

function declarator(code: string, shape: string, help: string): ParameterDeclaration | undefined {
  const head = HEAD.exec(shape);
  const name = head?.[1];
  if (!head || name === undefined) return undefined;
  const afterName = shape.indexOf(name) + name.length;
  EQUALS.lastIndex = afterName;
  const equals = EQUALS.exec(shape)?.index ?? -1;
  const colon = head[2] === undefined ? -1 : shape.indexOf(head[2], afterName) + head[2].length;
  const annotation = colon < 0 ? "" : code.slice(colon, equals < 0 ? code.length : equals);
  const value = equals < 0 ? "" : code.slice(equals + 1).replace(/\s*\n\s*/g, " ");
  return {
    name,
    type: annotation.replace(/\s+/g, " ").trim() || undefined,
    default: value.trim() || undefined,
    help,
  };
}

/** `a = 1, b: Map<string, number>` is two: what does not begin like one belongs to the one before. */
function declarators(shape: string, start: number, end: number): [number, number][] {
  const parts: [number, number][] = [];
  let at = start;
  for (const piece of shape.slice(start, end).split(",")) {
    const before = parts.at(-1);
    if (before && !HEAD.test(piece)) before[1] = at + piece.length;
    else parts.push([at, at + piece.length]);
    at += piece.length + 1;
  }
  return parts;
}

function endOfStatement(shape: string, start: number): number {
  for (const stop of shape.slice(start).matchAll(/[;\n]/g)) {
    const end = start + stop.index;
    if (stop[0] === ";") return end;
    if (!OPEN_END.test(shape.slice(start, end).trimEnd()) && !OPEN_START.test(shape.slice(end).trimStart())) return end;
  }
  return shape.length;
}

/** The comment behind a statement on its line, else the ones on the lines above. */
function commentBeside(source: string, shape: string, start: number, end: number): string {
  let behind = /^;?[^\S\n]*(?:\/\/([^\n]*)|\/\*(.*?)\*\/[^\S\n]*(?:\n|$))/s.exec(source.slice(end));
  if (!behind) {
    // Without a semicolon, the statement's end lies behind its comment.
    const line = shape.lastIndexOf("\n", end - 1) + 1;
    const comment = source.slice(line + shape.slice(line, end).trimEnd().length, end).trim();
    behind = /^\/\/([^\n]*)$|^\/\*(.*)\*\/$/s.exec(comment);
  }
  if (behind) return unwrap(behind[1] ?? behind[2] ?? "");
  const above: string[] = [];
  const lines = source
    .slice(0, start)
    .replace(/[ \t]+$/, "")
    .replace(/\n$/, "")
    .split("\n");
  for (const line of lines.reverse()) {
    const comment = /^\s*\/\/(.*)$/.exec(line) ?? /^\s*\/\*+(.*)\*\/\s*$/.exec(line);
    if (!comment) break;
    above.unshift(comment[1] ?? "");
  }
  return unwrap(above.join(" "));
}

function unwrap(comment: string): string {
  const lines = comment.split("\n").map((line) => line.replace(/^\s*\*+/, "").trim());
  return lines.join(" ").trim();
}

/** Two texts as long as the source: without comments; and also without what is in strings and brackets. */
function mask(source: string): { code: string; shape: string } {
  let [code, shape] = ["", ""];
  let depth = 0;
  for (let i = 0; i < source.length; ) {
    let end = i + 1;
    const char = source[i] ?? "";
    if (source.startsWith("//", i)) {
      end = orEnd(source.indexOf("\n", i), source);
      code += " ".repeat(end - i);
      shape += " ".repeat(end - i);
    } else if (source.startsWith("/*", i)) {
      const close = source.indexOf("*/", i + 2);
      end = close < 0 ? source.length : close + 2;
      const blank = source.slice(i, end).replace(/[^\n]/g, " ");
      code += blank;
      shape += depth > 0 ? "b".repeat(end - i) : blank;
    } else if (`"'\``.includes(char) || (char === "/" && /[=(,:]\s*$/.test(source.slice(0, i)))) {
      end = endOfString(source, i);
      code += source.slice(i, end);
      shape += "s".repeat(end - i);
    } else {
      if (")]}".includes(char)) depth = Math.max(0, depth - 1);
      code += char;
      shape += depth > 0 ? "b" : char;
      if ("([{".includes(char)) depth++;
    }
    i = end;
  }
  return { code, shape };
}

const orEnd = (index: number, source: string) => (index < 0 ? source.length : index);

function endOfString(source: string, start: number): number {
  const quote = source[start];
  for (let i = start + 1; i < source.length; ) {
    if (source[i] === "\\") i += 2;
    else if (source[i] === quote) return i + 1;
    else if (quote === "`" && source.startsWith("${", i)) i = endOfSubstitution(source, i + 2);
    else if (quote !== "`" && source[i] === "\n") return i;
    else i++;
  }
  return source.length;
}

function endOfSubstitution(source: string, start: number): number {
  let i = start;
  for (let depth = 1; i < source.length && depth > 0; ) {
    const char = source[i] ?? "";
    if (`"'\``.includes(char)) {
      i = endOfString(source, i);
      continue;
    }
    if (char === "{") depth++;
    else if (char === "}") depth--;
    i++;
  }
  return i;
}
