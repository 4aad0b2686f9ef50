import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { runPython } from "../support/python";
import { ml, pomona } from "./built";

const SPARK = `
import json, sys
from pyspark.sql import SparkSession
from pyspark.ml.feature import StandardScaler
spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
df = spark.read.parquet(sys.argv[1]).orderBy("id")
scaler = StandardScaler(inputCol="v", outputCol="s").fit(df.filter("id < 3"))
print(json.dumps([df.dtypes, [str(row.v) for row in df.collect()], str(scaler.mean)]))
spark.stop()
`;

it("vectors written here are vectors to Spark, which scales them", async () => {
  const folder = mkdtempSync(join(tmpdir(), "pomona-spark-vectors-"));
  const session = await pomona.Session.builder().master("local[2]").getOrCreate();
  try {
    const rows = [ml.Vectors.dense(1, 2, -0.5), ml.Vectors.sparse(3, [0], [1]), null].map((v, i) => ({ id: i + 1, v }));
    const path = join(folder, "vectors");
    await session.createDataFrame(rows, "id INT, v vector").write.parquet(path);
    const [types, texts, mean] = JSON.parse(runPython(SPARK, [path]).trimEnd().split("\n").at(-1)!) as unknown[];
    expect(types).toEqual([
      ["id", "int"],
      ["v", "vector"],
    ]);
    expect(texts).toEqual(["[1.0,2.0,-0.5]", "(3,[0],[1.0])", "None"]);
    expect(mean).toBe("[1.0,1.0,-0.25]");
  } finally {
    await session.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}, 300_000);
