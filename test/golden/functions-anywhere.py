"""A user's function in filters, sorts, groups, aggregates and expressions, in the real Spark."""
import json

from pyspark.sql import SparkSession, functions as F

spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config("spark.sql.shuffle.partitions", "1").config("spark.sql.session.timeZone", "UTC").getOrCreate()
spark.sparkContext.setLogLevel("OFF")

col, lit, sum_, max_, count, when, upper = F.col, F.lit, F.sum, F.max, F.count, F.when, F.upper
twice = F.udf(lambda x: None if x is None else x * 2, "int")
size = F.udf(lambda s: 0 if s is None else len(s), "int")
big = F.udf(lambda x: x is not None and x > 15, "boolean")
df = spark.createDataFrame([(1, "aa", 10), (2, "b", 20), (3, "aa", 30), (4, None, 40), (5, "ccc", None)], "id int, label string, v int")
small = spark.createDataFrame([(20, "x"), (60, "y")], "w int, name string")

# One expression for both: the test in TypeScript evaluates these lines too.
CASES = """
df.filter(big("v"))
df.filter(twice("v").gt(30))
df.filter(twice("v").gt(30).and(size("label").lt(2)))
df.filter(twice(col("v").plus(1)).gt(42).or(col("label").isNull()))
df.filter(twice(twice("v")).gt(100)).select("id")
df.filter(big("v").not()).select("label")
df.select("id").filter(twice("v").gt(30))
df.orderBy(twice("v").desc(), "id")
df.orderBy(size("label").negate(), col("id").desc())
df.select("id").orderBy(size("label"), "id")
df.groupBy(size("label")).count().orderBy("count")
df.groupBy(size("label").alias("n")).agg(sum_("v").alias("s"), max_(twice("v")).alias("m")).orderBy("n")
df.groupBy("label").agg(sum_(twice("v")).alias("s")).orderBy("s")
df.groupBy("label").agg(twice(sum_("v")).alias("s"), count("id").alias("c")).orderBy("c", "s")
df.groupBy("label").agg(size("label").alias("n"), twice(sum_(twice("v"))).plus(1).alias("s")).orderBy("n", "s")
df.groupBy(size("label").plus(1).alias("n")).agg(twice(size("label").plus(1)).alias("m"), count("id").alias("c")).orderBy("n")
df.agg(sum_(twice("v")).alias("s"))
df.agg(twice(max_("v")).plus(max_(size("label"))).alias("s"))
df.select("id", twice("v").plus(1).alias("t"), size(upper("label")).multiply(twice("id")).alias("u"))
df.select(when(big("v"), twice("v")).otherwise(lit(-1)).alias("t"))
df.withColumn("v", twice("v")).filter(big("v")).groupBy(big(col("v").minus(30))).count().orderBy("count")
df.orderBy("id").filter(big("v")).limit(2).filter(twice("id").gt(4))
df.filter(big("v")).join(small, col("v").eq(col("w")), "left").orderBy(size("name"), "id")
df.groupBy("label").agg(twice("v"))
df.select(sum_(twice("v")).plus(1).alias("s"))
df.groupBy("id", "label").agg(max_("v").alias("m")).filter(twice("m").gt(40)).orderBy(twice("id").desc())
"""

METHODS = {"eq": "__eq__", "gt": "__gt__", "lt": "__lt__", "and": "__and__", "or": "__or__", "plus": "__add__", "minus": "__sub__", "multiply": "__mul__", "negate": "__neg__", "not": "__invert__"}


def answer(case):
    for ours, theirs in METHODS.items():
        case = case.replace(f".{ours}(", f".{theirs}(")
    try:
        frame = eval(case)
        return {"columns": frame.dtypes, "rows": [list(row) for row in frame.collect()]}
    except Exception as error:
        return {"error": getattr(error, "getCondition", lambda: None)() or str(error)[:200]}


print(json.dumps({case: answer(case) for case in CASES.strip().split("\n")}))
