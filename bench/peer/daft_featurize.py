#!/usr/bin/env python3
"""The featurize stage in Daft: files by glob, a class with onnxruntime as its user function, Parquet. A peer of the benchmark.

Usage: python daft_featurize.py IMAGES OUTPUT MODEL.onnx [--cores 2] [--batch 2]
Prints one JSON object: rows, seconds.
"""
import argparse
import json
import os
import time

os.environ["DAFT_PROGRESS_BAR"] = "0"
import daft
import pyarrow.parquet as pq
from daft import DataType, col

from _onnx_images import featurize, open_model

parser = argparse.ArgumentParser()
parser.add_argument("images")
parser.add_argument("output")
parser.add_argument("model")
parser.add_argument("--cores", type=int, default=2)
parser.add_argument("--batch", type=int, default=2)
args = parser.parse_args()


@daft.cls(max_concurrency=args.cores, use_process=True)
class Featurizer:
    def __init__(self, model, batch):
        self.session = open_model(model)
        self.batch = batch

    @daft.method.batch(return_dtype=DataType.embedding(DataType.float32(), 1280), batch_size=64)
    def __call__(self, contents):
        return featurize(self.session, contents.to_pylist(), self.batch)


started = time.perf_counter()
files = daft.from_glob_path(os.path.join(args.images, "**", "*.jpg")).select("path")
label = col("path").regexp_extract("([^/]*)/[^/]*$", 1)
features = Featurizer(args.model, args.batch)(col("path").download())
files.with_column("label", label).with_column("features", features).write_parquet(args.output, compression="snappy")
seconds = time.perf_counter() - started
rows = pq.read_table(args.output, columns=["path"]).num_rows
print(json.dumps({"rows": rows, "seconds": seconds, "imagesPerSecond": rows / seconds}))
