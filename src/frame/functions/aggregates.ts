import { arrayType, type DataType } from "../../data/types";
import { decimalOf, decimalSize, isFloating, isWhole } from "../coercion";
import { type Column, literal } from "../column";
import { type Argument, constantOf, define, defineMacro, ELEMENT, type FunctionEntry, takes } from "../function-entry";
import { type ColumnOrName, call, named, type TypeOf } from "./call";
import { isNested, orderKey } from "./order-key";

/** Adds an aggregate. */
function aggregate(
  name: string,
  signature: FunctionEntry["signature"],
  duckdb: FunctionEntry["duckdb"],
  text?: FunctionEntry["text"],
): void {
  define(name, signature, duckdb, { aggregate: true, ...(text ? { text } : {}) });
}

// --- Counts ----------------------------------------------------------------------------------------------------------

/**
 * How many rows have a value; `count("*")` counts all rows.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.count.html
 */
export function count(column: ColumnOrName): Column<string, number> {
  return call("count", column === "*" ? literal(1) : named(column));
}
aggregate("count", takes(["any"], "long", { rest: true, nullable: false }), (...args) => {
  const [first] = args;
  // DuckDB counts rows faster than values.
  if (first?.constant !== undefined && first.constant !== null) return "count(*)";
  return args.length === 1 ? `count(${first})` : `count(CASE WHEN ${allPresent(args)} THEN 1 END)`;
});

/**
 * How many distinct values, or combinations of values, there are; those with a null do not count.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.countDistinct.html
 */
export function countDistinct(column: ColumnOrName, ...more: readonly ColumnOrName[]): Column<string, number> {
  return call("count_distinct", ...[column, ...more].map(named));
}
aggregate(
  "count_distinct",
  takes(["any"], "long", { rest: true, nullable: false }),
  (...args) =>
    args.length === 1
      ? `count(DISTINCT ${args[0]})`
      : `count(DISTINCT CASE WHEN ${allPresent(args)} THEN (${args.join(", ")}) END)`,
  (...args) => `count(DISTINCT ${args.join(", ")})`,
);

/**
 * In how many rows a condition holds.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.count_if.html
 */
export function countIf(column: ColumnOrName): Column<string, number> {
  return call("count_if", named(column));
}
aggregate("count_if", takes(["boolean"], "long", { nullable: false }), (x) => `count(CASE WHEN ${x} THEN 1 END)`);

function allPresent(args: readonly Argument[]): string {
  return args.map((arg) => `${arg} IS NOT NULL`).join(" AND ");
}

// --- Sums and means --------------------------------------------------------------------------------------------------

/**
 * The sum; whole numbers add up to a long, and too large a sum is an error.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.sum.html
 */
export function sum(column: ColumnOrName): Column<string, number> {
  return call("sum", named(column));
}
aggregate("sum", takes(["number"], sumType, { nullable: true }), (x) => sumSql(x, ""));

/**
 * The sum of the distinct values.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.sum_distinct.html
 */
export function sumDistinct(column: ColumnOrName): Column<string, number> {
  return call("sum_distinct", named(column));
}
aggregate(
  "sum_distinct",
  takes(["number"], sumType, { nullable: true }),
  (x) => sumSql(x, "DISTINCT "),
  (x) => `sum(DISTINCT ${x})`,
);

function sumType(type: DataType): DataType {
  const size = decimalSize(type);
  if (size) return decimalOf(size.precision + 10, size.scale);
  return isWhole(type) ? "long" : "double";
}

function sumSql(x: Argument, distinct: string): string {
  const size = decimalSize(x.type);
  // DuckDB's sum of decimals goes beyond 38 digits without a word.
  if (size && size.precision > 28) return `spark_sum_of_38(sum(${distinct}${x}))`;
  if (size) return `CAST(sum(${distinct}${x}) AS ${sumType(x.type)})`;
  return isWhole(x.type) ? `CAST(sum(${distinct}${x}) AS BIGINT)` : `sum(${distinct}CAST(${x} AS DOUBLE))`;
}

defineMacro(
  "spark_sum_of_38",
  "x",
  `CASE WHEN abs(spark_unscaled(x)) >= CAST('1${"0".repeat(38)}' AS HUGEINT) THEN error('[ARITHMETIC_OVERFLOW] Overflow in sum of decimals.') ELSE x END`,
);

/**
 * The mean, a double; of decimals a decimal.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.avg.html
 */
export function avg(column: ColumnOrName): Column<string, number> {
  return call("avg", named(column));
}
aggregate(
  "avg",
  takes(["number"], (type) => averageType(type), { nullable: true }),
  (x) => {
    const size = decimalSize(x.type);
    if (!size) return `avg(CAST(${x} AS DOUBLE))`;
    const type = averageType(x.type);
    const scale = decimalSize(type)?.scale ?? 0;
    const total = `spark_unscaled(sum(${x})) * ${`CAST('1${"0".repeat(scale - size.scale)}' AS HUGEINT)`}`;
    return `CASE WHEN count(${x}) > 0 THEN CAST(spark_decimal_text(spark_half_up(${total}, CAST(count(${x}) AS HUGEINT)), ${scale}) AS ${type}) END`;
  },
);

function averageType(type: DataType): DataType {
  const size = decimalSize(type);
  return size ? decimalOf(size.precision + 4, size.scale + 4) : "double";
}

/**
 * Same as {@link avg}.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.mean.html
 */
export function mean(column: ColumnOrName): Column<string, number> {
  return avg(column);
}

// --- Spread ----------------------------------------------------------------------------------------------------------

/**
 * The standard deviation of a sample (divides by n - 1); null for one row.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.stddev.html
 */
export function stddev(column: ColumnOrName): Column<string, number> {
  return call("stddev", named(column));
}

/**
 * Same as {@link stddev}.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.stddev_samp.html
 */
export function stddevSamp(column: ColumnOrName): Column<string, number> {
  return call("stddev_samp", named(column));
}

/**
 * The standard deviation of a whole population (divides by n).
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.stddev_pop.html
 */
export function stddevPop(column: ColumnOrName): Column<string, number> {
  return call("stddev_pop", named(column));
}

/**
 * The variance of a sample (divides by n - 1); null for one row.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.variance.html
 */
export function variance(column: ColumnOrName): Column<string, number> {
  return call("variance", named(column));
}

/**
 * Same as {@link variance}.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.var_samp.html
 */
export function varSamp(column: ColumnOrName): Column<string, number> {
  return call("var_samp", named(column));
}

/**
 * The variance of a whole population (divides by n).
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.var_pop.html
 */
export function varPop(column: ColumnOrName): Column<string, number> {
  return call("var_pop", named(column));
}
for (const [name, duckdb, least] of [
  ["stddev", "stddev_samp", 2],
  ["stddev_samp", "stddev_samp", 2],
  ["stddev_pop", "stddev_pop", 1],
  ["variance", "var_samp", 2],
  ["var_samp", "var_samp", 2],
  ["var_pop", "var_pop", 1],
] as const) {
  // DuckDB fails where a value is NaN or infinite.
  aggregate(
    name,
    takes(["double"], "double", { nullable: true }),
    (x) =>
      `CASE WHEN count(${x}) >= ${least} AND bool_or(NOT isfinite(${x})) THEN CAST('NaN' AS DOUBLE) ELSE ${duckdb}(CASE WHEN isfinite(${x}) THEN ${x} END) END`,
  );
}

/**
 * How lopsided the values lie around their mean.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.skewness.html
 */
export function skewness(column: ColumnOrName): Column<string, number> {
  return call("skewness", named(column));
}
aggregate(
  "skewness",
  takes(["double"], "double", { nullable: true }),
  (x) => `spark_skewness(list(${x}) FILTER (${x} IS NOT NULL), avg(${x}))`,
);

/**
 * How heavy the tails are, beyond those of a normal distribution.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.kurtosis.html
 */
export function kurtosis(column: ColumnOrName): Column<string, number> {
  return call("kurtosis", named(column));
}
aggregate(
  "kurtosis",
  takes(["double"], "double", { nullable: true }),
  (x) => `spark_kurtosis(list(${x}) FILTER (${x} IS NOT NULL), avg(${x}))`,
);
defineMacro("spark_moment", "l, m, k", `list_sum(list_transform(l, lambda ${ELEMENT}: pow(${ELEMENT} - m, k)))`);
defineMacro(
  "spark_skewness",
  "l, m",
  "CASE WHEN spark_moment(l, m, 2) = 0 THEN NULL ELSE sqrt(CAST(len(l) AS DOUBLE)) * spark_moment(l, m, 3) / sqrt(pow(spark_moment(l, m, 2), 3)) END",
);
defineMacro(
  "spark_kurtosis",
  "l, m",
  "CASE WHEN spark_moment(l, m, 2) = 0 THEN NULL ELSE len(l) * spark_moment(l, m, 4) / (spark_moment(l, m, 2) * spark_moment(l, m, 2)) - 3.0 END",
);

/**
 * Pearson's correlation of two columns.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.corr.html
 */
export function corr(a: ColumnOrName, b: ColumnOrName): Column<string, number> {
  return call("corr", named(a), named(b));
}

/**
 * The covariance of two columns in a sample (divides by n - 1).
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.covar_samp.html
 */
export function covarSamp(a: ColumnOrName, b: ColumnOrName): Column<string, number> {
  return call("covar_samp", named(a), named(b));
}

/**
 * The covariance of two columns in a whole population (divides by n).
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.covar_pop.html
 */
export function covarPop(a: ColumnOrName, b: ColumnOrName): Column<string, number> {
  return call("covar_pop", named(a), named(b));
}
for (const [name, least] of [
  ["corr", 2],
  ["covar_samp", 2],
  ["covar_pop", 1],
] as const) {
  aggregate(name, takes(["double", "double"], "double", { nullable: true }), (a, b) => {
    const both = `${a} IS NOT NULL AND ${b} IS NOT NULL`;
    const finite = `isfinite(${a}) AND isfinite(${b})`;
    const alone = name === "corr" ? `WHEN count(CASE WHEN ${both} THEN 1 END) < 2 THEN NULL ` : "";
    return `CASE ${alone}WHEN count(CASE WHEN ${both} THEN 1 END) >= ${least} AND bool_or(${both} AND NOT (${finite})) THEN CAST('NaN' AS DOUBLE) ELSE nullif(${name}(CASE WHEN ${finite} THEN ${a} END, CASE WHEN ${finite} THEN ${b} END), CAST('NaN' AS DOUBLE)) END`;
  });
}

// --- One of the values -----------------------------------------------------------------------------------------------

/**
 * The least value.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.min.html
 */
export function min<const C extends ColumnOrName>(column: C): Column<string, TypeOf<C>> {
  return call("min", named(column));
}

/**
 * The greatest value; NaN is greater than every number.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.max.html
 */
export function max<const C extends ColumnOrName>(column: C): Column<string, TypeOf<C>> {
  return call("max", named(column));
}
for (const name of ["min", "max"]) {
  aggregate(
    name,
    takes(["any"], (type) => type, { nullable: true }),
    (x) => (isNested(x.type) ? `arg_${name}(${x}, ${orderKey(x.sql, x.type)})` : `${name}(${x})`),
  );
}

/**
 * The value of the first row of a group; which row is first is only defined where the input is sorted.
 * @param ignoreNulls the first value that is not null. @default false
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.first.html
 */
export function first<const C extends ColumnOrName>(column: C, ignoreNulls = false): Column<string, TypeOf<C>> {
  return call("first", named(column), ...(ignoreNulls ? [literal(true)] : []));
}

/**
 * The value of the last row of a group; which row is last is only defined where the input is sorted.
 * @param ignoreNulls the last value that is not null. @default false
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.last.html
 */
export function last<const C extends ColumnOrName>(column: C, ignoreNulls = false): Column<string, TypeOf<C>> {
  return call("last", named(column), ...(ignoreNulls ? [literal(true)] : []));
}
for (const name of ["first", "last"]) {
  aggregate(
    name,
    takes(["any", "boolean"], (type) => type, { optional: 1, nullable: true }),
    (x, ignore) =>
      ignore && constantOf(ignore, "choice") ? `${name}(${x}) FILTER (${x} IS NOT NULL)` : `${name}(${x})`,
    (x) => `${name}(${x})`,
  );
}

/**
 * True where all values are; nulls are left out.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.bool_and.html
 */
export function boolAnd(column: ColumnOrName): Column<string, boolean> {
  return call("bool_and", named(column));
}

/**
 * True where one of the values is; nulls are left out.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.bool_or.html
 */
export function boolOr(column: ColumnOrName): Column<string, boolean> {
  return call("bool_or", named(column));
}
for (const name of ["bool_and", "bool_or"])
  aggregate(name, takes(["boolean"], "boolean", { nullable: true }), (x) => `${name}(${x})`);

/**
 * The value below which a share of the values lies, exact, between two values where it falls there.
 * @param share from 0 to 1
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.percentile.html
 */
export function percentile(column: ColumnOrName, share: number): Column<string, number> {
  return call("percentile", named(column), literal(share));
}
aggregate(
  "percentile",
  takes(["double", "double"], "double", { nullable: true }),
  (x, share) => `quantile_cont(${x}, ${share})`,
  (x, share) => `percentile(${x}, ${share}, 1)`,
);

/**
 * The value below which a share of the values lies: one of them, the same that Spark finds among up to 10,000 values; Spark
 * approximates among more, this is exact.
 * @param share from 0 to 1
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.percentile_approx.html
 */
export function percentileApprox<C extends ColumnOrName>(column: C, share: number): Column<string, TypeOf<C>> {
  return call("percentile_approx", named(column), literal(share));
}
aggregate(
  "percentile_approx",
  takes(["number", "double"], (type) => type, { nullable: true }),
  (x, share) => `quantile_disc(${x}, ${share})`,
  (x, share) => `percentile_approx(${x}, ${share}, 10000)`,
);

/**
 * The middle value, or the mean of the two in the middle.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.median.html
 */
export function median(column: ColumnOrName): Column<string, number> {
  return call("median", named(column));
}
aggregate("median", takes(["double"], "double", { nullable: true }), (x) => `quantile_cont(${x}, 0.5)`);

// --- All of the values -----------------------------------------------------------------------------------------------

/**
 * All values of a group as an array, nulls left out.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.collect_list.html
 */
export function collectList(column: ColumnOrName): Column<string, unknown[]> {
  return call("collect_list", named(column));
}
const listed = takes(["any"], (type) => arrayType(type, false), { nullable: false });
aggregate("collect_list", listed, (x) => `coalesce(list(${x}) FILTER (${x} IS NOT NULL), [])`);

/** Spark keeps 0.0 where there are 0.0 and -0.0. */
export function plusZero(x: Argument): string {
  return isFloating(x.type) ? `${x} + CAST(0 AS ${x.type})` : x.sql;
}

/**
 * The distinct values of a group as an array, nulls left out. The embedded engine sorts them, Spark leaves their order open.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.collect_set.html
 */
export function collectSet(column: ColumnOrName): Column<string, unknown[]> {
  return call("collect_set", named(column));
}
aggregate(
  "collect_set",
  listed,
  (x) => `coalesce(list_sort(list(DISTINCT ${plusZero(x)}) FILTER (${x} IS NOT NULL)), [])`,
);
