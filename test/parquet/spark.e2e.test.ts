import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Session, validate } from "pomona";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runPython } from "../support/python";

let folder: string;
let session: Session;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "spark-"));
  session = await Session.builder().master("local[2]").config("pomona.progress", "off").getOrCreate();
});
afterAll(async () => {
  await session.stop();
  rmSync(folder, { recursive: true, force: true });
});

it("Spark and this package read one another's data sets: schema, values, nulls", async () => {
  const rows = [
    { path: "file:/a 🍎/1.jpg", label: "a 🍎", features: Float32Array.of(1.5, -2, 0), n: 1, at: new Date(1e12) },
    { path: "file:/b/2.jpg", label: null, features: Float32Array.of(0.1, 0.2, 0.3), n: null, at: null },
  ];
  const schema = "path STRING, label STRING, features ARRAY<FLOAT>, n BIGINT, at TIMESTAMP";
  const ours = join(folder, "ours");
  const theirs = join(folder, "theirs");
  await session.createDataFrame(rows, schema).repartition(2).write.parquet(ours);
  const told = runPython(
    `
import sys, json
from pyspark.sql import SparkSession
from pyspark.sql.functions import concat, lit
spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config("spark.sql.session.timeZone", "UTC").getOrCreate()
spark.sparkContext.setLogLevel("ERROR")
df = spark.read.parquet(sys.argv[1])
print(json.dumps({"schema": df.schema.simpleString(), "rows": [r.asDict() | {"at": str(r["at"])} for r in df.orderBy("path").collect()]}))
df.union(df.withColumn("path", concat(df.path, lit("x")))).repartition(3).write.parquet(sys.argv[2])
spark.stop()
`,
    [ours, theirs],
  );
  const seen = JSON.parse(told.trim().split("\n").at(-1)!);
  expect(seen.schema).toBe("struct<path:string,label:string,features:array<float>,n:bigint,at:timestamp>");
  expect(seen.rows[0]).toEqual({
    path: rows[0]!.path,
    label: "a 🍎",
    features: [1.5, -2, 0],
    n: 1,
    at: "2001-09-09 01:46:40",
  });
  expect(seen.rows[1]).toMatchObject({ label: null, n: null, at: "None" });

  const back = session.read.parquet(theirs);
  expect((await back.schema()).fields.map((f) => [f.name, f.type])).toEqual([
    ["path", "string"],
    ["label", "string"],
    ["features", { type: "array", elementType: "float", containsNull: true }],
    ["n", "long"],
    ["at", "timestamp"],
  ]);
  expect(await back.filter("path = 'file:/a 🍎/1.jpg'").collect()).toEqual([rows[0]]);
  const report = await validate(session, theirs, { rows: 4, dimension: 3 });
  // The labels that are null are told, and nothing else is wrong.
  expect(report.problems).toHaveLength(1);
  expect(report.problems[0]).toMatch(/label/);
});
