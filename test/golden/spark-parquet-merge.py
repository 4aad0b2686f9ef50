"""What Spark reads from several Parquet files of other columns and types, plainly, with mergeSchema and with a given schema."""
import datetime
import decimal
import json
import os
import re
import tempfile

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import Row, SparkSession

TYPES = {
    "byte": pa.int8(), "short": pa.int16(), "int": pa.int32(), "long": pa.int64(), "float": pa.float32(), "double": pa.float64(),
    "string": pa.string(), "binary": pa.binary(), "boolean": pa.bool_(), "date": pa.date32(), "timestamp": pa.timestamp("us", "UTC"),
    "timestamp_ntz": pa.timestamp("us"), "decimal(5,2)": pa.decimal128(5, 2), "decimal(9,2)": pa.decimal128(9, 2), "decimal(9,4)": pa.decimal128(9, 4),
    "array<int>": pa.list_(pa.int32()), "array<long>": pa.list_(pa.int64()), "struct<a:int>": pa.struct([("a", pa.int32())]),
    "struct<a:int,b:string>": pa.struct([("a", pa.int32()), ("b", pa.string())]), "struct<b:string,a:int>": pa.struct([("b", pa.string()), ("a", pa.int32())]),
    "struct<A:int>": pa.struct([("A", pa.int32())]), "struct<a:long>": pa.struct([("a", pa.int64())]), "map<string,int>": pa.map_(pa.string(), pa.int32()),
    "array<struct<a:int>>": pa.list_(pa.struct([("a", pa.int32())])), "array<struct<a:int,b:string>>": pa.list_(pa.struct([("a", pa.int32()), ("b", pa.string())])),
}
VALUES = {
    "byte": 1, "short": 2, "int": 3, "long": 4, "float": 0.5, "double": 0.25, "string": "s", "binary": b"b", "boolean": True,
    "date": datetime.date(2024, 2, 29), "timestamp": datetime.datetime(2024, 2, 29, 1, 2, 3, tzinfo=datetime.timezone.utc),
    "timestamp_ntz": datetime.datetime(2024, 2, 29, 1, 2, 3), "decimal(5,2)": decimal.Decimal("1.50"), "decimal(9,2)": decimal.Decimal("1234567.50"),
    "decimal(9,4)": decimal.Decimal("1.2345"), "array<int>": [1, None], "array<long>": [2, None], "struct<a:int>": {"a": 1},
    "struct<a:int,b:string>": {"a": 2, "b": "x"}, "struct<b:string,a:int>": {"b": "y", "a": 3}, "struct<A:int>": {"A": 4}, "struct<a:long>": {"a": 5},
    "map<string,int>": [("k", 1)], "array<struct<a:int>>": [{"a": 1}], "array<struct<a:int,b:string>>": [{"a": 2, "b": "x"}],
}
cases = []


def case(name, *files, schema=None, merge=None):
    """Files as lists of (column, type)."""
    for mode in ([False, True] if merge is None else [merge]):
        cases.append({"name": f"{name}{', merged' if mode else ''}", "files": files, "schema": schema, "merge": mode})


case("other columns", [("a", "int"), ("b", "string")], [("a", "int"), ("c", "double")])
case("other order", [("a", "int"), ("b", "string")], [("b", "string"), ("a", "int")])
case("other case", [("a", "int")], [("A", "int")])
case("three files", [("a", "int")], [("b", "int")], [("a", "int"), ("c", "int")])
for left, right in [
    ("int", "long"), ("long", "int"), ("short", "int"), ("int", "short"), ("float", "double"), ("double", "float"), ("double", "int"), ("int", "double"),
    ("double", "long"), ("float", "int"), ("int", "string"), ("string", "int"), ("string", "binary"), ("binary", "string"), ("boolean", "int"), ("int", "boolean"),
    ("date", "timestamp_ntz"), ("timestamp_ntz", "date"), ("timestamp", "date"), ("timestamp", "timestamp_ntz"), ("timestamp_ntz", "timestamp"), ("date", "int"), ("int", "date"),
    ("decimal(9,2)", "decimal(5,2)"), ("decimal(5,2)", "decimal(9,2)"), ("decimal(9,4)", "decimal(5,2)"), ("decimal(9,2)", "int"), ("decimal(9,2)", "double"), ("long", "timestamp"),
    ("array<long>", "array<int>"), ("array<int>", "array<long>"), ("array<int>", "int"), ("struct<a:int>", "struct<a:int,b:string>"),
    ("struct<a:int,b:string>", "struct<a:int>"), ("struct<a:int,b:string>", "struct<b:string,a:int>"), ("struct<a:int>", "struct<A:int>"), ("struct<a:long>", "struct<a:int>"),
    ("map<string,int>", "struct<a:int>"), ("array<struct<a:int,b:string>>", "array<struct<a:int>>"), ("array<struct<a:int>>", "array<struct<a:int,b:string>>"),
]:
    case(f"{left} and {right}", [("v", left)], [("v", right)])
for given, there in [
    ("long", "int"), ("double", "int"), ("double", "float"), ("int", "long"), ("short", "int"), ("byte", "int"), ("string", "int"), ("decimal(20,0)", "long"), ("decimal(12,2)", "int"), ("decimal(11,2)", "int"),
    ("decimal(12,4)", "decimal(5,2)"), ("decimal(5,1)", "decimal(5,2)"), ("double", "long"), ("float", "double"), ("timestamp_ntz", "date"), ("timestamp", "date"), ("date", "timestamp"), ("float", "int"), ("boolean", "int"),
]:
    case(f"{given} of {there}", [("v", there)], schema=f"v {given.replace('long', 'bigint')}", merge=False)
case("fewer columns", [("a", "int"), ("b", "string")], schema="b STRING", merge=False)
case("more columns", [("a", "int")], schema="z STRING, a INT", merge=False)

with tempfile.TemporaryDirectory() as folder:
    spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config("spark.sql.session.timeZone", "UTC").getOrCreate()
    spark.sparkContext.setLogLevel("OFF")

    def plain(value):
        if isinstance(value, Row):
            return {name: plain(item) for name, item in value.asDict().items()}
        if isinstance(value, (datetime.datetime, datetime.date)):
            return value.isoformat()
        if isinstance(value, (bytes, bytearray)):
            return bytes(value).hex()
        if isinstance(value, dict):
            return [[key, item] for key, item in value.items()]
        if isinstance(value, list):
            return [plain(item) for item in value]
        return format(value, "f") if isinstance(value, decimal.Decimal) else value

    for number, c in enumerate(cases):
        root = os.path.join(folder, str(number))
        os.makedirs(root)
        for i, columns in enumerate(c["files"]):
            pq.write_table(pa.table({name: pa.array([VALUES[kind]], TYPES[kind]) for name, kind in columns}), f"{root}/{i}.parquet")
        reader = spark.read.option("mergeSchema", c["merge"])
        try:
            df = (reader.schema(c["schema"]) if c["schema"] else reader).parquet(root)
            rows = sorted(([plain(v) for v in row] for row in df.collect()), key=json.dumps)
            c.update(found=df.schema.simpleString(), rows=rows)
        except Exception as error:
            message = str(error).split("\n\tat ")[0]
            found = re.search(r"\[([A-Z_0-9.]+)\]", message)
            c["error"] = found.group(1) if found else message.split("\n")[0][:80]
    spark.stop()
print(json.dumps({"cases": cases}))
