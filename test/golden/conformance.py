"""What Spark makes of every case of the conformance suite: test/conformance/print-cases.mjs tells the cases."""
import base64
import datetime
import decimal
import json
import logging
import math
import os
import re
import subprocess

from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

HERE = os.path.dirname(os.path.abspath(__file__))
SUITE = os.path.join(HERE, "..", "conformance")

spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
         .config("spark.sql.session.timeZone", "UTC").config("spark.sql.shuffle.partitions", "1")
         .config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1")
         .config("spark.sql.mapKeyDedupPolicy", "EXCEPTION").getOrCreate())
spark.sparkContext.setLogLevel("OFF")
# PySpark logs the stack of each of a thousand expected errors.
logging.disable(logging.CRITICAL)


def sql(v, t):
    """A value as SQL text: a frame of constants is computed without a job."""
    name = t.simpleString()
    if v is None:
        return f"CAST(NULL AS {name})"
    if isinstance(t, T.StringType):
        return f"CAST(X'{v.encode().hex()}' AS STRING)"
    if isinstance(t, T.BinaryType):
        return f"X'{base64.b64decode(v).hex()}'"
    if isinstance(t, (T.TimestampType, T.TimestampNTZType)):
        return f"CAST('{v.replace('T', ' ').replace('Z', '')}' AS {name})"
    if isinstance(t, T.ArrayType):
        return f"CAST(array({', '.join(sql(x, t.elementType) for x in v)}) AS {name})"
    if isinstance(t, T.MapType):
        entries = ", ".join(f"{sql(k, t.keyType)}, {sql(x, t.valueType)}" for k, x in v.items())
        return f"CAST(map({entries}) AS {name})"
    if isinstance(t, T.StructType):
        fields = ", ".join(f"'{f.name}', {sql(v[f.name], f.dataType)}" for f in t.fields)
        return f"CAST(named_struct({fields}) AS {name})"
    return f"CAST('{str(v).lower() if isinstance(v, bool) else v}' AS {name})"


def frame(spec, rows=None):
    schema = T._parse_datatype_string(spec["schema"])
    # A row of nulls that is left out again makes every column one that may be null.
    listed = (spec["rows"] if rows is None else rows) + [[None] * len(schema.fields)]
    texts = [", ".join(sql(v, f.dataType) for v, f in zip(row, schema.fields)) for row in listed]
    places = [f"{i + 1 < len(listed)}, {text}" for i, text in enumerate(texts)]
    names = ", ".join(f.name for f in schema.fields)
    return spark.sql(f"SELECT {names} FROM VALUES ({'), ('.join(places)}) AS t(is_kept, {names}) WHERE is_kept")


def plain(v):
    if isinstance(v, bool):
        return v
    if isinstance(v, int):
        return v if abs(v) < 2**53 else str(v)
    if isinstance(v, float):
        if math.isnan(v):
            return "NaN"
        if math.isinf(v):
            return "Infinity" if v > 0 else "-Infinity"
        if v == 0 and math.copysign(1, v) < 0:
            return "-0.0"
        return v
    if isinstance(v, decimal.Decimal):
        # Whether zeros stand at its end is Python's business.
        return re.sub(r"\.0*$|(\.\d*?)0+$", r"\1", format(v, "f"))
    if isinstance(v, (bytes, bytearray)):
        return bytes(v).hex()
    if isinstance(v, datetime.datetime):
        return v.astimezone(datetime.timezone.utc).replace(tzinfo=None).isoformat() if v.tzinfo else v.isoformat()
    if isinstance(v, datetime.date):
        return v.isoformat()
    if isinstance(v, dict):
        return sorted(([plain(k), plain(x)] for k, x in v.items()), key=json.dumps)
    if isinstance(v, (list, tuple)):
        return [plain(x) for x in v]
    return v


def error(e):
    found = re.search(r"\[([A-Z][A-Z_0-9]+(?:\.[A-Z_0-9]+)?)\]", str(e))
    return {"error": found.group(1) if found else type(e).__name__ + ": " + str(e)[:80]}


def full(t):
    """A type's text, with what inside it may not be null, as printSchema tells."""
    required = lambda child, nullable: full(child) + ("" if nullable else " not null")
    if isinstance(t, T.ArrayType):
        return f"array<{required(t.elementType, t.containsNull)}>"
    if isinstance(t, T.MapType):
        return f"map<{full(t.keyType)},{required(t.valueType, t.valueContainsNull)}>"
    if isinstance(t, T.StructType):
        return "struct<" + ",".join(f"{f.name}:{required(f.dataType, f.nullable)}" for f in t.fields) + ">"
    return t.simpleString()


def schema(df):
    return [[f.name, full(f.dataType), f.nullable] for f in df.schema.fields]


with open(os.path.join(SUITE, "frames.json"), encoding="utf-8") as file:
    specs = json.load(file)
frames = {name: frame(spec) for name, spec in specs.items()}
for name, df in frames.items():
    df.createOrReplaceTempView(name)
scope = {"F": F, "T": T, "spark": spark, **frames}


rows = {name: [frame(spec, [row]) for row in spec["rows"]] for name, spec in specs.items()}


def column_cases(name, texts):
    """Values by row: of many columns at once, of one where that fails, of one row where that fails too."""
    df, found = frames[name], {}
    for text in texts:
        try:
            found[text] = {"column": schema(df.select(eval(text, scope)))[0]}
        except Exception as e:
            found[text] = error(e)
    good = [text for text in texts if "column" in found[text]]
    for start in range(0, len(good), 12):
        chunk = good[start:start + 12]
        for part in (chunk, *([text] for text in chunk)):
            if all("values" in found[text] for text in part):
                continue
            try:
                together = collected(df.select(*(eval(text, scope).alias(f"c{i}") for i, text in enumerate(part))))
                for i, text in enumerate(part):
                    found[text]["values"] = [plain(r[i]) for r in together]
            except Exception:
                if len(part) == 1:
                    found[part[0]]["values"] = [one(row, part[0]) for row in rows[name]]
    return found


def collected(df):
    # Constants are computed while the plan is optimized; an error there is thrown once, and by collect() several times.
    df._jdf.queryExecution().optimizedPlan()
    return df.collect()


def one(row, text):
    try:
        return plain(collected(row.select(eval(text, scope)))[0][0])
    except Exception as e:
        return error(e)


def frame_case(text):
    try:
        found = eval(text, scope)
        return {"columns": schema(found), "rows": [plain(list(r)) for r in found.collect()]}
    except Exception as e:
        return error(e)


listed = json.loads(subprocess.run(["node", os.path.join(SUITE, "print-cases.mjs")], check=True, capture_output=True, text=True).stdout)
results = {}
for name in frames:
    for text, found in column_cases(name, [c["spark"] for c in listed if c.get("frame") == name]).items():
        results[f"{name}: {text}"] = found
for case in listed:
    if "frame" not in case:
        results[case["spark"]] = frame_case(case["spark"])
# Without the names of their parts, a thousand times over: name, type, whether it may be null, values.
short = {key: [*r["column"], r["values"]] if "column" in r else r for key, r in results.items()}
print(json.dumps(short, ensure_ascii=False))
