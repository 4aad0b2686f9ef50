import type { Column } from "../../../src/frame/column";
import type { DataFrame } from "../../../src/frame/dataframe";
import * as f from "../../../src/frame/functions";
import { type ColumnCase, type FrameCase, type Frames, over } from "../case";

const { asc, col, count, desc, lit, max, sum, upper, when } = f;

/** Sums and what is made of them depend on the order of addition in their last digits. */
const SUMS = 1e-12;

/** A table as people have it: paths, labels beyond ASCII and an emoji, and a column of each type. */
export const FRUIT_COLUMNS: readonly ColumnCase[] = over("fruits", {
  'F.col("s").getItem("a").alias("g")': () => col("s").getItem("a").alias("g"),
  'F.col("s").getItem("a")': () => col("s").getItem("a"),
  'F.col("s")["a"]': () => col("s").getItem("a"),
  'F.col("s").getField("a")': () => col("s").getField("a"),
  'F.col("s").getItem("A")': () => col("s").getItem("A"),
  'F.col("s.a")': () => col("s.a"),
  'F.col("m").getItem("k")': () => col("m").getItem("k"),
  'F.array("s")[0].getItem("a")': () => f.array("s").getItem(0).getItem("a"),
  'F.struct(F.col("id").alias("x")).getItem("x")': () => f.struct(col("id").alias("x")).getItem("x"),
  'F.array("s").getItem("a")': () => f.array("s").getItem("a"),
  'F.upper(F.col("s").getItem("a").cast("string"))': () => f.upper(col("s").getItem("a").cast("string")),
  'F.col("m")["nope"]': () => col("m").getItem("nope"),
  'F.lit(None).cast("int")': () => lit(null).cast("int"),
  'F.col("id") == 2': () => col("id").eq(2),
  'F.col("label") == "Apple"': () => col("label").eq("Apple"),
  'F.col("x") < 2': () => col("x").lt(2),
  'F.col("n").eqNullSafe(F.lit(None))': () => col("n").eqNullSafe(null),
  'F.col("n").between(0, 15)': () => col("n").between(0, 15),
  'F.col("flag") & (F.col("id") > 1)': () => col("flag").and(col("id").gt(1)),
  'F.col("flag") | F.lit(None).cast("boolean")': () => col("flag").or(lit(null).cast("boolean")),
  'F.col("n").isNull()': () => col("n").isNull(),
  'F.col("id").isin(1, 3, 5)': () => col("id").isin(1, 3, 5),
  'F.col("label").isin([])': () => col("label").isin([]),
  'F.col("label").isin("Apple", "")': () => col("label").isin(["Apple", ""]),
  'F.col("n") / F.col("id")': () => col("n").divide(col("id")),
  'F.col("id") / 0': () => col("id").divide(0),
  'F.col("id") % 0': () => col("id").mod(0),
  "F.round(F.lit(1.005), 2)": () => f.round(lit(1.005), 2),
  "F.round(F.lit(-2.5))": () => f.round(lit(-2.5)),
  'F.round(F.lit(None).cast("int"), -1)': () => f.round(lit(null).cast("int"), -1),
  'F.greatest("id", "n", F.lit(4))': () => f.greatest("id", "n", lit(4)),
  'F.split("path", "/")': () => f.split("path", "/"),
  'F.split("path", "[_/]", 3)': () => f.split("path", "[_/]", 3),
  'F.split("label", "")': () => f.split("label", ""),
  'F.regexp_extract("path", "([0-9]+)_", 1)': () => f.regexpExtract("path", "([0-9]+)_", 1),
  'F.regexp_extract("path", "/[a-z]", 0)': () => f.regexpExtract("path", "/[a-z]", 0),
  'F.regexp_replace("path", "([a-z])/", "$1-")': () => f.regexpReplace("path", "([a-z])/", "$1-"),
  'F.substring("path", -100, 98)': () => f.substring("path", -100, 98),
  'F.concat("tags", "tags")': () => f.concat("tags", "tags"),
  'F.concat("id", "label")': () => f.concat("id", "label"),
  'F.concat_ws("|", "label", "tags", "digits")': () => f.concatWs("|", "label", "tags", "digits"),
  'F.col("path").like("%/a\\\\%b%")': () => col("path").like("%/a\\%b%"),
  'F.col("path").startswith("file:")': () => col("path").startsWith("file:"),
  'F.col("path").endswith("/")': () => col("path").endsWith("/"),
  'F.col("path").rlike("[0-9]+_1")': () => col("path").rlike("[0-9]+_1"),
  'F.sha2("data", 0)': () => f.sha2("data", 0),
  'F.element_at(F.split("path", "/"), -2)': () => f.elementAt(f.split(col("path"), "/"), -2),
  'F.element_at(F.split("path", "/"), 1)': () => f.elementAt(f.split("path", "/"), 1),
  'F.element_at("tags", 3)': () => f.elementAt("tags", 3),
  'F.element_at("tags", 0)': () => f.elementAt("tags", 0),
  'F.col("tags")[1]': () => col("tags").getItem(1),
  'F.coalesce("n", "id")': () => f.coalesce("n", "id"),
  'F.when(F.col("id") < 2, "low").when(F.col("id") < 4, "mid").otherwise("high")': () =>
    when(col("id").lt(2), "low").when(col("id").lt(4), "mid").otherwise("high"),
  'F.when(F.col("flag"), F.col("id"))': () => when(col("flag"), col("id")),
  '(F.col("f") * 1e-7).cast("string")': () => col("f").multiply(1e-7).cast("string"),
  '(F.col("x") * 1000000000).cast("string")': () => col("x").multiply(1000000000).cast("string"),
  'F.lit("2000-02-29 23:59:59.999999").cast("timestamp").cast("string")': () =>
    lit("2000-02-29 23:59:59.999999").cast("timestamp").cast("string"),
  'F.col("label").cast("binary")': () => col("label").cast("binary"),
  'F.col("label").cast("int")': () => col("label").cast("int"),
  'F.lit("1.7").cast("int")': () => lit("1.7").cast("int"),
});

/** Over all rows, over groups, and over no rows. */
function everywhere(spark: string, ...columns: readonly [Column, ...Column[]]): FrameCase[] {
  const empty = (fruits: DataFrame) => fruits.filter("id > 99");
  return [
    { spark: `fruits.agg(${spark})`, ours: ({ fruits }) => fruits!.agg(...columns), within: SUMS },
    {
      spark: `fruits.groupBy("flag").agg(${spark})`,
      ours: ({ fruits }) => fruits!.groupBy("flag").agg(...columns),
      within: SUMS,
    },
    { spark: `fruits.filter("id > 99").agg(${spark})`, ours: ({ fruits }) => empty(fruits!).agg(...columns) },
    {
      spark: `fruits.filter("id > 99").groupBy("flag").agg(${spark})`,
      ours: ({ fruits }) =>
        empty(fruits!)
          .groupBy("flag")
          .agg(...columns),
    },
  ];
}

/** A query that says the same in both dialects, over the frames as views. */
function sql(query: string, differs?: string): FrameCase {
  const views = (frames: Frames) => Object.fromEntries(Object.entries(frames).map(([name, df]) => [name, df.plan]));
  return {
    spark: `spark.sql(${JSON.stringify(query)})`,
    ours: (frames) => frames.fruits!.withPlan({ op: "sql", dialect: "duckdb", query, views: views(frames) }),
    ...(differs === undefined ? { nullable: "may be null in its schema" } : { differs }),
    within: SUMS,
  };
}

export const FRUIT_FRAMES: readonly FrameCase[] = [
  // Columns and names
  { spark: 'fruits.select("*")', ours: ({ fruits }) => fruits!.select("*") },
  { spark: 'fruits.select("ID", F.col("LABEL"))', ours: ({ fruits }) => fruits!.select("ID", col("LABEL")) },
  { spark: 'fruits.select("id", "id")', ours: ({ fruits }) => fruits!.select("id", "id") },
  { spark: 'fruits.select("s.a", F.col("s.b"))', ours: ({ fruits }) => fruits!.select("s.a", col("s.b")) },
  { spark: 'fruits.select("nope")', ours: ({ fruits }) => fruits!.select("nope") },
  {
    spark: 'fruits.select("id", F.col("n").alias("id")).select("id")',
    ours: ({ fruits }) => fruits!.select("id", col("n").alias("id")).select("id"),
  },

  // Aggregates
  ...everywhere('F.count("*"), F.count("n"), F.count("label")', count("*"), count("n"), count("label")),
  ...everywhere(
    'F.countDistinct("label"), F.countDistinct("label", "n")',
    f.countDistinct("label"),
    f.countDistinct("label", "n"),
  ),
  ...everywhere('F.sum("id"), F.sum("f"), F.avg("id"), F.mean("f")', sum("id"), sum("f"), f.avg("id"), f.mean("f")),
  ...everywhere(
    'F.min("x"), F.max("x"), F.min("label"), F.max("time")',
    f.min("x"),
    max("x"),
    f.min("label"),
    max("time"),
  ),
  ...everywhere('F.stddev("id"), F.variance("f")', f.stddev("id"), f.variance("f")),
  ...everywhere(
    'F.first("id"), F.sort_array(F.collect_list("n"))',
    f.first("id"),
    f.sortArray(f.collectList("n")),
  ).slice(2),
  ...everywhere('F.sort_array(F.collect_set("label"))', f.sortArray(f.collectSet("label"))),
  ...everywhere(
    'F.round(F.sum("x"), 1), F.round(F.avg("id") * 2, 2), F.floor(F.avg("x"))',
    f.round(sum("x"), 1),
    f.round(f.avg("id").multiply(2), 2),
    f.floor(f.avg("x")),
  ),
  ...everywhere(
    'F.sum(F.when(F.col("label") == "A", 1)) + F.count("*"), F.sum(F.when(F.col("label") == "a", 1)) - F.count("*")',
    sum(when(col("label").eq("A"), 1)).plus(count("*")),
    sum(when(col("label").eq("a"), 1)).minus(count("*")),
  ),
  {
    spark: 'fruits.select(F.sum(F.col("price").cast("double")), F.max("id"))',
    ours: ({ fruits }) => fruits!.select(sum(col("price").cast("double")), max("id")),
  },
  { spark: 'fruits.groupBy("label").count()', ours: ({ fruits }) => fruits!.groupBy("label").count() },
  { spark: 'fruits.groupBy("flag").avg("id", "n")', ours: ({ fruits }) => fruits!.groupBy("flag").avg("id", "n") },
  { spark: 'fruits.groupBy("flag").sum("id")', ours: ({ fruits }) => fruits!.groupBy("flag").sum("id") },
  { spark: 'fruits.groupBy("flag").min("id")', ours: ({ fruits }) => fruits!.groupBy("flag").min("id") },
  {
    spark:
      'fruits.groupBy("label").agg(F.upper("label"), F.round(F.sum("x"), 1).alias("s")).select("s", "upper(label)")',
    ours: ({ fruits }) =>
      fruits!
        .groupBy("label")
        .agg(upper("label"), f.round(sum("x"), 1).alias("s"))
        .select("s", "upper(label)"),
  },
  {
    spark: 'fruits.groupBy(F.lower("label").alias("l"), "flag").agg((F.sum("id") + F.count("*")).alias("t"))',
    ours: ({ fruits }) =>
      fruits!.groupBy(f.lower("label").alias("l"), "flag").agg(sum("id").plus(count("*")).alias("t")),
  },
  {
    spark: 'fruits.groupBy("label").agg(F.col("id"))',
    ours: ({ fruits }) => fruits!.groupBy("label").agg(col("id")),
  },

  // Verbs
  {
    spark: 'fruits.withColumn("ID", F.col("id") + 1)',
    ours: ({ fruits }) => fruits!.withColumn("ID", col("id").plus(1)),
  },
  {
    spark: 'fruits.select("label").withColumns({"a": F.col("label"), "b": F.lit("x")})',
    ours: ({ fruits }) => fruits!.select("label").withColumns({ a: col("label"), b: lit("x") }),
  },
  {
    spark: 'fruits.select("id", "label").withColumnRenamed("LABEL", "class").withColumnRenamed("nope", "y")',
    ours: ({ fruits }) =>
      (fruits!.select("id", "label") as DataFrame).withColumnRenamed("LABEL", "class").withColumnRenamed("nope", "y"),
  },
  {
    spark: 'fruits.select("id", "path", "label").drop("path", "LABEL", "nope")',
    ours: ({ fruits }) => fruits!.select("id", "path", "label").drop("path", "LABEL", "nope"),
  },
  {
    spark: 'fruits.filter(F.col("n") > 5).select("id")',
    ours: ({ fruits }) => fruits!.filter(col("n").gt(5)).select("id"),
  },
  {
    spark: 'fruits.where(F.col("label") == "Apple").select("id")',
    ours: ({ fruits }) => fruits!.where(col("label").eq("Apple")).select("id"),
  },
  {
    spark: 'fruits.filter("label = \\"Apple\\" OR `label` == \'\' -- comment").select("id")',
    ours: ({ fruits }) => fruits!.filter("label = \"Apple\" OR `label` == '' -- comment").select("id"),
  },
  {
    spark: 'fruits.filter("n <=> NULL").select("id")',
    ours: ({ fruits }) => fruits!.filter("n <=> NULL").select("id"),
  },
  {
    spark: 'fruits.orderBy("x").select("id")',
    ours: ({ fruits }) => fruits!.orderBy("x").select("id"),
    ordered: true,
  },
  {
    spark: 'fruits.orderBy(F.desc("x")).select("id")',
    ours: ({ fruits }) => fruits!.orderBy(desc("x")).select("id"),
    ordered: true,
  },
  {
    spark: 'fruits.sort(F.col("label").desc(), F.asc("id")).select("id", "label")',
    ours: ({ fruits }) => fruits!.sort(col("label").desc(), asc("id")).select("id", "label"),
    ordered: true,
  },
  {
    spark: 'fruits.orderBy(F.col("n").asc_nulls_last(), F.col("id")).select("id")',
    ours: ({ fruits }) => fruits!.orderBy(col("n").ascNullsLast(), col("id")).select("id"),
    ordered: true,
  },
  {
    spark: 'fruits.orderBy(F.col("n").desc_nulls_first(), "id").select("id")',
    ours: ({ fruits }) => fruits!.orderBy(col("n").descNullsFirst(), "id").select("id"),
    ordered: true,
  },
  {
    spark: 'fruits.orderBy("label", "id", ascending=[False, True]).limit(3).select("id")',
    ours: ({ fruits }) =>
      fruits!
        .orderBy("label", "id", { ascending: [false, true] })
        .limit(3)
        .select("id"),
    ordered: true,
  },
  { spark: 'fruits.orderBy("id").limit(0)', ours: ({ fruits }) => fruits!.orderBy("id").limit(0) },
  {
    spark: 'fruits.select("label", "n").distinct()',
    ours: ({ fruits }) => fruits!.select("label", "n").distinct(),
  },
  {
    spark: 'fruits.dropDuplicates(["Label"]).select("label")',
    ours: ({ fruits }) => fruits!.dropDuplicates(["Label"]).select("label"),
  },
  {
    spark: 'fruits.repartition(3).coalesce(2).select("id")',
    ours: ({ fruits }) => fruits!.repartition(3).coalesce(2).select("id"),
  },
  {
    spark:
      'fruits.filter("id > 99").select(F.split("path", "/").alias("p"), "label").distinct().orderBy("label").limit(3)',
    ours: ({ fruits }) =>
      fruits!.filter("id > 99").select(f.split("path", "/").alias("p"), "label").distinct().orderBy("label").limit(3),
  },

  // Joins and unions
  ...(["inner", "left", "right", "outer", "left_semi", "left_anti"] as const).map(
    (how): FrameCase => ({
      spark: `fruits.select("id", "label", "n").join(other, "id", "${how}")`,
      ours: ({ fruits, other }) => fruits!.select("id", "label", "n").join(other!, "id", how),
    }),
  ),
  {
    spark: 'fruits.select("id", "label", "n").join(other, ["ID", "label"])',
    ours: ({ fruits, other }) => (fruits!.select("id", "label", "n") as DataFrame).join(other!, ["ID", "label"]),
  },
  {
    spark: 'fruits.select("id").crossJoin(other.select("weight"))',
    ours: ({ fruits, other }) => fruits!.select("id").crossJoin(other!.select("weight")),
  },
  {
    spark: 'fruits.select("id", "label").join(other, "id").select("label")',
    ours: ({ fruits, other }) => fruits!.select("id", "label").join(other!, "id").select("label"),
  },
  {
    spark: 'fruits.select("label", "id").union(other.select("label", "weight"))',
    ours: ({ fruits, other }) => fruits!.select("label", "id").union(other!.select("label", "weight")),
  },
  {
    spark: 'fruits.select("id", "label").unionByName(other.select("label", "id"))',
    ours: ({ fruits, other }) => fruits!.select("id", "label").unionByName(other!.select("label", "id")),
  },
  {
    spark: 'fruits.select("id", "label").union(other)',
    ours: ({ fruits, other }) => fruits!.select("id", "label").union(other!),
  },
  {
    spark: 'fruits.select("id", "label").unionByName(other.select("id", "weight"))',
    ours: ({ fruits, other }) => fruits!.select("id", "label").unionByName(other!.select("id", "weight")),
  },

  // Queries
  ...[
    "SELECT label, sum(id) AS total FROM fruits WHERE label <> '' GROUP BY label ORDER BY label",
    "SELECT label, sum(id) AS total FROM fruits WHERE label <> '' GROUP BY label;",
    "SELECT * FROM other",
    "SELECT 1 AS one, 'a' AS a, true AS yes, CAST(NULL AS INT) AS nothing",
    "SELECT id, id + 1 AS next, id IS NULL AS is_null FROM fruits",
    "SELECT count(*) AS n, count(label) AS labels, count(DISTINCT label) AS kinds FROM fruits",
    "SELECT label, count(*) AS n FROM fruits GROUP BY label",
    "SELECT max(x) AS x, min(id) AS i, avg(n) AS m FROM fruits",
    "SELECT coalesce(label, '') AS label, coalesce(n, id) AS n FROM fruits",
    "SELECT CASE WHEN id > 2 THEN 'big' ELSE 'small' END AS size, CASE WHEN id > 2 THEN id END AS id FROM fruits",
    "SELECT upper(label) AS u, label || '-' AS c FROM fruits",
    "SELECT CAST(id AS STRING) AS s, CAST(n AS DOUBLE) AS d, CAST(price AS DOUBLE) AS p FROM fruits",
    "SELECT s.a AS a, s.b AS b FROM fruits",
    "SELECT f.id, o.weight FROM fruits f JOIN other o ON f.id = o.id",
    "SELECT f.id, o.weight FROM fruits f LEFT JOIN other o ON f.id = o.id",
    "SELECT f.id AS f, o.id AS o FROM fruits f FULL OUTER JOIN other o ON f.id = o.id",
    "SELECT DISTINCT label FROM fruits",
    "SELECT id FROM fruits UNION ALL SELECT id FROM other",
    "SELECT id, sum(n) OVER (PARTITION BY flag ORDER BY id) AS running FROM fruits",
    "SELECT id, lag(id) OVER (ORDER BY id) AS before FROM fruits",
    "WITH big AS (SELECT id, x FROM fruits WHERE id > 3) SELECT count(*) AS n FROM big",
    "SELECT id, label FROM fruits WHERE id IN (SELECT id FROM other) AND EXISTS (SELECT 1 FROM other)",
    "SELECT id, (SELECT max(weight) FROM other) AS w FROM fruits",
    "SELECT id FROM fruits WHERE id BETWEEN 2 AND 4 ORDER BY id DESC LIMIT 2",
    "SELECT nope FROM fruits",
  ].map((query) => sql(query)),
  ...[
    "SELECT length(path) AS l FROM fruits",
    "SELECT id, row_number() OVER (ORDER BY id) AS nth, rank() OVER (ORDER BY label) AS r FROM fruits",
  ].map((query) => sql(query, "`length` and `row_number` are long")),
  sql("SELECT id, concat(label, '-') AS c FROM fruits", "`concat` leaves nulls out"),
];
