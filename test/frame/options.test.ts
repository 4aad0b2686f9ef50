import { expect, test } from "vitest";
import { checkedOptions, READ_OPTIONS, WRITE_OPTIONS } from "../../src/frame/options";

const FILES =
  "pathGlobFilter recursiveFileLookup modifiedBefore modifiedAfter ignoreCorruptFiles ignoreMissingFiles basePath";
const TIMES = "timeZone dateFormat timestampFormat timestampNTZFormat locale";

/** What Spark's pages on its data sources list for each format. */
const READ: Readonly<Record<keyof typeof READ_OPTIONS & string, string>> = {
  binaryFile: FILES,
  image: `${FILES} dropInvalid`,
  parquet: `${FILES} datetimeRebaseMode int96RebaseMode mergeSchema`,
  csv: `${FILES} ${TIMES} sep delimiter encoding charset quote escape comment header inferSchema preferDate enforceSchema
    ignoreLeadingWhiteSpace ignoreTrailingWhiteSpace nullValue nanValue positiveInf negativeInf enableDateTimeParsingFallback
    maxColumns maxCharsPerColumn mode columnNameOfCorruptRecord multiLine charToEscapeQuoteEscaping samplingRatio emptyValue
    lineSep unescapedQuoteHandling singleVariantColumn inputBufferSize columnPruning`,
  json: `${FILES} ${TIMES} primitivesAsString prefersDecimal allowComments allowUnquotedFieldNames allowSingleQuotes
    allowNumericLeadingZeros allowBackslashEscapingAnyCharacter mode columnNameOfCorruptRecord enableDateTimeParsingFallback
    multiLine allowUnquotedControlChars encoding charset lineSep samplingRatio dropFieldIfAllNull allowNonNumericNumbers
    inferTimestamp singleVariantColumn`,
  text: `${FILES} wholetext lineSep`,
};

const WRITE: Readonly<Record<keyof typeof WRITE_OPTIONS & string, string>> = {
  parquet: "compression codec",
  csv: `${TIMES} sep delimiter encoding charset quote quoteAll escape escapeQuotes header ignoreLeadingWhiteSpace
    ignoreTrailingWhiteSpace nullValue emptyValue charToEscapeQuoteEscaping lineSep compression codec extension`,
  json: `${TIMES} encoding charset lineSep compression codec ignoreNullFields writeNonAsciiCharacterAsCodePoint`,
  text: "compression codec lineSep",
};

const REFUSED = [
  "datetimeRebaseMode",
  "int96RebaseMode",
  "singleVariantColumn",
  "extension",
  "inputBufferSize",
  "columnPruning",
];

test("knows every option that Spark documents, or refuses it by name and says why", () => {
  for (const [documented, table] of [
    [READ, READ_OPTIONS],
    [WRITE, WRITE_OPTIONS],
  ] as const) {
    for (const [format, names] of Object.entries(documented)) {
      const known = (table as Readonly<Record<string, readonly string[]>>)[format] ?? [];
      for (const name of names.split(/\s+/)) {
        const check = () => checkedOptions(format, known, new Map([[name, "x"]]));
        if (REFUSED.includes(name)) expect(check, `${format} ${name}`).toThrow(/Spark's option .* is not there/);
        else expect(Object.keys(check()), `${format} ${name}`).toHaveLength(1);
      }
    }
  }
});

test("refuses an option that no format has, naming the nearest", () => {
  const misspelt = new Map([["headr", "true"]]);
  expect(() => checkedOptions("csv", READ_OPTIONS.csv, misspelt)).toThrow(/Did you mean "header"/);
});
