import type { StructType } from "../data/types";
import type { Value } from "./columns";
import { separatorOption } from "./csv-options";
import { character, flag, lineSeparator, type Options } from "./option-values";
import { valueWriter } from "./value-text";
import { leadingBlanks, withoutEndBlanks } from "./values";

/** Writes rows as lines of text. */
export interface RowText {
  /** What a file begins with. */
  readonly head: string;
  /** One row with its line's end. */
  row(values: readonly Value[]): string;
}

/**
 * CSV as Spark writes it, which is as univocity-parsers does: quoted where a value needs it, without blanks at both ends of a
 * value, an empty string as `""`.
 * @throws IllegalArgumentError for a value that an option can't have
 */
export function csvText(schema: StructType, options: Options): RowText {
  const line = lineWriter(options);
  const text = valueWriter(options);
  const { fields } = schema;
  return {
    head: flag(options, "header") ? line(fields.map((f) => f.name)) : "",
    row: (values) => line(fields.map((field, i) => (values[i] === null ? null : text(values[i] ?? null, field.type)))),
  };
}

function lineWriter(options: Options): (values: readonly (string | null)[]) => string {
  const separator = separatorOption(options);
  const quote = String.fromCharCode(character(options, "quote", '"'));
  const quoteEscape = String.fromCharCode(character(options, "escape", "\\"));
  const ofEscape = options.charToEscapeQuoteEscaping
    ? String.fromCharCode(character(options, "charToEscapeQuoteEscaping", ""))
    : quote === quoteEscape
      ? "\0"
      : quoteEscape;
  const comment = String.fromCharCode(character(options, "comment", "#") || 35);
  const lineEnd = lineSeparator(options, 2) ?? "\n";
  const quoteAll = flag(options, "quoteAll");
  const trimStart = flag(options, "ignoreLeadingWhiteSpace", true);
  const trimEnd = flag(options, "ignoreTrailingWhiteSpace", true);
  const nullValue = options.nullValue ?? "";
  const emptyValue = options.emptyValue ?? '""';
  const triggers = new Set(["\n", "\r", ...lineEnd, ...(flag(options, "escapeQuotes", true) ? [quote] : [])]);
  const newline = lineEnd.length === 1 ? lineEnd : "\n";

  const needsQuotes = (text: string, from: number) => {
    for (let i = from; i < text.length; i++) {
      if (text.startsWith(separator, i) || triggers.has(text.charAt(i))) return true;
    }
    return false;
  };
  const cut = (text: string) => (trimEnd ? withoutEndBlanks(text) : text);
  const escaped = (text: string, from: number) => {
    let out = "";
    for (let i = from; i < text.length; i++) {
      const c = text.charAt(i);
      if (c === quote) out += quoteEscape;
      else if (c === quoteEscape && ofEscape !== "\0") out += ofEscape;
      out += c === newline ? lineEnd : c;
    }
    return cut(out);
  };
  /** The text of one value with the quotes it needs; undefined where nothing is left of it. */
  const element = (text: string, column: number, wanted: boolean, isStandIn: boolean): string | undefined => {
    const start = trimStart ? leadingBlanks(text) : 0;
    let quoted = wanted;
    if (start < text.length && (text[start] === quote || (column === 0 && text[0] === comment))) quoted = true;
    if (quoted) {
      if (isStandIn && text.length >= 2 && text.startsWith(quote) && text.endsWith(quote)) return text;
      return `${quote}${escaped(text, start)}${quote}`;
    }
    for (let i = start; i < text.length; i++) {
      const c = text.charAt(i);
      if (c === quote || c === quoteEscape) {
        if (!needsQuotes(text, i)) break;
        return `${quote}${text.slice(start, i)}${escaped(text, i)}${quote}`;
      }
      if (text.startsWith(separator, i) || triggers.has(c)) {
        return `${quote}${text.slice(start, i)}${escaped(text, i)}${quote}`;
      }
    }
    const left = cut(text.slice(start));
    return left === "" ? undefined : left;
  };

  return (values) => {
    const texts = values.map((value, i) => {
      const isStandIn = value === null || value === "";
      const text = value === null ? nullValue : value === "" ? emptyValue : value;
      const written = element(text, i, quoteAll, isStandIn);
      if (written !== undefined || isStandIn) return written ?? "";
      // Nothing but blanks, which are not written: an empty value then.
      return emptyValue;
    });
    const line = texts.join(separator);
    return line === "" ? "" : line + lineEnd;
  };
}
