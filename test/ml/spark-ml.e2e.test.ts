import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Session } from "../../src/index";
import { differenceUpToSign, elementwiseDifference, relativeDifference } from "../numerics/numeric";
import { type NumpyArray, numpy } from "../numerics/numpy";
import { ml, pomona } from "./built";

const ROWS = 300;
const DIMENSION = 20;
const K = 6;

/** Vectors as features are: float32, some components constant, means far from 0; and what Spark ML makes of them. */
const SPARK = (path: string) => `
import pyarrow as pa, pyarrow.parquet as pq
rng = np.random.default_rng(42)
x = rng.normal(size=(${ROWS}, ${DIMENSION})) @ rng.normal(size=(${DIMENSION}, ${DIMENSION})) * 0.7 ** np.arange(${DIMENSION}) + 5
x[:, 3] = 0.1
x[:, 8] = 0
x = x.astype(np.float32)
table = pa.table({"id": np.arange(${ROWS}), "features": pa.array(list(x), type=pa.list_(pa.float32()))})
pq.write_table(table, ${JSON.stringify(path)}, row_group_size=64)

from pyspark.sql import SparkSession
from pyspark.ml.feature import PCA, StandardScaler
from pyspark.ml.functions import array_to_vector, vector_to_array
spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
         .config("spark.sql.shuffle.partitions", "1").getOrCreate())
data = spark.read.parquet(${JSON.stringify(path)})
data = data.withColumn("vector", array_to_vector("features")).cache()

def column(df, name):
    rows = df.orderBy("id").select(vector_to_array(name).alias("a")).collect()
    return np.array([row.a for row in rows])

for name, options in dict(plain={}, centred=dict(withMean=True, withStd=False), both=dict(withMean=True, withStd=True)).items():
    scaler = StandardScaler(inputCol="vector", outputCol="scaled", **options).fit(data)
    scaled = scaler.transform(data)
    pca = PCA(inputCol="scaled", outputCol="pca", k=${K}).fit(scaled)
    out[name + "_mean"] = np.array(scaler.mean)
    out[name + "_std"] = np.array(scaler.std)
    out[name + "_scaled"] = column(scaled, "scaled")
    out[name + "_pc"] = pca.pc.toArray().T
    out[name + "_explained"] = np.array(pca.explainedVariance)
    out[name + "_pca"] = column(pca.transform(scaled), "pca")
spark.stop()
`;

describe("StandardScaler and PCA", () => {
  const folder = mkdtempSync(join(tmpdir(), "pomona-spark-ml-"));
  const path = join(folder, "vectors.parquet");
  let spark: Record<string, NumpyArray>;
  let session: Session;

  beforeAll(async () => {
    spark = numpy(SPARK(path));
    session = await pomona.Session.builder().master("local[2]").getOrCreate();
  });
  afterAll(async () => {
    await session?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each([
    ["plain", {}],
    ["centred", { withMean: true, withStd: false }],
    ["both", { withMean: true, withStd: true }],
  ])("give Spark ML's numbers, %s", async (name, options) => {
    const expected = (what: string) => spark[`${name}_${what}`]!.values;
    const data = session.read.parquet<{ id: number; features: Float32Array }>(path).repartition(5);
    const scaler = await new ml.StandardScaler({ inputCol: "features", outputCol: "scaled", ...options }).fit(data);
    expect(relativeDifference(scaler.mean, expected("mean"))).toBeLessThan(1e-12);
    expect(relativeDifference(scaler.std, expected("std"))).toBeLessThan(1e-12);
    expect([scaler.std[3], scaler.std[8]]).toEqual([0, 0]);

    const scaled = scaler.transform(data);
    const pca = await new ml.PCA({ inputCol: "scaled", outputCol: "pca", k: K }).fit(scaled);
    expect(pca.pc).toMatchObject({ rows: K, dimension: DIMENSION });
    expect(elementwiseDifference(pca.explainedVariance, expected("explained"))).toBeLessThan(1e-9);
    expect(differenceUpToSign(pca.pc.values, expected("pc"), DIMENSION)).toBeLessThan(1e-9);

    const rows = await pca.transform(scaled).orderBy("id").collect();
    expect(rows).toHaveLength(ROWS);
    const scaledValues = rows.flatMap((row) => Array.from(row.scaled));
    expect(relativeDifference(scaledValues, expected("scaled"))).toBeLessThan(1e-12);
    const byComponent = (at: (row: number, component: number) => number) =>
      Float64Array.from({ length: ROWS * K }, (_, i) => at(i % ROWS, Math.floor(i / ROWS)));
    const ours = byComponent((row, c) => rows[row]!.pca[c]!);
    const theirs = byComponent((row, c) => expected("pca")[row * K + c]!);
    expect(differenceUpToSign(ours, theirs, ROWS)).toBeLessThan(1e-8);
  });
});
