import type { Column } from "../../src/frame/column";
import type { DataFrame } from "../../src/frame/dataframe";
import {
  abs,
  array,
  arrayContains,
  asc,
  avg,
  ceil,
  coalesce,
  col,
  collectList,
  collectSet,
  concat,
  concatWs,
  count,
  countDistinct,
  desc,
  elementAt,
  exp,
  first,
  floor,
  greatest,
  isnan,
  least,
  length,
  lit,
  log,
  lower,
  max,
  md5,
  mean,
  min,
  pow,
  regexpExtract,
  regexpReplace,
  round,
  sha2,
  size,
  split,
  sqrt,
  stddev,
  substring,
  sum,
  trim,
  upper,
  variance,
  when,
} from "../../src/frame/functions";

/** One query in PySpark and in Pomona. */
export interface SqlCase {
  readonly spark: string;
  readonly ours: (frames: { df: DataFrame; other: DataFrame }) => DataFrame;
  /** Rows are compared in order. */
  readonly ordered?: boolean;
  /** Both sides fail; Spark's message has this in it. */
  readonly fails?: string;
  /** Spark writes the column's name in another way, without consequence. */
  readonly namesDiffer?: boolean;
}

/** Columns by the id of their row, so that a difference shows where. */
const select = (spark: string, ...columns: readonly (string | Column)[]): SqlCase => ({
  spark: `df.select("id", ${spark})`,
  ours: ({ df }) => df.select("id", ...columns),
});

const aggregates = (spark: string, ...columns: readonly [Column, ...Column[]]): SqlCase[] => [
  { spark: `df.agg(${spark})`, ours: ({ df }) => df.agg(...columns) },
  { spark: `df.groupBy("flag").agg(${spark})`, ours: ({ df }) => df.groupBy("flag").agg(...columns) },
  { spark: `df.filter("id > 99").agg(${spark})`, ours: ({ df }) => df.filter("id > 99").agg(...columns) },
  {
    spark: `df.filter("id > 99").groupBy("flag").agg(${spark})`,
    ours: ({ df }) =>
      df
        .filter("id > 99")
        .groupBy("flag")
        .agg(...columns),
  },
];

export const CASES: readonly SqlCase[] = [
  // Columns and literals
  { spark: 'df.select("*")', ours: ({ df }) => df.select("*") },
  { spark: 'df.select("ID", F.col("LABEL"))', ours: ({ df }) => df.select("ID", col("LABEL")) },
  { spark: 'df.select("id", "id")', ours: ({ df }) => df.select("id", "id") },
  select(
    '"s.a", F.col("s.b"), F.col("s").getItem("a").alias("g")',
    "s.a",
    col("s.b"),
    col("s").getItem("a").alias("g"),
  ),
  select('F.col("m").getItem("k"), F.col("m")["nope"]', col("m").getItem("k"), col("m").getItem("nope")),
  select(
    'F.lit(1), F.lit(1.5), F.lit("it\'s \\\\ %"), F.lit(True), F.lit(None).cast("int"), F.lit(3000000000)',
    lit(1),
    lit(1.5),
    lit("it's \\ %"),
    lit(true),
    lit(null).cast("int"),
    lit(3000000000),
  ),
  { spark: 'df.select("nope")', ours: ({ df }) => df.select("nope"), fails: "UNRESOLVED_COLUMN" },
  {
    spark: 'df.select("id", F.col("n").alias("id")).select("id")',
    ours: ({ df }) => df.select("id", col("n").alias("id")).select("id"),
    fails: "AMBIGUOUS_REFERENCE",
  },

  // Comparison and logic
  select('F.col("id") == 2, F.col("id") != 2', col("id").eq(2), col("id").notEqual(2)),
  select('F.col("label") == "Apple", F.col("x") > 1', col("label").eq("Apple"), col("x").gt(1)),
  select('F.col("x") < 2, F.col("x") <= 1.5, F.col("x") >= 1.5', col("x").lt(2), col("x").leq(1.5), col("x").geq(1.5)),
  select('F.col("n").eqNullSafe(F.lit(None))', col("n").eqNullSafe(null)),
  select('F.col("n").between(0, 15)', col("n").between(0, 15)),
  select('F.col("flag") & (F.col("id") > 1)', col("flag").and(col("id").gt(1))),
  select('F.col("flag") | F.lit(None).cast("boolean")', col("flag").or(lit(null).cast("boolean"))),
  select('~F.col("flag")', col("flag").not()),
  select('F.col("n").isNull(), F.col("n").isNotNull()', col("n").isNull(), col("n").isNotNull()),
  select('F.isnan("x")', isnan("x")),
  select('F.col("id").isin(1, 3, 5)', col("id").isin(1, 3, 5)),
  select('F.col("label").isin([])', col("label").isin([])),
  select('F.col("label").isin("Apple", "")', col("label").isin(["Apple", ""])),

  // Arithmetic
  select('F.col("id") + 1, F.col("n") - 1, F.col("x") * 2', col("id").plus(1), col("n").minus(1), col("x").multiply(2)),
  select('F.col("id") / 2, F.col("n") / F.col("id")', col("id").divide(2), col("n").divide(col("id"))),
  select('F.col("n") % 4, F.col("x") % 2', col("n").mod(4), col("x").mod(2)),
  select('-F.col("n")', col("n").negate()),
  { spark: 'df.select(F.col("id") / 0)', ours: ({ df }) => df.select(col("id").divide(0)), fails: "DIVIDE_BY_ZERO" },
  { spark: 'df.select(F.col("id") % 0)', ours: ({ df }) => df.select(col("id").mod(0)), fails: "REMAINDER_BY_ZERO" },
  select('F.abs("n"), F.abs("x")', abs("n"), abs("x")),
  select('F.round("x", 2), F.round("x"), F.round("n", -1)', round("x", 2), round("x"), round("n", -1)),
  select(
    'F.round(F.lit(1.005), 2), F.round(F.lit(-2.5)), F.round("f", 1)',
    round(lit(1.005), 2),
    round(lit(-2.5)),
    round("f", 1),
  ),
  select('F.floor("f"), F.ceil("f"), F.floor("n")', floor("f"), ceil("f"), floor("n")),
  select('F.sqrt("x"), F.sqrt("n")', sqrt("x"), sqrt("n")),
  select('F.exp(F.col("f")), F.log("x"), F.log("n")', exp(col("f")), log("x"), log("n")),
  select('F.pow("id", 2), F.pow(F.col("x"), F.col("f"))', pow("id", 2), pow(col("x"), col("f"))),
  select('F.least("id", "n"), F.greatest("id", "n", F.lit(4))', least("id", "n"), greatest("id", "n", lit(4))),

  // Text
  select('F.split("path", "/")', split("path", "/")),
  select('F.split("path", "[_/]", 3)', split("path", "[_/]", 3)),
  select('F.split("label", "")', split("label", "")),
  select('F.lower("label"), F.upper("label")', lower("label"), upper("label")),
  select('F.trim("digits"), F.length("path"), F.length("data")', trim("digits"), length("path"), length("data")),
  select('F.regexp_extract("path", "([0-9]+)_", 1)', regexpExtract("path", "([0-9]+)_", 1)),
  select('F.regexp_extract("path", "/[a-z]", 0)', regexpExtract("path", "/[a-z]", 0)),
  select(
    'F.regexp_replace("path", "([a-z])/", "$1-"), F.regexp_replace("label", "[Aa]", "\\\\$\\\\\\\\")',
    regexpReplace("path", "([a-z])/", "$1-"),
    regexpReplace("label", "[Aa]", "\\$\\\\"),
  ),
  select('F.substring("path", 6, 4), F.substring("path", -4, 3)', substring("path", 6, 4), substring("path", -4, 3)),
  select(
    'F.substring("path", 0, 2), F.col("path").substr(2, 3).alias("s")',
    substring("path", 0, 2),
    col("path").substr(2, 3).alias("s"),
  ),
  select(
    'F.substring("path", -100, 98), F.substring("path", 2, -1)',
    substring("path", -100, 98),
    substring("path", 2, -1),
  ),
  select(
    'F.concat("label", F.lit("-"), "digits"), F.concat("tags", "tags")',
    concat("label", lit("-"), "digits"),
    concat("tags", "tags"),
  ),
  select('F.concat("id", "label")', concat("id", "label")),
  select('F.concat_ws("|", "label", "tags", "digits")', concatWs("|", "label", "tags", "digits")),
  select(
    'F.col("path").like("%/a\\\\%b%"), F.col("label").like("_pple")',
    col("path").like("%/a\\%b%"),
    col("label").like("_pple"),
  ),
  select('F.col("path").rlike("[0-9]+_1")', col("path").rlike("[0-9]+_1")),
  select(
    'F.col("path").startswith("file:"), F.col("path").endswith("/"), F.col("path").contains("b")',
    col("path").startsWith("file:"),
    col("path").endsWith("/"),
    col("path").contains("b"),
  ),
  select(
    'F.md5("label"), F.sha2("label", 256), F.sha2("data", 0), F.md5("data")',
    md5("label"),
    sha2("label", 256),
    sha2("data", 0),
    md5("data"),
  ),

  // Arrays, maps and structs
  {
    spark: 'df.filter("id < 5").select(F.element_at(F.split("path", "/"), -2), F.element_at(F.split("path", "/"), 1))',
    ours: ({ df }) =>
      df.filter("id < 5").select(elementAt(split(col("path"), "/"), -2), elementAt(split("path", "/"), 1)),
  },
  {
    spark: 'df.select(F.element_at("tags", 3))',
    ours: ({ df }) => df.select(elementAt("tags", 3)),
    fails: "INVALID_ARRAY_INDEX",
  },
  {
    spark: 'df.select(F.element_at("tags", 0))',
    ours: ({ df }) => df.select(elementAt("tags", 0)),
    fails: "INVALID_INDEX_OF_ZERO",
  },
  select('F.element_at("m", "k")', elementAt("m", "k")),
  {
    spark: 'df.filter("id in (1, 4)").select(F.col("tags").getItem(1), F.col("tags")[0])',
    ours: ({ df }) => df.filter("id in (1, 4)").select(col("tags").getItem(1), col("tags").getItem(0)),
  },
  {
    spark: 'df.select(F.col("tags")[1])',
    ours: ({ df }) => df.select(col("tags").getItem(1)),
    fails: "INVALID_ARRAY_INDEX",
  },
  select('F.size("tags"), F.size("nums")', size("tags"), size("nums")),
  select('F.array("id", F.lit(2))', array("id", lit(2))),
  select(
    'F.array_contains("tags", "a"), F.array_contains("tags", "z")',
    arrayContains("tags", "a"),
    arrayContains("tags", "z"),
  ),
  select('F.coalesce("label", F.lit("?")), F.coalesce("n", "id")', coalesce("label", lit("?")), coalesce("n", "id")),
  select(
    'F.when(F.col("id") < 2, "low").when(F.col("id") < 4, "mid").otherwise("high"), F.when(F.col("flag"), F.col("id"))',
    when(col("id").lt(2), "low").when(col("id").lt(4), "mid").otherwise("high"),
    when(col("flag"), col("id")),
  ),

  // Casts
  select('F.col("id").cast("string"), F.col("x").cast("string")', col("id").cast("string"), col("x").cast("string")),
  select(
    'F.col("f").cast("string"), F.col("flag").cast("string")',
    col("f").cast("string"),
    col("flag").cast("string"),
  ),
  select(
    'F.col("day").cast("string"), F.col("time").cast("string")',
    col("day").cast("string"),
    col("time").cast("string"),
  ),
  select(
    '(F.col("f") * 1e-7).cast("string"), (F.col("x") * 1000000000).cast("string")',
    col("f").multiply(1e-7).cast("string"),
    col("x").multiply(1000000000).cast("string"),
  ),
  select(
    'F.col("digits").cast("int"), F.col("digits").cast("double")',
    col("digits").cast("int"),
    col("digits").cast("double"),
  ),
  select(
    'F.col("price").cast("int"), F.col("f").cast("long"), F.col("flag").cast("int")',
    col("price").cast("int"),
    col("f").cast("long"),
    col("flag").cast("int"),
  ),
  select(
    'F.col("id").cast("double"), F.col("id").cast("float"), F.col("id").cast("short")',
    col("id").cast("double"),
    col("id").cast("float"),
    col("id").cast("short"),
  ),
  select(
    'F.col("id").cast("boolean"), F.col("id").cast("decimal(10,2)")',
    col("id").cast("boolean"),
    col("id").cast("decimal(10,2)"),
  ),
  select(
    'F.col("label").cast("binary"), F.col("nums").cast("array<float>")',
    col("label").cast("binary"),
    col("nums").cast("array<float>"),
  ),
  select('F.col("time").cast("long"), F.col("time").cast("date")', col("time").cast("long"), col("time").cast("date")),
  {
    spark: 'df.select(F.col("label").cast("int"))',
    ours: ({ df }) => df.select(col("label").cast("int")),
    fails: "CAST_INVALID_INPUT",
  },
  {
    spark: 'df.select(F.lit("1.7").cast("int"))',
    ours: ({ df }) => df.select(lit("1.7").cast("int")),
    fails: "CAST_INVALID_INPUT",
  },

  // Aggregates
  ...aggregates('F.count("*"), F.count("n"), F.count("label")', count("*"), count("n"), count("label")),
  ...aggregates(
    'F.countDistinct("label"), F.countDistinct("label", "n")',
    countDistinct("label"),
    countDistinct("label", "n"),
  ),
  ...aggregates('F.sum("id"), F.sum("f")', sum("id"), sum("f")),
  ...aggregates('F.avg("id"), F.mean("f")', avg("id"), mean("f")),
  ...aggregates('F.min("x"), F.max("x"), F.min("label"), F.max("time")', min("x"), max("x"), min("label"), max("time")),
  ...aggregates('F.stddev("id"), F.variance("f")', stddev("id"), variance("f")),
  ...aggregates(
    'F.first("id"), F.sort_array(F.collect_list("n")).alias("l")',
    first("id"),
    collectList("n").alias("l"),
  ).slice(2),
  ...aggregates('F.sort_array(F.collect_set("label")).alias("s")', collectSet("label").alias("s")),
  {
    spark: 'df.select(F.sum(F.col("price").cast("double")), F.max("id"))',
    ours: ({ df }) => df.select(sum(col("price").cast("double")), max("id")),
  },
  { spark: 'df.groupBy("label").count()', ours: ({ df }) => df.groupBy("label").count() },
  { spark: 'df.groupBy("flag").avg("id", "n")', ours: ({ df }) => df.groupBy("flag").avg("id", "n") },
  { spark: 'df.groupBy("flag").sum("id")', ours: ({ df }) => df.groupBy("flag").sum("id") },
  { spark: 'df.groupBy("flag").min("id")', ours: ({ df }) => df.groupBy("flag").min("id") },
  ...aggregates(
    'F.round(F.sum("x"), 1), F.round(F.avg("id") * 2, 2), F.floor(F.avg("x"))',
    round(sum("x"), 1),
    round(avg("id").multiply(2), 2),
    floor(avg("x")),
  ),
  ...aggregates(
    'F.sum(F.when(F.col("label") == "A", 1)) + F.count("*"), F.sum(F.when(F.col("label") == "a", 1)) - F.count("*")',
    sum(when(col("label").eq("A"), 1)).plus(count("*")),
    sum(when(col("label").eq("a"), 1)).minus(count("*")),
  ),
  {
    spark: 'df.groupBy("label").agg(F.upper("label"), F.round(F.sum("x"), 1).alias("s")).select("s", "upper(label)")',
    ours: ({ df }) =>
      df
        .groupBy("label")
        .agg(upper("label"), round(sum("x"), 1).alias("s"))
        .select("s", "upper(label)"),
  },
  {
    spark: 'df.groupBy(F.lower("label").alias("l"), "flag").agg((F.sum("id") + F.count("*")).alias("t"))',
    ours: ({ df }) => df.groupBy(lower("label").alias("l"), "flag").agg(sum("id").plus(count("*")).alias("t")),
  },
  {
    spark: 'df.groupBy("label").agg(F.col("id"))',
    ours: ({ df }) => df.groupBy("label").agg(col("id")),
    fails: "MISSING_AGGREGATION",
  },

  // Verbs
  { spark: 'df.withColumn("ID", F.col("id") + 1)', ours: ({ df }) => df.withColumn("ID", col("id").plus(1)) },
  {
    spark: 'df.withColumns({"a": F.col("id"), "b": F.lit("x")})',
    ours: ({ df }) => df.withColumns({ a: col("id"), b: lit("x") }),
  },
  {
    spark: 'df.withColumnRenamed("LABEL", "class").withColumnRenamed("nope", "y")',
    ours: ({ df }) => df.withColumnRenamed("LABEL", "class").withColumnRenamed("nope", "y"),
  },
  { spark: 'df.drop("path", "LABEL", "nope")', ours: ({ df }) => df.drop("path", "LABEL", "nope") },
  { spark: 'df.filter(F.col("n") > 5)', ours: ({ df }) => df.filter(col("n").gt(5)) },
  { spark: 'df.where(F.col("label") == "Apple")', ours: ({ df }) => df.where(col("label").eq("Apple")) },
  {
    spark: 'df.filter("label = \\"Apple\\" OR `label` == \'\' -- comment")',
    ours: ({ df }) => df.filter("label = \"Apple\" OR `label` == '' -- comment"),
  },
  { spark: 'df.filter("n <=> NULL")', ours: ({ df }) => df.filter("n <=> NULL") },
  { spark: 'df.orderBy("x").select("id")', ours: ({ df }) => df.orderBy("x").select("id"), ordered: true },
  {
    spark: 'df.orderBy(F.desc("x")).select("id")',
    ours: ({ df }) => df.orderBy(desc("x")).select("id"),
    ordered: true,
  },
  {
    spark: 'df.sort(F.col("label").desc(), F.asc("id")).select("id", "label")',
    ours: ({ df }) => df.sort(col("label").desc(), asc("id")).select("id", "label"),
    ordered: true,
  },
  {
    spark: 'df.orderBy(F.col("n").asc_nulls_last(), F.col("id")).select("id")',
    ours: ({ df }) => df.orderBy(col("n").ascNullsLast(), col("id")).select("id"),
    ordered: true,
  },
  {
    spark: 'df.orderBy(F.col("n").desc_nulls_first(), "id").select("id")',
    ours: ({ df }) => df.orderBy(col("n").descNullsFirst(), "id").select("id"),
    ordered: true,
  },
  {
    spark: 'df.orderBy("label", "id", ascending=[False, True]).limit(3).select("id")',
    ours: ({ df }) =>
      df
        .orderBy("label", "id", { ascending: [false, true] })
        .limit(3)
        .select("id"),
    ordered: true,
  },
  { spark: 'df.orderBy("id").limit(0)', ours: ({ df }) => df.orderBy("id").limit(0) },
  { spark: 'df.select("label", "n").distinct()', ours: ({ df }) => df.select("label", "n").distinct() },
  {
    spark: 'df.dropDuplicates(["Label"]).select("label")',
    ours: ({ df }) => df.dropDuplicates(["Label"]).select("label"),
  },
  { spark: 'df.repartition(3).coalesce(2).select("id")', ours: ({ df }) => df.repartition(3).coalesce(2).select("id") },
  ...(["inner", "left", "right", "outer", "left_semi", "left_anti"] as const).map(
    (how): SqlCase => ({
      spark: `df.select("id", "label", "n").join(other, "id", "${how}")`,
      ours: ({ df, other }) => df.select("id", "label", "n").join(other, "id", how),
    }),
  ),
  {
    spark: 'df.select("id", "label", "n").join(other, ["ID", "label"])',
    ours: ({ df, other }) => (df.select("id", "label", "n") as DataFrame).join(other, ["ID", "label"]),
  },
  {
    spark: 'df.select("id").crossJoin(other.select("weight"))',
    ours: ({ df, other }) => df.select("id").crossJoin(other.select("weight")),
  },
  {
    spark: 'df.select("id", "label").join(other, "id").select("label")',
    ours: ({ df, other }) => df.select("id", "label").join(other, "id").select("label"),
    fails: "AMBIGUOUS_REFERENCE",
  },
  {
    spark: 'df.select("label", "id").union(other.select("label", "weight"))',
    ours: ({ df, other }) => df.select("label", "id").union(other.select("label", "weight")),
  },
  {
    spark: 'df.select("id", "label").unionByName(other.select("label", "id"))',
    ours: ({ df, other }) => df.select("id", "label").unionByName(other.select("label", "id")),
  },
  {
    spark: 'df.select("id", "label").union(other)',
    ours: ({ df, other }) => df.select("id", "label").union(other),
    fails: "NUM_COLUMNS_MISMATCH",
  },
  {
    spark: 'df.select("id", "label").unionByName(other.select("id", "weight"))',
    ours: ({ df, other }) => df.select("id", "label").unionByName(other.select("id", "weight")),
    fails: "UNRESOLVED_COLUMN",
  },
  {
    spark:
      'spark.sql("SELECT label, sum(id) AS total FROM fruits WHERE label <> \'\' GROUP BY label").orderBy("label")',
    ours: ({ df }) =>
      df
        .withPlan({
          op: "sql",
          dialect: "duckdb",
          query: "SELECT label, sum(id) AS total FROM fruits WHERE label <> '' GROUP BY label;",
          views: { fruits: df.plan },
        })
        .orderBy("label"),
    ordered: true,
  },
  {
    spark: 'df.filter("id > 99").select(F.split("path", "/").alias("p"), "label").distinct().orderBy("label").limit(3)',
    ours: ({ df }) =>
      df.filter("id > 99").select(split("path", "/").alias("p"), "label").distinct().orderBy("label").limit(3),
  },
];
