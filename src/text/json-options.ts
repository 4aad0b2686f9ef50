import { IllegalArgumentError } from "../errors";
import { decoder, isByteEncoding } from "./chunks";
import type { JsonSyntax } from "./json-parser";
import {
  flag,
  lineSeparator,
  type Options,
  PARSE_MODES,
  type ParseMode,
  refuseOtherLocales,
  samplingRatio,
  word,
} from "./option-values";
import { type TimeReading, timeReading } from "./time-options";

/** How JSON is read: Spark's options with their defaults. */
export interface JsonReading {
  readonly syntax: JsonSyntax;
  /** A file is one value, or an array of them; else a line is. */
  readonly multiLine: boolean;
  readonly lineSep: string | undefined;
  readonly encoding: string;
  /** Whether the user said it. */
  readonly isEncodingTold: boolean;
  readonly mode: ParseMode;
  readonly corruptColumn: string;
  readonly samplingRatio: number;
  readonly primitivesAsString: boolean;
  readonly prefersDecimal: boolean;
  readonly inferTimestamp: boolean;
  readonly dropFieldIfAllNull: boolean;
  readonly times: TimeReading;
}

/** @throws IllegalArgumentError for a value that an option can't have */
export function jsonReading(options: Options): JsonReading {
  refuseOtherLocales(options);
  const multiLine = flag(options, "multiLine");
  const encoding = options.encoding ?? (multiLine ? "detected" : "UTF-8");
  decoder(encoding);
  const lineSep = lineSeparator(options, Number.POSITIVE_INFINITY);
  if (/^utf-16$/i.test(encoding) && !multiLine) {
    throw new IllegalArgumentError("JSON in UTF-16 is not read by lines, as in Spark: each line would need a mark.", {
      remedy: 'Say UTF-16LE or UTF-16BE; or, for one value a file, option("multiLine", true).',
    });
  }
  if (!isByteEncoding(encoding) && !multiLine && lineSep === undefined) {
    throw new IllegalArgumentError(`JSON in ${encoding} can't be read by lines without the option "lineSep".`, {
      remedy: 'Say what ends a line: option("lineSep", "\\n"); or, for one value a file, option("multiLine", true).',
    });
  }
  return {
    syntax: {
      comments: flag(options, "allowComments"),
      unquotedNames: flag(options, "allowUnquotedFieldNames"),
      singleQuotes: flag(options, "allowSingleQuotes", true),
      leadingZeros: flag(options, "allowNumericLeadingZeros"),
      anyEscape: flag(options, "allowBackslashEscapingAnyCharacter"),
      controlCharacters: flag(options, "allowUnquotedControlChars"),
      nonNumericNumbers: flag(options, "allowNonNumericNumbers", true),
    },
    multiLine,
    lineSep,
    encoding,
    isEncodingTold: options.encoding !== undefined,
    mode: word(options, "mode", PARSE_MODES, "PERMISSIVE"),
    corruptColumn: options.columnNameOfCorruptRecord ?? "_corrupt_record",
    samplingRatio: samplingRatio(options),
    primitivesAsString: flag(options, "primitivesAsString"),
    prefersDecimal: flag(options, "prefersDecimal"),
    inferTimestamp: flag(options, "inferTimestamp"),
    dropFieldIfAllNull: flag(options, "dropFieldIfAllNull"),
    times: timeReading(options, false),
  };
}
