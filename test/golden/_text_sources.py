"""Reads small text files with the real Spark: a table of inputs and options, and the types and values it makes of each."""
import base64, datetime, decimal, gzip, json, math, os, re, sys, tempfile, time

os.environ["TZ"] = "UTC"
time.tzset()


def session():
    from pyspark.sql import SparkSession

    spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
             .config("spark.sql.session.timeZone", "UTC").config("spark.sql.shuffle.partitions", "1")
             .config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1")
             .config("spark.driver.extraJavaOptions", "-Duser.timezone=UTC").getOrCreate())
    spark.sparkContext.setLogLevel("OFF")
    return spark


def plain(value, kind):
    """A value as JSON has it: dates as days, timestamps as microseconds, decimals and long integers as text."""
    from pyspark.sql import types as T

    if value is None:
        return None
    if isinstance(kind, T.ArrayType):
        return [plain(v, kind.elementType) for v in value]
    if isinstance(kind, T.StructType):
        return [plain(v, f.dataType) for v, f in zip(value, kind.fields)]
    if isinstance(kind, T.MapType):
        return [[plain(k, kind.keyType), plain(v, kind.valueType)] for k, v in value.items()]
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2 ** 53 else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) and not (value == 0 and math.copysign(1, value) < 0) else \
            {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "-0.0" if value == 0 else "NaN")
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).hex()
    return value


def internal(column, kind):
    """Dates and timestamps as numbers, wherever they stand, since Python's end at the year 9999."""
    from pyspark.sql import functions as F, types as T

    if isinstance(kind, T.DateType):
        return F.unix_date(column)
    if isinstance(kind, T.TimestampType):
        return F.unix_micros(column)
    if isinstance(kind, T.TimestampNTZType):
        return F.unix_micros(column.cast("timestamp"))
    if isinstance(kind, T.ArrayType):
        return F.transform(column, lambda x: internal(x, kind.elementType))
    if isinstance(kind, T.StructType) and kind.fields:
        return F.when(column.isNotNull(), F.struct(*[internal(column.getField(f.name), f.dataType).alias(f"f{i}") for i, f in enumerate(kind.fields)]))
    return column


def has_time(kind):
    return "date" in kind.simpleString() or "timestamp" in kind.simpleString()


def write(folder, files):
    for name, text in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        data = base64.b64decode(text["base64"]) if isinstance(text, dict) else text.encode("utf8")
        with open(path, "wb") as f:
            f.write(data)


def read(spark, kind, case):
    with tempfile.TemporaryDirectory() as folder:
        write(folder, case["files"])
        try:
            reader = spark.read.format(kind).options(**case.get("options", {}))
            if "schema" in case:
                reader = reader.schema(case["schema"])
            frame = reader.load(folder)
            schema = frame.schema
            frame = frame.select(*[internal(frame[f"`{f.name}`"] if len(set(schema.names)) == len(schema) else frame[i], f.dataType).alias(f"c{i}")
                                   if has_time(f.dataType) else frame[f"`{f.name}`"] for i, f in enumerate(schema.fields)])
            kinds = [f.dataType for f in frame.schema.fields]
            rows = [[plain(v, k) for v, k in zip(row, kinds)] for row in frame.collect()]
            return {"schema": [[f.name, f.dataType.simpleString()] for f in schema.fields], "rows": rows}
        except Exception as error:
            text = str(error)
            found = re.findall(r"\[([A-Z][A-Z_0-9.]+)\]", text)
            return {"error": found[0] if found else re.sub(r"\bo[0-9]+[.]", "", text.split("\n")[0][:80].replace(folder, "FOLDER"))}


def answers(kind, cases):
    spark = session()
    print(json.dumps([{**case, "spark": read(spark, kind, case)} for case in cases]))
