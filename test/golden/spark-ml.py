"""What Spark ML answers: a file with vectors, and labels, indices and clusters of small inputs."""

import base64
import glob
import json
import os
import tempfile

from pyspark.ml.clustering import KMeans
from pyspark.ml.feature import IndexToString, StringIndexer, VectorAssembler
from pyspark.ml.linalg import Vectors
from pyspark.sql import SparkSession

spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
         .config("spark.sql.session.timeZone", "UTC").config("spark.sql.shuffle.partitions", "1").getOrCreate())
spark.sparkContext.setLogLevel("OFF")


def lehmer(n, x=5):
    out = []
    for _ in range(n):
        x = (x * 16807) % 2147483647
        out.append(x / 2147483647 - 0.5)
    return out


def attempt(run):
    try:
        return run()
    except Exception:
        return "error"


def vectors():
    rows = [(1, Vectors.dense(1.0, 2.0, -0.5)), (2, Vectors.sparse(3, [0], [1.0])), (3, None), (4, Vectors.dense([])),
            (5, Vectors.dense(1e-5, 1e10, float("nan"), float("inf"), -0.0)), (6, Vectors.sparse(4, [], []))]
    df = spark.createDataFrame(rows, ["id", "v"])
    folder = os.path.join(tempfile.mkdtemp(), "v")
    df.coalesce(1).write.parquet(folder)
    with open(glob.glob(folder + "/part-*")[0], "rb") as file:
        file = base64.b64encode(file.read()).decode()
    back = spark.read.parquet(folder).orderBy("id")
    return dict(parquetFile=file, shown=back._show_string(20, False, False), tree=back._jdf.schema().treeString())


TEXTS = ["b", "a", "c", "a", "b", None, "", "é", "B", "d", "\U0001f600", "\uffee"]


def indexer():
    df = spark.createDataFrame([(t,) for t in TEXTS], "s string")
    new = spark.createDataFrame([("zz",), ("a",), (None,)], "s string")
    out = {}
    for order in ["frequencyDesc", "frequencyAsc", "alphabetDesc", "alphabetAsc"]:
        out[order] = StringIndexer(inputCol="s", outputCol="i", stringOrderType=order).fit(df).labels
    for handle in ["error", "skip", "keep"]:
        model = StringIndexer(inputCol="s", outputCol="i", handleInvalid=handle).fit(df)
        out[handle] = attempt(lambda: [[r.s, r.i] for r in model.transform(new).collect()])
    numbers = {"int": "(1),(2),(10),(2),(null)", "double": "(1.0D),(2.5D),(1e10D),(cast('NaN' as double)),(-0.0D)",
               "float": "(cast(0.1 as float)),(cast(1e-5 as float))", "decimal": "(1.50),(2.00)", "boolean": "(true)",
               "array": "(array(1))"}
    for name, values in numbers.items():
        df = spark.sql(f"select * from values {values} t(s)")
        out[name] = attempt(lambda: StringIndexer(inputCol="s", outputCol="i", stringOrderType="alphabetAsc").fit(df).labels)
    back = IndexToString(inputCol="i", outputCol="o", labels=["x", "y"])
    for index in [0.0, 1.7, 2.0, -1.0]:
        df = spark.createDataFrame([(index,)], ["i"])
        out[f"index {index}"] = attempt(lambda: back.transform(df).first().o)
    return out


def assembler():
    df = spark.createDataFrame([(1, 2.5, True, Vectors.dense(1.0, 0.0)), (0, 0.0, False, Vectors.sparse(2, [], []))],
                               ["a", "b", "c", "v"])
    out = VectorAssembler(inputCols=["a", "b", "c", "v"], outputCol="o").transform(df)
    return [str(r.o) for r in out.collect()]


def clusters():
    u = lehmer(120 * 3)
    points = [[u[3 * i] + i % 4 * 3, u[3 * i + 1] + i % 2 * 5, u[3 * i + 2] + 1] for i in range(120)]
    df = spark.createDataFrame([(Vectors.dense(p),) for p in points], ["features"])
    out = {}
    for measure in ["euclidean", "cosine"]:
        models = [KMeans(k=4, seed=seed, distanceMeasure=measure, initSteps=5, maxIter=50).fit(df) for seed in range(8)]
        model = min(models, key=lambda m: m.summary.trainingCost)
        centers = sorted([list(map(float, c)) for c in model.clusterCenters()])
        out[measure] = dict(centers=centers, cost=model.summary.trainingCost, sizes=sorted(model.summary.clusterSizes))
    return out


answer = dict(vectors=vectors(), indexer=indexer(), assembler=assembler(), clusters=clusters())
spark.stop()
print(json.dumps(answer))
