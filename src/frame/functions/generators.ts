import { AnalysisError } from "../analysis-error";
import type { Column } from "../column";
import { define } from "../function-entry";
import type { Expression } from "../plan";
import type { ElementOf } from "./arrays";
import { type ColumnOrName, call, named } from "./call";

/** What a function that makes several rows of one gives beside the elements. */
interface Generator {
  /** The place of each element, from 0, in a column `pos`. */
  readonly position: boolean;
  /** A row of nulls where there is no element. */
  readonly outer: boolean;
}

const GENERATORS: Readonly<Record<string, Generator>> = {
  explode: { position: false, outer: false },
  explode_outer: { position: false, outer: true },
  posexplode: { position: true, outer: false },
  posexplode_outer: { position: true, outer: true },
};

for (const name of Object.keys(GENERATORS)) define(name, outsideSelect, outsideSelect);

function outsideSelect(): never {
  throw new AnalysisError(
    "[UNSUPPORTED_GENERATOR.OUTSIDE_SELECT] The generator is not supported outside the SELECT clause.",
    {
      remedy: "Make its column first, by select or withColumn.",
    },
  );
}

/** The generator that an expression calls, if it is one. */
export function generatorIn(expression: Expression): Generator | undefined {
  return expression.kind === "call" ? GENERATORS[expression.fn] : undefined;
}

/**
 * A row for each element of an array, in a column `col`, or for each entry of a map, in `key` and `value`; other columns are
 * repeated. Rows whose array is null or empty are gone. It stands in `select` or `withColumn`, alone or under an alias, for maps
 * of two names: `explode("m").alias("k", "v")`; several in one `select` give each element with each.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.explode.html
 */
export function explode<C extends ColumnOrName>(column: C): Column<string, ElementOf<C>> {
  return call("explode", named(column));
}

/**
 * {@link explode}, with a row of null where the array or map is null or empty.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.explode_outer.html
 */
export function explodeOuter<C extends ColumnOrName>(column: C): Column<string, ElementOf<C> | null> {
  return call("explode_outer", named(column));
}

/**
 * {@link explode} with each element's place, from 0, in a column `pos` before it.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.posexplode.html
 */
export function posexplode(column: ColumnOrName): Column {
  return call("posexplode", named(column));
}

/**
 * {@link posexplode}, with a row of nulls where the array or map is null or empty.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.posexplode_outer.html
 */
export function posexplodeOuter(column: ColumnOrName): Column {
  return call("posexplode_outer", named(column));
}
