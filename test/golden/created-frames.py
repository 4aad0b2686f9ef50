"""What PySpark makes of rows in memory: every kind of value for every type, types found in values, and programs over such frames."""
import datetime
import decimal
import json
import math
import re

from pyspark.sql import Row, SparkSession
from pyspark.sql import functions as F

spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
         .config("spark.sql.session.timeZone", "UTC").config("spark.sql.shuffle.partitions", "1").getOrCreate())
spark.sparkContext.setLogLevel("OFF")

naive = datetime.datetime(2024, 1, 2, 3, 4, 5)
TYPES = ["INT", "BIGINT", "SMALLINT", "TINYINT", "DOUBLE", "FLOAT", "STRING", "BOOLEAN", "BINARY", "DATE", "TIMESTAMP", "TIMESTAMP_NTZ",
         "DECIMAL(5,2)", "ARRAY<INT>", "ARRAY<STRING>", "ARRAY<DOUBLE>", "MAP<STRING,INT>", "MAP<INT,STRING>", "STRUCT<a: INT, b: STRING>", "INT NOT NULL"]
VALUES = {
    "null": None, "1": 1, "1.5": 1.5, "x": "x", "12": "12", "true": True, "3e9": 3000000000, "300": 300, "2**70": 2**70, "NaN": math.nan, "-0.0": -0.0,
    "1e300": 1e300, "time": naive, "bytes": bytearray(b"ab"), "[1,2]": [1, 2], "[a,null]": ["a", None], "[1.5]": [1.5], "[]": [], "[null]": [None],
    "{a:1}": {"a": 1}, "{a:x,b:2}": {"a": "x", "b": 2}, "{a:1,b:q,z:3}": {"a": 1, "b": "q", "z": 3}, "map of 1": {1: "x"}, "decimal 1.256": decimal.Decimal("1.256"),
    "decimal 12345.6": decimal.Decimal("12345.6"), "decimal -0.005": decimal.Decimal("-0.005"),
}
FOUND = {
    "missing keys": [{"a": 1}, {"a": 2, "b": "x"}], "null first": [{"a": None}, {"a": "x"}], "all null": [{"a": None}], "text and number": [{"a": 1}, {"a": "x"}],
    "text and boolean": [{"a": True}, {"a": "x"}], "boolean and number": [{"a": True}, {"a": 1}], "arrays": [{"a": [1, None]}, {"a": []}], "empty arrays": [{"a": []}],
    "mixed array": [{"a": [1, "x"]}], "nested arrays": [{"a": [[1], []]}, {"a": [None, [2]]}], "array and number": [{"a": [1]}, {"a": 1}],
    "structs": [{"a": Row(x=1, y="p")}, {"a": Row(x=2, y=None)}], "structs null first": [{"a": Row(x=None, y="p")}, {"a": Row(x=2, y=None)}],
    "structs all null": [{"a": Row(x=None)}], "structs in arrays": [{"a": [Row(x=1), Row(x=None)]}],
    "maps": [{"a": {"k": 1}}, {"a": {"k": None, "j": 2}}], "maps of numbers": [{"a": {1: 1.5}}], "empty maps": [{"a": {}}], "map and struct": [{"a": {"k": 1}}, {"a": Row(k=1)}],
    "exact": [{"a": 9007199254740993}], "none": [], "null row": [None],
}
NAMED = {
    "too few names": ([[1, 2]], ["a"]), "too many names": ([[1]], ["a", "b"]), "plain values": ([1, 2, None], "int"), "plain texts": (["a"], "string"), "plain arrays": ([[1], None], "array<int>"),
    "untyped values": ([1, 2], None), "struct by place": ([[(1, "x")]], "s struct<a:int,b:string>"), "structs by place": ([[[(1, "x")]]], "s array<struct<a:int,b:string>>"),
    "wrong number in a struct": ([[(1,)]], "s struct<a:int,b:string>"), "deep": ([[{"k": [{"z": 5000000000}]}]], "s map<string,array<map<string,bigint>>>"),
    "deep misfit": ([[{"k": [{"z": "q"}]}]], "s map<string,array<map<string,bigint>>>"), "bytes in a map": ([[{1: bytearray(b"a")}]], "m map<int,binary>"),
    "no null in an array": ([[[None]]], "a struct<x:int not null>"), "fields by name": ([{"b": 2, "a": 1}], "a int, c int"),
}
zeros = spark.createDataFrame([(i, 0.0 if i % 2 else -0.0, [0.0 if i % 2 else -0.0]) for i in range(6)], "i int, x double, xs array<double>")
few = spark.createDataFrame([(1, "a", None, 1.5, None), (2, None, 7, math.nan, decimal.Decimal("1.50"))], "id int, g string, n long, x double, d decimal(6,2)")
PROGRAMS = {
    "zeros": lambda: zeros, "zeros filtered": lambda: zeros.filter("i >= 0"), "zeros as floats": lambda: zeros.select("i", F.col("x").cast("float")),
    "zeros twice": lambda: zeros.crossJoin(spark.range(2)).select("i", "x").orderBy("i"),
    "zeros joined": lambda: zeros.join(zeros.select("i", F.col("x").alias("y")), "i").select("i", "x", "y").orderBy("i"),
    "rename on": lambda: few.withColumnsRenamed({"n": "m", "m": "q"}), "rename crosswise": lambda: few.withColumnsRenamed({"n": "x", "x": "n"}),
    "rename to another's name": lambda: few.withColumnRenamed("N", "id"), "rename nothing": lambda: few.withColumnsRenamed({"zz": "n"}),
    "fillna 0": lambda: few.fillna(0), "fillna 1.7": lambda: few.fillna(1.7), "fillna text": lambda: few.fillna("?"), "fillna named": lambda: few.fillna({"n": 2, "g": "u", "x": 0.5}),
    "fillna subset": lambda: few.fillna(0, ["n", "d"]), "fillna to decimal": lambda: few.fillna({"d": 0.126}),
    "agg by name": lambda: few.agg({"n": "max"}), "agg stars": lambda: few.agg({"*": "count"}), "agg in groups": lambda: few.groupBy("g").agg({"x": "AVG"}).orderBy("g"),
    "agg of no name": lambda: few.agg({"n": "nope"}), "group by a list": lambda: few.groupBy(["g", "id"]).count().orderBy("id"),
}


def plain(v):
    if isinstance(v, float):
        return str(v).replace("inf", "Infinity").replace("nan", "NaN") if not math.isfinite(v) or (v == 0 and math.copysign(1, v) < 0) else v
    if isinstance(v, bool) or v is None or isinstance(v, str):
        return v
    if isinstance(v, int):
        return v if abs(v) < 2**53 else str(v)
    if isinstance(v, decimal.Decimal):
        return format(v, "f")
    if isinstance(v, (bytes, bytearray)):
        return bytes(v).hex()
    if isinstance(v, (datetime.datetime, datetime.date)):
        return v.isoformat()
    if isinstance(v, dict):
        return sorted(([plain(k), plain(x)] for k, x in v.items()), key=json.dumps)
    return [plain(x) for x in v]


def answer(make):
    try:
        df = make()
        return {"columns": [[f.name, f.dataType.simpleString(), f.nullable] for f in df.schema.fields], "rows": [plain(list(r)) for r in df.collect()]}
    except Exception as e:
        found = re.search(r"\[([A-Z][A-Z_0-9]+(?:\.[A-Z_0-9]+)?)\]", str(e))
        return {"error": found.group(1) if found else type(e).__name__}


def cell(value, type_):
    found = answer(lambda: spark.createDataFrame([(value,)], f"v {type_}"))
    return {"value": found["rows"][0][0]} if "rows" in found else found


print(json.dumps({
    "cells": {type_: {name: cell(value, type_) for name, value in VALUES.items()} for type_ in TYPES},
    "found": {name: answer(lambda: spark.createDataFrame(rows)) for name, rows in FOUND.items()},
    "named": {name: answer(lambda: spark.createDataFrame(rows, schema)) for name, (rows, schema) in NAMED.items()},
    "programs": {name: answer(make) for name, make in PROGRAMS.items()},
}, ensure_ascii=False))
