import type { DataType } from "../../data/types";
import { AnalysisError } from "../analysis-error";
import { type Column, literal } from "../column";
import { type Argument, constantOf, define, type FunctionEntry, takes } from "../function-entry";
import { type ColumnOrName, call, named } from "./call";
import { javaDatePattern } from "./java-date-pattern";

/** Dates and times. Times are instants; their parts are those in the session's time zone. */

const DAY_OR_TIME = ["date", "timestamp", "timestamp_ntz"] as const;

function defineOfDay(name: string, returns: DataType, duckdb: FunctionEntry["duckdb"]): void {
  define(name, takes(["date"], returns), duckdb);
}

/**
 * The time at which the query runs.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.current_timestamp.html
 */
export function currentTimestamp(): Column<string, Date> {
  return call("current_timestamp");
}
define("current_timestamp", takes([], "timestamp", { nullable: false }), () => "now()");

/**
 * The day on which the query runs, in the session's time zone.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.current_date.html
 */
export function currentDate(): Column<string, Date> {
  return call("current_date");
}
define("current_date", takes([], "date", { nullable: false }), () => "CAST(now() AS DATE)");

// --- Parts -----------------------------------------------------------------------------------------------------------

/**
 * The year.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.year.html
 */
export function year(column: ColumnOrName): Column<string, number> {
  return call("year", named(column));
}

/**
 * The quarter, 1 to 4.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.quarter.html
 */
export function quarter(column: ColumnOrName): Column<string, number> {
  return call("quarter", named(column));
}

/**
 * The month, 1 to 12.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.month.html
 */
export function month(column: ColumnOrName): Column<string, number> {
  return call("month", named(column));
}

/**
 * The week of the year, by ISO 8601.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.weekofyear.html
 */
export function weekofyear(column: ColumnOrName): Column<string, number> {
  return call("weekofyear", named(column));
}

/**
 * The day of the month, 1 to 31.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.dayofmonth.html
 */
export function dayofmonth(column: ColumnOrName): Column<string, number> {
  return call("dayofmonth", named(column));
}

/**
 * The day of the week, from 1 for Sunday to 7 for Saturday.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.dayofweek.html
 */
export function dayofweek(column: ColumnOrName): Column<string, number> {
  return call("dayofweek", named(column));
}

/**
 * The day of the year, 1 to 366.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.dayofyear.html
 */
export function dayofyear(column: ColumnOrName): Column<string, number> {
  return call("dayofyear", named(column));
}
for (const [name, sql] of [
  ["year", "year($)"],
  ["quarter", "quarter($)"],
  ["month", "month($)"],
  ["weekofyear", "week($)"],
  ["dayofmonth", "day($)"],
  ["dayofweek", "dayofweek($) + 1"],
  ["dayofyear", "dayofyear($)"],
] as const) {
  defineOfDay(name, "integer", (day) => `CAST(${sql.replace("$", day.sql)} AS INTEGER)`);
}

/**
 * The hour, 0 to 23.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.hour.html
 */
export function hour(column: ColumnOrName): Column<string, number> {
  return call("hour", named(column));
}

/**
 * The minute, 0 to 59.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.minute.html
 */
export function minute(column: ColumnOrName): Column<string, number> {
  return call("minute", named(column));
}

/**
 * The second, 0 to 59.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.second.html
 */
export function second(column: ColumnOrName): Column<string, number> {
  return call("second", named(column));
}
for (const name of ["hour", "minute", "second"]) {
  define(name, takes([["timestamp", "timestamp_ntz"]], "integer"), (time) => `CAST(${name}(${time}) AS INTEGER)`);
}

// --- Days reckoned with ----------------------------------------------------------------------------------------------

/**
 * So many days later.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.date_add.html
 */
export function dateAdd(column: ColumnOrName, days: number | ColumnOrName): Column<string, Date> {
  return call("date_add", named(column), numberOrNamed(days));
}

/**
 * So many days earlier.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.date_sub.html
 */
export function dateSub(column: ColumnOrName, days: number | ColumnOrName): Column<string, Date> {
  return call("date_sub", named(column), numberOrNamed(days));
}
for (const [name, sign] of [
  ["date_add", "+"],
  ["date_sub", "-"],
] as const) {
  define(name, takes(["date", "integer"], "date"), (day, days) => `(${day} ${sign} ${days})`);
}

/**
 * How many days lie from `start` to `end`.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.datediff.html
 */
export function datediff(end: ColumnOrName, start: ColumnOrName): Column<string, number> {
  return call("datediff", named(end), named(start));
}
define("datediff", takes(["date", "date"], "integer"), (end, start) => `CAST(${end} - ${start} AS INTEGER)`);

/**
 * So many months later; the last day of the month where the day is not in it.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.add_months.html
 */
export function addMonths(column: ColumnOrName, months: number | ColumnOrName): Column<string, Date> {
  return call("add_months", named(column), numberOrNamed(months));
}
define(
  "add_months",
  takes(["date", "integer"], "date"),
  (day, months) => `CAST(${day} + to_months(${months}) AS DATE)`,
);

/**
 * The last day of the month.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.last_day.html
 */
export function lastDay(column: ColumnOrName): Column<string, Date> {
  return call("last_day", named(column));
}
defineOfDay("last_day", "date", (day) => `last_day(${day})`);

const UNITS: Readonly<Record<string, string>> = {
  year: "year",
  yyyy: "year",
  yy: "year",
  quarter: "quarter",
  month: "month",
  mon: "month",
  mm: "month",
  week: "week",
};
const TIME_UNITS: Readonly<Record<string, string>> = {
  ...UNITS,
  day: "day",
  dd: "day",
  hour: "hour",
  minute: "minute",
  second: "second",
  millisecond: "milliseconds",
  microsecond: "microseconds",
};

/**
 * The first day of the day's year, quarter, month or week.
 * @param unit `year`, `yyyy`, `yy`, `quarter`, `month`, `mon`, `mm` or `week`
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.trunc.html
 */
export function trunc(column: ColumnOrName, unit: string): Column<string, Date> {
  return call("trunc", named(column), literal(unit));
}
define("trunc", takes(["date", "string"], "date", { nullable: true }), (day, unit) => {
  const known = UNITS[String(constantOf(unit, "unit")).toLowerCase()];
  return known ? `CAST(date_trunc('${known}', ${day}) AS DATE)` : "CAST(NULL AS DATE)";
});

/**
 * The start of the time's year, month, day, hour, ...
 * @param unit `year`, `quarter`, `month`, `week`, `day`, `hour`, `minute`, `second`, `millisecond` or `microsecond`
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.date_trunc.html
 */
export function dateTrunc(unit: string, column: ColumnOrName): Column<string, Date> {
  return call("date_trunc", literal(unit), named(column));
}
define("date_trunc", takes(["string", "timestamp"], "timestamp", { nullable: true }), (unit, time) => {
  const known = TIME_UNITS[String(constantOf(unit, "unit")).toLowerCase()];
  return known ? `date_trunc('${known}', ${time})` : `CASE WHEN FALSE THEN ${time} END`;
});

// --- From and to text ------------------------------------------------------------------------------------------------

/**
 * Text as a date: as a cast reads it, or by a pattern such as `dd/MM/yyyy`. Text that does not read so is an error.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.to_date.html
 */
export function toDate(column: ColumnOrName, pattern?: string): Column<string, Date> {
  if (pattern === undefined) return call("to_date", named(column));
  return call("to_date", named(column), literal(pattern));
}
define("to_date", withPattern("date"), (x, pattern) =>
  pattern === undefined ? x.sql : `CAST(${parsed(x, pattern)} AS DATE)`,
);

/**
 * Text as a time: as a cast reads it, or by a pattern such as `yyyy/MM/dd HH:mm`. Text that does not read so is an error.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.to_timestamp.html
 */
export function toTimestamp(column: ColumnOrName, pattern?: string): Column<string, Date> {
  if (pattern === undefined) return call("to_timestamp", named(column));
  return call("to_timestamp", named(column), literal(pattern));
}
define("to_timestamp", withPattern("timestamp"), (x, pattern) =>
  pattern === undefined ? x.sql : `CAST(${parsed(x, pattern)} AS TIMESTAMPTZ)`,
);

/** Without a pattern it is a cast. */
function withPattern(type: DataType): FunctionEntry["signature"] {
  return (args) => {
    const [value, pattern] = args;
    if (value && pattern === undefined && takes([["string", ...DAY_OR_TIME]], type)(args).args[0])
      return { args: [type], returns: type, nullable: value.nullable || value.type === "string" };
    return takes(["string", "string"], type)(args);
  };
}

function parsed(x: Argument, pattern: Argument): string {
  const { matches, format } = javaDatePattern(String(constantOf(pattern, "pattern")));
  const message = `error('[CANNOT_PARSE_TIMESTAMP] Text ''' || ${x} || ''' could not be parsed by the pattern ${quoted(String(pattern.constant)).slice(1, -1)}.')`;
  return `CASE WHEN ${x} IS NOT NULL THEN coalesce(CASE WHEN regexp_full_match(${x}, ${quoted(matches)}) THEN try_strptime(${x}, ${quoted(format)}) END, ${message}) END`;
}

/**
 * A date or time as text by a pattern such as `yyyy-MM-dd HH:mm`.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.date_format.html
 */
export function dateFormat(column: ColumnOrName, pattern: string): Column<string, string> {
  return call("date_format", named(column), literal(pattern));
}
define("date_format", takes([["timestamp", "timestamp_ntz"], "string"], "string"), (time, pattern) => {
  const { format } = javaDatePattern(String(constantOf(pattern, "pattern")));
  return `strftime(${time}, ${quoted(format)})`;
});

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function numberOrNamed(value: ColumnOrName | number) {
  if (typeof value === "number" && !Number.isInteger(value)) throw new AnalysisError(`${value} is no whole number.`);
  return typeof value === "number" ? literal(value) : named(value);
}
