import { MalformedRecordError } from "./errors";
import { isBlank, withoutEndBlanks } from "./values";

/**
 * Cuts CSV text into values as univocity-parsers 2.9 does, which Spark reads with. A parser of our own, because what it makes of
 * text that is not quite CSV (a quote inside a value, text after a closing quote, an escape at the end) is what Spark's rows are
 * made of, and none of the kept packages can be set to it.
 */
export interface CsvSyntax {
  readonly separator: string;
  /** Characters as their codes; 0 for none. */
  readonly quote: number;
  readonly quoteEscape: number;
  readonly escapeOfEscape: number;
  readonly comment: number | undefined;
  readonly trimLeading: boolean;
  readonly trimTrailing: boolean;
  /** What a value without a character is. */
  readonly nullValue: string;
  /** What a quoted value without a character is. */
  readonly emptyValue: string;
  readonly maxColumns: number;
  /** -1: no limit. */
  readonly maxCharsPerColumn: number;
  readonly unescapedQuotes: UnescapedQuotes;
  /** One or two characters. */
  readonly lineSeparator: string;
  /** The code that a line's end is read as: a separator of one character that was given stays itself. */
  readonly newline: number;
  /** Whether a line's end inside quotes becomes `\n`. */
  readonly normalizeInQuotes: boolean;
}

export const UNESCAPED_QUOTES = ["STOP_AT_DELIMITER", "STOP_AT_CLOSING_QUOTE", "RAISE_ERROR"] as const;
export type UnescapedQuotes = (typeof UNESCAPED_QUOTES)[number];

const HASH = 35;
const BYTE_ORDER_MARK = 0xfeff;

/** Thrown where the text ends, so that each place keeps what it had. Not an Error: it is no failure and needs no stack. */
const END = Symbol("end of text");

export class CsvTokenizer {
  private text = "";
  private at = 0;
  private lines = 0;
  private recordStart = 0;
  /** More text may follow: what ends with it is not a record yet. */
  private partial = false;
  private over = false;
  private char = 0;
  private previous = 0;
  private sawUnescapedQuote = false;
  private normalize = true;
  private trim = false;
  private matched = 0;
  /** What a longer separator's beginning at the end of the record before leaves to the next one. */
  private before = { matched: 0, value: "" };
  private previousBefore = 0;
  private value = "";
  private values: string[] = [];

  private readonly delimiter: number;
  private readonly newline: number;
  private readonly manyDelimiters: readonly number[] | undefined;
  private readonly end1: number;
  private readonly end2: number;
  private readonly plain: RegExp;

  constructor(private readonly syntax: CsvSyntax) {
    const codes = [...syntax.separator].map((c) => c.charCodeAt(0));
    // A longer separator leaves the single one NUL, which is where some rests of values then end.
    this.delimiter = codes.length === 1 ? (codes[0] ?? 0) : 0;
    this.manyDelimiters = codes.length > 1 ? codes : undefined;
    this.newline = syntax.newline;
    this.end1 = syntax.lineSeparator.charCodeAt(0);
    this.end2 = syntax.lineSeparator.length > 1 ? syntax.lineSeparator.charCodeAt(1) : 0;
    const special = [syntax.quote, this.end1, this.newline];
    this.plain = new RegExp(`[${special.map((c) => `\\u${c.toString(16).padStart(4, "0")}`).join("")}]`);
  }

  /** The values of one line; null for a line that holds none, such as a comment. */
  line(text: string): string[] | null {
    if (text === "") return null;
    const { trimLeading, trimTrailing, comment, nullValue, emptyValue } = this.syntax;
    if (!this.manyDelimiters && comment === undefined && !trimLeading && !trimTrailing && !this.plain.test(text)) {
      const values = text.split(this.syntax.separator);
      if (nullValue !== "" || emptyValue !== "") {
        for (let i = 0; i < values.length; i++) if (values[i] === "") values[i] = nullValue;
      }
      this.checkWidth(values);
      return values;
    }
    this.start(text, false);
    const values = this.next(true);
    // univocity-parsers drops the rest and mixes the next lines with what its buffer held.
    if (values && this.at < text.length) {
      throw new MalformedRecordError(`there is an end of a line inside a record: ${JSON.stringify(text)}`, {
        remedy:
          'Leave out the option "lineSep", by which \\n inside a line ends no line; or add option("multiLine", true).',
      });
    }
    return values ?? null;
  }

  /** Begins with a text, or goes on with the rest of one and what follows it. */
  start(text: string, partial: boolean, first = false): void {
    this.text = text;
    this.partial = partial;
    this.over = false;
    this.at = first && text.charCodeAt(0) === BYTE_ORDER_MARK ? 1 : 0;
    this.recordStart = this.at;
  }

  /** The text that has not become records. */
  rest(): string {
    return this.text.slice(this.recordStart);
  }

  /** The text of the record that `next` gave last. */
  record(): string {
    return this.text.slice(this.recordStart, this.at).replace(/\r?\n$|\r$/, "");
  }

  /** The next record's values; undefined at the text's end: where it is partial, the record's beginning is in `rest`. */
  next(single = false): string[] | undefined {
    const { comment } = this.syntax;
    if (this.over) return undefined;
    try {
      for (;;) {
        this.recordStart = this.at;
        this.previousBefore = this.previous;
        if (this.manyDelimiters) this.before = { matched: this.matched, value: this.value };
        this.char = this.read();
        if (this.char === comment) {
          this.skipLine();
          if (single) return undefined;
          continue;
        }
        if (this.manyDelimiters) this.recordOfManyDelimiters(this.manyDelimiters);
        else this.recordOfOneDelimiter();
        if (this.values.length > 0) return this.taken();
        if (single && this.at >= this.text.length) return undefined;
      }
    } catch (reason) {
      if (reason !== END) throw reason;
      if (this.partial) {
        this.reset();
        return undefined;
      }
      this.over = true;
      return this.atEnd();
    }
  }

  private skipLine(): void {
    const { lines } = this;
    try {
      while (this.lines === lines) this.read();
    } catch (reason) {
      if (reason !== END || this.partial) throw reason;
    }
  }

  private taken(): string[] {
    const values = this.values;
    this.values = [];
    this.checkWidth(values);
    return values;
  }

  private reset(): void {
    this.values = [];
    this.value = this.before.value;
    this.matched = this.before.matched;
    this.previous = this.previousBefore;
    this.char = 0;
    this.normalize = true;
  }

  /** What the values so far and the open one are when the text ends. */
  private atEnd(): string[] | undefined {
    const { quote, comment } = this.syntax;
    let open = false;
    if (this.char === quote && this.previous === quote) {
      open = true;
    } else {
      if (this.char === quote && !this.sawUnescapedQuote) this.append(quote);
      open =
        this.previous !== 0 &&
        this.char !== this.delimiter &&
        this.char !== this.newline &&
        this.char !== (comment ?? HASH);
      this.char = this.previous = 0;
      if (this.matched > 0) {
        this.keepMatched();
        open = true;
      }
    }
    this.normalize = true;
    const hasText = this.at > this.recordStart;
    if (this.values.length > 0 || open) {
      if (this.value !== "" || open) this.pushValue();
      else if (hasText) this.pushNothing();
    } else if (this.value !== "") {
      this.pushValue();
    } else if (hasText) {
      this.pushNothing();
    }
    return this.values.length > 0 ? this.taken() : undefined;
  }

  private recordOfOneDelimiter(): void {
    const { quote, trimLeading, trimTrailing } = this.syntax;
    const { delimiter } = this;
    if (trimLeading) this.skipWhitespace();
    while (this.char !== this.newline) {
      if (trimLeading) this.skipWhitespace();
      if (this.char === delimiter || this.char === this.newline) {
        this.pushNothing();
      } else {
        this.sawUnescapedQuote = false;
        this.previous = 0;
        if (this.char === quote) {
          this.normalize = this.syntax.normalizeInQuotes;
          const simple = this.value === "" ? this.simpleQuoted() : undefined;
          if (simple !== undefined) {
            this.push(simple === "" ? this.syntax.emptyValue : simple);
            this.normalize = true;
            if (!this.afterSimpleQuoted()) return;
            continue;
          }
          this.trim = false;
          this.quoted(this.manyDelimiters);
          this.normalize = true;
          this.pushValue();
        } else {
          this.unquoted(trimTrailing);
        }
      }
      if (this.char !== this.newline) {
        this.char = this.read();
        if (this.char === this.newline) this.pushNothing();
      }
    }
  }

  private unquoted(trim: boolean): void {
    const { text, end1, end2, delimiter } = this;
    for (let i = this.at; ; i++) {
      const c = text.charCodeAt(i - 1);
      if (c !== delimiter) {
        // At the text's end the value stays open.
        if (i >= text.length) break;
        if (c !== end1 || (end2 !== 0 && text.charCodeAt(i) !== end2)) continue;
      }
      const whole = text.slice(this.at - 1, i - 1);
      const value = trim ? withoutEndBlanks(whole) : whole;
      this.push(value === "" ? this.syntax.nullValue : value);
      this.at = i - 1;
      this.char = this.read();
      return;
    }
    if (this.partial) throw END;
    this.trim = trim;
    this.appendUntil(delimiter, this.newline, this.newline);
    this.pushValue();
  }

  /** A quoted value without anything to resolve, followed by a delimiter or a line's end; undefined for any other. */
  private simpleQuoted(): string | undefined {
    const { quote, quoteEscape, escapeOfEscape } = this.syntax;
    const { text, delimiter } = this;
    const from = this.at;
    for (let i = from; i < text.length; i++) {
      const c = text.charCodeAt(i);
      if (c === quote) {
        if (text.charCodeAt(i - 1) === quoteEscape) return undefined;
        const following = text.charCodeAt(i + 1);
        if (following !== delimiter && following !== this.newline) return undefined;
        this.at = i + 1;
        return text.slice(from, i);
      }
      if (c === quoteEscape) {
        const following = text.charCodeAt(i + 1);
        if (following === quote || following === escapeOfEscape) return undefined;
      } else if (c === this.end1 && this.normalize && (this.end2 === 0 || text.charCodeAt(i + 1) === this.end2)) {
        return undefined;
      }
    }
    return undefined;
  }

  /** False where the record ends with the text. */
  private afterSimpleQuoted(): boolean {
    if (this.ended()) return false;
    this.char = this.read();
    if (this.char !== this.delimiter) return true;
    if (this.ended()) {
      this.pushNothing();
      return false;
    }
    this.char = this.read();
    if (this.char === this.newline) this.pushNothing();
    return true;
  }

  private ended(): boolean {
    if (this.at < this.text.length) return false;
    if (this.partial) throw END;
    return true;
  }

  /** A quoted value, from its quote; or, after a quote that nothing escaped, the rest of the value as it stands. */
  private quoted(many: readonly number[] | undefined): void {
    const { quote, quoteEscape, escapeOfEscape, unescapedQuotes, trimTrailing } = this.syntax;
    if (this.previous !== 0 && unescapedQuotes === "STOP_AT_DELIMITER") {
      this.value = String.fromCharCode(quote) + this.value;
      this.char = this.read();
      this.trim = trimTrailing;
      if (many) {
        this.appendUntilMany(many);
        this.afterClosingQuote(many);
      } else {
        this.appendUntil(this.delimiter, this.newline, this.newline);
      }
      return;
    }
    this.char = this.read();
    for (;;) {
      if (this.previous === quote) {
        if (isBlank(this.char) || this.char === this.newline || (!many && this.char === this.delimiter)) break;
        if (many && this.matchesMany(many)) return;
      }
      if (this.char !== quote && this.char !== quoteEscape) {
        if (this.previous === quote) {
          this.unescapedQuote();
          return;
        }
        if (this.previous === quoteEscape && quoteEscape !== 0) this.append(quoteEscape);
        this.appendUntil(quote, quoteEscape, escapeOfEscape);
        this.previous = this.char;
        this.char = this.read();
      } else {
        this.resolveEscape();
        this.previous = this.char;
        this.char = this.read();
        if (!this.sawUnescapedQuote) continue;
        if (this.char === this.newline || (many ? this.matchesMany(many) : this.char === this.delimiter)) return;
      }
    }
    this.afterClosingQuote(many);
    if (!many && this.char !== this.delimiter && this.char !== this.newline) {
      throw new MalformedRecordError(`there is text after a closing quote: ${this.record()}`);
    }
  }

  /** White space behind a closing quote is nothing; other text behind it makes the quote a part of the value. */
  private afterClosingQuote(many: readonly number[] | undefined): void {
    const { quote, quoteEscape, unescapedQuotes } = this.syntax;
    if (!isBlank(this.char) || this.char === this.newline) return;
    if (many ? this.matchesManyAfterQuote(many) : this.char === this.delimiter) return;
    let spaces = "";
    do {
      spaces += String.fromCharCode(this.char);
      this.char = this.read();
      if (this.char === this.newline) return;
      if (many && this.matchesManyAfterQuote(many)) return;
    } while (isBlank(this.char) && (many !== undefined || this.char !== this.delimiter));
    if (!many && this.char === this.delimiter) return;
    if (unescapedQuotes === "RAISE_ERROR") return;
    this.value += String.fromCharCode(quote) + spaces;
    if (unescapedQuotes === "STOP_AT_DELIMITER" || (this.char !== quote && this.char !== quoteEscape))
      this.append(this.char);
    this.previous = this.char;
    this.quoted(undefined);
  }

  private unescapedQuote(): void {
    this.sawUnescapedQuote = true;
    if (this.syntax.unescapedQuotes === "RAISE_ERROR") {
      throw new MalformedRecordError(`a quote inside a quoted value is not escaped: ${this.record()}`);
    }
    this.append(this.syntax.quote);
    this.append(this.char);
    this.previous = this.char;
    this.quoted(this.manyDelimiters);
  }

  private resolveEscape(): void {
    const { quote, quoteEscape, escapeOfEscape, unescapedQuotes } = this.syntax;
    if (this.char === quoteEscape && this.previous === escapeOfEscape && escapeOfEscape !== 0) {
      this.append(quoteEscape);
      this.char = 0;
    } else if (this.previous === quoteEscape) {
      if (this.char === quote) {
        this.append(quote);
        this.char = 0;
      } else {
        this.append(this.previous);
      }
    } else if (this.char === quote && this.previous === quote) {
      this.append(quote);
    } else if (this.previous === quote) {
      if (unescapedQuotes === "RAISE_ERROR") {
        throw new MalformedRecordError(`a quote inside a value is not escaped: ${this.record()}`);
      }
      this.append(quote);
      this.previous = this.char;
      this.unquotedWithEscapes();
    }
  }

  private unquotedWithEscapes(): void {
    const { quote, quoteEscape } = this.syntax;
    while (this.char !== this.delimiter && this.char !== this.newline) {
      if (this.char !== quote && this.char !== quoteEscape) {
        if (this.previous === quote) {
          this.append(quote);
          this.previous = this.char;
          this.unquotedWithEscapes();
          return;
        }
        this.append(this.char);
      } else {
        this.resolveEscape();
      }
      this.previous = this.char;
      this.char = this.read();
    }
  }

  private recordOfManyDelimiters(many: readonly number[]): void {
    const { quote, trimLeading, trimTrailing, normalizeInQuotes } = this.syntax;
    if (trimLeading) this.skipWhitespaceMany(many);
    while (this.char !== this.newline) {
      if (trimLeading) this.skipWhitespaceMany(many);
      if (this.char === this.newline || this.matchesMany(many)) {
        this.pushNothing();
      } else {
        this.sawUnescapedQuote = false;
        this.previous = 0;
        if (this.char === quote && this.value === "") {
          this.normalize = normalizeInQuotes;
          this.trim = false;
          this.quoted(this.manyDelimiters);
          this.normalize = true;
        } else {
          this.appendUntilMany(many);
          if (trimTrailing) this.value = withoutEndBlanks(this.value);
        }
        this.pushValue();
      }
      if (this.char !== this.newline) {
        this.char = this.read();
        if (this.char === this.newline) this.pushNothing();
      }
    }
  }

  private skipWhitespaceMany(many: readonly number[]): void {
    const { quote } = this.syntax;
    if (!isBlank(this.char)) return;
    while (isBlank(this.char) && this.matched < many.length && this.char !== this.newline && this.char !== quote) {
      this.char = this.read();
      if (many[this.matched] === this.char && this.matchesMany(many)) {
        this.pushNothing();
        this.char = this.read();
      }
    }
    this.keepMatched();
  }

  private matchesMany(many: readonly number[]): boolean {
    if (this.matchesManyAfterQuote(many)) return true;
    this.keepMatched();
    return false;
  }

  private matchesManyAfterQuote(many: readonly number[]): boolean {
    while (this.char === many[this.matched]) {
      this.matched++;
      if (this.matched === many.length) break;
      this.char = this.read();
    }
    if (this.matched !== many.length) return false;
    this.matched = 0;
    return true;
  }

  /** The beginning of a separator that was none is a part of the value. */
  private keepMatched(): void {
    const many = this.manyDelimiters ?? [];
    if (this.matched > 0 && this.matched < many.length) {
      this.value += String.fromCharCode(...many.slice(0, this.matched));
    }
    this.matched = 0;
  }

  private appendUntilMany(many: readonly number[]): void {
    while (this.matched < many.length && this.char !== this.newline) {
      if (many[this.matched] === this.char) {
        this.matched++;
        if (this.matched === many.length) break;
      } else {
        if (this.matched > 0) {
          this.keepMatched();
          continue;
        }
        this.append(this.char);
      }
      this.char = this.read();
    }
    this.keepMatched();
  }

  private skipWhitespace(): void {
    const { delimiter } = this;
    const { quote } = this.syntax;
    while (isBlank(this.char) && this.char !== delimiter && this.char !== this.newline && this.char !== quote) {
      this.char = this.read();
    }
  }

  private append(code: number): void {
    this.value += String.fromCharCode(code);
  }

  /** Takes characters into the value until one of three; what was taken stays where the text ends before. */
  private appendUntil(stop1: number, stop2: number, stop3: number): void {
    const { text } = this;
    let c = this.char;
    while (c !== stop1 && c !== stop2 && c !== stop3) {
      if (c === this.newline) {
        this.value += String.fromCharCode(c);
      } else {
        const from = this.at - 1;
        let to = this.at;
        for (; to < text.length; to++) {
          const x = text.charCodeAt(to);
          if (x === stop1 || x === stop2 || x === stop3 || x === this.end1 || x === this.newline) break;
        }
        this.value += text.slice(from, to);
        this.at = to;
      }
      c = this.read();
    }
    this.char = c;
  }

  private read(): number {
    if (this.at >= this.text.length) throw END;
    const c = this.text.charCodeAt(this.at++);
    if (c !== this.end1) return c;
    if (this.end2 !== 0) {
      if (this.partial && this.at >= this.text.length) throw END;
      if (this.text.charCodeAt(this.at) !== this.end2) return c;
    }
    this.lines++;
    if (!this.normalize) return c;
    if (this.end2 !== 0) this.at++;
    return this.newline;
  }

  private pushNothing(): void {
    this.push(this.syntax.nullValue);
  }

  private pushValue(): void {
    const text = this.trim ? withoutEndBlanks(this.value) : this.value;
    this.value = "";
    this.push(text === "" ? this.syntax.emptyValue : text);
  }

  private push(value: string): void {
    this.values.push(value);
  }

  private checkWidth(values: readonly string[]): void {
    const { maxColumns, maxCharsPerColumn } = this.syntax;
    if (values.length > maxColumns) {
      throw new MalformedRecordError(`a record has more than ${maxColumns} values`, {
        remedy: 'Raise the option "maxColumns", or check "sep" and "quote".',
      });
    }
    if (maxCharsPerColumn >= 0 && values.some((value) => value.length > maxCharsPerColumn)) {
      throw new MalformedRecordError(`a value has more than ${maxCharsPerColumn} characters`, {
        remedy: 'Raise the option "maxCharsPerColumn", or check "quote".',
      });
    }
  }
}
