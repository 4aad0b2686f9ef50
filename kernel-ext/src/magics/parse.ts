import { nearest } from "pomona/kernel";
import { MAGICS, type Magic } from "./catalog";
import { MagicUsageError, UnknownMagicError } from "./errors";

/** A cell with a magic at its head. */
export interface MagicCell {
  /** Without `%%`. */
  readonly name: string;
  /** The options given, such as `-o`, with their values; true for those that have none. */
  readonly options: ReadonlyMap<string, string | true>;
  /** The words behind the name, for a magic without a body. */
  readonly args: readonly string[];
  /**
   * What the magic is about. TypeScript has the whole cell's lines and columns: what the magic's own words took is blank.
   */
  readonly body: string;
  /** The line of the cell, from 1, in which `body` begins. */
  readonly bodyLine: number;
}

/**
 * The magic at the head of a cell; undefined for a cell without one. `%%name` on a line of its own stands before its body; a
 * body may also begin on that line, and `%name` is the same as `%%name`.
 * @throws UnknownMagicError naming the nearest, MagicUsageError
 */
export function parseMagic(source: string): MagicCell | undefined {
  const head = /^(?:[^\S\n]*\n)*[^\S\n]*(?:%%(?<cell>[\p{L}\w-]*)|%(?<line>[\p{L}][\p{L}\w-]*))/u.exec(source);
  if (!head) return undefined;
  const name = head.groups?.cell ?? head.groups?.line ?? "";
  const magic = MAGICS.find((candidate) => candidate.name === name);
  if (!magic) throw new UnknownMagicError(name);
  const { options, rest } = readOptions(magic, source, head[0].length);
  if (magic.body === "none") return { name, options, ...wordsOnly(magic, source.slice(rest)) };
  const line = lineAt(source, rest);
  if (magic.body === "typescript") {
    // The compiler's messages then tell the cell's lines and columns.
    return {
      name,
      options,
      args: [],
      body: source.slice(0, rest).replace(/[^\n]/g, " ") + source.slice(rest),
      bodyLine: 1,
    };
  }
  // Other programs read it, some of which take the first half of a Windows line end for text.
  return { name, options, args: [], ...textBody(source.slice(rest).replaceAll("\r\n", "\n"), line) };
}

/** The name that a cell asks about, `name?` or `?name` as in IPython; undefined for another cell. */
export function helpAsked(source: string): string | undefined {
  const asked = /^\s*(?:([\p{L}\p{N}_$.]+)\s*\?{1,2}|\?{1,2}\s*([\p{L}\p{N}_$.]+))\s*$/u.exec(source);
  return asked?.[1] ?? asked?.[2];
}

/** Reads options up to the first word that is none. @returns where that word begins */
function readOptions(magic: Magic, source: string, start: number) {
  const options = new Map<string, string | true>();
  const word = /[^\S\n]*(?<text>"[^"\n]*"|'[^'\n]*'|[^\s]+)/uy;
  let rest = start;
  for (;;) {
    word.lastIndex = rest;
    const text = word.exec(source)?.groups?.text;
    // `--` begins a comment in SQL, and is no option anywhere.
    if (text === undefined || !/^-[\p{L}]/u.test(text)) return { options, rest };
    const option = magic.options.find((candidate) => candidate.name === text);
    if (!option) throw unknownOption(magic, text);
    rest = word.lastIndex;
    if (option.value === undefined) {
      options.set(option.name, true);
      continue;
    }
    const value = word.exec(source)?.groups?.text;
    if (value === undefined) throw new MagicUsageError(magic, `${option.name} needs a value: ${option.value}.`);
    options.set(option.name, value.replace(/^(["'])(.*)\1$/, "$2"));
    rest = word.lastIndex;
  }
}

function unknownOption(magic: Magic, text: string): MagicUsageError {
  const names = magic.options.map((option) => option.name);
  if (names.length === 0) return new MagicUsageError(magic, `there is no option ${text}; it has none.`);
  const near = nearest(text, names)[0];
  return new MagicUsageError(
    magic,
    `there is no option ${text}. ${near === undefined ? `It has ${names.join(", ")}.` : `Did you mean ${near}?`}`,
  );
}

function wordsOnly(magic: Magic, rest: string): Pick<MagicCell, "args" | "body" | "bodyLine"> {
  const [line = "", ...below] = rest.split("\n");
  if (below.some((text) => text.trim() !== "")) {
    throw new MagicUsageError(magic, "nothing can stand below it. Put the rest into another cell.");
  }
  const args = line.split(/\s+/).filter((text) => text !== "");
  if (args.length > 0 && magic.name !== "help") throw new MagicUsageError(magic, `it takes no ${args[0]}.`);
  return { args, body: "", bodyLine: 1 };
}

function textBody(rest: string, line: number): Pick<MagicCell, "body" | "bodyLine"> {
  const end = rest.indexOf("\n");
  const first = end < 0 ? rest : rest.slice(0, end);
  if (first.trim() !== "") return { body: rest.trimStart(), bodyLine: line };
  return { body: end < 0 ? "" : rest.slice(end + 1), bodyLine: line + 1 };
}

function lineAt(source: string, offset: number): number {
  return source.slice(0, offset).split("\n").length;
}
