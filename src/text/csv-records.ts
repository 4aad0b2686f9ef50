import { lineGroups, type TextDecoding, type TextFile, textChunks } from "./chunks";
import type { CsvReading } from "./csv-options";
import { CsvTokenizer } from "./csv-tokenizer";
import { javaTrim } from "./values";

/** Some records of a file: their values, or null for a record without any, and their texts. */
export interface CsvRecords {
  readonly values: readonly (string[] | null)[];
  /** As the file has them. Of records over several lines only where asked for. */
  readonly texts: readonly string[];
}

/** Characters read before a record that does not end is tried again; it doubles with each try. */
const FIRST_PIECE = 1 << 16;

export interface CsvRecordsOptions {
  readonly signal?: AbortSignal | undefined;
  readonly withTexts: boolean;
  /** While Spark looks for columns, a line of tabs is a record and an indented comment too; while it reads, neither is. @default false */
  readonly forSchema?: boolean;
}

/** The records of a file with its header, many at a time, without blank lines and comments. */
export function csvRecords(
  file: TextFile,
  reading: CsvReading,
  options: CsvRecordsOptions,
): AsyncGenerator<CsvRecords> {
  const decode = { encoding: reading.encoding, keepMark: keepsMark(reading), signal: options.signal };
  return reading.multiLine
    ? recordsOverLines(file, reading, decode, options.withTexts)
    : recordsOfLines(file, reading, decode, options.forSchema ?? false);
}

/** Where Java leaves the byte-order mark to the parser, which skips it, but makes a value of NUL where nothing follows. */
function keepsMark({ encoding, multiLine }: CsvReading): boolean {
  return /^utf-16[lb]e$/i.test(encoding) || (multiLine && /^utf-8$/i.test(encoding));
}

const MARK = "\ufeff";
const NOTHING_BEHIND_MARK: CsvRecords = { values: [["\0"]], texts: [MARK] };

async function* recordsOfLines(
  file: TextFile,
  reading: CsvReading,
  decode: TextDecoding,
  forSchema: boolean,
): AsyncGenerator<CsvRecords> {
  const tokenizer = new CsvTokenizer(reading.syntax);
  const { comment } = reading.syntax;
  let beforeHeader = reading.header && !forSchema;
  let isFirst = decode.keepMark ?? false;
  for await (const lines of lineGroups(file, { ...decode, lineSep: reading.lineSep })) {
    if (isFirst && lines[0]?.startsWith(MARK)) {
      if (lines[0] === MARK) yield NOTHING_BEHIND_MARK;
      lines[0] = lines[0].slice(MARK.length);
    }
    isFirst = false;
    const values: (string[] | null)[] = [];
    const texts: string[] = [];
    for (const line of lines) {
      const trimmed = line === "" ? "" : forSchema ? line.replace(/^ +$/, "") : javaTrim(line);
      if (trimmed === "") continue;
      // A comment before the header may be indented, one behind it may not.
      if (comment !== undefined && (beforeHeader ? trimmed : line).charCodeAt(0) === comment) continue;
      beforeHeader = false;
      values.push(tokenizer.line(line));
      texts.push(line);
    }
    yield { values, texts };
  }
}

async function* recordsOverLines(
  file: TextFile,
  reading: CsvReading,
  decode: TextDecoding,
  withTexts: boolean,
): AsyncGenerator<CsvRecords> {
  let tokenizer: CsvTokenizer | undefined;
  let pending = "";
  let wanted = FIRST_PIECE;
  const take = (text: string, partial: boolean): CsvRecords => {
    const first = tokenizer === undefined;
    if (first && text === MARK && !partial) {
      pending = "";
      return NOTHING_BEHIND_MARK;
    }
    tokenizer ??= new CsvTokenizer(syntaxFor(text, reading));
    tokenizer.start(text, partial, first);
    const values: string[][] = [];
    const texts: string[] = [];
    for (let record = tokenizer.next(); record; record = tokenizer.next()) {
      values.push(record);
      if (withTexts) texts.push(tokenizer.record());
    }
    pending = partial ? tokenizer.rest() : "";
    wanted = values.length > 0 ? FIRST_PIECE : wanted * 2;
    return { values, texts };
  };
  for await (const chunk of textChunks(file, decode)) {
    pending += chunk;
    if (pending.length >= wanted) yield take(pending, true);
  }
  if (pending !== "") yield take(pending, false);
}

/** Over lines the first line's end is every line's; what looks like another one is text. */
function syntaxFor(text: string, reading: CsvReading): CsvReading["syntax"] {
  if (reading.lineSep !== undefined) return reading.syntax;
  return { ...reading.syntax, lineSeparator: /\r\n|\r|\n/.exec(text)?.[0] ?? "\n" };
}
