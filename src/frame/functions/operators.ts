import { type DataType, simpleString } from "../../data/types";
import { AnalysisError } from "../analysis-error";
import {
  asDecimal,
  boundedDecimal,
  commonType,
  type DecimalSize,
  decimalSize,
  implicitCast,
  isArray,
  isMap,
  isNumeric,
  isStruct,
  isWhole,
} from "../coercion";
import {
  type Argument,
  constantOf,
  define,
  defineMacro,
  differentTypes,
  type Signature,
  takes,
  takesAlike,
} from "../function-entry";
import { hasMap, isNested, orderKey } from "./order-key";

/** The operators of columns: what the methods of `Column` call. */

const infix = (sign: string) => ({ text: (a = "", b = "") => `(${a} ${sign} ${b})` });

// --- Comparison: NaN equals NaN and is above every number, as in DuckDB; -0.0 equals 0.0. ----------------------------

for (const sign of ["=", "<", "<=", ">", ">="]) {
  define(sign, compares("boolean"), (a, b) => compared(a, sign, b), infix(sign));
}
define("!=", compares("boolean"), (a, b) => `(${a} <> ${b})`, { text: (a, b) => `(NOT (${a} = ${b}))` });
define(
  "<=>",
  (args) => ({ ...compares("boolean")(args), nullable: false }),
  (a, b) => `(${a} IS NOT DISTINCT FROM ${b})`,
  infix("<=>"),
);
define("in", compares("boolean"), (a, ...list) => (list.length > 0 ? `(${a} IN (${list.join(", ")}))` : "FALSE"), {
  text: (a, ...list) => `(${a} IN (${list.join(", ")}))`,
});

function compared(a: Argument, sign: string, b: Argument): string {
  if (sign === "=" || !isNested(a.type)) return `(${a} ${sign} ${b})`;
  return `(${orderKey(a.sql, a.type)} ${sign} ${orderKey(b.sql, b.type)})`;
}

function compares(returns: DataType): (args: readonly Argument[]) => Signature {
  const alike = takesAlike(returns);
  return (args) => {
    const signature = alike(args);
    const type = signature.args[0];
    if (type !== undefined && hasMap(type)) {
      throw new AnalysisError(
        `[DATATYPE_MISMATCH.INVALID_ORDERING_TYPE] Maps such as ${simpleString(type)} cannot be compared.`,
      );
    }
    return signature;
  };
}

// --- Arithmetic: overflow is an error, as is dividing by zero. -------------------------------------------------------

define(
  "+",
  arithmetic(sumSize),
  (a, b) => (a.type === "date" ? dateSql(a, "+", b) : exact("+", sumSize, a, b)),
  infix("+"),
);
define(
  "-",
  arithmetic(sumSize),
  (a, b) => (a.type === "date" ? dateSql(a, "-", b) : exact("-", sumSize, a, b)),
  infix("-"),
);
define("*", arithmetic(productSize), (a, b) => exact("*", productSize, a, b), infix("*"));
define(
  "/",
  (args) => {
    const decimal = decimalArguments(args, quotientSize);
    if (decimal) return decimal;
    const [a, b] = args;
    const common = a && b && commonType(a.type, b.type);
    if (!common || !(isNumeric(common) || common === "void" || common === "string"))
      throw differentTypes(args, "BINARY_OP_DIFF_TYPES");
    // Text beside a whole number is read as one.
    return {
      args: args.map((arg) => (arg.type === "string" && isWhole(common) ? common : "double")),
      returns: "double",
      nullable: true,
    };
  },
  (a, b) =>
    unlessZero(a, b, "[DIVIDE_BY_ZERO] Division by zero. Use try_divide or nullif to tolerate it.", quotient(a, b)),
  infix("/"),
);
define(
  "%",
  (args) => ({ ...arithmetic(remainderSize)(args), nullable: true }),
  (a, b) => {
    // DuckDB fails on the least number divided by -1, whose remainder is 0.
    const remainder = isWhole(a.type)
      ? `CASE WHEN ${b} = -1 THEN ${a} - ${a} ELSE ${a} % ${b} END`
      : remainderSql(a, b);
    return unlessZero(a, b, "[REMAINDER_BY_ZERO] Remainder by zero. Use nullif to tolerate it.", remainder);
  },
  infix("%"),
);
define(
  "negative",
  takes(["number"], (type) => type),
  (a) => `(- ${a})`,
  { text: (a) => `negative(${a})` },
);

type Size = (a: DecimalSize, b: DecimalSize) => readonly [precision: number, scale: number];

function sumSize(a: DecimalSize, b: DecimalSize) {
  const scale = Math.max(a.scale, b.scale);
  return [Math.max(a.precision - a.scale, b.precision - b.scale) + scale + 1, scale] as const;
}

function productSize(a: DecimalSize, b: DecimalSize) {
  return [a.precision + b.precision + 1, a.scale + b.scale] as const;
}

function quotientSize(a: DecimalSize, b: DecimalSize) {
  const scale = Math.max(6, a.scale + b.precision + 1);
  return [a.precision - a.scale + b.scale + scale, scale] as const;
}

function remainderSize(a: DecimalSize, b: DecimalSize) {
  const scale = Math.max(a.scale, b.scale);
  return [Math.min(a.precision - a.scale, b.precision - b.scale) + scale, scale] as const;
}

/** Where one argument is a decimal and the other a decimal or whole: what both are, and what comes of them. */
function decimalArguments(args: readonly Argument[], size: Size): Signature | undefined {
  const [a, b] = args;
  if (!a || !b || !(decimalSize(a.type) || decimalSize(b.type))) return undefined;
  const [x, y] = [asDecimal(a.type, a.constant), asDecimal(b.type, b.constant)];
  if (!x || !y) return undefined;
  return {
    args: [boundedDecimal(x.precision, x.scale), boundedDecimal(y.precision, y.scale)],
    returns: boundedDecimal(...size(x, y)),
    nullable: true,
  };
}

function arithmetic(size: Size): (args: readonly Argument[]) => Signature {
  return (args) => {
    const [a, b] = args;
    if (a?.type === "date" && b && isWhole(b.type)) return { args: ["date", "integer"], returns: "date" };
    const decimal = decimalArguments(args, size);
    if (decimal) return decimal;
    const type = a && b ? commonType(a.type, b.type) : undefined;
    const number = type === "void" ? "double" : type;
    if (number === undefined || !isNumeric(number)) throw differentTypes(args, "BINARY_OP_DIFF_TYPES");
    return { args: [number, number], returns: number };
  };
}

function remainderSql(a: Argument, b: Argument): string {
  const [x, y] = [decimalSize(a.type), decimalSize(b.type)];
  if (!x || !y) return `${a} % ${b}`;
  const scale = Math.max(x.scale, y.scale);
  const common = boundedDecimal(Math.max(x.precision - x.scale, y.precision - y.scale) + scale, scale);
  return `CAST(CAST(${a} AS ${common}) % CAST(${b} AS ${common}) AS ${resultType(a, b, remainderSize)})`;
}

function dateSql(date: Argument, sign: string, days: Argument): string {
  return `(${date} ${sign} ${days})`;
}

function resultType(a: Argument, b: Argument, size: Size): DataType | undefined {
  const [x, y] = [decimalSize(a.type), decimalSize(b.type)];
  return x && y ? boundedDecimal(...size(x, y)) : undefined;
}

/** Decimals as Spark sizes them; all other numbers as they are, for DuckDB's overflow is an error too. */
function exact(sign: string, size: Size, a: Argument, b: Argument): string {
  const result = resultType(a, b, size);
  if (!result) return `(${a} ${sign} ${b})`;
  // With 38 digits DuckDB multiplies in 128 bits, and not in as few as the factors have.
  if (sign === "*") return `CAST(CAST(${a} AS DECIMAL(38, ${decimalSize(a.type)?.scale ?? 0})) * ${b} AS ${result})`;
  return `CAST(CAST(${a} AS ${result}) ${sign} CAST(${b} AS ${result}) AS ${result})`;
}

function quotient(a: Argument, b: Argument): string {
  const result = resultType(a, b, quotientSize);
  const [x, y, z] = [decimalSize(a.type), decimalSize(b.type), result && decimalSize(result)];
  if (!x || !y || !z) return `CAST(${a} AS DOUBLE) / CAST(${b} AS DOUBLE)`;
  // In whole numbers of the smallest digit, for DuckDB divides decimals as doubles.
  const shift = z.scale - x.scale + y.scale;
  const [up, down] = [power(Math.max(shift, 0)), power(Math.max(-shift, 0))];
  const whole = `spark_half_up(spark_unscaled(${a}) * ${up}, spark_unscaled(${b}) * ${down})`;
  return `CAST(spark_decimal_text(${whole}, ${z.scale}) AS ${result})`;
}

function power(n: number): string {
  return `CAST('1${"0".repeat(n)}' AS HUGEINT)`;
}

defineMacro("spark_unscaled", "x", "CAST(replace(CAST(x AS VARCHAR), '.', '') AS HUGEINT)");
defineMacro(
  "spark_half_up",
  "n, d",
  "n // d + CASE WHEN abs(n % d) >= abs(d) - abs(n % d) THEN CASE WHEN (n < 0) = (d < 0) THEN 1 ELSE -1 END ELSE 0 END",
);
defineMacro(
  "spark_digits",
  "h, s",
  "lpad(CAST(abs(h) AS VARCHAR), CAST(greatest(length(CAST(abs(h) AS VARCHAR)), s + 1) AS INTEGER), '0')",
);
defineMacro(
  "spark_decimal_text",
  "h, s",
  "CASE WHEN h < 0 THEN '-' ELSE '' END || left(spark_digits(h, s), length(spark_digits(h, s)) - s) || '.' || right(spark_digits(h, s), s)",
);

function unlessZero(a: Argument, b: Argument, message: string, otherwise: string): string {
  if (typeof b.constant === "number" && b.constant !== 0) return `(${otherwise})`;
  return `CASE WHEN ${b} = 0 THEN CASE WHEN ${a} IS NOT NULL THEN error('${message}') END ELSE ${otherwise} END`;
}

// --- Logic and nulls -------------------------------------------------------------------------------------------------

define("and", takes(["boolean", "boolean"], "boolean"), (a, b) => `(${a} AND ${b})`, infix("AND"));
define("or", takes(["boolean", "boolean"], "boolean"), (a, b) => `(${a} OR ${b})`, infix("OR"));
define("not", takes(["boolean"], "boolean"), (a) => `(NOT ${a})`, { text: (a) => `(NOT ${a})` });
define("isnull", takes(["any"], "boolean", { nullable: false }), (a) => `(${a} IS NULL)`, {
  text: (a) => `(${a} IS NULL)`,
});
define("isnotnull", takes(["any"], "boolean", { nullable: false }), (a) => `(${a} IS NOT NULL)`, {
  text: (a) => `(${a} IS NOT NULL)`,
});
define("isnan", takes([["double", "float"]], "boolean", { nullable: false }), (a) => `coalesce(isnan(${a}), FALSE)`);

// --- Parts of a value ------------------------------------------------------------------------------------------------

define(
  "getitem",
  ([container, key]) => {
    if (!container || !key) throw new AnalysisError("getItem needs a key.");
    const { type } = container;
    if (isArray(type)) {
      const index = implicitCast(key.type, "whole");
      if (!index) throw differentTypes([container, key]);
      return { args: [type, index], returns: type.elementType, nullable: true };
    }
    if (isMap(type)) return { args: [type, mapKey(type.keyType, key)], returns: type.valueType, nullable: true };
    if (isStruct(type)) {
      const field = fieldNamed(container, key);
      return { args: [type, key.type], returns: field.type, nullable: container.nullable || field.nullable };
    }
    throw new AnalysisError(`[INVALID_EXTRACT_BASE_FIELD_TYPE] A ${simpleString(type)} has no items.`);
  },
  (container, key) => {
    if (isStruct(container.type)) return `struct_extract(${container}, ${quoted(fieldNamed(container, key).name)})`;
    return isMap(container.type) ? `${container}[${key}]` : `spark_getitem(${container}, ${key})`;
  },
  { text: (a, b) => `${a}[${b}]` },
);
defineMacro(
  "spark_getitem",
  "x, i",
  `CASE WHEN i < 0 OR i >= len(x) THEN error('[INVALID_ARRAY_INDEX] The index ' || i || ' is out of bounds. The array has ' || len(x) || ' elements.')
    ELSE x[i + 1] END`,
);

/** The type of a map's key that a value is looked up as. */
export function mapKey(keyType: DataType, key: Argument): DataType {
  return implicitCast(key.type, keyType) ?? commonType(keyType, key.type) ?? fail(key);
}

function fail(key: Argument): never {
  throw new AnalysisError(
    `[DATATYPE_MISMATCH.MAP_FUNCTION_DIFF_TYPES] A ${simpleString(key.type)} is no key of this map.`,
  );
}

function fieldNamed(container: Argument, key: Argument) {
  const name = String(constantOf(key, "name of a field"));
  const fields = isStruct(container.type) ? container.type.fields : [];
  const found = fields.find((f) => f.name === name) ?? fields.find((f) => f.name.toLowerCase() === name.toLowerCase());
  if (found) return found;
  throw new AnalysisError(`[FIELD_NOT_FOUND] There is no field \`${name}\`.`, {
    remedy: `The fields are ${fields.map((f) => `\`${f.name}\``).join(", ")}.`,
  });
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
