import { type DataType, simpleString } from "../../data/types";
import { IllegalArgumentError } from "../../errors";
import { decimalOf, decimalSize, isFloating } from "../coercion";
import { Column, literal } from "../column";
import { type Argument, constantOf, define, defineMacro, type FunctionEntry, takes } from "../function-entry";
import { type ColumnOrName, call, named } from "./call";

// --- Rounding --------------------------------------------------------------------------------------------------------

/**
 * The absolute value; the least whole number, which has none, is an error.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.abs.html
 */
export function abs(column: ColumnOrName): Column<string, number> {
  return call("abs", named(column));
}
define(
  "abs",
  takes(["number"], (type) => type),
  (x) => `abs(${x})`,
);

/**
 * Rounds half away from zero.
 * @param scale digits after the point; negative: before it. @default 0
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.round.html
 */
export function round(column: ColumnOrName, scale = 0): Column<string, number> {
  return call("round", named(column), literal(scale));
}
define(
  "round",
  (args) => {
    const scale = args[1] ? Number(constantOf(args[1], "scale")) : 0;
    return takes(["number", "integer"], (type) => roundedType(type, scale), { optional: 1, nullable: true })(args);
  },
  (x, scale) => roundSql(x, scale ? Number(scale.constant) : 0),
);

/** A decimal keeps no more digits than asked for, and may need one more before the point. */
function roundedType(type: DataType, scale: number): DataType {
  const size = decimalSize(type);
  if (!size) return type;
  if (scale < 0) return decimalOf(Math.max(size.precision - size.scale + 1, 1 - scale), 0);
  const kept = Math.min(size.scale, scale);
  return decimalOf(size.precision - size.scale + kept + 1, kept);
}

function roundSql(x: Argument, scale: number): string {
  const size = decimalSize(x.type);
  // Java rounds the decimal digits that are printed, not the binary number: 1.005 becomes 1.01.
  if (isFloating(x.type))
    return scale < 0
      ? `spark_round_tens(${x}, ${scale})::${simpleString(x.type)}`
      : `spark_round(${x}, ${scale})::${simpleString(x.type)}`;
  if (size) {
    const type = roundedType(x.type, scale);
    return scale < 0
      ? `CAST(spark_half_up(CAST(trunc(${x}) AS HUGEINT), ${tens(scale)}) * ${tens(scale)} AS ${type})`
      : `CAST(${x} AS ${type})`;
  }
  return scale < 0
    ? `CAST(spark_half_up(CAST(${x} AS HUGEINT), ${tens(scale)}) * ${tens(scale)} AS ${simpleString(x.type)})`
    : x.sql;
}

function tens(scale: number): string {
  return `CAST('1${"0".repeat(Math.min(-scale, 38))}' AS HUGEINT)`;
}

defineMacro(
  "spark_round",
  "x, n",
  "CASE WHEN isfinite(x) AND abs(x) < 1e19 AND n <= 18 THEN CAST(round(CAST(CAST(x AS VARCHAR) AS DECIMAL(38, 18)), n) AS DOUBLE) ELSE CAST(x AS DOUBLE) END",
);
defineMacro(
  "spark_round_tens",
  "x, n",
  "CASE WHEN isfinite(x) AND abs(x) < 1e19 THEN CAST(round(CAST(CAST(x AS VARCHAR) AS DECIMAL(38, 18)), n) AS DOUBLE) WHEN isfinite(x) THEN round(CAST(x AS DOUBLE), n) ELSE CAST(x AS DOUBLE) END",
);

/**
 * The largest whole number that is not greater, as a long.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.floor.html
 */
export function floor(column: ColumnOrName): Column<string, number> {
  return call("floor", named(column));
}

/**
 * The smallest whole number that is not less, as a long.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.ceil.html
 */
export function ceil(column: ColumnOrName): Column<string, number> {
  return call("ceil", named(column));
}
for (const name of ["floor", "ceil"]) {
  define(
    name,
    (args) => {
      const size = args[0] && decimalSize(args[0].type);
      const returns = size && decimalOf(size.precision - size.scale + 1, 0);
      if (args[0] && returns) return { args: [args[0].type], returns, nullable: true };
      return takes([["double", "long"]], "long", { nullable: true })(args);
    },
    (x) => {
      const size = decimalSize(x.type);
      if (size) return `CAST(${name}(${x}) AS ${decimalOf(size.precision - size.scale + 1, 0)})`;
      return isFloating(x.type) ? `spark_long(${name}(${x}))` : x.sql;
    },
    { text: (x) => `${name.toUpperCase()}(${x})` },
  );
}
// A whole double as a long: NaN is 0, and what is too large an error.
defineMacro(
  "spark_long",
  "x",
  `CASE WHEN isnan(x) THEN CAST(0 AS BIGINT) WHEN abs(x) > 9223372036854775000 THEN error('[ARITHMETIC_OVERFLOW] Overflow: ' || x || ' is no long.') ELSE CAST(x AS BIGINT) END`,
);

// --- Functions of a double -------------------------------------------------------------------------------------------

/** Adds a function of one double. @param duckdb its SQL; a domain that DuckDB fails outside of is kept to */
function defineDouble(name: string, duckdb: FunctionEntry["duckdb"], text = name): void {
  // As in Spark, which has it that all of these may be null.
  define(name, takes(["double"], "double", { nullable: true }), duckdb, { text: (x) => `${text}(${x})` });
}

/** The logarithms are null where there is none, as in Hive. */
function defineLogarithm(name: string, function_: string, above = 0, text = name): void {
  define(
    name,
    takes(["double"], "double", { nullable: true }),
    (x) => `${function_}(CASE WHEN ${x} > ${above} THEN ${x} END)`,
    {
      text: (x) => `${text}(${x})`,
    },
  );
}

/** NaN for what lies outside of a function's domain, where DuckDB fails. */
const within = (condition: (x: Argument) => string, sql: (x: string) => string) => (x: Argument) =>
  sql(`CASE WHEN ${condition(x)} THEN ${x} WHEN ${x} IS NOT NULL THEN CAST('NaN' AS DOUBLE) END`);

/**
 * The square root; NaN for a negative number.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.sqrt.html
 */
export function sqrt(column: ColumnOrName): Column<string, number> {
  return call("sqrt", named(column));
}
defineDouble(
  "sqrt",
  within(
    (x) => `${x} >= 0`,
    (x) => `sqrt(${x})`,
  ),
  "SQRT",
);

/**
 * The cube root.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.cbrt.html
 */
export function cbrt(column: ColumnOrName): Column<string, number> {
  return call("cbrt", named(column));
}
defineDouble("cbrt", (x) => `cbrt(${x})`, "CBRT");

/**
 * e to the power of the value.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.exp.html
 */
export function exp(column: ColumnOrName): Column<string, number> {
  return call("exp", named(column));
}
defineDouble("exp", (x) => `exp(${x})`, "EXP");

/**
 * The natural logarithm, or with two arguments the logarithm of the second to the base of the first; null for zero and
 * below.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.log.html
 */
export function log(column: ColumnOrName): Column<string, number>;
export function log(base: number, column: ColumnOrName): Column<string, number>;
export function log(first: ColumnOrName | number, column?: ColumnOrName): Column<string, number> {
  if (typeof first !== "number") return call("ln", named(first));
  if (column === undefined) throw new IllegalArgumentError("log of a base needs a column.");
  return call("log", literalDouble(first), named(column));
}
defineLogarithm("ln", "ln");
define(
  "log",
  takes(["double", "double"], "double", { nullable: true }),
  (base, x) =>
    `CASE WHEN ${x} > 0 AND ${base} > 0 THEN ln(CASE WHEN ${x} > 0 THEN ${x} END) / ln(CASE WHEN ${base} > 0 THEN ${base} END) END`,
  { text: (base, x) => `LOG(${base}, ${x})` },
);

/**
 * The logarithm to the base 10; null for zero and below.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.log10.html
 */
export function log10(column: ColumnOrName): Column<string, number> {
  return call("log10", named(column));
}
defineLogarithm("log10", "log10", 0, "LOG10");

/**
 * The logarithm to the base 2; null for zero and below.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.log2.html
 */
export function log2(column: ColumnOrName): Column<string, number> {
  return call("log2", named(column));
}
defineLogarithm("log2", "log2", 0, "LOG2");

/**
 * The first value to the power of the second.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.pow.html
 */
export function pow(base: ColumnOrName | number, exponent: ColumnOrName | number): Column<string, number> {
  return call("pow", numberOrNamed(base), numberOrNamed(exponent));
}
// Java says NaN for 1 to the power of NaN and of infinity, C says 1.
define(
  "pow",
  takes(["double", "double"], "double"),
  (a, b) => `CASE WHEN abs(${a}) = 1 AND NOT isfinite(${b}) THEN CAST('NaN' AS DOUBLE) ELSE pow(${a}, ${b}) END`,
  { text: (a, b) => `POWER(${a}, ${b})` },
);

/**
 * -1.0, 0.0 or 1.0, by the sign.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.signum.html
 */
export function signum(column: ColumnOrName): Column<string, number> {
  return call("signum", named(column));
}
defineDouble(
  "signum",
  (x) => `CASE WHEN isnan(${x}) OR ${x} = 0 THEN ${x} WHEN ${x} IS NOT NULL THEN CAST(sign(${x}) AS DOUBLE) END`,
  "SIGNUM",
);

/**
 * The nearest whole number as a double, half to even.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.rint.html
 */
export function rint(column: ColumnOrName): Column<string, number> {
  return call("rint", named(column));
}
defineDouble("rint", (x) => `CASE WHEN isfinite(${x}) THEN round_even(${x}, 0) ELSE ${x} END`);

/**
 * Degrees of an angle in radians.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.degrees.html
 */
export function degrees(column: ColumnOrName): Column<string, number> {
  return call("degrees", named(column));
}
defineDouble("degrees", (x) => `degrees(${x})`, "DEGREES");

/**
 * Radians of an angle in degrees.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.radians.html
 */
export function radians(column: ColumnOrName): Column<string, number> {
  return call("radians", named(column));
}
defineDouble("radians", (x) => `radians(${x})`, "RADIANS");

/**
 * The sine of an angle in radians.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.sin.html
 */
export function sin(column: ColumnOrName): Column<string, number> {
  return call("sin", named(column));
}

/**
 * The cosine of an angle in radians.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.cos.html
 */
export function cos(column: ColumnOrName): Column<string, number> {
  return call("cos", named(column));
}

/**
 * The tangent of an angle in radians.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.tan.html
 */
export function tan(column: ColumnOrName): Column<string, number> {
  return call("tan", named(column));
}
for (const name of ["sin", "cos", "tan"]) {
  defineDouble(
    name,
    within(
      (x) => `isfinite(${x})`,
      (x) => `${name}(${x})`,
    ),
    name.toUpperCase(),
  );
}

/**
 * The angle whose sine is the value; NaN outside of -1 to 1.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.asin.html
 */
export function asin(column: ColumnOrName): Column<string, number> {
  return call("asin", named(column));
}

/**
 * The angle whose cosine is the value; NaN outside of -1 to 1.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.acos.html
 */
export function acos(column: ColumnOrName): Column<string, number> {
  return call("acos", named(column));
}
for (const name of ["asin", "acos"]) {
  defineDouble(
    name,
    within(
      (x) => `abs(${x}) <= 1`,
      (x) => `${name}(${x})`,
    ),
    name.toUpperCase(),
  );
}

/**
 * The angle whose tangent is the value.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.atan.html
 */
export function atan(column: ColumnOrName): Column<string, number> {
  return call("atan", named(column));
}
defineDouble("atan", (x) => `atan(${x})`, "ATAN");

/**
 * The angle of the point (x, y), from y and x.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.atan2.html
 */
export function atan2(y: ColumnOrName | number, x: ColumnOrName | number): Column<string, number> {
  return call("atan2", numberOrNamed(y), numberOrNamed(x));
}
// Java's angle of -0.0 is that of 0.0 here, since Spark adds 0.0 to both.
define("atan2", takes(["double", "double"], "double"), (y, x) => `atan2(${y} + 0.0::DOUBLE, ${x} + 0.0::DOUBLE)`, {
  text: (y, x) => `ATAN2(${y}, ${x})`,
});

/**
 * The hyperbolic tangent.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.tanh.html
 */
export function tanh(column: ColumnOrName): Column<string, number> {
  return call("tanh", named(column));
}
defineDouble("tanh", (x) => `tanh(${x})`, "TANH");

// --- Random ----------------------------------------------------------------------------------------------------------

/** The column that gives each row its place, for `rand`; the engine makes it. */
export const ROW_NUMBER = "#row";

/**
 * A random number in [0, 1) for each row. The same seed over the same rows gives the same numbers, whatever the number
 * of threads; they are not the numbers Spark draws.
 * @param seed a whole number. @default drawn when the column is made
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.rand.html
 */
export function rand(seed: number = randomSeed()): Column<string, number> {
  return call("rand", literal(checkedSeed(seed)));
}
// Analysis adds the column that gives rows their place.
define("rand", takes(["long", "any"], "double", { nullable: false, optional: 1 }), (seed) =>
  uniformSql(Number(constantOf(seed, "seed")), `"${ROW_NUMBER}"`),
);

/** The column that holds what {@link monotonicallyIncreasingId} gives; the engine makes it. */
export const ROW_ID = "#id";

/**
 * A different number for each row, rising in the rows' order: the partition's number times 2^33 and the row's place in it. All
 * rows are one partition unless `repartition` asked for more.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.monotonically_increasing_id.html
 */
export function monotonicallyIncreasingId(): Column<string, number> {
  return call("monotonically_increasing_id");
}
define("monotonically_increasing_id", takes([], "long", { nullable: false }), () => `"${ROW_ID}"`);

/** A number in [0, 1) that a seed and a row's place decide, whatever the thread; MD5, so that it is the same everywhere. */
export function uniformSql(seed: number | string, place: string): string {
  return `(CAST(md5_number_upper('${seed}:' || ${place}) >> 11 AS DOUBLE) / 9007199254740992)`;
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

function numberOrNamed(value: ColumnOrName | number) {
  return typeof value === "number" ? literal(value) : named(value);
}

function literalDouble(value: number) {
  return new Column({ kind: "literal", value, type: "double" }).expression;
}
