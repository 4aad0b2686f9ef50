"""How Spark reads folders named k=v: the columns, their types and values, or its error, for many layouts of small Parquet files."""
import datetime
import decimal
import json
import os
import re
import tempfile

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import SparkSession

ARROW = {"INT": pa.int32(), "BIGINT": pa.int64(), "STRING": pa.string(), "DOUBLE": pa.float64()}
ONE = {"columns": [["id", "INT"]], "rows": [[1]]}


def part(rows, **columns):
    return {"columns": [[name, kind] for name, kind in columns.items()], "rows": rows}


def ids(*folders):
    return {f"{folder}/part-{i}.parquet": {"columns": [["id", "INT"]], "rows": [[i + 1]]} for i, folder in enumerate(folders)}


cases = []


def case(name, files, paths=(".",), format="parquet", schema=None, **options):
    cases.append({"name": name, "files": files, "paths": list(paths), "format": format, "schema": schema, "options": options})


for value in [
    "1", "007", "-5", "+5", "-0", "-0.0", "2147483648", "9223372036854775808", "1" * 38, "1" * 39, "1.5", ".5", "5.", "1e5", "1E400", "1e-3",
    "NaN", "nan", "Infinity", "-Infinity", "inf", "1d", "1f", "1L", "0x10", " 1", "1_000", "2024-02-29", "2024-02-30", "2024-2-9",
    "2024", "2024-02", "2024-02-29 01:02:03", "2024-02-29 01%3A02%3A03", "2024-02-29 01%3A02%3A03.5", "2024-02-29 01%3A02%3A03.123",
    "2024-02-29T01%3A02%3A03", "01%3A02%3A03", "0001-01-01", "true", "abc", "a%3Db%2Fc%3A%25", "%zz", "50%", "%", "%4", "%41",
    "%C3%A9", "é", "a b", "__HIVE_DEFAULT_PARTITION__", "a=b", "null", "",
]:
    case(f"value {value!r}", ids(f"k={value}"))

for values in [
    ["1", "2147483648"], ["1", "abc"], ["1", "1.5"], ["2147483648", "1.5"], ["9223372036854775808", "1.5"], ["9223372036854775808", "1"],
    ["2024-02-29", "1"], ["2024-02-29", "2024-02-29 01%3A02%3A03"], ["__HIVE_DEFAULT_PARTITION__", "1"], ["abc", "__HIVE_DEFAULT_PARTITION__"],
    ["01", "1"], ["1.5", "abc"], ["NaN", "1"], ["1", "2147483648", "1.5"], ["2024-02-29", "abc"], ["2024-02-29 01%3A02%3A03", "5"],
    ["1.0", "1"], ["9223372036854775808", "2147483648"], ["a%20b", "1"],
]:
    case(f"values {values!r}", ids(*[f"k={v}" for v in values]))

case("two levels", ids("k=1/j=a", "k=2/j=b"))
case("above the path", ids("label=test/features"), ["label=test/features"])
case("below a folder of another name", ids("sub/k=1", "sub/k=2"))
case("a folder between", ids("k=1/sub"))
case("a folder between two levels", ids("k=1/sub/j=2"))
case("one partition's path", ids("k=1", "k=2"), ["k=1"])
case("one partition's path with basePath", ids("k=1", "k=2"), ["k=1"], basePath=".")
case("two partitions' paths", ids("k=1", "k=2"), ["k=1", "k=2"])
case("two partitions' paths with basePath", ids("k=1", "k=2"), ["k=1", "k=2"], basePath=".")
case("a file's path", ids("k=1"), ["k=1/part-0.parquet"])
case("a file's path with basePath", ids("k=1"), ["k=1/part-0.parquet"], basePath=".")
case("basePath in the middle", ids("k=1/j=2"), ["k=1/j=2"], basePath="k=1")
case("basePath that is none", ids("k=1"), ["k=1"], basePath="elsewhere")
case("basePath that is a file", ids("k=1"), ["k=1"], basePath="k=1/part-0.parquet")
case("a glob", ids("k=1", "k=2"), ["k=*"])
case("a glob with basePath", ids("k=1", "k=2", "k=13"), ["k={1,2}"], basePath=".")
case("a glob above", ids("a/k=1", "a/k=2"), ["[a-c]"])
case("a glob above two roots", ids("a/k=1", "b/k=2"), ["?"])
case("a glob without a match", ids("k=1"), ["z*"])
case("a glob of files", ids("a", "b"), ["*/*.parquet"])
case("an escaped glob", ids("a[1]"), ["a\\[1\\]"])
case("a glob with two stars", ids("a/b", "a/c"), ["**/b"])
case("a comma in a path", ids("a,b"), ["a,b"])
case("names conflict", ids("k=1", "j=2"))
case("depths conflict", ids("k=1/j=1", "k=2"))
case("two roots", ids("a/k=1", "b/k=2"), ["a", "b"])
case("two roots with other names", ids("a/k=1", "b/j=2"), ["a", "b"])
case("the same path twice", ids("a"), ["a", "a"])
case("roots conflict", ids("a/k=1", "b/k=2"))
case("a file beside folders", {**ids("k=1"), "part-9.parquet": ONE})
case("a plain folder beside", ids("k=1", "plain"))
case("plain subfolders", {**ids("plain/deep"), "part-9.parquet": ONE})
case("only plain subfolders", ids("plain/deep"))
case("plain subfolders, recursive", {**ids("plain/deep"), "part-9.parquet": ONE}, recursiveFileLookup="true")
case("recursive", ids("k=1", "k=2"), recursiveFileLookup="true")
case("recursive with basePath", ids("k=1"), ["k=1"], recursiveFileLookup="true", basePath=".")
case("hidden names", ids("_x=1", "_x=2"))
case("hidden dot names", {**ids(".x=1"), "part-9.parquet": ONE})
case("hidden folder inside", ids("k=1", "k=1/_hidden", "k=2/.hidden"))
case("hidden file", {**ids("k=1"), "k=1/_part.parquet": ONE, "k=1/.part.parquet": ONE, "k=2/_x=1.parquet": ONE})
case("half-copied file", {**ids("k=1"), "k=1/part-1.parquet._COPYING_": ONE})
HIDDEN = {**ids(".dot", "_u", "_v=1", "plain", "_u/in", "_u/_in"), "top.parquet": ONE, "_h.parquet": ONE, "_x=1.parquet": ONE, ".h.parquet": ONE}
for paths in [
    ["*"], ["_*"], [".*"], ["?u"], [".d*"], ["{.dot,_u}"], ["*/*"], ["_u/*"], ["*/*/*"], ["*.parquet"], ["_u"], ["_u/part-1.parquet"],
    ["_u/_in"], ["_u/_in/part-5.parquet"], ["_h.parquet"], [".h.parquet"], ["_h.parquet", "top.parquet"], ["_h*", ".h*"], ["_x=1.parquet"],
]:
    case(f"hidden names and {' '.join(paths)}", HIDDEN, paths)
case("a half-copied file's path", {"a.parquet._COPYING_": ONE}, ["a.parquet._COPYING_"])
case("hidden names and *, recursive", HIDDEN, ["*"], recursiveFileLookup="true")
case("empty name", ids("=1"))
case("empty level", ids("k=1/j="))
case("glob filter", {**ids("k=1"), "k=1/b.pq": ONE}, pathGlobFilter="*.pq")
case("glob filter leaves one partition", {**ids("k=1"), "j=1/b.pq": ONE}, pathGlobFilter="*.pq")

case("column in the file and the folder", {"k=7/a.parquet": part([[1, "x", 2.5]], id="INT", k="STRING", z="DOUBLE")})
case("column in the file and the folder, other case", {"k=7/a.parquet": part([[1, "x", 2.5]], id="INT", K="STRING", z="DOUBLE")})
case("two columns in the file and the folders", {"k=7/j=b/a.parquet": part([[1, "x"]], j="INT", k="STRING")})
case("column in some files and the folder", {"k=7/a.parquet": part([[1]], id="INT"), "k=8/b.parquet": part([[2, 5]], id="INT", k="INT")})
case("only the column in the folder", {"k=7/a.parquet": part([[1], [2]], k="INT")})

case("schema given, string", ids("k=01"), schema="id INT, k STRING")
case("schema given, long", ids("k=1"), schema="k BIGINT, id INT")
case("schema given, double", ids("k=1"), schema="id INT, k DOUBLE")
case("schema given, date", ids("k=2024-02-29"), schema="id INT, k DATE")
case("schema given without it", ids("k=1"), schema="id INT")
case("schema given, other case", ids("k=1"), schema="ID INT, K STRING")
case("schema given, unfit", ids("k=abc"), schema="id INT, k INT")
case("schema given, null folder", ids("k=__HIVE_DEFAULT_PARTITION__"), schema="id INT, k INT")
case("schema given, no such column", ids("k=1"), schema="id INT, other STRING, k INT")

case("binaryFile", ids("label=Apple Red/1", "label=Pear/2"), ["."], "binaryFile")
case("binaryFile one level", ids("label=Apple Red", "label=Pear"), ["."], "binaryFile")
case("binaryFile recursive", ids("label=Apple Red/1", "label=Pear/2"), ["."], "binaryFile", recursiveFileLookup="true")
case("binaryFile column", ids("length=5"), ["."], "binaryFile")

with tempfile.TemporaryDirectory() as folder:
    spark = (
        SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config("spark.sql.session.timeZone", "UTC").getOrCreate()
    )
    spark.sparkContext.setLogLevel("OFF")

    def text(value):
        if value is None or isinstance(value, (bool, int, str)):
            return value
        if isinstance(value, (datetime.datetime, datetime.time)):
            return value.isoformat()
        if isinstance(value, (datetime.date, decimal.Decimal, float)):
            return str(value)
        if isinstance(value, (bytes, bytearray)):
            return f"{len(value)} bytes"
        raise TypeError(value)

    def read(number, c, infer=True):
        root = os.path.join(folder, str(number))
        for path, content in c["files"].items():
            path = os.path.join(root, path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            columns = {n: pa.array([row[i] for row in content["rows"]], ARROW[k]) for i, (n, k) in enumerate(content["columns"])}
            pq.write_table(pa.table(columns), path)
        reader = spark.read.format(c["format"])
        if c["schema"]:
            reader = reader.schema(c["schema"])
        for key, value in c["options"].items():
            reader = reader.option(key, os.path.normpath(os.path.join(root, value)) if key == "basePath" else value)
        try:
            df = reader.load([os.path.join(root, p) if p != "." else root for p in c["paths"]])
            if c["format"] == "binaryFile":
                kept = [c for c in df.columns if c not in ("path", "modificationTime", "content", "length") or dict(df.dtypes)[c] == "int"]
                df = df.select(*kept)
            rows = sorted(([text(v) for v in row] for row in df.collect()), key=lambda row: json.dumps(row))
            return {"found": [[f.name, f.dataType.simpleString()] for f in df.schema.fields], "rows": rows}
        except Exception as error:
            message = str(error).split("\n\tat ")[0].replace(folder, "")
            found = re.search(r"\[([A-Z_0-9.]+)\]", message)
            return {"error": found.group(1) if found else message.split("\n")[0][:160]}

    for number, c in enumerate(cases):
        c.update(read(number, c))
    spark.conf.set("spark.sql.sources.partitionColumnTypeInference.enabled", "false")
    plain = {"name": "no inference", "files": ids("k=1", "k=__HIVE_DEFAULT_PARTITION__", "k=a%20b"), "paths": ["."], "format": "parquet", "schema": None, "options": {}}
    plain.update(read("plain", plain))
    spark.stop()

print(json.dumps({"cases": cases, "withoutInference": [plain]}))
