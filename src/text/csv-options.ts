import { IllegalArgumentError } from "../errors";
import { decoder, isByteEncoding } from "./chunks";
import { type CsvSyntax, UNESCAPED_QUOTES } from "./csv-tokenizer";
import {
  character,
  flag,
  lineSeparator,
  type Options,
  PARSE_MODES,
  type ParseMode,
  refuseOtherLocales,
  samplingRatio,
  whole,
  word,
  wrong,
} from "./option-values";
import { type TimeReading, timeReading } from "./time-options";

/** How CSV is read: Spark's options with their defaults. */
export interface CsvReading {
  readonly syntax: CsvSyntax;
  readonly header: boolean;
  readonly multiLine: boolean;
  /** Between lines, where one is given. */
  readonly lineSep: string | undefined;
  readonly encoding: string;
  readonly mode: ParseMode;
  readonly corruptColumn: string;
  readonly inferSchema: boolean;
  readonly samplingRatio: number;
  readonly enforceSchema: boolean;
  readonly preferDate: boolean;
  readonly nanValue: string;
  readonly positiveInf: string;
  readonly negativeInf: string;
  readonly times: TimeReading;
}

/** @throws IllegalArgumentError for a value that an option can't have */
export function csvReading(options: Options): CsvReading {
  refuseOtherLocales(options);
  const encoding = options.encoding ?? "UTF-8";
  decoder(encoding);
  const multiLine = flag(options, "multiLine");
  const lineSep = lineSeparator(options, 2);
  if (!isByteEncoding(encoding) && !multiLine && lineSep === undefined) {
    throw new IllegalArgumentError(`CSV in ${encoding} can't be read by lines: their ends are more than a byte.`, {
      remedy: 'Add option("multiLine", true).',
    });
  }
  const preferDate = flag(options, "preferDate", true);
  return {
    syntax: csvSyntax(options, multiLine, lineSep),
    header: flag(options, "header"),
    multiLine,
    lineSep,
    encoding,
    mode: word(options, "mode", PARSE_MODES, "PERMISSIVE"),
    corruptColumn: options.columnNameOfCorruptRecord ?? "_corrupt_record",
    inferSchema: flag(options, "inferSchema"),
    samplingRatio: samplingRatio(options),
    enforceSchema: flag(options, "enforceSchema", true),
    preferDate,
    nanValue: options.nanValue ?? "NaN",
    positiveInf: options.positiveInf ?? "Inf",
    negativeInf: options.negativeInf ?? "-Inf",
    times: timeReading(options, preferDate),
  };
}

function csvSyntax(options: Options, multiLine: boolean, lineSep: string | undefined): CsvSyntax {
  const quote = character(options, "quote", '"');
  const quoteEscape = character(options, "escape", "\\");
  const ofEscape = options.charToEscapeQuoteEscaping;
  return {
    separator: separatorOption(options),
    quote,
    quoteEscape,
    escapeOfEscape: ofEscape
      ? character(options, "charToEscapeQuoteEscaping", "")
      : quote === quoteEscape
        ? 0
        : quoteEscape,
    comment: character(options, "comment", "") || undefined,
    trimLeading: flag(options, "ignoreLeadingWhiteSpace"),
    trimTrailing: flag(options, "ignoreTrailingWhiteSpace"),
    nullValue: options.nullValue ?? "",
    emptyValue: options.emptyValue ?? "",
    maxColumns: whole(options, "maxColumns", 20480),
    maxCharsPerColumn: whole(options, "maxCharsPerColumn", -1),
    unescapedQuotes: unescapedQuotes(options),
    lineSeparator: lineSep ?? "\n",
    newline: (lineSep?.length === 1 ? lineSep : "\n").charCodeAt(0),
    normalizeInQuotes: lineSep === undefined || !multiLine,
  };
}

function unescapedQuotes(options: Options): CsvSyntax["unescapedQuotes"] {
  const given = options.unescapedQuoteHandling?.toUpperCase();
  if (given === "BACK_TO_DELIMITER" || given === "SKIP_VALUE") {
    throw new IllegalArgumentError(`Option "unescapedQuoteHandling" ${given} is not read here.`, {
      remedy: `Use one of ${UNESCAPED_QUOTES.join(", ")}.`,
    });
  }
  return word(options, "unescapedQuoteHandling", UNESCAPED_QUOTES, "STOP_AT_DELIMITER");
}

const ESCAPES: Readonly<Record<string, string>> = {
  t: "\t",
  r: "\r",
  b: "\b",
  f: "\f",
  '"': '"',
  "'": "'",
  "\\": "\\",
};

/** The separator, with its escapes resolved: `\t` is a tab. @throws IllegalArgumentError */
export function separatorOption(options: Options): string {
  const text = options.sep ?? ",";
  if (text === "\\u0000") return "\0";
  if (text === "") throw wrong("sep", "at least one character", text);
  return text.replace(/\\([\s\S]?)/g, (_whole, escaped: string) => {
    const meant = ESCAPES[escaped];
    if (meant === undefined) throw wrong("sep", "without a lone backslash; a tab is \\t, a backslash \\\\", text);
    return meant;
  });
}
