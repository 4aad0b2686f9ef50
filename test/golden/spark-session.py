# What Spark's conf, context, show and printSchema answer to what notebooks ask of them.
import contextlib, io, json

from pyspark.sql import SparkSession

spark = SparkSession.builder.master("local[1]").appName("golden").config("spark.ui.enabled", "false").config("spark.sql.session.timeZone", "UTC").getOrCreate()
conf, sc = spark.conf, spark.sparkContext
sc.setLogLevel("OFF")


def answer(ask):
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out):
            value = ask()
        return {"printed": out.getvalue()} if out.getvalue() else {"value": value}
    except Exception as error:
        return {"error": str(error).split("\nSee also")[0]}


CONF = [
    ("get", "foo.bar"), ("get", "foo.bar", "x"), ("get", "foo.bar", None), ("get", "spark.sql.shuffle.partitions"), ("get", "spark.sql.shuffle.partitions", "7"),
    ("get", "spark.executor.memory"), ("get", "spark.executor.memory", "2g"), ("get", "spark.sql.binaryOutputStyle"), ("get", "spark.sql.SHUFFLE.partitions"), ("get", "spark.sql.parquet.writeLegacyFormat"),
    ("set", "spark.sql.warehouse.dir", "x"), ("set", "spark.executor.memory", "4g"), ("set", "spark.sql.shuffle.partitions", "abc"), ("set", "spark.sql.adaptive.enabled", "maybe"),
    ("set", "spark.sql.shuffle.partitions", 5), ("get", "spark.sql.shuffle.partitions"), ("unset", "spark.sql.shuffle.partitions"), ("get", "spark.sql.shuffle.partitions"),
    ("set", "spark.sql.adaptive.enabled", False), ("get", "spark.sql.adaptive.enabled"), ("set", "spark.sql.adaptive.enabled", "TRUE"), ("get", "spark.sql.adaptive.enabled"), ("unset", "spark.sql.adaptive.enabled"),
    ("unset", "spark.sql.warehouse.dir"), ("unset", "nix"), ("get", "spark.app.name"), ("get", "spark.master"),
    ("isModifiable", "spark.sql.shuffle.partitions"), ("isModifiable", "spark.sql.warehouse.dir"), ("isModifiable", "spark.executor.memory"), ("isModifiable", "foo"), ("isModifiable", "spark.master"),
]
SHOWS = [[], [1], [5, False], [5, True], [5, 5], [5, 3], [5, 0], [5, -1], [5, False, True], [20, True, True], [0], [-1], [1, 2, True], [False], [True], ["5"], [5, "x"], [5, False, "x"], [2.5], [5, 2.5]]
frame = spark.createDataFrame([(1, "a" * 30, None), (2, "b", 1.5)], "id long, s string, d double")
NESTED = "s struct<a:struct<b:int,c:array<struct<x:int>>>,m:map<string,struct<z:int>>>, aa array<array<int>>"
nested = spark.createDataFrame([], NESTED)
print(json.dumps({
    "conf": [[call, answer(lambda: getattr(conf, call[0])(*call[1:]))] for call in CONF],
    "levels": [[level, answer(lambda: sc.setLogLevel(level))] for level in ["warn", "WARN", "nope", "OFF"]],
    "shows": [[call, answer(lambda: frame.show(*call))] for call in SHOWS],
    "nested": NESTED,
    "schemas": [[level, answer(lambda: nested.printSchema(level))] for level in [None, -1, 0, 1, 2, 3, 4, 5]],
    "dtypes": nested.dtypes + frame.dtypes,
}))
