import { IllegalArgumentError } from "../../errors";
import { AnalysisError } from "../analysis-error";
import { commonType } from "../coercion";
import {
  Column,
  type ColumnOrLiteral,
  type ColumnRef,
  columnReference,
  type LiteralInput,
  literal,
  operand,
  SortColumn,
  type Widened,
} from "../column";
import { define, differentTypes, takes, takesAlike } from "../function-entry";
import type { Expression } from "../plan";
import { type ColumnOrName, call, named, type TypeOf } from "./call";
import { isNested } from "./order-key";

/**
 * The column of this name; `"a.b"` is the field `b` of the struct `a`, and backquotes keep dots in a name.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.col.html
 */
export function col<const N extends string>(name: N): Column<N, ColumnRef<N>> {
  return new Column(columnReference(name));
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

function branch(condition: Column, value: ColumnOrLiteral): Branch {
  // biome-ignore lint/suspicious/noThenProperty: plain data under the plan's name for it, never awaited
  return { when: operand(condition), then: operand(value) };
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

// --- Nulls and NaN ---------------------------------------------------------------------------------------------------

/**
 * The first of the columns that is not null.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.coalesce.html
 */
export function coalesce<const C extends readonly ColumnOrName[]>(...columns: C): Column<string, TypeOf<C[number]>> {
  return call("coalesce", ...atLeast("coalesce", 1, columns.map(named)));
}
define(
  "coalesce",
  takesAlike(undefined, (args) => args.every((a) => a.nullable)),
  (...args) => `coalesce(${args.join(", ")})`,
);

/**
 * The first column where it is not null, else the second.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.nvl.html
 */
export function nvl(column: ColumnOrName, other: ColumnOrName): Column {
  return call("nvl", named(column), named(other));
}

/**
 * Same as {@link nvl}.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.ifnull.html
 */
export function ifnull(column: ColumnOrName, other: ColumnOrName): Column {
  return call("ifnull", named(column), named(other));
}
for (const name of ["nvl", "ifnull"]) {
  define(
    name,
    takesAlike(undefined, (args) => args.every((a) => a.nullable)),
    (a, b) => `coalesce(${a}, ${b})`,
  );
}

/**
 * Null where both columns are equal, else the first.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.nullif.html
 */
export function nullif(column: ColumnOrName, other: ColumnOrName): Column {
  return call("nullif", named(column), named(other));
}
define(
  "nullif",
  (args) => {
    const [a, b] = args;
    const type = a && b && commonType(a.type, b.type);
    if (!a || type === undefined) throw differentTypes(args);
    return { args: [a.type, type], returns: a.type, nullable: true };
  },
  (a, b) => `CASE WHEN ${a} = ${b} THEN NULL ELSE ${a} END`,
);

/**
 * True where the value is null.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.isnull.html
 */
export function isnull(column: ColumnOrName): Column<string, boolean> {
  return call("isnull", named(column));
}

/**
 * True where the value is not null.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.isnotnull.html
 */
export function isnotnull(column: ColumnOrName): Column<string, boolean> {
  return call("isnotnull", named(column));
}

/**
 * True where the value is NaN; false for null.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.isnan.html
 */
export function isnan(column: ColumnOrName): Column<string, boolean> {
  return call("isnan", named(column));
}

/**
 * The first column where it is not NaN, else the second.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.nanvl.html
 */
export function nanvl(column: ColumnOrName, other: ColumnOrName): Column<string, number> {
  return call("nanvl", named(column), named(other));
}
define(
  "nanvl",
  (args) => {
    const signature = takes(
      [
        ["double", "float"],
        ["double", "float"],
      ],
      "double",
    )(args);
    return signature.args[0] === "float" && signature.args[1] === "float"
      ? { ...signature, returns: "float" }
      : { args: ["double", "double"], returns: "double" };
  },
  (a, b) => `CASE WHEN isnan(${a}) THEN ${b} ELSE ${a} END`,
);

// --- The least and the greatest of a row -----------------------------------------------------------------------------

/**
 * The least of the columns in each row, nulls left out.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.least.html
 */
export function least<const C extends readonly ColumnOrName[]>(...columns: C): Column<string, TypeOf<C[number]>> {
  return call("least", ...atLeast("least", 2, columns.map(named)));
}

/**
 * The greatest of the columns in each row, nulls left out; NaN is greater than every number.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.greatest.html
 */
export function greatest<const C extends readonly ColumnOrName[]>(...columns: C): Column<string, TypeOf<C[number]>> {
  return call("greatest", ...atLeast("greatest", 2, columns.map(named)));
}
for (const name of ["least", "greatest"]) {
  const alike = takesAlike(undefined, (args) => args.every((a) => a.nullable));
  define(
    name,
    (args) => {
      const signature = alike(args);
      const texts = args.filter((a) => a.type === "string").length;
      // Here text is not read as what stands beside it.
      if (texts > 0 && args.some((a) => a.type !== "string" && a.type !== "void")) throw differentTypes(args);
      if (isNested(signature.returns)) throw unsupportedOrder(name);
      return signature;
    },
    (...args) => `${name}(${args.join(", ")})`,
  );
}

function unsupportedOrder(name: string): AnalysisError {
  return new AnalysisError(
    `[UNSUPPORTED_FEATURE] ${name} of arrays or structs is not supported by the embedded engine.`,
    {
      remedy: "Compare them with when(a.lt(b), a).otherwise(b).",
    },
  );
}

/** @throws IllegalArgumentError where there are fewer than `n` arguments */
export function atLeast(fn: string, n: number, args: readonly Expression[]): readonly Expression[] {
  if (args.length >= n) return args;
  throw new IllegalArgumentError(`${fn} needs at least ${n} column${n === 1 ? "" : "s"}, got ${args.length}.`);
}
