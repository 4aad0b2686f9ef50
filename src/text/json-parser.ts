/** One value of JSON text. A number keeps its text; what has parts keeps where it stands, since a string column takes it whole. */
export type JsonNode = null | boolean | string | JsonNumber | JsonArray | JsonObject;

export interface JsonNumber {
  readonly kind: "number";
  readonly text: string;
  readonly isWhole: boolean;
}

export interface JsonArray {
  readonly kind: "array";
  readonly items: readonly JsonNode[];
  readonly source: string;
}

export interface JsonObject {
  readonly kind: "object";
  readonly names: readonly string[];
  readonly values: readonly JsonNode[];
  readonly source: string;
}

/** What is read beyond the standard; the names and defaults are Spark's. */
export interface JsonSyntax {
  readonly comments: boolean;
  readonly unquotedNames: boolean;
  readonly singleQuotes: boolean;
  readonly leadingZeros: boolean;
  readonly anyEscape: boolean;
  readonly controlCharacters: boolean;
  readonly nonNumericNumbers: boolean;
}

/** The text is no JSON; `reason` says where. */
export class JsonSyntaxError extends Error {}

const NON_NUMBERS = /NaN|Infinity|[+-]INF(?:inity)?|[+-]Infinity/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const NUMBER_WITH_ZEROS = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const NAME = /[\p{L}\p{N}_$@#*+-]+/uy;
const PLAIN = /[^"'\\\p{Cc}]+/uy;
const HALVES = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const ESCAPES: Readonly<Record<string, string>> = {
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  '"': '"',
  "/": "/",
  "\\": "\\",
};

/**
 * The first value of a text; undefined where there is none. What follows it is not looked at, as Spark does not. A parser of our
 * own, because JSON.parse loses digits of numbers and knows none of what Jackson, which Spark reads with, takes beyond the standard.
 * @throws JsonSyntaxError
 */
export function parseJson(text: string, syntax: JsonSyntax): JsonNode | undefined {
  let at = 0;

  skipBlanks();
  return at >= text.length ? undefined : value();

  function value(): JsonNode {
    skipBlanks();
    const c = text[at];
    switch (c) {
      case "{":
        return object();
      case "[":
        return array();
      case '"':
        return quoted('"');
      case "'":
        if (syntax.singleQuotes) return quoted("'");
        return fail();
    }
    for (const [literal, meant] of LITERALS) {
      if (text.startsWith(literal, at)) {
        at += literal.length;
        endOfWord();
        return meant;
      }
    }
    return number();
  }

  function number(): JsonNumber {
    if (syntax.nonNumericNumbers) {
      const named = match(NON_NUMBERS);
      if (named !== undefined) {
        endOfWord();
        return { kind: "number", text: named, isWhole: false };
      }
    }
    const found = match(syntax.leadingZeros ? NUMBER_WITH_ZEROS : NUMBER) ?? fail();
    if (/[\w.+-]/.test(text[at] ?? "")) fail();
    return { kind: "number", text: found.replace(/^(-?)0+(?=\d)/, "$1"), isWhole: /^-?\d+$/.test(found) };
  }

  function object(): JsonObject {
    const from = at++;
    const names: string[] = [];
    const values: JsonNode[] = [];
    skipBlanks();
    if (text[at] !== "}") {
      for (;;) {
        names.push(name());
        expect(":");
        values.push(value());
        skipBlanks();
        if (text[at] === "}") break;
        expect(",");
      }
    }
    at++;
    return { kind: "object", names, values, source: text.slice(from, at) };
  }

  function name(): string {
    skipBlanks();
    const c = text[at];
    if (c === '"') return quoted('"');
    if (c === "'" && syntax.singleQuotes) return quoted("'");
    return (syntax.unquotedNames ? match(NAME) : undefined) ?? fail();
  }

  function array(): JsonArray {
    const from = at++;
    const items: JsonNode[] = [];
    skipBlanks();
    if (text[at] !== "]") {
      for (;;) {
        items.push(value());
        skipBlanks();
        if (text[at] === "]") break;
        expect(",");
      }
    }
    at++;
    return { kind: "array", items, source: text.slice(from, at) };
  }

  function quoted(quote: string): string {
    at++;
    let out = "";
    let isWellFormed = true;
    for (;;) {
      out += match(PLAIN) ?? "";
      const c = text[at++] ?? fail();
      // Half of a pair that stands alone is a question mark to Java, which makes UTF-8 of it.
      if (c === quote) return isWellFormed ? out : out.replace(HALVES, "?");
      if (c === "\\") {
        const meant = escaped();
        if (meant >= "\ud800" && meant <= "\udfff") isWellFormed = false;
        out += meant;
      } else if (c >= " " || syntax.controlCharacters) out += c;
      else fail();
    }
  }

  function escaped(): string {
    const c = text[at++] ?? fail();
    if (c === "u") {
      const hex = match(/[0-9a-fA-F]{4}/y) ?? fail();
      return String.fromCharCode(Number.parseInt(hex, 16));
    }
    const meant = ESCAPES[c];
    if (meant !== undefined) return meant;
    return syntax.anyEscape || (c === "'" && syntax.singleQuotes) ? c : fail();
  }

  function skipBlanks(): void {
    for (;;) {
      while (" \t\n\r".includes(text[at] ?? "x")) at++;
      if (!syntax.comments || text[at] !== "/") return;
      if (match(/\/\/[^\n\r]*|\/\*[\s\S]*?\*\//y) === undefined) fail();
    }
  }

  function expect(c: string): void {
    skipBlanks();
    if (text[at] !== c) fail();
    at++;
  }

  function endOfWord(): void {
    if (/[\p{L}\p{N}_$]/u.test(text[at] ?? "")) fail();
  }

  function match(pattern: RegExp): string | undefined {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  }

  function fail(): never {
    const what = at < text.length ? `${JSON.stringify(text[at])} at character ${at + 1}` : "the text's end";
    throw new JsonSyntaxError(`there is no JSON at ${what}`);
  }
}

const LITERALS = [
  ["true", true],
  ["false", false],
  ["null", null],
] as const;
