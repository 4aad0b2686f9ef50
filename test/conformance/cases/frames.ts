import * as f from "../../../src/frame/functions";
import type { FrameCase } from "../case";

const { asc, col, desc } = f;

/** Operations of frames with nasty values. */
export const FRAME_CASES: readonly FrameCase[] = [
  // Sorting: with a second key, so that the order is defined.
  ...["a", "f", "b"].flatMap((c): FrameCase[] => [
    {
      spark: `doubles.sort("${c}", "id").select("id", "${c}")`,
      ours: ({ doubles }) => doubles!.sort(c, "id").select("id", c),
      ordered: true,
    },
    {
      spark: `doubles.sort(F.desc("${c}"), "id").select("id", "${c}")`,
      ours: ({ doubles }) => doubles!.sort(desc(c), "id").select("id", c),
      ordered: true,
    },
    {
      spark: `doubles.sort(F.col("${c}").asc_nulls_last(), F.asc("id")).limit(5)`,
      ours: ({ doubles }) => doubles!.sort(col(c).ascNullsLast(), asc("id")).limit(5),
      ordered: true,
    },
    {
      spark: `doubles.sort(F.col("${c}").desc_nulls_first(), F.desc("id")).limit(5)`,
      ours: ({ doubles }) => doubles!.sort(col(c).descNullsFirst(), desc("id")).limit(5),
      ordered: true,
    },
  ]),
  ...["s", "u"].map(
    (c): FrameCase => ({ spark: `texts.sort("${c}", "id")`, ours: ({ texts }) => texts!.sort(c, "id"), ordered: true }),
  ),
  { spark: 'decimals.sort("e", "id")', ours: ({ decimals }) => decimals!.sort("e", "id"), ordered: true },
  {
    spark: 'arrays.sort("xs", "id").select("id", "xs")',
    ours: ({ arrays }) => arrays!.sort("xs", "id").select("id", "xs"),
    ordered: true,
  },
  {
    spark: 'nested.sort("st", "id").select("id", "st")',
    ours: ({ nested }) => nested!.sort("st", "id").select("id", "st"),
    ordered: true,
  },
  { spark: 'bytes.sort("b")', ours: ({ bytes }) => bytes!.sort("b"), ordered: true },
  { spark: 'times.sort(F.desc("time"), "id")', ours: ({ times }) => times!.sort(desc("time"), "id"), ordered: true },
  { spark: 'nested.sort("m")', ours: ({ nested }) => nested!.sort("m") },
  // Filters, by columns and by text
  ...[
    "> 1",
    ">= 1.5",
    "< 1",
    "<= 0",
    "= 0",
    "!= 0",
    "= 1.5",
    "<=> NULL",
    "IS NULL",
    "IN (0, 1.5)",
    "BETWEEN 0 AND 2",
    "NOT IN (0)",
  ].map(
    (test): FrameCase => ({
      spark: `doubles.filter("a ${test}").select("id", "a")`,
      ours: ({ doubles }) => doubles!.filter(`a ${test}`).select("id", "a"),
    }),
  ),
  {
    spark: 'doubles.filter("a = double(\'NaN\')").select("id")',
    ours: ({ doubles }) => doubles!.filter("a = CAST('NaN' AS DOUBLE)").select("id"),
  },
  {
    spark: 'doubles.filter(F.col("a") > 1e300).select("id")',
    ours: ({ doubles }) => doubles!.filter(col("a").gt(1e300)).select("id"),
  },
  {
    spark: 'doubles.filter(~(F.col("a") <= 1e300)).select("id")',
    ours: ({ doubles }) => doubles!.filter(col("a").leq(1e300).not()).select("id"),
  },
  {
    spark: 'doubles.filter(F.col("a") == F.col("b")).select("id")',
    ours: ({ doubles }) => doubles!.filter(col("a").eq(col("b"))).select("id"),
  },
  { spark: 'doubles.filter(F.col("id"))', ours: ({ doubles }) => doubles!.filter(col("id")) },
  {
    spark: 'nested.filter(F.col("st.a") > 1).select("id")',
    ours: ({ nested }) => nested!.filter(col("st.a").gt(1)).select("id"),
  },
  {
    spark: 'arrays.filter(F.array_contains("xs", float("nan"))).select("id")',
    ours: ({ arrays }) => arrays!.filter(f.arrayContains("xs", Number.NaN)).select("id"),
  },
  // Groups and distinct rows
  ...["a", "b", "f"].flatMap((c): FrameCase[] => [
    { spark: `doubles.groupBy("${c}").count()`, ours: ({ doubles }) => doubles!.groupBy(c).count() },
    { spark: `doubles.select("${c}").distinct()`, ours: ({ doubles }) => doubles!.select(c).distinct() },
    {
      spark: `doubles.select("${c}").dropDuplicates(["${c}"])`,
      ours: ({ doubles }) => doubles!.select(c).dropDuplicates([c]),
    },
    { spark: `doubles.agg(F.countDistinct("${c}"))`, ours: ({ doubles }) => doubles!.agg(f.countDistinct(c)) },
  ]),
  {
    spark: 'texts.groupBy("u").agg(F.count("*").alias("n"))',
    ours: ({ texts }) => texts!.groupBy("u").agg(f.count("*").alias("n")),
  },
  { spark: 'arrays.groupBy("xs").count()', ours: ({ arrays }) => arrays!.groupBy("xs").count() },
  { spark: 'nested.groupBy("st").count()', ours: ({ nested }) => nested!.groupBy("st").count() },
  { spark: 'flags.groupBy("p", "q").count()', ours: ({ flags }) => flags!.groupBy("p", "q").count() },
  {
    spark: 'doubles.groupBy(F.isnan("a")).agg(F.max("b"), F.min("b"))',
    ours: ({ doubles }) => doubles!.groupBy(f.isnan("a")).agg(f.max("b"), f.min("b")),
  },
  // Joins: NaN meets NaN, 0.0 meets -0.0, null meets nothing.
  ...(["inner", "left", "right", "full", "left_semi", "left_anti"] as const).flatMap((how): FrameCase[] => [
    {
      spark: `doubles.select("a", F.col("id").alias("l")).join(doubles.select(F.col("b").alias("a"), F.col("id").alias("r")), "a", "${how}")`,
      ours: ({ doubles }) =>
        doubles!
          .select("a", col("id").alias("l"))
          .join(doubles!.select(col("b").alias("a"), col("id").alias("r")), "a", how),
    },
    {
      spark: `doubles.select("f", F.col("id").alias("l")).join(doubles.select(F.col("a").alias("f"), F.col("id").alias("r")), "f", "${how}")`,
      ours: ({ doubles }) =>
        doubles!
          .select("f", col("id").alias("l"))
          .join(doubles!.select(col("a").alias("f"), col("id").alias("r")), "f", how),
    },
  ]),
  {
    spark:
      'wholes.select("t", F.col("id").alias("l")).join(wholes.select(F.col("l").alias("t"), F.col("id").alias("r")), "t")',
    ours: ({ wholes }) =>
      wholes!.select("t", col("id").alias("l")).join(wholes!.select(col("l").alias("t"), col("id").alias("r")), "t"),
  },
  // Unions
  {
    spark: 'doubles.select("a").union(doubles.select("f"))',
    ours: ({ doubles }) => doubles!.select("a").union(doubles!.select("f")),
  },
  {
    spark: 'doubles.select("a").union(wholes.select("l"))',
    ours: ({ doubles, wholes }) => doubles!.select("a").union(wholes!.select("l")),
  },
  {
    spark: 'wholes.select("t").union(wholes.select("h"))',
    ours: ({ wholes }) => wholes!.select("t").union(wholes!.select("h")),
  },
  {
    spark: 'decimals.select("d").union(decimals.select("e"))',
    ours: ({ decimals }) => decimals!.select("d").union(decimals!.select("e")),
  },
  {
    spark: 'texts.select("s").union(wholes.select("i"))',
    ours: ({ texts, wholes }) => texts!.select("s").union(wholes!.select("i")),
  },
  {
    spark: 'flags.select("p").union(wholes.select("i"))',
    ours: ({ flags, wholes }) => flags!.select("p").union(wholes!.select("i")),
  },
  {
    spark: 'doubles.select("a", "b").unionByName(doubles.select("b", "a"))',
    ours: ({ doubles }) => doubles!.select("a", "b").unionByName(doubles!.select("b", "a")),
  },
  // Values replaced.
  {
    spark: "doubles.na.replace(1.5, 9.0)",
    ours: ({ doubles }) => doubles!.na.replace(1.5, 9),
  },
  {
    spark: 'doubles.na.replace(float("nan"), 3.0)',
    ours: ({ doubles }) => doubles!.na.replace(Number.NaN, 3),
  },
  {
    spark: "doubles.na.replace(0.0, 3.0)",
    ours: ({ doubles }) => doubles!.na.replace(0, 3),
  },
  {
    spark: 'doubles.na.replace([1.5, float("inf")], [2.0, 0.25], "a")',
    ours: ({ doubles }) => doubles!.na.replace([1.5, Number.POSITIVE_INFINITY], [2, 0.25], "a"),
  },
  {
    spark: "doubles.na.replace({1.5: None})",
    ours: ({ doubles }) => doubles!.na.replace(new Map([[1.5, null]])),
  },
  {
    spark: "wholes.na.replace(1, 5)",
    ours: ({ wholes }) => wholes!.na.replace(1, 5),
  },
  {
    spark: 'wholes.na.replace({1: 7, -1: 8}, subset=["i", "l"])',
    ours: ({ wholes }) =>
      wholes!.replace(
        new Map([
          [1, 7],
          [-1, 8],
        ]),
        undefined,
        ["i", "l"],
      ),
  },
  {
    spark: 'groups.na.replace("a", "z")',
    ours: ({ groups }) => groups!.na.replace("a", "z"),
  },
  {
    spark: 'groups.na.replace(["a", "x"], ["", "q"])',
    ours: ({ groups }) => groups!.na.replace(["a", "x"], ["", "q"]),
  },
  {
    spark: 'groups.na.replace(["a", "x"], "q", ["g"])',
    ours: ({ groups }) => groups!.na.replace(["a", "x"], "q", ["g"]),
  },
  {
    spark: 'groups.na.replace("a", None)',
    ours: ({ groups }) => groups!.na.replace("a", null),
  },
  {
    spark: "groups.na.replace(True, False)",
    ours: ({ groups }) => groups!.na.replace(true, false),
  },
  {
    spark: "groups.na.replace(1, 100)",
    ours: ({ groups }) => groups!.na.replace(1, 100),
  },
  {
    spark: 'groups.na.replace("a", "z", "nope")',
    ours: ({ groups }) => groups!.na.replace("a", "z", "nope"),
  },
  // Others
  {
    spark: "spark.range(5)",
    ours: ({ doubles }) => doubles!.withPlan({ op: "range", start: "0", end: "5", step: "1" }),
    ordered: true,
  },
  {
    spark: "spark.range(5, 0, -2)",
    ours: ({ doubles }) => doubles!.withPlan({ op: "range", start: "5", end: "0", step: "-2" }),
    ordered: true,
  },
  { spark: 'doubles.sort("id").limit(3)', ours: ({ doubles }) => doubles!.sort("id").limit(3), ordered: true },
  { spark: "doubles.sample(1.0)", ours: ({ doubles }) => doubles!.sample(1) },
  { spark: "doubles.sample(0.0)", ours: ({ doubles }) => doubles!.sample(0) },
  { spark: "doubles", ours: ({ doubles }) => doubles! },
  { spark: "wholes", ours: ({ wholes }) => wholes! },
  { spark: "decimals", ours: ({ decimals }) => decimals! },
  { spark: "times", ours: ({ times }) => times! },
  { spark: "arrays", ours: ({ arrays }) => arrays! },
  { spark: "nested", ours: ({ nested }) => nested! },
  { spark: "bytes", ours: ({ bytes }) => bytes! },
];
