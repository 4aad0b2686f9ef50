import type { Column } from "../../../src/frame/column";
import * as f from "../../../src/frame/functions";
import type { FrameCase } from "../case";

/** Sums and what is made of them depend on the order of addition in their last digits. */
const SUMS = 1e-12;

/** Aggregates over all rows, over groups, and over no rows: all of them at once. */
function everywhere(columns: Readonly<Record<string, () => Column>>): FrameCase[] {
  const spark = Object.keys(columns).join(", ");
  const all = () => Object.values(columns).map((column) => column()) as [Column, ...Column[]];
  return [
    { spark: `groups.agg(${spark})`, ours: ({ groups }) => groups!.agg(...all()), within: SUMS },
    {
      spark: `groups.groupBy("g").agg(${spark})`,
      ours: ({ groups }) => groups!.groupBy("g").agg(...all()),
      within: SUMS,
    },
    { spark: `none.agg(${spark})`, ours: ({ none }) => none!.agg(...all()) },
    { spark: `none.groupBy("g").agg(${spark})`, ours: ({ none }) => none!.groupBy("g").agg(...all()) },
  ];
}

function whole(spark: string, column: () => Column): FrameCase {
  return { spark: `groups.agg(${spark})`, ours: ({ groups }) => groups!.agg(column()) };
}

const ONE: Readonly<Record<string, (column: string) => Column>> = {
  count: f.count,
  countDistinct: f.countDistinct,
  sum: f.sum,
  sum_distinct: f.sumDistinct,
  avg: f.avg,
  min: f.min,
  max: f.max,
};

const SPREAD: Readonly<Record<string, (column: string) => Column>> = {
  stddev: f.stddev,
  stddev_samp: f.stddevSamp,
  stddev_pop: f.stddevPop,
  variance: f.variance,
  var_samp: f.varSamp,
  var_pop: f.varPop,
  skewness: f.skewness,
  kurtosis: f.kurtosis,
  median: f.median,
};

export const AGGREGATE_CASES: readonly FrameCase[] = [
  ...Object.entries(ONE).flatMap(([name, fn]) =>
    everywhere(Object.fromEntries(["x", "n", "d"].map((c) => [`F.${name}("${c}")`, () => fn(c)]))),
  ),
  ...Object.entries(SPREAD).flatMap(([name, fn]) => everywhere({ [`F.${name}("x")`]: () => fn("x") })),
  ...everywhere({
    'F.stddev("n")': () => f.stddev("n"),
    'F.avg("l")': () => f.avg("l"),
    'F.sum("l")': () => f.sum("l"),
    'F.min("s")': () => f.min("s"),
    'F.max("p")': () => f.max("p"),
    'F.count("*")': () => f.count("*"),
    'F.countDistinct("x", "n")': () => f.countDistinct("x", "n"),
    'F.count_if(F.col("x") > 1)': () => f.countIf(f.col("x").gt(1)),
    'F.bool_and("p")': () => f.boolAnd("p"),
    'F.bool_or("p")': () => f.boolOr("p"),
    'F.round(F.avg("n"), 1)': () => f.round(f.avg("n"), 1),
  }),
  ...everywhere({ 'F.corr("x", "y")': () => f.corr("x", "y") }),
  ...everywhere({
    'F.covar_samp("x", "y")': () => f.covarSamp("x", "y"),
    'F.covar_pop("x", "y")': () => f.covarPop("x", "y"),
  }),
  ...everywhere({
    'F.percentile("n", 0.3)': () => f.percentile("n", 0.3),
    'F.percentile("x", 0.5)': () => f.percentile("x", 0.5),
    'F.percentile_approx("n", 0.3)': () => f.percentileApprox("n", 0.3),
    'F.percentile_approx("x", 0.5)': () => f.percentileApprox("x", 0.5),
    'F.percentile_approx("d", 0.9)': () => f.percentileApprox("d", 0.9),
  }),
  ...everywhere({
    'F.sort_array(F.collect_set("x"))': () => f.sortArray(f.collectSet("x")),
    'F.sort_array(F.collect_set("s"))': () => f.sortArray(f.collectSet("s")),
    'F.sort_array(F.collect_list("n"))': () => f.sortArray(f.collectList("n")),
  }),
  whole('F.sum("p")', () => f.sum("p")),
  whole('F.sum("s")', () => f.sum("s")),
  {
    spark: 'groups.groupBy("g").agg(F.sum("x") / F.count("x"))',
    ours: ({ groups }) => groups!.groupBy("g").agg(f.sum("x").divide(f.count("x"))),
  },
  {
    spark:
      'groups.where("g = \'a\'").coalesce(1).sort("id").agg(F.first("x"), F.last("x"), F.first("n"), F.last("d"), F.first("d", ignorenulls=True), F.collect_list("s"))',
    ours: ({ groups }) =>
      groups!
        .where("g = 'a'")
        .sort("id")
        .agg(f.first("x"), f.last("x"), f.first("n"), f.last("d"), f.first("d", true), f.collectList("s")),
  },
  {
    spark:
      'groups.where("id in (3, 10)").coalesce(1).sort("id").agg(F.first("n"), F.last("n", True), F.last("x", True))',
    ours: ({ groups }) =>
      groups!.where("id in (3, 10)").sort("id").agg(f.first("n"), f.last("n", true), f.last("x", true)),
  },
  { spark: 'none.agg(F.first("x"), F.last("s"))', ours: ({ none }) => none!.agg(f.first("x"), f.last("s")) },
  { spark: 'wholes.agg(F.sum("l"))', ours: ({ wholes }) => wholes!.agg(f.sum("l")) },
  {
    spark: 'wholes.agg(F.sum("t"), F.sum("h"), F.sum("i"))',
    ours: ({ wholes }) => wholes!.agg(f.sum("t"), f.sum("h"), f.sum("i")),
  },
  {
    spark: 'wholes.where("id = 3 or id = 5").agg(F.sum("l"))',
    ours: ({ wholes }) => wholes!.where("id = 3 or id = 5").agg(f.sum("l")),
  },
  {
    spark: 'decimals.agg(F.sum("d"), F.avg("d"), F.sum("g"), F.avg("g"))',
    ours: ({ decimals }) => decimals!.agg(f.sum("d"), f.avg("d"), f.sum("g"), f.avg("g")),
  },
  {
    spark: 'decimals.where("id = 5 or id = 3").agg(F.sum("w"))',
    ours: ({ decimals }) => decimals!.where("id = 5 or id = 3").agg(f.sum("w")),
  },
  {
    spark: 'doubles.where("id = 10 or id = 9").agg(F.sum("a"), F.avg("a"))',
    ours: ({ doubles }) => doubles!.where("id = 10 or id = 9").agg(f.sum("a"), f.avg("a")),
  },
  { spark: 'arrays.agg(F.max("ns"), F.min("ss"))', ours: ({ arrays }) => arrays!.agg(f.max("ns"), f.min("ss")) },
];
