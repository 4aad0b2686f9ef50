import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Session } from "pomona";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runPython } from "../support/python";

let folder: string;
let session: Session;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "other-readers-"));
  session = await Session.builder().master("local[2]").config("pomona.progress", "off").getOrCreate();
});
afterAll(async () => {
  await session.stop();
  rmSync(folder, { recursive: true, force: true });
});

it("Spark reads what partitionBy wrote, and Spark, DuckDB and pyarrow find rows with NaN by filters", async () => {
  const rows = [
    { id: 1, label: "Apple Red 1", d: 1 },
    { id: 2, label: "a=b/c:é%", d: Number.NaN },
    { id: 3, label: null, d: -0 },
    { id: 4, label: "Apple Red 1", d: Number.NaN },
  ];
  const [divided, plain] = [join(folder, "divided"), join(folder, "plain")];
  const df = session.createDataFrame(rows, "id INT, label STRING, d DOUBLE");
  await df.write.partitionBy("label").parquet(divided);
  await df.write.parquet(plain);
  const told = runPython(
    `
import sys, json, duckdb, glob, pyarrow.parquet as pq, pyarrow.dataset as ds
from pyspark.sql import SparkSession
divided, plain = sys.argv[1:]
spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config("spark.sql.session.timeZone", "UTC").getOrCreate()
spark.sparkContext.setLogLevel("OFF")
df = spark.read.parquet(divided)
files = glob.glob(plain + "/*.parquet")
print(json.dumps({
  "schema": df.schema.simpleString(),
  "spark": [[r.id, r.label] for r in df.orderBy("id").collect()],
  "sparkNan": [r.id for r in spark.read.parquet(plain).filter("d > 5").orderBy("id").collect()],
  "duckdbNan": [r[0] for r in duckdb.sql(f"SELECT id FROM read_parquet('{plain}/*.parquet') WHERE d > 5 ORDER BY id").fetchall()],
  "sparkZero": [r.id for r in spark.read.parquet(plain).filter("d = 0").collect()],
  "arrow": sorted(ds.dataset(files).to_table(filter=ds.field("d") == 0)["id"].to_pylist()),
}))
spark.stop()
`,
    [divided, plain],
  );
  const seen = JSON.parse(told.trim().split("\n").at(-1) ?? "");
  const labels = rows.map((row) => [row.id, row.label]);
  expect(seen).toMatchObject({
    schema: "struct<id:int,d:double,label:string>",
    spark: labels,
    sparkNan: [2, 4],
    duckdbNan: [2, 4],
    sparkZero: [3],
    arrow: [3],
  });
}, 300_000);
