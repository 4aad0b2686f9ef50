#!/usr/bin/env python3
"""The workflow as its users write it in PySpark, as a client of Spark Connect: Keras MobileNetV2 in a pandas UDF, StandardScaler, PCA, Parquet.

The benchmark's peer on a cluster, whose executors' Python has tensorflow, keras and pillow; the client needs none of them.
Usage: SPARK_REMOTE=sc://… python spark_connect_workflow.py IMAGES OUTPUT WEIGHTS.h5 [--k 100] [--partitions 24]
Prints one JSON object: rows, seconds of each stage, explained variance.
"""
import argparse
import json
import time
from typing import Iterator

import pandas as pd
from pyspark.ml.feature import PCA, StandardScaler
from pyspark.ml.functions import array_to_vector, vector_to_array
from pyspark.sql import SparkSession
from pyspark.sql.functions import col, element_at, pandas_udf, split

parser = argparse.ArgumentParser()
parser.add_argument("images")
parser.add_argument("output")
parser.add_argument("weights")
parser.add_argument("--k", type=int, default=100)
parser.add_argument("--partitions", type=int, default=24)
args = parser.parse_args()
weights = args.weights

spark = SparkSession.builder.getOrCreate()
spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "1024")


@pandas_udf("array<float>")
def featurize(contents: Iterator[pd.Series]) -> Iterator[pd.Series]:
    import io
    import os

    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.environ["TF_NUM_INTRAOP_THREADS"] = "1"
    import keras
    import numpy as np
    from PIL import Image

    base = keras.applications.MobileNetV2(weights=weights)
    model = keras.Model(base.input, base.layers[-2].output)

    def preprocess(content):
        image = Image.open(io.BytesIO(content)).convert("RGB").resize((224, 224))
        return keras.applications.mobilenet_v2.preprocess_input(np.asarray(image, dtype="float32"))

    for series in contents:
        features = model.predict(np.stack(series.map(preprocess)), verbose=0)
        yield pd.Series(list(features))


ready = time.time()
images = (
    spark.read.format("binaryFile")
    .option("pathGlobFilter", "*.jpg")
    .option("recursiveFileLookup", "true")
    .load(args.images)
    .withColumn("label", element_at(split(col("path"), "/"), -2))
)
features = images.repartition(args.partitions).select("path", "label", featurize("content").alias("features"))
features.write.mode("overwrite").parquet(args.output)
featurized = time.time()

data = spark.read.parquet(args.output).withColumn("vector", array_to_vector("features"))
scaler = StandardScaler(inputCol="vector", outputCol="scaled", withMean=True, withStd=True).fit(data)
scaled = scaler.transform(data)
pca = PCA(k=args.k, inputCol="scaled", outputCol="pca").fit(scaled)
pca.transform(scaled).select("path", "label", vector_to_array("pca").alias("pca")).write.mode("overwrite").parquet(
    args.output + "_pca"
)
reduced = time.time()

rows = spark.read.parquet(args.output).count()
print(
    json.dumps(
        {
            "rows": rows,
            "featurizeSeconds": featurized - ready,
            "featurizeImagesPerSecond": rows / (featurized - ready),
            "reduceSeconds": reduced - featurized,
            "explainedVariance": [float(v) for v in pca.explainedVariance],
        }
    )
)
