import { AnalysisError } from "../analysis-error";

/** A pattern of Java's for dates, for reading and for writing in DuckDB. */
export interface JavaDatePattern {
  /** The regular expression of the texts that it reads: Java takes as many digits as there are letters. */
  readonly matches: string;
  /** For `strptime` and `strftime`. */
  readonly format: string;
}

/** Spark's letters, the digits or words that they read, and C's form of them. */
const LETTERS: Readonly<Record<string, readonly [matches: string, format: string]>> = {
  yyyy: ["[0-9]{4}", "%Y"],
  yy: ["[0-9]{2}", "%y"],
  MM: ["[0-9]{2}", "%m"],
  M: ["[0-9]{1,2}", "%-m"],
  MMM: ["[A-Z][a-z]{2}", "%b"],
  MMMM: ["[A-Z][a-z]+", "%B"],
  dd: ["[0-9]{2}", "%d"],
  d: ["[0-9]{1,2}", "%-d"],
  HH: ["[0-9]{2}", "%H"],
  H: ["[0-9]{1,2}", "%-H"],
  hh: ["[0-9]{2}", "%I"],
  mm: ["[0-9]{2}", "%M"],
  ss: ["[0-9]{2}", "%S"],
  SSS: ["[0-9]{3}", "%g"],
  a: ["AM|PM", "%p"],
  E: ["[A-Z][a-z]{2}", "%a"],
  EEE: ["[A-Z][a-z]{2}", "%a"],
  EEEE: ["[A-Z][a-z]+", "%A"],
};

/**
 * Reads a pattern as Spark does.
 * @throws AnalysisError for letters that are not known here
 * @see https://spark.apache.org/docs/latest/sql-ref-datetime-pattern.html
 */
export function javaDatePattern(pattern: string): JavaDatePattern {
  let matches = "";
  let format = "";
  for (const [token] of pattern.matchAll(/'(?:[^']|'')*'|([A-Za-z])\1*|[\s\S]/g)) {
    const known = LETTERS[token];
    if (known) {
      matches += `(?:${known[0]})`;
      format += known[1];
    } else if (/^[A-Za-z[\]{}#]/.test(token)) {
      throw new AnalysisError(
        `[UNSUPPORTED_DATETIME_PATTERN] ${token} in the pattern ${JSON.stringify(pattern)} is not supported by the embedded engine.`,
        { remedy: `It knows ${Object.keys(LETTERS).join(", ")}, and text in single quotes.` },
      );
    } else {
      const text = token === "''" ? "'" : token.length > 1 ? token.slice(1, -1).replaceAll("''", "'") : token;
      matches += text.replace(/[\\^$.|?*+()[\]{}]/g, "\\$&");
      format += text.replaceAll("%", "%%");
    }
  }
  return { matches, format };
}
