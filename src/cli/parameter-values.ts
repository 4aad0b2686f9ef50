import { UsageError } from "./command";
import type { ParameterDeclaration } from "./parameter-declarations";

/*
 * What the text of a parameter means, and how it fits the variable that a notebook declares: papermill's rules.
 * `kernel-ext/python/src/pomona_jupyter/literals.py` does the same for papermill; a test holds the two together.
 */

/** What papermill makes of the text after `-p name`: `True`, `False`, `None`, Python's numbers, else text. */
export function valueOfText(text: string): ParameterValue {
  if (text === "True" || text === "False") return text === "True";
  if (text === "None") return null;
  const bare = text.trim().replace(/_/g, "");
  if (INTEGER.test(text)) {
    const value = BigInt(bare.replace(/^[+-]/, "")) * (bare.startsWith("-") ? -1n : 1n);
    return isSafe(value) ? Number(value) : value;
  }
  if (FLOAT.test(text)) return Number(bare);
  const named = /^\s*([+-]?)(?:(inf|infinity)|nan)\s*$/i.exec(text);
  if (named) return named[2] === undefined ? Number.NaN : named[1] === "-" ? -Infinity : Infinity;
  return text;
}

/** A parameter's value, before it is written down. Arrays and objects come from JSON text. */
export type ParameterValue = string | number | bigint | boolean | null;

/**
 * The statement that sets a parameter, with the type that the notebook declares for it.
 * @throws UsageError for a name that no variable can have, or a value of another type than the declared one
 */
export function assignment(name: string, value: ParameterValue, declaration: ParameterDeclaration | undefined): string {
  const annotation = declaration?.type === undefined ? "" : `: ${declaration.type}`;
  return `let ${checkedName(name)}${annotation} = ${fitted(value, declaration)};`;
}

const DIGITS = "\\d+(?:_\\d+)*";
const INTEGER = new RegExp(`^\\s*[+-]?${DIGITS}\\s*$`);
const FLOAT = new RegExp(`^\\s*[+-]?(?:${DIGITS}\\.?(?:${DIGITS})?|\\.${DIGITS})(?:[eE][+-]?${DIGITS})?\\s*$`);

const isSafe = (value: bigint) => value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER;

function checkedName(name: string): string {
  if (!/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name)) {
    throw new UsageError(`${JSON.stringify(name)} is not a name that a variable can have.`);
  }
  if (RESERVED.has(name)) {
    throw new UsageError(`${JSON.stringify(name)} is a word of the language; no variable can be called so.`);
  }
  return name;
}

const RESERVED: ReadonlySet<string> = new Set(
  (
    "arguments await break case catch class const continue debugger default delete do else enum eval export extends false " +
    "finally for function if implements import in instanceof interface let new null package private protected public return " +
    "static super switch this throw true try typeof var void while with yield"
  ).split(" "),
);

type Kind = "string" | "number" | "boolean" | "bigint" | "json";

const KINDS: Readonly<Record<Kind, string>> = {
  string: "text",
  number: "a number",
  boolean: "true or false",
  bigint: "a bigint",
  json: "an array or object",
};

/** Text becomes what the declared type makes of it; what cannot be assigned to it is refused here, not by a later cell. */
function fitted(value: ParameterValue, declaration: ParameterDeclaration | undefined): string {
  const kind = declaration && kindOf(declaration);
  if (kind === undefined || value === null) return literal(value);
  if (kind === "json" && typeof value === "string") {
    const parsed = parseJson(value);
    if (parsed !== undefined) return jsonLiteral(parsed);
  }
  if (kind === "boolean" && (value === "true" || value === "false")) return value;
  if (kind === "bigint" && Number.isInteger(value)) return `${value}n`;
  if (typeof value === kind) return literal(value);
  const text = literal(value);
  throw new UsageError(
    `The parameter ${declaration?.name} is ${KINDS[kind]} in the notebook, and ${text} is ${KINDS[typeof value as Kind]}.`,
    kind === "string" ? { remedy: `-r ${declaration?.name} ${text} passes it as text.` } : {},
  );
}

/** What a parameter holds, by its declared type, else by its default; undefined where neither tells. */
function kindOf(declaration: ParameterDeclaration): Kind | undefined {
  if (declaration.type !== undefined) {
    const plain = declaration.type.replace(/^readonly\s+/, "");
    if (plain === "string" || plain === "number" || plain === "boolean" || plain === "bigint") return plain;
    // A union may hold anything.
    const isJson = !plain.includes("|") && (/\]$|^\{/.test(plain) || /^(?:Readonly)?Array</.test(plain));
    return isJson ? "json" : undefined;
  }
  const value = declaration.default ?? "";
  if (/^(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\$]|\\.|\$(?!\{))*`)$/.test(value)) return "string";
  if (/^[+-]?\d[\d_]*n$/.test(value)) return "bigint";
  if (/^(?:[+-]?(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?|[+-]?(?:NaN|Infinity))$/.test(value)) return "number";
  if (value === "true" || value === "false") return "boolean";
  return /^(?:\[.*\]|\{.*\})$/s.test(value) ? "json" : undefined;
}

/** An array or object; undefined for text that is no JSON, or JSON of something else, which stays text. */
function parseJson(text: string): object | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function literal(value: ParameterValue): string {
  if (typeof value === "string") return quoted(value);
  if (typeof value === "bigint") return `${value}n`;
  return Object.is(value, -0) ? "-0" : String(value);
}

/** JSON as an expression: the same text, but for the key that would set the prototype. */
function jsonLiteral(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(jsonLiteral).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const key = (name: string) => (name === "__proto__" ? '["__proto__"]' : quoted(name));
    return `{${Object.entries(value)
      .map(([name, item]) => `${key(name)}: ${jsonLiteral(item)}`)
      .join(", ")}}`;
  }
  return literal(value as ParameterValue);
}

function quoted(text: string): string {
  const escaped = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(text).replace(/[\u007f\u2028\u2029]/g, escaped);
}
