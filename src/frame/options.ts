import { IllegalArgumentError, nearest } from "../errors";
import type { ReadFormat } from "./plan";
import { SAVE_MODES, type SaveMode, type Sink } from "./runtime";

/** A value of an option; it is kept as text. */
export type OptionValue = string | number | boolean;

/** The options that choose files, of every format. */
const FILE_OPTIONS = [
  "pathGlobFilter",
  "recursiveFileLookup",
  "basePath",
  "modifiedBefore",
  "modifiedAfter",
  "ignoreCorruptFiles",
  "ignoreMissingFiles",
] as const;

/** The options each format reads, in Spark's spelling. */
export const READ_OPTIONS = {
  binaryFile: FILE_OPTIONS,
  image: [...FILE_OPTIONS, "dropInvalid"],
  parquet: [...FILE_OPTIONS, "mergeSchema"],
  csv: [
    ...FILE_OPTIONS,
    "sep",
    "encoding",
    "quote",
    "escape",
    "charToEscapeQuoteEscaping",
    "unescapedQuoteHandling",
    "comment",
    "header",
    "inferSchema",
    "samplingRatio",
    "preferDate",
    "enforceSchema",
    "ignoreLeadingWhiteSpace",
    "ignoreTrailingWhiteSpace",
    "nullValue",
    "emptyValue",
    "nanValue",
    "positiveInf",
    "negativeInf",
    "dateFormat",
    "timestampFormat",
    "timestampNTZFormat",
    "enableDateTimeParsingFallback",
    "timeZone",
    "locale",
    "maxColumns",
    "maxCharsPerColumn",
    "mode",
    "columnNameOfCorruptRecord",
    "multiLine",
    "lineSep",
  ],
  json: [
    ...FILE_OPTIONS,
    "multiLine",
    "lineSep",
    "encoding",
    "mode",
    "columnNameOfCorruptRecord",
    "samplingRatio",
    "primitivesAsString",
    "prefersDecimal",
    "inferTimestamp",
    "dropFieldIfAllNull",
    "allowComments",
    "allowUnquotedFieldNames",
    "allowSingleQuotes",
    "allowNumericLeadingZeros",
    "allowBackslashEscapingAnyCharacter",
    "allowUnquotedControlChars",
    "allowNonNumericNumbers",
    "dateFormat",
    "timestampFormat",
    "timestampNTZFormat",
    "enableDateTimeParsingFallback",
    "timeZone",
    "locale",
  ],
  text: [...FILE_OPTIONS, "wholetext", "lineSep"],
} as const satisfies Record<ReadFormat | "image", readonly string[]>;

/** The options each format writes with, in Spark's spelling. */
export const WRITE_OPTIONS = {
  parquet: ["compression"],
  csv: [
    "sep",
    "encoding",
    "quote",
    "quoteAll",
    "escape",
    "escapeQuotes",
    "charToEscapeQuoteEscaping",
    "comment",
    "header",
    "nullValue",
    "emptyValue",
    "ignoreLeadingWhiteSpace",
    "ignoreTrailingWhiteSpace",
    "dateFormat",
    "timestampFormat",
    "timestampNTZFormat",
    "timeZone",
    "locale",
    "lineSep",
    "compression",
  ],
  json: [
    "encoding",
    "lineSep",
    "compression",
    "ignoreNullFields",
    "writeNonAsciiCharacterAsCodePoint",
    "dateFormat",
    "timestampFormat",
    "timestampNTZFormat",
    "timeZone",
    "locale",
  ],
  text: ["lineSep", "compression"],
} as const satisfies Record<Sink["format"], readonly string[]>;

/** The options of some format, so that an editor completes them. */
export type ReadOption = (typeof READ_OPTIONS)[keyof typeof READ_OPTIONS][number];
export type WriteOption = (typeof WRITE_OPTIONS)[Sink["format"]][number];

/** Names Spark has for the same option. */
const SYNONYMS: Readonly<Record<string, string>> = { delimiter: "sep", charset: "encoding", codec: "compression" };

/** Options that Spark has and that mean nothing here or are not done, with the reason. */
const NOT_HERE: Readonly<Record<string, string>> = {
  datetimerebasemode: "Dates before 1582 are read as they stand, in the Gregorian calendar.",
  int96rebasemode: "Timestamps before 1582 are read as they stand, in the Gregorian calendar.",
  singlevariantcolumn: "There is no type variant. Read the columns, or the lines with format text.",
  extension: "A file's ending says its format and its compression.",
  inputbuffersize: "Files are read in pieces whose size makes no difference.",
  columnpruning: "All columns of a record are read, whatever is asked of it.",
};

/** A format to read, as written by the user. @throws IllegalArgumentError naming the nearest. */
export function readFormat(name: string): ReadFormat | "image" {
  return oneOf("format", name, Object.keys(READ_OPTIONS) as (ReadFormat | "image")[]);
}

/** A format to write. @throws IllegalArgumentError naming the nearest. */
export function writeFormat(name: string): Sink["format"] {
  return oneOf("format", name, Object.keys(WRITE_OPTIONS) as Sink["format"][]);
}

/** A save mode; Spark's `error` and `default` are `errorifexists`. @throws IllegalArgumentError naming the nearest. */
export function saveMode(name: string): SaveMode {
  const lower = name.toLowerCase();
  return lower === "error" || lower === "default" ? "errorifexists" : oneOf("mode", name, SAVE_MODES);
}

/**
 * Options in Spark's spelling, as text. Case does not matter, as in Spark.
 * @throws IllegalArgumentError for one that the format does not have, naming the nearest.
 */
export function checkedOptions(
  format: string,
  known: readonly string[],
  given: ReadonlyMap<string, OptionValue>,
): Record<string, string> {
  const options: Record<string, string> = {};
  for (const [name, value] of given) {
    const lower = name.toLowerCase();
    if (lower in NOT_HERE && !known.some((option) => option.toLowerCase() === lower)) {
      throw new IllegalArgumentError(`Spark's option ${JSON.stringify(name)} is not there for format ${format}.`, {
        remedy: `Leave it out. ${NOT_HERE[lower]}`,
      });
    }
    options[oneOf(`option of format ${format}`, SYNONYMS[lower] ?? name, known)] = String(value);
  }
  return options;
}

function oneOf<T extends string>(what: string, name: string, known: readonly T[]): T {
  const found = known.find((candidate) => candidate.toLowerCase() === name.toLowerCase());
  if (found !== undefined) return found;
  const near = nearest(name, known);
  const meant = near.length > 0 ? `Did you mean ${near.map((n) => JSON.stringify(n)).join(", ")}? ` : "";
  throw new IllegalArgumentError(`Unknown ${what}: ${JSON.stringify(name)}.`, {
    remedy: `${meant}Known: ${known.join(", ")}.`,
  });
}
