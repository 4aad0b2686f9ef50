"""Other programs on the same data in S3: argv is the bucket, and which of them: pandas or spark. Prints what they read as JSON."""
import json
import os
import sys

bucket, who = sys.argv[1:3]
endpoint = os.environ["AWS_ENDPOINT_URL_S3"]
key, secret = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]


def summary(ids, labels, vectors):
    return {"rows": len(ids), "ids": int(sum(ids)), "labels": sorted(set(labels)), "sum": float(sum(sum(v) for v in vectors))}


def pandas():
    import pandas as pd
    import pyarrow.dataset as ds
    from pyarrow.fs import S3FileSystem

    options = {"key": key, "secret": secret, "endpoint_url": endpoint}
    read = pd.read_parquet(f"s3://{bucket}/plain", storage_options=options)
    split = pd.read_parquet(f"s3://{bucket}/by-label", storage_options=options)
    own = S3FileSystem(access_key=key, secret_key=secret, endpoint_override=endpoint, region="us-east-1")
    arrow = ds.dataset(f"{bucket}/plain", filesystem=own).to_table()
    frame = pd.DataFrame({"id": range(50), "label": [f"apple {i % 3}" for i in range(50)]})
    frame.to_parquet(f"s3://{bucket}/of pandas/data é.parquet", storage_options=options)
    frame.to_csv(f"s3://{bucket}/of pandas csv/data.csv", index=False, storage_options=options)
    ds.write_dataset(arrow, f"{bucket}/of-pyarrow", filesystem=own, format="parquet", partitioning=["label"], partitioning_flavor="hive")
    return {
        "pandas": summary(read.id, read.label, read.features),
        "partitioned": summary(split.id, split.label, split.features),
        "pyarrow": summary(arrow["id"].to_pylist(), arrow["label"].to_pylist(), arrow["features"].to_pylist()),
    }


def spark():
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config("spark.sql.session.timeZone", "UTC")
    builder = builder.config("spark.driver.extraClassPath", f"{os.environ['S3A_JARS']}/*").config("spark.sql.shuffle.partitions", "1")
    settings = {
        "endpoint": endpoint,
        "endpoint.region": "us-east-1",
        "path.style.access": "true",
        "connection.ssl.enabled": "false",
        "access.key": key,
        "secret.key": secret,
    }
    for name, value in settings.items():
        builder = builder.config(f"spark.hadoop.fs.s3a.{name}", value)
    session = builder.getOrCreate()
    result = {}
    for name, path in {"spark": "plain", "sparkPartitioned": "by-label"}.items():
        rows = session.read.parquet(f"s3a://{bucket}/{path}").collect()
        result[name] = summary([r.id for r in rows], [r.label for r in rows], [r.features for r in rows])
    csv = session.read.option("header", True).csv(f"s3a://{bucket}/csv").collect()
    result["sparkCsv"] = {"rows": len(csv), "ids": sum(int(r.id) for r in csv)}
    images = session.read.format("binaryFile").option("recursiveFileLookup", True).load(f"s3a://{bucket}/files").collect()
    result["files"] = [[r.path, r.length] for r in sorted(images, key=lambda r: r.path)]
    frame = session.read.parquet(f"s3a://{bucket}/plain")
    frame.write.mode("overwrite").partitionBy("label").parquet(f"s3a://{bucket}/of-spark")
    frame.select("id", "label").write.mode("overwrite").option("header", True).csv(f"s3a://{bucket}/of-spark-csv")
    session.stop()
    return result


print(json.dumps({"pandas": pandas, "spark": spark}[who]()), flush=True)
# Arrow's threads may abort the process in the interpreter's own end: https://github.com/apache/arrow/issues/34314
os._exit(0)
