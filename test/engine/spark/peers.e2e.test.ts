import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { DataFrame } from "../../../src/frame/dataframe";
import { writeSyntheticFruits } from "../../../src/image/synthetic";
import { schemaTree } from "../../../src/showing/schema-tree";
import { type SparkServer, sparkPython, sparkServer } from "../../support/spark";

/** The built package, whose functions travel. */
const dist = (path: string) => require(join(__dirname, "../../../dist", path));
const { Session } = dist("index") as typeof import("../../../src/index");
const { col, elementAt, sha2, split, udf } = dist("functions") as typeof import("../../../src/functions");
const { PCA, VectorAssembler } = dist("ml") as typeof import("../../../src/ml");
const { mobileNetV2 } = dist("models") as typeof import("../../../src/models");

/** PySpark, a client of the same server, reads what was written, and shows the same text; and what it writes is read here. */

let server: SparkServer;
let session: import("../../../src/index").Session;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "pomona-spark-peers-"));
  server = await sparkServer("local");
  session = await Session.builder().appName("peers").master(server.url).config("pomona.progress", "off").getOrCreate();
});

afterAll(async () => {
  await session?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** What PySpark shows of frames, each given as Python text. */
async function pyspark(frames: Readonly<Record<string, string>>): Promise<Record<string, Shown>> {
  const program = `
import io, json, sys
from contextlib import redirect_stdout
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
spark.conf.set("spark.sql.session.timeZone", "UTC")
def text(run):
    out = io.StringIO()
    with redirect_stdout(out): run()
    return out.getvalue()
found = {}
for name, frame in json.loads(sys.argv[1]).items():
    df = eval(frame)
    found[name] = {
        "schema": text(df.printSchema), "rows": df.count(), "show": text(df.show),
        "whole": text(lambda: df.show(3, truncate=False)), "vertical": text(lambda: df.show(2, vertical=True)),
    }
print(json.dumps(found))
`;
  const found = await sparkPython(server, program, [JSON.stringify(frames)]);
  // PySpark's client calls it by its own class; Spark's and classic PySpark's word is the other.
  return JSON.parse(found.replaceAll("vectorudt", "vector"));
}

type Shown = Readonly<Record<"schema" | "show" | "whole" | "vertical", string>> & { readonly rows: number };

async function shown(df: DataFrame): Promise<Shown> {
  return {
    schema: `${schemaTree(await df.schema())}\n`,
    rows: await df.count(),
    show: `${await df.showString()}\n`,
    whole: `${await df.showString(3, { truncate: false })}\n`,
    vertical: `${await df.showString(2, { vertical: true })}\n`,
  };
}

it("PySpark reads what was written, and shows the same", async () => {
  const path = (name: string) => join(folder, name);
  await writeSyntheticFruits(path("images"), { perClass: 2 });
  const images = session.read
    .format("binaryFile")
    .option("recursiveFileLookup", true)
    .load(path("images"))
    .withColumn("label", elementAt(split(col("path"), "/"), -2));
  const features = mobileNetV2({ weights: "random", onError: "null" })(col("content")).alias("features");
  const featurized = await images.select("path", "label", features).write.parquet(path("features"));
  const numbers = session.range(40).withColumn("y", udf((id: number) => id * id, { returns: "double" })(col("id")));
  const vectors = new VectorAssembler({ inputCols: ["id", "y"], outputCol: "v" }).transform(numbers) as DataFrame;
  const pca = await new PCA({ inputCol: "v", outputCol: "p", k: 1 }).fit(vectors);
  await (pca.transform(vectors) as DataFrame).write.parquet(path("vectors"));
  const parts = session.range(10).withColumn("even", col("id").mod(2).eq(0));
  await parts.write.partitionBy("even").mode("overwrite").parquet(path("parts"));
  await session
    .sql(`SELECT 1.50BD AS price, date'2024-02-29' AS day, timestamp'2024-02-29 12:00:00.123456' AS at,
      map('a', 1, 'b', null) AS m, named_struct('x', array(1, null), 'y', 'é') AS s, X'00ff' AS b, cast(null AS string) AS n`)
    .write.parquet(path("types"));
  await session
    .range(3)
    .withColumn("s", sha2(col("id").cast("string"), 256))
    .write.option("header", true)
    .csv(path("csv"));

  const frames = Object.fromEntries(
    ["features", "vectors", "parts", "types"].map((name) => [
      name,
      `spark.read.parquet(${JSON.stringify(path(name))})`,
    ]),
  );
  const theirs = await pyspark({
    ...frames,
    csv: `spark.read.option("header", True).csv(${JSON.stringify(path("csv"))})`,
  });
  expect(theirs.features?.rows).toBe(featurized.rows);
  for (const name of Object.keys(frames))
    expect(await shown(session.read.parquet(path(name))), name).toEqual(theirs[name]);
  expect(await shown(session.read.option("header", true).csv(path("csv")))).toEqual(theirs.csv);
});

it("what PySpark writes is read here, and views of queries show the same", async () => {
  const written = join(folder, "theirs");
  const query = "SELECT id, concat('n', id) AS name, array(id, id + 1) AS pair, id / 3 AS third FROM range(25)";
  await sparkPython(
    server,
    `
import sys
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
spark.sql(sys.argv[1]).write.parquet(sys.argv[2])
`,
    [query, written],
  );
  const theirs = await pyspark({
    file: `spark.read.parquet(${JSON.stringify(written)})`,
    query: `spark.sql(${JSON.stringify(query)})`,
    view: `spark.sql("SELECT third, count(*) AS n FROM {v} GROUP BY third ORDER BY third", v=spark.sql(${JSON.stringify(query)}))`,
  });
  expect(await shown(session.read.parquet(written))).toEqual(theirs.file);
  expect(await shown(session.sql(query))).toEqual(theirs.query);
  const view = session.sql("SELECT third, count(*) AS n FROM v GROUP BY third ORDER BY third", {
    v: session.sql(query),
  });
  expect(await shown(view)).toEqual(theirs.view);
});
