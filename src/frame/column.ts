import type { DataType } from "../data/types";
import { IllegalArgumentError } from "../errors";
import { parseDataType, type TypeName } from "./ddl";
import { type Expression, outputName, type SortOrder } from "./plan";

/** A JavaScript value that can stand in an expression. */
export type LiteralInput = null | boolean | number | bigint | string | Date;

/** A column, or a value that becomes a literal. */
export type ColumnOrLiteral = Column | LiteralInput;

/**
 * The type of a column that is known by name alone: it becomes the type of the row's property `Name` where the row's
 * type has one, and `unknown` where it does not.
 */
export interface ColumnRef<Name extends string> {
  readonly columnRef: Name;
}

/** The TypeScript type of a value after a cast to a Spark type. */
export type CastResult<Type> = Type extends "double" | "float" | "real" | "int" | "integer" | "short" | "smallint"
  ? number
  : Type extends "byte" | "tinyint" | "bigint" | "long"
    ? number
    : Type extends "string"
      ? string
      : Type extends "boolean"
        ? boolean
        : Type extends "date" | "timestamp" | "timestamp_ltz" | "timestamp_ntz"
          ? Date
          : Type extends "binary"
            ? Uint8Array
            : Type extends "array<float>"
              ? Float32Array
              : Type extends "array<double>"
                ? Float64Array
                : Type extends "array<string>"
                  ? string[]
                  : unknown;

/** The TypeScript type of a literal: `"a"` is a string, `1` a number. */
export type Widened<V> = V extends string
  ? string
  : V extends number | bigint
    ? number
    : V extends boolean
      ? boolean
      : V extends Date
        ? Date
        : null;

/**
 * An expression over a DataFrame's columns. Immutable: every method gives a new column, nothing is computed before an
 * action. `Name` is the output column's name where the compiler knows it, `T` the type of its values.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/column.html
 */
export class Column<Name extends string = string, T = unknown> {
  /** Only for the compiler: what a row of the result holds. */
  declare protected readonly phantom: { readonly name: Name; readonly type: T };

  /** @param expression the plain data this column stands for. */
  constructor(readonly expression: Expression) {}

  /** The name this column gets in a result. */
  get columnName(): string {
    return outputName(this.expression);
  }

  /** `this = other`. */
  eq(other: ColumnOrLiteral): Column<string, boolean> {
    return this.call("=", other);
  }

  /** `this = other`, under Spark's Scala name. */
  equalTo(other: ColumnOrLiteral): Column<string, boolean> {
    return this.eq(other);
  }

  /** Equality in which null equals null. */
  eqNullSafe(other: ColumnOrLiteral): Column<string, boolean> {
    return this.call("<=>", other);
  }

  /** `this != other`. */
  notEqual(other: ColumnOrLiteral): Column<string, boolean> {
    return this.call("!=", other);
  }

  /** `this < other`. */
  lt(other: ColumnOrLiteral): Column<string, boolean> {
    return this.call("<", other);
  }

  /** `this <= other`. */
  leq(other: ColumnOrLiteral): Column<string, boolean> {
    return this.call("<=", other);
  }

  /** `this > other`. */
  gt(other: ColumnOrLiteral): Column<string, boolean> {
    return this.call(">", other);
  }

  /** `this >= other`. */
  geq(other: ColumnOrLiteral): Column<string, boolean> {
    return this.call(">=", other);
  }

  /** True between `lower` and `upper`, both included. */
  between(lower: ColumnOrLiteral, upper: ColumnOrLiteral): Column<string, boolean> {
    return this.geq(lower).and(this.leq(upper));
  }

  /** `this + other`. */
  plus(other: ColumnOrLiteral): Column<string, number> {
    return this.call("+", other);
  }

  /** `this - other`. */
  minus(other: ColumnOrLiteral): Column<string, number> {
    return this.call("-", other);
  }

  /** `this * other`. */
  multiply(other: ColumnOrLiteral): Column<string, number> {
    return this.call("*", other);
  }

  /** `this / other`, always a double; dividing by zero is an error, as in Spark 4. */
  divide(other: ColumnOrLiteral): Column<string, number> {
    return this.call("/", other);
  }

  /** The remainder of `this / other`, with the sign of `this`. */
  mod(other: ColumnOrLiteral): Column<string, number> {
    return this.call("%", other);
  }

  /** `-this`. */
  negate(): Column<string, number> {
    return this.call("negative");
  }

  /** True where both are; null where that is not known. */
  and(other: ColumnOrLiteral): Column<string, boolean> {
    return this.call("and", other);
  }

  /** True where one of both is; null where that is not known. */
  or(other: ColumnOrLiteral): Column<string, boolean> {
    return this.call("or", other);
  }

  /** True where this is false. */
  not(): Column<string, boolean> {
    return this.call("not");
  }

  /** True where the value is null. */
  isNull(): Column<string, boolean> {
    return this.call("isnull");
  }

  /** True where the value is not null. */
  isNotNull(): Column<string, boolean> {
    return this.call("isnotnull");
  }

  /** True where the value is NaN; false for null. */
  isNaN(): Column<string, boolean> {
    return this.call("isnan");
  }

  /** True where the value is one of `values`, given one by one or as an array. */
  isin(...values: readonly (ColumnOrLiteral | readonly ColumnOrLiteral[])[]): Column<string, boolean> {
    return this.call("in", ...(values.flat() as ColumnOrLiteral[]));
  }

  /** SQL's LIKE: `%` any text, `_` one character, `\` escapes. */
  like(pattern: string): Column<string, boolean> {
    return this.call("like", pattern);
  }

  /** True where the regular expression is found anywhere in the value. */
  rlike(pattern: string): Column<string, boolean> {
    return this.call("rlike", pattern);
  }

  /** SQL's ILIKE: `like` without regard to upper and lower case. */
  ilike(pattern: string): Column<string, boolean> {
    return this.call("ilike", pattern);
  }

  /** True where the text starts with `prefix`. */
  startsWith(prefix: ColumnOrLiteral): Column<string, boolean> {
    return this.call("startswith", prefix);
  }

  /** True where the text ends with `suffix`. */
  endsWith(suffix: ColumnOrLiteral): Column<string, boolean> {
    return this.call("endswith", suffix);
  }

  /** True where the text contains `part`. */
  contains(part: ColumnOrLiteral): Column<string, boolean> {
    return this.call("contains", part);
  }

  /** `length` characters from position `start`, counted from 1; a negative start counts from the end. */
  substr(start: ColumnOrLiteral, length: ColumnOrLiteral): Column<string, string> {
    return this.call("substr", start, length);
  }

  /** An array's element (counted from 0), a map's value, or a struct's field. */
  getItem(key: ColumnOrLiteral): Column {
    return this.call("getitem", key);
  }

  /** A struct's field. */
  getField(name: string): Column {
    return this.getItem(name);
  }

  /**
   * The value as another type: a Spark name such as `"double"` or `"array<float>"`, or a data type.
   * Text that does not read as the type is an error, as in Spark 4.
   */
  cast<Type extends TypeName | (string & {}) | DataType>(type: Type): Column<Name, CastResult<Type>> {
    const to = typeof type === "string" ? parseDataType(type) : (type as DataType);
    return new Column({ kind: "cast", child: unaliased(this.expression), to });
  }

  /** Same as `cast`. */
  astype<Type extends TypeName | (string & {}) | DataType>(type: Type): Column<Name, CastResult<Type>> {
    return this.cast(type);
  }

  /** The same column under another name. */
  alias<N extends string>(name: N): Column<N, T>;
  alias(name: string, ...more: readonly string[]): Column;
  alias(name: string, ...more: readonly string[]): Column {
    const child = unaliased(this.expression);
    return new Column({ kind: "alias", child, name, ...(more.length > 0 ? { more } : {}) });
  }

  /** Same as `alias`. */
  as<N extends string>(name: N): Column<N, T> {
    return this.alias(name);
  }

  /** Same as `alias`. */
  name<N extends string>(name: N): Column<N, T> {
    return this.alias(name);
  }

  /** Smallest first, nulls before everything. */
  asc(): SortColumn {
    return this.ascNullsFirst();
  }

  /** Smallest first, nulls before everything. */
  ascNullsFirst(): SortColumn {
    return new SortColumn({ child: unaliased(this.expression), direction: "asc", nulls: "first" });
  }

  /** Smallest first, nulls after everything. */
  ascNullsLast(): SortColumn {
    return new SortColumn({ child: unaliased(this.expression), direction: "asc", nulls: "last" });
  }

  /** Largest first, nulls after everything. */
  desc(): SortColumn {
    return this.descNullsLast();
  }

  /** Largest first, nulls before everything. */
  descNullsFirst(): SortColumn {
    return new SortColumn({ child: unaliased(this.expression), direction: "desc", nulls: "first" });
  }

  /** Largest first, nulls after everything. */
  descNullsLast(): SortColumn {
    return new SortColumn({ child: unaliased(this.expression), direction: "desc", nulls: "last" });
  }

  /** As PySpark prints a column. */
  toString(): string {
    return `Column<'${this.columnName}'>`;
  }

  private call<R>(fn: string, ...others: readonly ColumnOrLiteral[]): Column<string, R> {
    return new Column({ kind: "call", fn, args: [unaliased(this.expression), ...others.map(operand)] });
  }
}

/** A column with a sort direction, for `orderBy`. */
export class SortColumn {
  constructor(readonly order: SortOrder) {}
}

/** The expression of a column or a literal, as the operand of another expression: an alias means nothing there. */
export function operand(value: ColumnOrLiteral): Expression {
  return value instanceof Column ? unaliased(value.expression) : literal(value);
}

/** An expression without its alias. */
export function unaliased(expression: Expression): Expression {
  return expression.kind === "alias" ? unaliased(expression.child) : expression;
}

/** What a column's name stands for: `*` and `a.*` for several. @param planId of the frame whose column it is */
export function columnReference(name: string, planId?: number): Expression {
  if (typeof name !== "string") {
    throw new IllegalArgumentError(
      `A column is named by a text, not by ${name === null ? "null" : `a ${typeof name}`}.`,
      {
        remedy: 'Name it, "label"; a constant is lit(value).',
      },
    );
  }
  const frame = planId === undefined ? {} : { planId };
  if (name === "*") return { kind: "star", ...frame };
  if (name.endsWith(".*")) return { kind: "star", of: name.slice(0, -2), ...frame };
  return { kind: "column", name, ...frame };
}

/** A JavaScript value as a literal. @throws IllegalArgumentError for a value no literal can hold. */
export function literal(value: LiteralInput): Expression {
  if (value instanceof Date && Number.isNaN(value.getTime())) {
    throw new IllegalArgumentError("An invalid Date cannot be a literal in an expression.", {
      remedy: 'Give one that is, such as new Date("2024-01-31").',
    });
  }
  if (value instanceof Date) return { kind: "literal", value: value.toISOString(), type: "timestamp" };
  switch (typeof value) {
    case "bigint":
      return { kind: "literal", value: value.toString(), type: "long" };
    case "number":
      // JSON has no word for these three.
      if (!Number.isFinite(value)) return { kind: "literal", value: String(value), type: "double" };
      return { kind: "literal", value };
    case "string":
    case "boolean":
      return { kind: "literal", value };
  }
  if (value === null) return { kind: "literal", value: null };
  throw new IllegalArgumentError(`${String(value)} (${typeof value}) cannot be a literal in an expression.`, {
    remedy: "Use null, a boolean, a number, a bigint, a string, a Date, or a column.",
  });
}
