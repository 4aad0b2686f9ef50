import { arrayType } from "../../data/types";
import { AnalysisError } from "../analysis-error";
import { type Column, literal } from "../column";
import { type Argument, constantOf, define, defineMacro, ELEMENT, takes } from "../function-entry";
import { type ColumnOrName, call, named } from "./call";
import { type JavaPattern, javaPattern } from "./java-pattern";

/** Text compared with patterns. Regular expressions are Java's, read by {@link javaPattern}. */

define(
  "rlike",
  takes(["string", "string"], "boolean"),
  (s, pattern) => `regexp_matches(${s}, ${re2(anywhere(pattern))})`,
  {
    text: (s, pattern) => `RLIKE(${s}, ${pattern})`,
  },
);
define(
  "like",
  takes(["string", "string"], "boolean"),
  (s, pattern) => `(${s} LIKE ${likePattern(pattern)} ESCAPE '\\')`,
  {
    text: (s, pattern) => `${s} LIKE ${pattern}`,
  },
);
define(
  "ilike",
  takes(["string", "string"], "boolean"),
  (s, pattern) => `(spark_lower(${s}) LIKE spark_lower(${likePattern(pattern)}) ESCAPE '\\')`,
  {
    text: (s, pattern) => `ilike(${s}, ${pattern})`,
  },
);
define("startswith", takes(["string", "string"], "boolean"), (s, part) => `starts_with(${s}, ${part})`);
define("endswith", takes(["string", "string"], "boolean"), (s, part) => `ends_with(${s}, ${part})`);
define("contains", takes(["string", "string"], "boolean"), (s, part) => `contains(${s}, ${part})`);

/**
 * Splits text around matches of a regular expression.
 * @param limit at most this many parts, the last one holding the rest. @default -1: as many as there are
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.split.html
 */
export function split(column: ColumnOrName, pattern: string, limit = -1): Column<string, string[]> {
  return call("split", named(column), literal(pattern), literal(limit));
}
define("split", takes(["string", "string", "integer"], arrayType("string", false)), (s, pattern, limit) => {
  const most = Number(constantOf(limit, "limit"));
  const java = patternOf(pattern);
  if (pattern.constant === "") return most > 0 ? `spark_characters_limit(${s}, ${most})` : `spark_characters(${s})`;
  if (java.isPlace && /^[|()?:]*$/.test(java.re2)) return splitEverywhere(s, most);
  if (java.matchesEmpty) throw emptyMatch(pattern, "split");
  return most > 0 ? `spark_split_limit(${s}, ${re2(java)}, ${most})` : `string_split_regex(${s}, ${re2(java)})`;
});
defineMacro("spark_characters", "s", "CASE WHEN s = '' THEN [''] ELSE string_split(s, '') END");
defineMacro(
  "spark_characters_limit",
  "s, n",
  "CASE WHEN s IS NULL THEN NULL WHEN length(s) <= n THEN spark_characters(s) ELSE list_append(string_split(s, '')[1:n - 1], substring(s, n)) END",
);
// At most n parts: the last one is what is left after n - 1 parts and the separators behind them.
defineMacro(
  "spark_split_limit",
  "s, p, n",
  `CASE WHEN s IS NULL THEN NULL WHEN len(string_split_regex(s, p)) <= n THEN string_split_regex(s, p)
    ELSE list_append(string_split_regex(s, p)[1:n - 1], substring(s, CAST(1
      + coalesce(list_sum(list_transform(string_split_regex(s, p)[1:n - 1], lambda ${ELEMENT}: length(${ELEMENT}))), 0)
      + coalesce(list_sum(list_transform(regexp_extract_all(s, p)[1:n - 1], lambda ${ELEMENT}: length(${ELEMENT}))), 0) AS BIGINT))) END`,
);

/** A pattern that finds nothing between any two characters: Java splits there, and behind the last character too. */
function splitEverywhere(s: Argument, most: number): string {
  const all = `CASE WHEN ${s} IS NULL THEN NULL WHEN ${s} = '' THEN [''] ELSE list_append(string_split(${s}, ''), '') END`;
  if (most <= 0) return all;
  return `CASE WHEN ${s} IS NULL THEN NULL WHEN length(${s}) + 1 <= ${most} THEN ${all} ELSE list_append(string_split(${s}, '')[1:${most - 1}], substring(${s}, ${most})) END`;
}

/**
 * A group of the first match of a regular expression; empty text where it does not match.
 * @param group 0 is the whole match. @default 1
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.regexp_extract.html
 */
export function regexpExtract(column: ColumnOrName, pattern: string, group = 1): Column<string, string> {
  return call("regexp_extract", named(column), literal(pattern), literal(group));
}
define("regexp_extract", takes(["string", "string", "integer"], "string"), (s, pattern, group) => {
  const java = patternOf(pattern);
  return `regexp_extract(${s}, ${re2(java)}, ${groupOf(java, group, "regexp_extract")})`;
});

/**
 * A group of every match of a regular expression.
 * @param group 0 is the whole match. @default 1
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.regexp_extract_all.html
 */
export function regexpExtractAll(column: ColumnOrName, pattern: string, group = 1): Column<string, string[]> {
  return call("regexp_extract_all", named(column), literal(pattern), literal(group));
}
define("regexp_extract_all", takes(["string", "string", "integer"], arrayType("string")), (s, pattern, group) => {
  const java = patternOf(pattern);
  if (java.matchesEmpty) throw emptyMatch(pattern, "regexp_extract_all");
  const found = `regexp_extract_all(${s}, ${re2(java)}, ${groupOf(java, group, "regexp_extract_all")})`;
  return `list_transform(${found}, lambda ${ELEMENT}: coalesce(${ELEMENT}, ''))`;
});

/**
 * Replaces every match of a regular expression; `$1` in the replacement is the first group.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.regexp_replace.html
 */
export function regexpReplace(column: ColumnOrName, pattern: string, replacement: string): Column<string, string> {
  return call("regexp_replace", named(column), literal(pattern), literal(replacement));
}
define(
  "regexp_replace",
  takes(["string", "string", "string"], "string"),
  (s, pattern, replacement) => {
    const java = patternOf(pattern);
    if (java.matchesEmpty && !java.isPlace) throw emptyMatch(pattern, "regexp_replace");
    return `regexp_replace(${s}, ${re2(java)}, ${text(re2Replacement(replacement, java))}, 'g')`;
  },
  { text: (...args) => `regexp_replace(${args.join(", ")}, 1)` },
);

/**
 * How many times a regular expression is found.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.regexp_count.html
 */
export function regexpCount(column: ColumnOrName, pattern: string | Column): Column<string, number> {
  return call("regexp_count", named(column), typeof pattern === "string" ? literal(pattern) : named(pattern));
}
define("regexp_count", takes(["string", "string"], "integer"), (s, pattern) => {
  const java = patternOf(pattern);
  if (java.matchesEmpty) throw emptyMatch(pattern, "regexp_count");
  return `CAST(len(regexp_extract_all(${s}, ${re2(java)})) AS INTEGER)`;
});

function patternOf(arg: Argument): JavaPattern {
  return javaPattern(String(constantOf(arg, "pattern") ?? ""));
}

/** For a test it is the same whether a line break at the end belongs to the match, which is what Java's `$` looks beyond. */
function anywhere(arg: Argument): JavaPattern {
  const java = patternOf(arg);
  if (!java.re2.endsWith("$") || java.re2.endsWith("\\$")) return java;
  return { ...java, re2: `${java.re2.slice(0, -1)}(?:\\r\\n|[\\n\\r\\x{85}\\x{2028}\\x{2029}])?\\z` };
}

function re2(java: JavaPattern): string {
  return text(java.re2);
}

function text(value: string): string {
  return value
    .split("\0")
    .map((part) => `'${part.replaceAll("'", "''")}'`)
    .join(" || chr(0) || ");
}

function groupOf(java: JavaPattern, arg: Argument, fn: string): number {
  const group = Number(constantOf(arg, "group"));
  if (group >= 0 && group <= java.groups) return group;
  throw new AnalysisError(
    `[INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX] ${fn} wants group ${group} of a pattern that has ${java.groups}.`,
  );
}

function emptyMatch(pattern: Argument, fn: string): AnalysisError {
  return new AnalysisError(
    `[UNSUPPORTED_PATTERN] ${fn} with ${JSON.stringify(pattern.constant)}: the embedded engine's regular expressions (RE2) find empty text in other places than Java's.`,
    { remedy: "Write a pattern that finds at least one character, such as x+ for x*." },
  );
}

/** Java's replacement text in RE2's form: `$1` is `\1`, and a backslash makes the next character plain. */
function re2Replacement(arg: Argument, pattern: JavaPattern): string {
  const java = String(constantOf(arg, "replacement") ?? "");
  return java.replace(
    /\\([\s\S])|\$\{[^}]*\}|\$(\d)|\\$|\$/g,
    (found, plain: string | undefined, group: string | undefined) => {
      if (plain !== undefined) return plain === "\\" ? "\\\\" : plain;
      if (group !== undefined && Number(group) <= pattern.groups) return `\\${group}`;
      throw new AnalysisError(
        `[UNSUPPORTED_PATTERN] ${JSON.stringify(found)} in the replacement ${JSON.stringify(java)} is not supported.`,
        { remedy: "Number the groups that there are, $1 to $9, and write \\$ for a dollar and \\\\ for a backslash." },
      );
    },
  );
}

/** Spark's escapes: a backslash stands before `_`, `%` or itself, and nowhere else. */
function likePattern(pattern: Argument): string {
  if (typeof pattern.constant === "string") {
    const wrong = (pattern.constant.match(/\\[\s\S]?/g) ?? []).find((pair) => !/^\\[_%\\]$/.test(pair));
    if (wrong !== undefined) {
      throw new AnalysisError(
        `[INVALID_FORMAT.${wrong.length === 1 ? "ESC_AT_THE_END" : "ESC_IN_THE_MIDDLE"}] The pattern ${JSON.stringify(pattern.constant)} has a backslash before neither _, % nor a backslash.`,
        { remedy: "Write \\\\ for a backslash." },
      );
    }
  }
  return pattern.sql;
}
