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
  // Rows of elements
  ...(["explode", "explode_outer", "posexplode", "posexplode_outer"] as const).flatMap((name): FrameCase[] => {
    const fn = {
      explode: f.explode,
      explode_outer: f.explodeOuter,
      posexplode: f.posexplode,
      posexplode_outer: f.posexplodeOuter,
    }[name];
    return [
      ...["xs", "ns", "ss", "nn"].map(
        (c): FrameCase => ({
          spark: `arrays.select("id", F.${name}("${c}"))`,
          ours: ({ arrays }) => arrays!.select("id", fn(c)),
        }),
      ),
      { spark: `nested.select(F.${name}("m"), "id")`, ours: ({ nested }) => nested!.select(fn("m"), "id") },
      {
        spark: `nested.select("*", F.${name}("m").alias("a", "b"))`,
        ours: ({ nested }) => nested!.select("*", fn("m").alias("a", "b")),
      },
      { spark: `arrays.select(F.${name}("ns").alias("n"))`, ours: ({ arrays }) => arrays!.select(fn("ns").alias("n")) },
      {
        spark: `arrays.withColumn("n", F.${name}("ns")).select("id", "n")`,
        ours: ({ arrays }) => arrays!.withColumn("n", fn("ns")).select("id", "n"),
      },
      {
        spark: `arrays.select(F.${name}(F.array("id", "k")))`,
        ours: ({ arrays }) => arrays!.select(fn(f.array("id", "k"))),
      },
      { spark: `arrays.select(F.${name}("id"))`, ours: ({ arrays }) => arrays!.select(fn("id")) },
    ];
  }),
  {
    spark: 'arrays.withColumn("ns", F.explode("ns"))',
    ours: ({ arrays }) => arrays!.withColumn("ns", f.explode("ns")),
  },
  {
    spark: 'arrays.select(F.explode("ns"), F.explode("xs"))',
    ours: ({ arrays }) => arrays!.select(f.explode("ns"), f.explode("xs")),
  },
  { spark: 'arrays.select(F.explode("ns") + 1)', ours: ({ arrays }) => arrays!.select(f.explode("ns").plus(1)) },
  { spark: 'arrays.filter(F.explode("ns") > 1)', ours: ({ arrays }) => arrays!.filter(f.explode("ns").gt(1)) },
  {
    spark: 'arrays.select(F.explode("nn").alias("n")).select(F.explode("n"))',
    ours: ({ arrays }) => arrays!.select(f.explode("nn").alias("n")).select(f.explode("n")),
  },
  {
    spark: 'arrays.select(F.explode("ns").alias("n")).filter("n > 1").groupBy("n").count()',
    ours: ({ arrays }) => arrays!.select(f.explode("ns").alias("n")).filter("n > 1").groupBy("n").count(),
  },
  {
    spark: 'arrays.select(F.explode("ns").alias("n")).filter(F.col("id") == 3)',
    ours: ({ arrays }) => arrays!.select(f.explode("ns").alias("n")).filter(col("id").eq(3)),
  },
  {
    spark: 'texts.select("id", F.explode(F.split("s", ",")))',
    ours: ({ texts }) => texts!.select("id", f.explode(f.split("s", ","))),
  },
  // The first rows left out
  ...[0, 3, 100].map(
    (n): FrameCase => ({
      spark: `doubles.sort("id").offset(${n}).select("id")`,
      ours: ({ doubles }) => doubles!.sort("id").offset(n).select("id"),
      ordered: true,
    }),
  ),
  {
    spark: 'doubles.sort("id").limit(5).offset(2).limit(2).select("id")',
    ours: ({ doubles }) => doubles!.sort("id").limit(5).offset(2).limit(2).select("id"),
    ordered: true,
  },
  {
    spark:
      'doubles.select((F.year(F.current_date()) > 2000).alias("a"), F.current_timestamp().isNotNull().alias("d")).limit(1)',
    ours: ({ doubles }) =>
      doubles!
        .select(f.year(f.currentDate()).gt(2000).alias("a"), f.currentTimestamp().isNotNull().alias("d"))
        .limit(1),
  },
  {
    spark: "doubles.select(F.current_timestamp(), F.current_date()).limit(0)",
    ours: ({ doubles }) => doubles!.select(f.currentTimestamp(), f.currentDate()).limit(0),
  },
  {
    spark: 'doubles.selectExpr("id", "id + 1 AS n").filter("n < 4")',
    ours: ({ doubles }) => doubles!.selectExpr("id", "id + 1 AS n").filter("n < 4"),
  },
];
