import { IllegalArgumentError } from "../errors";
import { aggregateColumns } from "./aggregates-by-name";
import { Column, columnReference } from "./column";
import type { DataFrame } from "./dataframe";
import { avg, count, max, min, sum } from "./functions";
import { type Expression, outputName, type Plan } from "./plan";
import type { AnyRow, Flat, OpenRow, Selected } from "./row-types";

/** The row that an aggregate such as `avg("length")` adds: `avg(length)`. */
type Named<Fn extends string, N extends string> = string extends N ? OpenRow : { [K in N as `${Fn}(${K})`]: number };

/**
 * Rows in groups, waiting for aggregates. `G` is the row of the grouping columns.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/grouping.html
 */
export class GroupedData<R, G> {
  constructor(
    private readonly input: DataFrame<R>,
    private readonly grouping: readonly Expression[],
  ) {}

  /** One row for each group: the grouping columns, then the aggregates, `agg(max("length"))` or `agg({ length: "max" })`. */
  agg<const C extends readonly [Column, ...Column[]]>(...aggregates: C): DataFrame<Flat<G & Selected<R, C[number]>>>;
  agg(aggregates: Readonly<Record<string, string>>): DataFrame<AnyRow>;
  agg(...aggregates: readonly unknown[]): unknown {
    return this.aggregate(aggregateColumns(aggregates));
  }

  /** The number of rows of each group, as column `count`. */
  count(): DataFrame<Flat<G & { count: number }>> {
    return this.aggregate([count("*").alias("count")]);
  }

  /** The mean of each column, as `avg(name)`. */
  avg<const N extends string>(...columns: readonly N[]): DataFrame<Flat<G & Named<"avg", N>>> {
    return this.aggregate(columns.map((name) => avg(name)));
  }

  /** Same as {@link GroupedData.avg}. */
  mean<const N extends string>(...columns: readonly N[]): DataFrame<Flat<G & Named<"avg", N>>> {
    return this.avg(...columns);
  }

  /** The sum of each column, as `sum(name)`. */
  sum<const N extends string>(...columns: readonly N[]): DataFrame<Flat<G & Named<"sum", N>>> {
    return this.aggregate(columns.map((name) => sum(name)));
  }

  /** The least value of each column, as `min(name)`. */
  min<const N extends string>(...columns: readonly N[]): DataFrame<Flat<G & Named<"min", N>>> {
    return this.aggregate(columns.map((name) => min(name)));
  }

  /** The greatest value of each column, as `max(name)`. */
  max<const N extends string>(...columns: readonly N[]): DataFrame<Flat<G & Named<"max", N>>> {
    return this.aggregate(columns.map((name) => max(name)));
  }

  private aggregate<Out>(aggregates: readonly Column[]): DataFrame<Out> {
    if (aggregates.length === 0) {
      throw new IllegalArgumentError("Name the columns to aggregate.", {
        remedy: 'E.g. groupBy("label").avg("length").',
      });
    }
    const plan: Plan = {
      op: "aggregate",
      input: this.input.plan,
      grouping: this.grouping,
      aggregates: aggregates.map((column) => column.expression),
    };
    return this.input.withPlan<Out>(plan);
  }

  /** As in a message: `GroupedData[label]`. */
  toString(): string {
    return `GroupedData[${this.grouping.map(outputName).join(", ")}]`;
  }
}

/** The expressions of names and columns, aliases kept: what `select` and `groupBy` take. */
export function expressionsOf(columns: readonly (string | Column)[]): Expression[] {
  return columns.map((c) => (c instanceof Column ? c.expression : columnReference(c)));
}
