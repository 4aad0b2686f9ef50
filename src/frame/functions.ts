import { IllegalArgumentError } from "../errors";
import {
  Column,
  type ColumnOrLiteral,
  type ColumnRef,
  type LiteralInput,
  literal,
  operand,
  SortColumn,
  type Widened,
} from "./column";
import type { AggregateFunction, Expression, ScalarFunction } from "./plan";

export { batchUdf, fromModule, udf } from "./user-function";

/** A column, or the name of one. */
export type ColumnOrName = Column | string;

/** The type of a column's values, `unknown` for a name. */
type TypeOf<C> = C extends Column<string, infer T> ? T : C extends string ? ColumnRef<C> : unknown;

// --- Columns and literals ---------------------------------------------------------------------------------------

/**
 * The column of this name; `"a.b"` is the field `b` of the struct `a`, and backquotes keep dots in a name.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.col.html
 */
export function col<const N extends string>(name: N): Column<N, ColumnRef<N>> {
  return new Column({ kind: "column", name });
}

/**
 * A constant. A number without a fraction is an integer (`lit(1).cast("double")` gives 1.0), a bigint a long, a Date a
 * timestamp.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.lit.html
 */
export function lit<V extends LiteralInput>(value: V): Column<string, Widened<V>> {
  return new Column(literal(value));
}

/**
 * The value of the first branch whose condition holds: `when(a, 1).when(b, 2).otherwise(3)`. Without `otherwise`, null.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.when.html
 */
export function when<V extends ColumnOrLiteral>(condition: Column, value: V): CaseColumn<ValueType<V>> {
  return new CaseColumn([branch(condition, value)]);
}

type Branch = Extract<Expression, { kind: "case" }>["branches"][number];

/** The type of a branch's value. */
export type ValueType<V> = V extends Column<string, infer T> ? T : V extends LiteralInput ? Widened<V> : unknown;

/** A `when` chain that more branches can be added to. */
export class CaseColumn<T> extends Column<string, T> {
  constructor(private readonly branches: readonly Branch[]) {
    super({ kind: "case", branches });
  }

  /** Another branch, tried after those before it. */
  when<V extends ColumnOrLiteral>(condition: Column, value: V): CaseColumn<T | ValueType<V>> {
    return new CaseColumn([...this.branches, branch(condition, value)]);
  }

  /** The value where no branch holds. */
  otherwise<V extends ColumnOrLiteral>(value: V): Column<string, T | ValueType<V>> {
    return new Column({ kind: "case", branches: this.branches, otherwise: operand(value) });
  }
}

/**
 * The first of the columns that is not null.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.coalesce.html
 */
export function coalesce<const C extends readonly ColumnOrName[]>(...columns: C): Column<string, TypeOf<C[number]>> {
  return scalar("coalesce", atLeast("coalesce", 1, columns.map(named)));
}

/**
 * Sorts by the column, smallest first, nulls first.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.asc.html
 */
export function asc(column: ColumnOrName): SortColumn {
  return new SortColumn({ child: named(column), direction: "asc", nulls: "first" });
}

/**
 * Sorts by the column, largest first, nulls last.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.desc.html
 */
export function desc(column: ColumnOrName): SortColumn {
  return new SortColumn({ child: named(column), direction: "desc", nulls: "last" });
}

// --- Text -------------------------------------------------------------------------------------------------------

/**
 * Splits text around matches of a regular expression.
 * @param limit at most this many parts, the last one holding the rest. @default -1: as many as there are
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.split.html
 */
export function split(column: ColumnOrName, pattern: string, limit = -1): Column<string, string[]> {
  return scalar("split", [named(column), literal(pattern), literal(limit)]);
}

/**
 * Lower case.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.lower.html
 */
export function lower(column: ColumnOrName): Column<string, string> {
  return scalar("lower", [named(column)]);
}

/**
 * Upper case.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.upper.html
 */
export function upper(column: ColumnOrName): Column<string, string> {
  return scalar("upper", [named(column)]);
}

/**
 * The text without spaces at both ends.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.trim.html
 */
export function trim(column: ColumnOrName): Column<string, string> {
  return scalar("trim", [named(column)]);
}

/**
 * The number of characters of text, or of bytes of binary data.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.length.html
 */
export function length(column: ColumnOrName): Column<string, number> {
  return scalar("length", [named(column)]);
}

/**
 * A group of the first match of a regular expression; empty text where it does not match.
 * @param group 0 is the whole match. @default 1
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.regexp_extract.html
 */
export function regexpExtract(column: ColumnOrName, pattern: string, group = 1): Column<string, string> {
  return scalar("regexp_extract", [named(column), literal(pattern), literal(group)]);
}

/**
 * Replaces every match of a regular expression; `$1` in the replacement is the first group.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.regexp_replace.html
 */
export function regexpReplace(column: ColumnOrName, pattern: string, replacement: string): Column<string, string> {
  return scalar("regexp_replace", [named(column), literal(pattern), literal(replacement)]);
}

/**
 * `length` characters from `position`, counted from 1; a negative position counts from the end.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.substring.html
 */
export function substring(column: ColumnOrName, position: number, length: number): Column<string, string> {
  return scalar("substring", [named(column), literal(position), literal(length)]);
}

/**
 * Texts, or arrays, one after the other; null where one of them is.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.concat.html
 */
export function concat(...columns: readonly ColumnOrName[]): Column<string, string> {
  return scalar("concat", atLeast("concat", 1, columns.map(named)));
}

/**
 * Texts and arrays of texts with a separator between them; nulls are left out.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.concat_ws.html
 */
export function concatWs(separator: string, ...columns: readonly ColumnOrName[]): Column<string, string> {
  return scalar("concat_ws", [literal(separator), ...columns.map(named)]);
}

/**
 * The MD5 sum of text or binary data, 32 hexadecimal digits.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.md5.html
 */
export function md5(column: ColumnOrName): Column<string, string> {
  return scalar("md5", [named(column)]);
}

/**
 * The SHA-2 sum of text or binary data in hexadecimal digits.
 * @param bits 224, 256, 384 or 512; 0 means 256. The embedded engine has 256 alone.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.sha2.html
 */
export function sha2(column: ColumnOrName, bits: 0 | 224 | 256 | 384 | 512): Column<string, string> {
  return scalar("sha2", [named(column), literal(bits)]);
}

// --- Arrays -----------------------------------------------------------------------------------------------------

/**
 * An array's element, counted from 1, or from the end where negative; or a map's value. An index outside the array is an
 * error, as in Spark 4.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.element_at.html
 */
export function elementAt<C extends ColumnOrName>(column: C, index: number | string): Column<string, ElementOf<C>> {
  return scalar("element_at", [named(column), literal(index)]);
}

/** What an array column's elements are. */
export type ElementOf<C> =
  C extends Column<string, infer T>
    ? T extends readonly (infer E)[]
      ? E
      : T extends Float32Array | Float64Array
        ? number
        : unknown
    : unknown;

/**
 * How many elements an array or a map has.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.size.html
 */
export function size(column: ColumnOrName): Column<string, number> {
  return scalar("size", [named(column)]);
}

/**
 * An array of columns.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.array.html
 */
export function array(...columns: readonly ColumnOrName[]): Column<string, unknown[]> {
  return scalar("array", columns.map(named));
}

/**
 * Whether an array holds a value; null where the array or the value is null, or the array has nulls and not the value.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.array_contains.html
 */
export function arrayContains(column: ColumnOrName, value: ColumnOrLiteral): Column<string, boolean> {
  return scalar("array_contains", [named(column), operand(value)]);
}

// --- Numbers ----------------------------------------------------------------------------------------------------

/**
 * True where the value is NaN; false for null.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.isnan.html
 */
export function isnan(column: ColumnOrName): Column<string, boolean> {
  return scalar("isnan", [named(column)]);
}

/**
 * The absolute value.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.abs.html
 */
export function abs(column: ColumnOrName): Column<string, number> {
  return scalar("abs", [named(column)]);
}

/**
 * Rounds half away from zero.
 * @param scale digits after the point; negative: before it. @default 0
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.round.html
 */
export function round(column: ColumnOrName, scale = 0): Column<string, number> {
  return scalar("round", [named(column), literal(scale)]);
}

/**
 * The largest whole number that is not greater, as a long.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.floor.html
 */
export function floor(column: ColumnOrName): Column<string, number> {
  return scalar("floor", [named(column)]);
}

/**
 * The smallest whole number that is not less, as a long.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.ceil.html
 */
export function ceil(column: ColumnOrName): Column<string, number> {
  return scalar("ceil", [named(column)]);
}

/**
 * The square root; NaN for a negative number.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.sqrt.html
 */
export function sqrt(column: ColumnOrName): Column<string, number> {
  return scalar("sqrt", [named(column)]);
}

/**
 * e to the power of the value.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.exp.html
 */
export function exp(column: ColumnOrName): Column<string, number> {
  return scalar("exp", [named(column)]);
}

/**
 * The natural logarithm; null for zero and below.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.log.html
 */
export function log(column: ColumnOrName): Column<string, number> {
  return scalar("ln", [named(column)]);
}

/**
 * The first value to the power of the second.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.pow.html
 */
export function pow(base: ColumnOrName | number, exponent: ColumnOrName | number): Column<string, number> {
  return scalar("pow", [numberOrNamed(base), numberOrNamed(exponent)]);
}

/**
 * The least of the columns in each row, nulls left out.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.least.html
 */
export function least<const C extends readonly ColumnOrName[]>(...columns: C): Column<string, TypeOf<C[number]>> {
  return scalar("least", atLeast("least", 2, columns.map(named)));
}

/**
 * The greatest of the columns in each row, nulls left out.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.greatest.html
 */
export function greatest<const C extends readonly ColumnOrName[]>(...columns: C): Column<string, TypeOf<C[number]>> {
  return scalar("greatest", atLeast("greatest", 2, columns.map(named)));
}

/**
 * A random number in [0, 1) for each row. The same seed over the same rows gives the same numbers, whatever the number
 * of threads; they are not the numbers Spark draws.
 * @param seed a whole number. @default drawn when the column is made
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.rand.html
 */
export function rand(seed: number = randomSeed()): Column<string, number> {
  return scalar("rand", [literal(checkedSeed(seed))]);
}

// --- Aggregates -------------------------------------------------------------------------------------------------

/**
 * How many rows have a value; `count("*")` counts all rows.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.count.html
 */
export function count(column: ColumnOrName): Column<string, number> {
  return aggregate("count", [column === "*" ? literal(1) : named(column)]);
}

/**
 * How many distinct values, or combinations of values, there are; those with a null do not count.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.countDistinct.html
 */
export function countDistinct(column: ColumnOrName, ...more: readonly ColumnOrName[]): Column<string, number> {
  return aggregate("count_distinct", [column, ...more].map(named));
}

/**
 * The sum; whole numbers add up to a long.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.sum.html
 */
export function sum(column: ColumnOrName): Column<string, number> {
  return aggregate("sum", [named(column)]);
}

/**
 * The mean, a double.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.avg.html
 */
export function avg(column: ColumnOrName): Column<string, number> {
  return aggregate("avg", [named(column)]);
}

/**
 * Same as {@link avg}.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.mean.html
 */
export function mean(column: ColumnOrName): Column<string, number> {
  return avg(column);
}

/**
 * The least value.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.min.html
 */
export function min<const C extends ColumnOrName>(column: C): Column<string, TypeOf<C>> {
  return aggregate("min", [named(column)]);
}

/**
 * The greatest value; NaN is greater than every number.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.max.html
 */
export function max<const C extends ColumnOrName>(column: C): Column<string, TypeOf<C>> {
  return aggregate("max", [named(column)]);
}

/**
 * The standard deviation of a sample (divides by n - 1).
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.stddev.html
 */
export function stddev(column: ColumnOrName): Column<string, number> {
  return aggregate("stddev_samp", [named(column)]);
}

/**
 * The variance of a sample (divides by n - 1).
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.variance.html
 */
export function variance(column: ColumnOrName): Column<string, number> {
  return aggregate("var_samp", [named(column)]);
}

/**
 * The value of the first row of a group, null included; which row is first is only defined where the input is sorted.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.first.html
 */
export function first<const C extends ColumnOrName>(column: C): Column<string, TypeOf<C>> {
  return aggregate("first", [named(column)]);
}

/**
 * All values of a group as an array, nulls left out.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.collect_list.html
 */
export function collectList(column: ColumnOrName): Column<string, unknown[]> {
  return aggregate("collect_list", [named(column)]);
}

/**
 * The distinct values of a group as an array, nulls left out. The embedded engine sorts them, Spark leaves their order open.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.collect_set.html
 */
export function collectSet(column: ColumnOrName): Column<string, unknown[]> {
  return aggregate("collect_set", [named(column)]);
}

// --- How --------------------------------------------------------------------------------------------------------

function branch(condition: Column, value: ColumnOrLiteral): Branch {
  // biome-ignore lint/suspicious/noThenProperty: plain data under the plan's name for it, never awaited
  return { when: operand(condition), then: operand(value) };
}

/** The expression of a column or of the name of one. */
export function named(column: ColumnOrName): Expression {
  return typeof column === "string" ? { kind: "column", name: column } : operand(column);
}

/** A seed for where the user gave none. */
export function randomSeed(): number {
  return Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);
}

/** @throws IllegalArgumentError where `seed` is not a whole number that JavaScript holds exactly. */
export function checkedSeed(seed: number): number {
  if (!Number.isSafeInteger(seed)) {
    throw new IllegalArgumentError(`The seed ${seed} is not a whole number.`, {
      remedy: "Give a whole number, e.g. seed 42.",
    });
  }
  return seed;
}

function scalar<T>(fn: ScalarFunction, args: readonly Expression[]): Column<string, T> {
  return new Column({ kind: "call", fn, args });
}

function aggregate<T>(fn: AggregateFunction, args: readonly Expression[]): Column<string, T> {
  return new Column({ kind: "call", fn, args });
}

function numberOrNamed(value: ColumnOrName | number): Expression {
  return typeof value === "number" ? literal(value) : named(value);
}

function atLeast(fn: string, n: number, args: readonly Expression[]): readonly Expression[] {
  if (args.length >= n) return args;
  throw new IllegalArgumentError(`${fn} needs at least ${n} column${n === 1 ? "" : "s"}, got ${args.length}.`);
}
