"""Times in files of pyarrow, which the real Spark reads in a session whose time zone is UTC, whatever the process's is."""
import base64, datetime, json, os, tempfile, time

os.environ["TZ"] = "Asia/Tokyo"
time.tzset()

import pyarrow as pa, pyarrow.parquet as pq
from pyspark.sql import SparkSession, functions as F

spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
         .config("spark.sql.session.timeZone", "UTC").config("spark.driver.bindAddress", "127.0.0.1")
         .config("spark.driver.host", "127.0.0.1").config("spark.driver.extraJavaOptions", "-Duser.timezone=Asia/Tokyo")
         .getOrCreate())
spark.sparkContext.setLogLevel("OFF")

utc = datetime.timezone.utc
# A fraction, before 1970, the hour that New York skips, local mean time.
times = [datetime.datetime(2024, 1, 15, 23, 30, 0, 123456), datetime.datetime(1969, 12, 31, 20, 0, 0),
         datetime.datetime(2024, 3, 10, 2, 30), datetime.datetime(1910, 1, 1, 12, 0)]
zoned = [t.replace(tzinfo=utc) for t in times]
whole = [t.replace(microsecond=0) for t in zoned]
folder = tempfile.mkdtemp()


def file(name, table, **options):
    path = os.path.join(folder, name)
    pq.write_table(table, path, **options)
    return {"name": name, "content": base64.b64encode(open(path, "rb").read()).decode()}


def text(name, content):
    path = os.path.join(folder, name)
    with open(path, "w") as out:
        out.write(content)
    return {"name": name, "content": base64.b64encode(content.encode()).decode()}


files = [
    file("int96.parquet", pa.table({"t": pa.array(times, pa.timestamp("ns"))}), use_deprecated_int96_timestamps=True),
    file("zoned.parquet", pa.table({"t": pa.array(zoned, pa.timestamp("us", "UTC"))})),
    file("millis.parquet", pa.table({"t": pa.array(whole, pa.timestamp("ms", "UTC"))})),
    file("local.parquet", pa.table({"t": pa.array(times, pa.timestamp("us"))})),
    file("days.parquet", pa.table({"t": pa.array([t.date() for t in times])})),
    text("times.csv", "t\n2024-01-15T23:30:00\n2024-01-15 23:30:00.123\n2024-03-10T02:30:00+09:00\n2024-03-10 02:30:00\n"),
    text("times.json", '{"t":"2024-01-15T23:30:00"}\n{"t":"2024-03-10T02:30:00+09:00"}\n{"t":"2024-03-10 02:30:00"}\n'),
]


def read(name):
    reader = spark.read.option("inferSchema", True).option("inferTimestamp", True).option("header", True)
    return getattr(reader, name.rsplit(".")[-1])(os.path.join(folder, name))


answers = []
for one in files:
    data = read(one["name"]).select("t", F.col("t").cast("string").alias("s"), F.col("t").cast("date").alias("d"),
                                    F.col("t").cast("timestamp").cast("string").alias("z"),
                                    F.col("t").cast("timestamp_ntz").cast("string").alias("n"),
                                    F.hour("t").alias("h"),
                                    F.date_format("t", "yyyy-MM-dd HH:mm").alias("f"),
                                    F.to_timestamp(F.col("t").cast("string")).cast("string").alias("u"),
                                    F.unix_timestamp(F.col("t").cast("timestamp")).alias("e"))
    answers.append({**one, "schema": [[f.name, f.dataType.simpleString()] for f in data.schema.fields],
                    "shown": data._jdf.showString(20, 0, False)})

print(json.dumps(answers, ensure_ascii=False))
