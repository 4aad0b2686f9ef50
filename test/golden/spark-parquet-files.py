"""What Spark reads from the files of test/fixtures/parquet: its types and rows, or its error."""
import base64
import datetime
import decimal
import json
import math
import os
import re
import tempfile

from pyspark.sql import Row, SparkSession

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures", "parquet", "files.json")) as file:
    files = json.load(file)


def plain(value):
    """As JSON can say it: NaN and -0.0 as text, bytes as hex, times as ISO text, a map as pairs."""
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, str):
        return value if len(value) < 200 else f"{len(value)} characters"
    if isinstance(value, float):
        return str(value) if math.isnan(value) or math.isinf(value) or (value == 0 and math.copysign(1, value) < 0) else value
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).hex()
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, Row):
        return {name: plain(item) for name, item in value.asDict().items()}
    if isinstance(value, dict):
        return [[plain(key), plain(item)] for key, item in value.items()]
    if isinstance(value, list):
        return [plain(item) for item in value]
    return str(value)


answers = {}
with tempfile.TemporaryDirectory() as folder:
    spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config("spark.sql.session.timeZone", "UTC").getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    for name, data in files.items():
        path = os.path.join(folder, "file.parquet")
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))
        try:
            df = spark.read.parquet(path)
            rows = [[plain(value) for value in row] for row in df.collect()]
            answers[name] = {"schema": df.schema.simpleString(), "rows": rows if len(rows) <= 10 else len(rows)}
        except Exception as error:
            message = str(error).split("\n\tat ")[0].replace(folder, "")
            found = re.search(r"\[([A-Z_0-9.]+)\]", message)
            answers[name] = {"error": found.group(1) if found else message.split("\n")[0][:100]}
    spark.stop()
print(json.dumps(answers))
