import { arrayType, type DataType } from "../../data/types";
import { IllegalArgumentError } from "../../errors";
import { commonTypeOf, isArray } from "../coercion";
import { type Column, literal } from "../column";
import {
  type Argument,
  constantOf,
  define,
  defineMacro,
  differentTypes,
  ELEMENT,
  type Signature,
  takes,
} from "../function-entry";
import { type ColumnOrName, call, named } from "./call";
import { special } from "./letter-case";

const TEXT_OR_BYTES = ["string", "binary"] as const;

// --- Letter case -----------------------------------------------------------------------------------------------------

/**
 * Lower case.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.lower.html
 */
export function lower(column: ColumnOrName): Column<string, string> {
  return call("lower", named(column));
}
define("lower", takes(["string"], "string"), (s) => `spark_lower(${s})`);
// Java writes İ in two characters, and ς where a word ends in Σ.
defineMacro(
  "spark_lower",
  "s",
  `CASE WHEN regexp_matches(s, '[İΣ]') THEN lower(replace(regexp_replace(s, '(\\p{L})Σ(\\P{L}|$)', '\\1ς\\2', 'g'), 'İ', 'i̇')) ELSE lower(s) END`,
);

/**
 * Upper case.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.upper.html
 */
export function upper(column: ColumnOrName): Column<string, string> {
  return call("upper", named(column));
}
define("upper", takes(["string"], "string"), (s) => `spark_upper(${s})`);
defineMacro("spark_upper", "s", special.upper("s"));

/**
 * The first letter of each word in upper case, all others in lower case; words are divided by spaces.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.initcap.html
 */
export function initcap(column: ColumnOrName): Column<string, string> {
  return call("initcap", named(column));
}
define("initcap", takes(["string"], "string"), (s) => `spark_initcap(${s})`);
// One letter as a word begins with it: of several in upper case only the first.
defineMacro(
  "spark_initial",
  "c",
  "CASE WHEN c = 'ŉ' THEN 'ʼN' WHEN c IN ('ǆ', 'ǉ', 'ǌ', 'ǳ') THEN translate(c, 'ǆǉǌǳ', 'ǅǈǋǲ') ELSE left(spark_upper(c), 1) || lower(substring(spark_upper(c), 2)) END",
);
defineMacro(
  "spark_initcap",
  "s",
  `array_to_string(list_transform(string_split(spark_lower(s), ' '), lambda ${ELEMENT}: spark_initial(left(${ELEMENT}, 1)) || substring(${ELEMENT}, 2)), ' ')`,
);

// --- Ends ------------------------------------------------------------------------------------------------------------

/**
 * The text without spaces, or without other characters, at both ends.
 * @param characters each of these goes. @default the space
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.trim.html
 */
export function trim(column: ColumnOrName, characters?: ColumnOrName): Column<string, string> {
  return trimmed("trim", column, characters);
}

/**
 * The text without spaces, or without other characters, at its start.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.ltrim.html
 */
export function ltrim(column: ColumnOrName, characters?: ColumnOrName): Column<string, string> {
  return trimmed("ltrim", column, characters);
}

/**
 * The text without spaces, or without other characters, at its end.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.rtrim.html
 */
export function rtrim(column: ColumnOrName, characters?: ColumnOrName): Column<string, string> {
  return trimmed("rtrim", column, characters);
}

function trimmed(fn: string, column: ColumnOrName, characters?: ColumnOrName): Column<string, string> {
  return call(fn, named(column), ...(characters === undefined ? [] : [named(characters)]));
}
for (const [name, side] of [
  ["trim", "BOTH"],
  ["ltrim", "LEADING"],
  ["rtrim", "TRAILING"],
] as const) {
  define(
    name,
    takes(["string", "string"], "string", { optional: 1 }),
    (s, characters) => `${name}(${s}, ${characters ?? "' '"})`,
    {
      text: (s, characters) => (characters === undefined ? `${name}(${s})` : `TRIM(${side} ${characters} FROM ${s})`),
    },
  );
}

/**
 * Filled up with `pad` on the left, or cut on the right, to `length` characters.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.lpad.html
 */
export function lpad(column: ColumnOrName, length: number | Column, pad: string | Column): Column<string, string> {
  return call("lpad", named(column), columnOrLiteral(length), columnOrLiteral(pad));
}

/**
 * Filled up with `pad` on the right, or cut, to `length` characters.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.rpad.html
 */
export function rpad(column: ColumnOrName, length: number | Column, pad: string | Column): Column<string, string> {
  return call("rpad", named(column), columnOrLiteral(length), columnOrLiteral(pad));
}
for (const name of ["lpad", "rpad"]) {
  // DuckDB fails on an empty pad, where Spark has nothing to fill up with.
  define(
    name,
    takes(["string", "integer", "string"], "string"),
    (s, n, pad) =>
      `CASE WHEN ${n} <= 0 AND ${s} IS NOT NULL AND ${pad} IS NOT NULL THEN '' WHEN ${pad} = '' THEN left(${s}, ${n}) ELSE ${name}(${s}, ${n}, ${pad}) END`,
  );
}

// --- Length and parts ------------------------------------------------------------------------------------------------

/**
 * The number of characters of text, or of bytes of binary data.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.length.html
 */
export function length(column: ColumnOrName): Column<string, number> {
  return call("length", named(column));
}
define("length", takes([TEXT_OR_BYTES], "integer"), (s) =>
  s.type === "binary" ? `CAST(octet_length(${s}) AS INTEGER)` : `CAST(length(${s}) AS INTEGER)`,
);

/**
 * `length` characters from `position`, counted from 1; a negative position counts from the end. Of binary data: bytes.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.substring.html
 */
export function substring(
  column: ColumnOrName,
  position: number | Column,
  length: number | Column,
): Column<string, string> {
  return call("substring", named(column), columnOrLiteral(position), columnOrLiteral(length));
}
for (const name of ["substring", "substr"]) {
  define(
    name,
    takes([TEXT_OR_BYTES, "integer", "integer"], (type) => type),
    (s, position, length) => {
      const bytes = s.type === "binary";
      const total = bytes ? `octet_length(${s})` : `length(${s})`;
      const [from, until] = [`spark_from(${position}, ${total})`, `spark_until(${position}, ${length}, ${total})`];
      if (bytes) return `${s}[greatest(${from}, 0) + 1:${until}]`;
      return `substring(${s}, greatest(${from}, 0) + 1, greatest(${until} - greatest(${from}, 0), 0))`;
    },
  );
}
// Where a part begins, and where it ends, from 0; before the start where a negative position reaches beyond it.
defineMacro(
  "spark_from",
  "p, n",
  "CASE WHEN p > 0 THEN CAST(p AS BIGINT) - 1 WHEN p < 0 THEN n + p ELSE CAST(0 AS BIGINT) END",
);
defineMacro("spark_until", "p, l, n", "least(greatest(spark_from(p, n) + greatest(CAST(l AS BIGINT), 0), 0), n)");

/**
 * The text before the `count`th `delimiter`, or, where `count` is negative, after the one that many from the end.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.substring_index.html
 */
export function substringIndex(column: ColumnOrName, delimiter: string, count: number): Column<string, string> {
  return call("substring_index", named(column), literal(delimiter), literal(count));
}
define("substring_index", takes(["string", "string", "integer"], "string"), (s, delimiter, n) => {
  if (delimiter.constant === "") return `left(${s}, 0)`;
  const count = Number(constantOf(n, "count"));
  const backwards = `'${[...String(constantOf(delimiter, "delimiter"))].reverse().join("").replaceAll("'", "''")}'`;
  if (count === 0) return `left(${s}, 0)`;
  const parts = `string_split(${s}, ${delimiter})`;
  return count > 0
    ? `array_to_string(${parts}[1:${count}], ${delimiter})`
    : `spark_reverse(array_to_string(string_split(spark_reverse(${s}), ${backwards})[1:${-count}], ${backwards}))`;
});

/**
 * The place of a part in the text, from 1; 0 where it is not in it.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.instr.html
 */
export function instr(column: ColumnOrName, part: string | Column): Column<string, number> {
  return call("instr", named(column), columnOrLiteral(part));
}
// Places are looked for from the end backwards, which matters where the delimiter overlaps itself, as in aaa.
defineMacro("spark_reverse", "s", "array_to_string(list_reverse(string_split(s, '')), '')");
define("instr", takes(["string", "string"], "integer"), (s, part) => `spark_place(${s}, ${part})`);
// DuckDB finds the empty text at 1 in no text at all, as Java does; in others it has to be asked.
defineMacro("spark_place", "s, p", "CAST(CASE WHEN p = '' AND s IS NOT NULL THEN 1 ELSE instr(s, p) END AS INTEGER)");

/**
 * The place of a part in the text, from 1, looked for from `position` on; 0 where it is not there.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.locate.html
 */
export function locate(part: string, column: ColumnOrName, position = 1): Column<string, number> {
  return call("locate", literal(part), named(column), literal(position));
}
define("locate", takes(["string", "string", "integer"], "integer"), (part, s, position) => {
  const from = Number(constantOf(position, "position"));
  if (part.constant === "") return `CAST(CASE WHEN ${s} IS NOT NULL THEN 1 END AS INTEGER)`;
  if (from === 1) return `spark_place(${s}, ${part})`;
  if (from < 1) return `CAST(CASE WHEN ${s} IS NOT NULL AND ${part} IS NOT NULL THEN 0 END AS INTEGER)`;
  const found = `spark_place(substring(${s}, ${from}), ${part})`;
  return `CASE WHEN ${found} > 0 THEN ${found} + CAST(${from - 1} AS INTEGER) ELSE ${found} END`;
});

/**
 * Each character of `matching` replaced by the one in the same place of `replace`, or left out where there is none.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.translate.html
 */
export function translate(column: ColumnOrName, matching: string, replace: string): Column<string, string> {
  return call("translate", named(column), literal(matching), literal(replace));
}
define("translate", takes(["string", "string", "string"], "string"), (s, from, to) => {
  const [a, b] = [String(constantOf(from, "characters")), String(constantOf(to, "characters"))];
  // Where a character comes twice, Java's dictionary keeps the first; DuckDB's too.
  return a === "" ? s.sql : b === "" ? `translate(${s}, ${from}, '')` : `translate(${s}, ${from}, ${to})`;
});

/**
 * The text, or the array, from its end to its start.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.reverse.html
 */
export function reverse<T = string>(column: ColumnOrName): Column<string, T> {
  return call("reverse", named(column));
}
define(
  "reverse",
  takes([["string", "array"]], (type) => type),
  (s) =>
    // DuckDB's reverse keeps a letter and its marks together.
    isArray(s.type) ? `list_reverse(${s})` : `spark_reverse(${s})`,
);

/**
 * The text `n` times.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.repeat.html
 */
export function repeat(column: ColumnOrName, n: number | Column): Column<string, string> {
  return call("repeat", named(column), columnOrLiteral(n));
}
define("repeat", takes(["string", "integer"], "string"), (s, n) => `repeat(${s}, greatest(${n}, 0))`);

/**
 * The code of the first character; 0 for the empty text.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.ascii.html
 */
export function ascii(column: ColumnOrName): Column<string, number> {
  return call("ascii", named(column));
}
define(
  "ascii",
  takes(["string"], "integer"),
  (s) => `CAST(CASE WHEN ${s} = '' THEN 0 ELSE unicode(${s}) END AS INTEGER)`,
);

// --- Together --------------------------------------------------------------------------------------------------------

/**
 * Texts, or arrays, one after the other; null where one of them is.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.concat.html
 */
export function concat(...columns: readonly ColumnOrName[]): Column<string, string> {
  if (columns.length === 0) throw new IllegalArgumentError("concat needs at least 1 column, got 0.");
  return call("concat", ...columns.map(named));
}
define(
  "concat",
  (args) => {
    const types = args.map((a) => a.type);
    if (types.some(isArray)) return concatArrays(args);
    if (types.length > 0 && types.every((t) => t === "binary")) return { args: types, returns: "binary" };
    return takes(["string"], "string", { rest: true })(args);
  },
  // || gives null where a side is, as concat does not.
  (...args) => `(${args.join(" || ")})`,
);

/**
 * Texts and arrays of texts with a separator between them; nulls are left out.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.concat_ws.html
 */
export function concatWs(separator: string, ...columns: readonly ColumnOrName[]): Column<string, string> {
  return call("concat_ws", literal(separator), ...columns.map(named));
}
define(
  "concat_ws",
  (args) => {
    const [separator, ...rest] = args;
    const types = rest.map((a): DataType => (isArray(a.type) ? arrayType("string", a.type.containsNull) : "string"));
    takes(["string", "string"], "string", { rest: true })(args.filter((a) => !isArray(a.type)));
    return { args: ["string", ...types], returns: "string", nullable: separator?.nullable ?? false };
  },
  (separator, ...rest) => {
    const lists = rest.map((a) => (isArray(a.type) ? `coalesce(${a}, [])` : `[${a}]`));
    const all = lists.length === 0 ? "CAST([] AS VARCHAR[])" : lists.join(" || ");
    return `array_to_string(list_filter(${all}, lambda ${ELEMENT}: ${ELEMENT} IS NOT NULL), ${separator})`;
  },
);

function concatArrays(args: readonly Argument[]): Signature {
  const type = commonTypeOf(args.map((a) => a.type));
  if (type === undefined || !isArray(type)) throw differentTypes(args);
  return { args: args.map(() => type), returns: type };
}

function columnOrLiteral(value: number | string | Column) {
  return typeof value === "object" ? named(value) : literal(value);
}
