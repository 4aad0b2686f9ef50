/**
 * Spark's functions where DuckDB's of the same purpose differ, as macros. DuckDB picks an overload by the arguments' types,
 * which the compiler does not know. To be run once on every new database.
 * @see https://spark.apache.org/docs/latest/api/sql/index.html
 * @see https://duckdb.org/docs/stable/sql/statements/create_macro.html
 */
export const SPARK_MACROS: readonly string[] = [
  // Spark 4 is in ANSI mode: dividing by zero is an error, unless the other side is null.
  macro("spark_divide", {
    "a, b": `CASE WHEN b = 0 AND a IS NOT NULL THEN error('[DIVIDE_BY_ZERO] Division by zero.')
             ELSE CAST(a AS DOUBLE) / CAST(b AS DOUBLE) END`,
  }),
  macro("spark_mod", {
    "a, b": "CASE WHEN b = 0 AND a IS NOT NULL THEN error('[REMAINDER_BY_ZERO] Remainder by zero.') ELSE a % b END",
  }),

  // Whole numbers add up to a BIGINT, where DuckDB makes a HUGEINT.
  macro("spark_sum", {
    "x BIGINT": "CAST(sum(x) AS BIGINT)",
    "x HUGEINT": "CAST(sum(x) AS BIGINT)",
    x: "sum(x)",
  }),

  // Java rounds the decimal digits that are printed, not the binary number: 1.005 becomes 1.01.
  macro("spark_round", {
    "x TINYINT, n": "CAST(round(x, n) AS TINYINT)",
    "x SMALLINT, n": "CAST(round(x, n) AS SMALLINT)",
    "x INTEGER, n": "CAST(round(x, n) AS INTEGER)",
    "x BIGINT, n": "CAST(round(x, n) AS BIGINT)",
    "x FLOAT, n": `CAST(${roundedDigits()} AS FLOAT)`,
    "x DOUBLE, n": roundedDigits(),
  }),
  macro("spark_floor", { "x BIGINT": "x", "x DOUBLE": javaLong("floor(x)") }),
  macro("spark_ceil", { "x BIGINT": "x", "x DOUBLE": javaLong("ceil(x)") }),
  macro("spark_sqrt", { x: "sqrt(CASE WHEN x < 0 THEN CAST('NaN' AS DOUBLE) ELSE CAST(x AS DOUBLE) END)" }),
  macro("spark_ln", { x: "ln(CASE WHEN x > 0 THEN CAST(x AS DOUBLE) END)" }),
  macro("spark_isnan", { x: "coalesce(isnan(CAST(x AS DOUBLE)), FALSE)" }),

  macro("spark_length", { "x VARCHAR": "CAST(length(x) AS INTEGER)", "x BLOB": "CAST(octet_length(x) AS INTEGER)" }),
  macro("spark_substring", {
    "s, p, l": "substring(s, CASE WHEN p = 0 THEN 1 ELSE p END, CASE WHEN l < 0 THEN 0 ELSE l END)",
  }),
  // At most n parts: the last one is what is left after n - 1 parts and the separators behind them.
  macro("spark_split_limit", {
    "s, p, n": `CASE WHEN len(string_split_regex(s, p)) <= n THEN string_split_regex(s, p)
      ELSE list_append(string_split_regex(s, p)[1:n - 1], substring(s, CAST(1
        + list_sum(list_transform(string_split_regex(s, p)[1:n - 1], lambda x: length(x)))
        + list_sum(list_transform(regexp_extract_all(s, p)[1:n - 1], lambda x: length(x))) AS BIGINT))) END`,
  }),
  // An argument of concat_ws: an array becomes its items joined, nulls left out, and nothing where none is left.
  macro("spark_joined", {
    "x VARCHAR, s": "x",
    "x VARCHAR[], s": "CASE WHEN list_count(x) > 0 THEN array_to_string(x, s) END",
  }),
  macro("spark_sha256", { "x VARCHAR": "sha256(x)", "x BLOB": "sha256(x)" }),

  macro("spark_size", { x: "CAST(len(x) AS INTEGER)" }),
  macro("spark_element_at", {
    "x, i BIGINT": `CASE WHEN i = 0 THEN error('[INVALID_INDEX_OF_ZERO] The index 0 is invalid. An index counts from 1, or from the end from -1.')
      WHEN abs(i) > len(x) THEN error('[INVALID_ARRAY_INDEX_IN_ELEMENT_AT] The index ' || i || ' is out of bounds. The array has ' || len(x) || ' elements.')
      ELSE x[i] END`,
    "x, i": "x[i]",
  }),
  macro("spark_getitem", {
    "x, i BIGINT": `CASE WHEN i < 0 OR i >= len(x) THEN error('[INVALID_ARRAY_INDEX] The index ' || i || ' is out of bounds. The array has ' || len(x) || ' elements.')
      ELSE x[i + 1] END`,
    "x, i": "x[i]",
  }),
  macro("spark_array_contains", {
    "x, v": `CASE WHEN x IS NULL OR v IS NULL THEN NULL WHEN list_contains(x, v) THEN TRUE
      WHEN list_count(x) < len(x) THEN NULL ELSE FALSE END`,
  }),

  // What a cast to a whole number starts from: Spark drops a fraction where DuckDB rounds, and takes no text with one.
  macro("spark_whole", {
    "x VARCHAR": `CASE WHEN x IS NULL THEN NULL WHEN regexp_full_match(x, '\\s*[+-]?[0-9]+\\s*') THEN CAST(trim(x) AS HUGEINT)
      ELSE error('[CAST_INVALID_INPUT] The value ''' || x || ''' is not a whole number.') END`,
    "x HUGEINT": "x",
    "x BIGINT": "x",
    "x FLOAT": "trunc(x)",
    "x DOUBLE": "trunc(x)",
    "x TIMESTAMP WITH TIME ZONE": "floor(epoch(x))",
    x: "x",
  }),
  macro("spark_bytes", { "x VARCHAR": "encode(x)", "x BLOB": "x" }),
  // A cast to text, numbers as Java writes them.
  macro("spark_text", {
    "x VARCHAR": "x",
    "x BLOB": "decode(x)",
    "x BIGINT": "CAST(x AS VARCHAR)",
    "x HUGEINT": "CAST(x AS VARCHAR)",
    "x FLOAT": "spark_number_text(CAST(x AS VARCHAR), CAST(x AS DOUBLE))",
    "x DOUBLE": "spark_number_text(CAST(x AS VARCHAR), x)",
    "x DATE": "CAST(x AS VARCHAR)",
    "x TIMESTAMP": "CAST(x AS VARCHAR)",
    "x TIMESTAMP WITH TIME ZONE": "CAST(CAST(x AS TIMESTAMP) AS VARCHAR)",
    x: "CAST(x AS VARCHAR)",
  }),
];

/** Helpers of the macros above; they come first. */
const HELPERS: readonly string[] = [
  macro("spark_number_text", {
    "s, x": `CASE WHEN isnan(x) THEN 'NaN' WHEN isinf(x) THEN CASE WHEN x > 0 THEN 'Infinity' ELSE '-Infinity' END
      WHEN x = 0 OR (abs(x) >= 1e-3 AND abs(x) < 1e7) THEN s
      ELSE spark_scientific(CASE WHEN x < 0 THEN '-' ELSE '' END, regexp_extract(s, '([0-9]+)', 1),
        regexp_extract(s, '\\.([0-9]+)', 1), coalesce(TRY_CAST(regexp_extract(s, 'e(.+)$', 1) AS INTEGER), 0)) END`,
  }),
  // Sign, digits before the point, digits behind it, exponent.
  macro("spark_scientific", {
    "g, a, b, e": `g || ltrim(a || b, '0')[1] || '.' ||
      CASE WHEN rtrim(substring(ltrim(a || b, '0'), 2), '0') = '' THEN '0' ELSE rtrim(substring(ltrim(a || b, '0'), 2), '0') END ||
      'E' || (e + length(a) - 1 - (length(a || b) - length(ltrim(a || b, '0'))))`,
  }),
];

/** Every macro, in the order in which they have to be made. */
export const PRELUDE: readonly string[] = [...HELPERS, ...SPARK_MACROS];

function macro(name: string, overloads: Readonly<Record<string, string>>): string {
  const list = Object.entries(overloads).map(([parameters, body]) => `(${parameters}) AS ${body}`);
  return `CREATE OR REPLACE MACRO ${name}${list.join(", ")}`;
}

function roundedDigits(): string {
  return `CASE WHEN isfinite(x) AND abs(x) < 1e15 AND n <= 18
    THEN CAST(round(CAST(CAST(x AS VARCHAR) AS DECIMAL(38, 18)), n) AS DOUBLE)
    WHEN n < 0 THEN round(x, n) ELSE x END`;
}

/** A whole double as Java makes a long of it: NaN is 0, and what is too large the nearest there is. */
function javaLong(x: string): string {
  const cases = [
    `WHEN isnan(${x}) THEN CAST(0 AS BIGINT)`,
    `WHEN ${x} >= 9223372036854775807 THEN 9223372036854775807`,
    `WHEN ${x} <= -9223372036854775808 THEN -9223372036854775808`,
  ];
  return `CASE ${cases.join(" ")} ELSE CAST(${x} AS BIGINT) END`;
}
