import { type DataType, type StructType, simpleString } from "../../data/types";
import { AnalysisError } from "../../frame/analysis-error";
import {
  asDecimal,
  decimalSize,
  isArray,
  isFloating,
  isMap,
  isNumeric,
  isStruct,
  isTime,
  isWhole,
  sameType,
} from "../../frame/coercion";
import { ELEMENT, type Value } from "../../frame/function-entry";
import { duckdbType } from "./duckdb-types";
import { quotedIdentifier, quotedText } from "./sql-text";

/**
 * A value as another type, as Spark's ANSI mode casts it: what does not fit is an error and never another value.
 * @throws AnalysisError for types that Spark does not cast into one another
 * @see https://spark.apache.org/docs/latest/sql-ref-ansi-compliance.html#cast
 */
export function castValue(value: Value, to: DataType): Value {
  if (sameType(value.type, to)) return { ...value, type: to };
  const nullable = value.nullable || mayBecomeNull(value.type, to);
  return { ...value, sql: castSql(value.sql, value.type, to), type: to, nullable };
}

/**
 * True where Spark says that a cast may give null, though what does not fit is an error: its `Cast.forceNullable`.
 * @see https://github.com/apache/spark/blob/master/sql/catalyst/src/main/scala/org/apache/spark/sql/catalyst/expressions/Cast.scala
 */
function mayBecomeNull(from: DataType, to: DataType): boolean {
  if (from === "void" || to === "string") return false;
  if (from === "string") return to !== "binary";
  if (to === "timestamp") return isFloating(from);
  if (to === "date") return from !== "timestamp";
  if (from === "date") return true;
  if (from === "timestamp") return to === "byte" || to === "short" || to === "integer";
  const [size, wanted] = [from === "boolean" ? { precision: 1, scale: 0 } : asDecimal(from), decimalSize(to)];
  if (wanted) {
    const whole = size && wanted.precision - wanted.scale >= size.precision - size.scale;
    return isFloating(from) || !whole || wanted.scale < size.scale;
  }
  return isWhole(to) && (isFloating(from) || decimalSize(from) !== undefined);
}

function castSql(x: string, from: DataType, to: DataType): string {
  if (sameType(from, to)) return x;
  if (from === "void") return `CAST(NULL AS ${duckdbType(to)})`;
  if (to === "string") return textSql(x, from);
  if (isArray(from) && isArray(to))
    return `list_transform(${x}, lambda ${ELEMENT}: ${castSql(ELEMENT, from.elementType, to.elementType)})`;
  if (isMap(from) && isMap(to)) {
    const entry = `{'key': ${castSql(`${ELEMENT}.key`, from.keyType, to.keyType)}, 'value': ${castSql(`${ELEMENT}.value`, from.valueType, to.valueType)}}`;
    return `map_from_entries(list_transform(map_entries(${x}), lambda ${ELEMENT}: ${entry}))`;
  }
  if (isStruct(from) && isStruct(to) && from.fields.length === to.fields.length) return structSql(x, from, to);
  const type = duckdbType(to);
  if (from === "string") return fromText(x, to, type);
  if (from === "boolean" && isNumeric(to)) return `CAST(${x} AS ${type})`;
  if (isNumeric(from) && isNumeric(to)) return numberSql(x, from, to, type);
  if (isNumeric(from) && to === "boolean") return `(${x} <> 0)`;
  if (isNumeric(from) && to === "timestamp") return `spark_instant_of_${isWhole(from) ? "whole" : "number"}(${x})`;
  if (from === "timestamp" && isNumeric(to)) return secondsSql(x, to, type);
  if (isTime(from) && isTime(to)) return `CAST(${x} AS ${type})`;
  throw new AnalysisError(
    `[DATATYPE_MISMATCH.${refusal(from, to)}] Cannot cast ${simpleString(from)} to ${simpleString(to)}.`,
    {
      remedy: "Spark 4 does not either. Cast to string, or take the parts you need.",
    },
  );
}

/** Spark's name for a cast that its ANSI mode does not do: another function does it, another mode, or nothing. */
function refusal(from: DataType, to: DataType): string {
  if ((isNumeric(from) && to === "date") || (from === "date" && isNumeric(to))) return "CAST_WITH_FUNC_SUGGESTION";
  const inAnotherMode =
    (isWhole(from) && to === "binary") ||
    ((from === "date" || from === "timestamp") && to === "boolean") ||
    (from === "boolean" && to === "timestamp");
  return inAnotherMode ? "CAST_WITH_CONF_SUGGESTION" : "CAST_WITHOUT_SUGGESTION";
}

function structSql(x: string, from: StructType, to: StructType): string {
  const fields = from.fields.map((field, i) => {
    const target = to.fields[i] ?? field;
    return `${quotedIdentifier(target.name)} := ${castSql(`struct_extract(${x}, ${quotedText(field.name)})`, field.type, target.type)}`;
  });
  return `CASE WHEN ${x} IS NOT NULL THEN struct_pack(${fields.join(", ")}) END`;
}

function numberSql(x: string, from: DataType, to: DataType, type: string): string {
  // Java cuts a fraction off where DuckDB rounds.
  if (isWhole(to)) return `CAST(${isWhole(from) ? x : `trunc(${x})`} AS ${type})`;
  if (isFloating(from) && decimalSize(to)) {
    // DuckDB reads 5e-324 as 0.01.
    const least = `5e-${(decimalSize(to)?.scale ?? 0) + 1}`;
    return `CASE WHEN abs(${x}) < CAST('${least}' AS DOUBLE) THEN CAST(0 AS ${type}) WHEN isfinite(${x}) THEN CAST(CAST(${x} AS VARCHAR) AS ${type}) END`;
  }
  // The nearest double to the decimal's digits; a division of two doubles would be off by one now and then.
  if (isFloating(to) && decimalSize(from)) return `CAST(CAST(${x} AS VARCHAR) AS ${type})`;
  if (from === "double" && to === "float") return `spark_float(${x})`;
  return `CAST(${x} AS ${type})`;
}

function secondsSql(x: string, to: DataType, type: string): string {
  if (isWhole(to)) return `CAST(floor(epoch_us(${x}) / 1000000) AS ${type})`;
  if (isFloating(to)) return `CAST(epoch_us(${x}) / 1000000 AS ${type})`;
  return `CAST(CAST(epoch_us(${x}) AS DECIMAL(24, 0)) * CAST('0.000001' AS DECIMAL(7, 6)) AS ${type})`;
}

function fromText(x: string, to: DataType, type: string): string {
  const name = quotedText(sqlTypeName(to));
  const parsed = (sql: string) =>
    `CASE WHEN ${x} IS NOT NULL THEN coalesce(${sql}, spark_malformed(${x}, ${name})) END`;
  if (isWhole(to)) return parsed(`TRY_CAST(spark_whole_text(${x}) AS ${type})`);
  if (isFloating(to)) return parsed(`TRY_CAST(spark_number_text(${x}) AS ${type})`);
  if (decimalSize(to)) {
    return `CASE WHEN ${x} IS NOT NULL THEN coalesce(TRY_CAST(spark_decimal_digits(${x}, ${decimalSize(to)?.scale ?? 0}) AS ${type}), spark_no_decimal(${x}, ${name})) END`;
  }
  switch (to) {
    case "boolean":
      return parsed(`spark_truth(spark_core(${x}))`);
    case "binary":
      return `encode(${x})`;
    case "date":
      return parsed(`TRY_CAST(spark_date_text(spark_core(${x})) AS DATE)`);
    case "timestamp":
      return parsed(`spark_instant(spark_core(${x}))`);
    case "timestamp_ntz":
      return parsed(`TRY_CAST(spark_clock_text(spark_core(${x})) AS TIMESTAMP)`);
  }
  throw new AnalysisError(`[DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION] Cannot cast string to ${simpleString(to)}.`);
}

/** A type as Spark's errors name it. */
export function sqlTypeName(type: DataType): string {
  return simpleString(type).toUpperCase();
}

/** A value as text, numbers as Java writes them. */
function textSql(x: string, from: DataType): string {
  if (isArray(from)) {
    return `('[' || array_to_string(list_transform(${x}, lambda ${ELEMENT}: coalesce(${textSql(ELEMENT, from.elementType)}, 'null')), ', ') || ']')`;
  }
  if (isMap(from)) {
    const entry = `${textSql(`${ELEMENT}.key`, from.keyType)} || ' -> ' || coalesce(${textSql(`${ELEMENT}.value`, from.valueType)}, 'null')`;
    return `('{' || array_to_string(list_transform(map_entries(${x}), lambda ${ELEMENT}: ${entry}), ', ') || '}')`;
  }
  if (isStruct(from)) {
    const fields = from.fields.map(
      (f) => `coalesce(${textSql(`struct_extract(${x}, ${quotedText(f.name)})`, f.type)}, 'null')`,
    );
    return `CASE WHEN ${x} IS NOT NULL THEN '{' || ${fields.join(" || ', ' || ")} || '}' END`;
  }
  switch (from) {
    case "string":
      return x;
    case "float":
    case "double":
      return `spark_java_number(CAST(${x} AS VARCHAR), CAST(${x} AS DOUBLE))`;
    case "binary":
      return `decode(${x})`;
    case "date":
      return `spark_year_text(CAST(${x} AS VARCHAR), ${x})`;
    case "timestamp":
      return `spark_year_text(CAST(CAST(${x} AS TIMESTAMP) AS VARCHAR), CAST(${x} AS TIMESTAMP))`;
    case "timestamp_ntz":
      return `spark_year_text(CAST(${x} AS VARCHAR), ${x})`;
    default:
      return `CAST(${x} AS VARCHAR)`;
  }
}

const BLANK = "[\\x00-\\x20\\x7F]*";
const DIGITS = "[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?";
const DATE = "([0-9]{4,6})(?:-([0-9]{1,2})(?:-([0-9]{1,2}))?)?";
const ZONE = "(?: ?(Z|UTC|GMT|(?:UTC|GMT)?[+-][0-9]{1,2}(?::?[0-9]{2})?|[A-Z][A-Za-z_]+/[A-Za-z_/]+))?";
/** Year, month, day, hour, minute, second, fraction, zone. */
const CLOCK = `${DATE}(?:[ T](?:([0-9]{1,2}):([0-9]{1,2})(?::([0-9]{1,2})(?:\\.([0-9]{0,9}))?)?${ZONE})?)?`;

/** What the casts above build on. */
export const CAST_MACROS: readonly string[] = [
  macro(
    "spark_malformed(x, t)",
    `error('[CAST_INVALID_INPUT] The value ''' || x || ''' of the type "STRING" cannot be cast to "' || t || '" because it is malformed. Correct the value, or keep it as text.')`,
  ),
  macro("spark_core(x)", `regexp_replace(x, '^${BLANK}|${BLANK}$', '', 'g')`),
  macro("spark_whole_text(x)", `CASE WHEN regexp_full_match(x, '${BLANK}[+-]?[0-9]+${BLANK}') THEN spark_core(x) END`),
  macro(
    "spark_number_text(x)",
    `CASE WHEN regexp_full_match(x, '${BLANK}${DIGITS}[fFdD]?${BLANK}') THEN rtrim(spark_core(x), 'fFdD')
      WHEN regexp_full_match(spark_core(x), '(?i:[+-]?inf(inity)?|nan)|[+-]NaN') THEN replace(replace(lower(spark_core(x)), '+', ''), '-nan', 'nan') END`,
  ),
  macro(
    "spark_decimal_digits(x, n)",
    // DuckDB reads 1e-400 as 1 of the last digit.
    `CASE WHEN NOT regexp_full_match(x, '${BLANK}${DIGITS}${BLANK}') THEN NULL
      WHEN abs(TRY_CAST(spark_core(x) AS DOUBLE)) < 4.9 * pow(10.0, -n - 1) THEN '0' ELSE spark_core(x) END`,
  ),
  macro(
    "spark_no_decimal(x, t)",
    `CASE WHEN spark_decimal_digits(x, 0) IS NULL THEN spark_malformed(x, t)
      WHEN abs(TRY_CAST(spark_core(x) AS DOUBLE)) >= 1e38 THEN error('[NUMERIC_OUT_OF_SUPPORTED_RANGE] ' || x || ' has more digits than 38.')
      ELSE error('[NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION] ' || x || ' cannot be represented as ' || t || '.') END`,
  ),
  macro(
    "spark_truth(x)",
    "CASE WHEN lower(x) IN ('t', 'true', 'y', 'yes', '1') THEN TRUE WHEN lower(x) IN ('f', 'false', 'n', 'no', '0') THEN FALSE END",
  ),
  macro("spark_two(x)", "CASE WHEN x = '' THEN '01' ELSE lpad(x, 2, '0') END"),
  macro("spark_clock_two(x)", "lpad(x, 2, '0')"),
  macro(
    "spark_date_text(x)",
    `CASE WHEN regexp_matches(x, '^${DATE}$|^${DATE}[ T]') AND NOT regexp_matches(x, '^[0-9]+(-[0-9]+)?[ T]') THEN regexp_extract(x, '^${DATE}', 1) || '-' || spark_two(regexp_extract(x, '^${DATE}', 2)) || '-' || spark_two(regexp_extract(x, '^${DATE}', 3)) END`,
  ),
  macro(
    "spark_clock_text(x)",
    `CASE WHEN regexp_full_match(x, '${CLOCK}') THEN regexp_extract(x, '^${CLOCK}', 1) || '-' || spark_two(regexp_extract(x, '^${CLOCK}', 2)) || '-' || spark_two(regexp_extract(x, '^${CLOCK}', 3))
      || ' ' || spark_clock_two(regexp_extract(x, '^${CLOCK}', 4)) || ':' || spark_clock_two(regexp_extract(x, '^${CLOCK}', 5)) || ':' || spark_clock_two(regexp_extract(x, '^${CLOCK}', 6))
      || '.' || rpad(left(regexp_extract(x, '^${CLOCK}', 7), 6), 6, '0') END`,
  ),
  macro("spark_zone(x)", `regexp_extract(x, '^${CLOCK}$', 8)`),
  macro(
    "spark_instant(x)",
    `CASE WHEN spark_zone(x) = '' THEN CAST(TRY_CAST(spark_clock_text(x) AS TIMESTAMP) AS TIMESTAMPTZ)
      ELSE TRY_CAST(spark_clock_text(x) || regexp_replace(regexp_replace(regexp_replace(spark_zone(x), '^(Z|UTC|GMT)$', '+00'), '^(UTC|GMT)', ''), '^([+-])([0-9])($|:)', '\\10\\2\\3') AS TIMESTAMPTZ) END`,
  ),
  macro("spark_instant_of_whole(x)", "make_timestamptz(CAST(x AS BIGINT) * 1000000)"),
  macro(
    "spark_instant_of_number(x)",
    `CASE WHEN x IS NOT NULL AND NOT isfinite(CAST(x AS DOUBLE)) THEN error('[CAST_INVALID_INPUT] ' || x || ' is no time.') ELSE make_timestamptz(CAST(trunc(CAST(x AS DOUBLE) * 1000000) AS BIGINT)) END`,
  ),
  macro(
    "spark_float(x)",
    "CASE WHEN isfinite(x) AND abs(x) >= 3.4028235677973366e38 THEN CAST(CASE WHEN x > 0 THEN 'inf' ELSE '-inf' END AS FLOAT) ELSE CAST(x AS FLOAT) END",
  ),
  macro("spark_year_text(s, x)", "CASE WHEN year(x) > 9999 THEN '+' || s ELSE s END"),
  // Java writes a number plainly between 1e-3 and 1e7, and else with one digit before the point.
  macro(
    "spark_java_number(s, x)",
    `CASE WHEN isnan(x) THEN 'NaN' WHEN isinf(x) THEN CASE WHEN x > 0 THEN 'Infinity' ELSE '-Infinity' END
      WHEN x = 0 OR (abs(x) >= 1e-3 AND abs(x) < 1e7) THEN s
      ELSE spark_scientific(CASE WHEN x < 0 THEN '-' ELSE '' END, regexp_extract(s, '([0-9]+)', 1),
        regexp_extract(s, '\\.([0-9]+)', 1), coalesce(TRY_CAST(regexp_extract(s, 'e(.+)$', 1) AS INTEGER), 0)) END`,
  ),
  // Sign, digits before the point, digits behind it, exponent.
  macro(
    "spark_scientific(g, a, b, e)",
    `g || ltrim(a || b, '0')[1] || '.' ||
      CASE WHEN rtrim(substring(ltrim(a || b, '0'), 2), '0') = '' THEN '0' ELSE rtrim(substring(ltrim(a || b, '0'), 2), '0') END ||
      'E' || (e + length(a) - 1 - (length(a || b) - length(ltrim(a || b, '0'))))`,
  ),
];

function macro(head: string, sql: string): string {
  return `CREATE OR REPLACE MACRO ${head} AS ${sql}`;
}
