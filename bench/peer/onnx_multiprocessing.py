#!/usr/bin/env python3
"""The featurize stage in plain Python: a pool of processes, Pillow, onnxruntime, pyarrow. A peer of the benchmark.

Usage: python onnx_multiprocessing.py IMAGES OUTPUT MODEL.onnx [--cores 2] [--batch 2] [--parts 24]
The processes are up before the clock starts, as our workers are; each opens the model within the time.
Prints one JSON object: rows, seconds.
"""
import argparse
import glob
import json
import multiprocessing
import os
import time

import pyarrow as pa
import pyarrow.parquet as pq

from _onnx_images import featurize, open_model

session = None


def work(task):
    global session
    number, paths, output, model, batch = task
    if session is None:
        session = open_model(model)
    contents = []
    for path in paths:
        with open(path, "rb") as file:
            contents.append(file.read())
    features = featurize(session, contents, batch)
    values = pa.array(features.reshape(-1))
    offsets = pa.array(range(0, features.size + 1, features.shape[1]), type=pa.int32())
    table = pa.table({
        "path": paths,
        "label": [os.path.basename(os.path.dirname(path)) for path in paths],
        "features": pa.ListArray.from_arrays(offsets, values),
    })
    pq.write_table(table, os.path.join(output, f"part-{number:05}.parquet"), compression="snappy", use_dictionary=["label"])
    return len(paths)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("images")
    parser.add_argument("output")
    parser.add_argument("model")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--parts", type=int, default=24)
    args = parser.parse_args()
    with multiprocessing.get_context("fork").Pool(args.cores) as pool:
        pool.map(abs, range(args.cores))
        started = time.perf_counter()
        os.makedirs(args.output, exist_ok=True)
        paths = sorted(glob.glob(os.path.join(args.images, "**", "*.jpg"), recursive=True))
        tasks = [(i, paths[i :: args.parts], args.output, args.model, args.batch) for i in range(args.parts)]
        rows = sum(pool.imap_unordered(work, [task for task in tasks if task[1]]))
        seconds = time.perf_counter() - started
    print(json.dumps({"rows": rows, "seconds": seconds, "imagesPerSecond": rows / seconds}))
