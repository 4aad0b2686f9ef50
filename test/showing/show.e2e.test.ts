import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Table, tableFromIPC } from "apache-arrow";
import { readParquet } from "parquet-wasm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sparkSchema } from "../../src/data/arrow";
import { schemaTree } from "../../src/showing/schema-tree";
import { type ShowFormat, showString } from "../../src/showing/show";
import { runPython } from "../support/python";

/** PySpark frames: what a cell can hold, and the edges of the table's layout. */
const FRAMES = {
  numbers: `spark.createDataFrame([
      (1, 2**40, 1.0, 1e-5, True), (-7, -1, float("nan"), float("inf"), False), (None, None, None, float("-inf"), None),
      (0, 0, -0.0, 1e7, True), (5, 6, 123456.789, 0.001, True), (5, 6, 9999999.0, 1.0E-3, True), (5, 6, 1e21, 1.2345678901234567e-300, True)],
      "i int, l bigint, d double, e double, b boolean")`,
  floats: `spark.sql("SELECT CAST(x AS FLOAT) AS f, CAST(y AS DECIMAL(10,2)) AS p, CAST(z AS DECIMAL(38,10)) AS q FROM VALUES (0.1D, 1.5D, -2.25D), (16777216D, -0.01D, 12345678901.5D), (3.4028235E38D, 0D, 0D), (1.0E-10D, 7D, 1D), (NULL, NULL, NULL) AS t(x, y, z)")`,
  small: `spark.sql("SELECT CAST(x AS TINYINT) AS t, CAST(x AS SMALLINT) AS s FROM VALUES (1), (-128) AS t(x)")`,
  texts: `spark.createDataFrame([("a",), ("",), (None,), ("exactly twenty chars",), ("twenty-one characters",), ("tab\\there\\nline\\rreturn\\x0b\\x07\\x08\\f",), ("  spaces  ",)], "text string")`,
  wide: `spark.createDataFrame([("苹果", "りんご一つ"), ("사과와 배", "A１"), ("🍎 emoji", "é̂"), ("a", None), ("苹果苹果苹果苹果苹果苹果苹果苹果苹果苹果苹果苹果", "x")], "\`水果\` string, b string")`,
  pairs: `spark.createDataFrame([("😀😀😀",), ("ab😀",), ("abc😀d",), ("a😀bcd",), ("😀",)], "s string")`,
  binary: `spark.createDataFrame([(bytearray([255, 216, 0, 10]),), (bytearray(),), (None,), (bytearray(range(20)),)], "content binary")`,
  times: `spark.sql("SELECT timestamp'2024-01-31 12:00:00' AS a, timestamp'1969-12-31 23:59:59.123456' AS b, timestamp_ntz'2024-02-29 00:00:00.5' AS c, date'2024-01-31' AS d UNION ALL SELECT NULL, timestamp'1900-01-01 00:00:00.000001', NULL, date'0001-01-01' UNION ALL SELECT timestamp'1500-01-01 00:00:00.000001', timestamp'9999-12-31 23:59:59.999999', timestamp_ntz'0001-01-01 00:00:00.000001', date'+12345-01-02' UNION ALL SELECT timestamp'+10000-01-01 00:00:00.7', NULL, NULL, date'-0001-02-03'")`,
  arrays: `spark.createDataFrame([([1.0, 2.5, None], [[1], []], ["a", None, "b c"]), ([], None, []), (None, [None], None)], "a array<double>, b array<array<int>>, c array<string>")`,
  features: `spark.createDataFrame([("file:/a.jpg", "Apple", [0.1 * i for i in range(50)])], "path string, label string, features array<float>")`,
  structs: `spark.createDataFrame([((1, "x", (True, [1, 2])), {"k": 1}), ((None, None, None), {}), (None, None)], "s struct<a:int,b:string,c:struct<d:boolean,e:array<int>>>, m map<string,int>")`,
  nested: `spark.createDataFrame([], "a array<struct<x:int,y:map<string,array<double>>>>, m map<int,struct<z:date>>, n int")`,
  required: `spark.range(3)`,
  names: `spark.createDataFrame([(1, 2)], "\`a.b\` int, \`a very long name that is cut\` int")`,
  many: "spark.range(25)",
  two: "spark.range(2)",
} as const;

const FORMATS: readonly (readonly [n: number, format: ShowFormat])[] = [
  [20, {}],
  [20, { truncate: false }],
  [20, { truncate: 5 }],
  [20, { truncate: 3 }],
  [1, {}],
  [0, {}],
  [2, { vertical: true }],
  [0, { vertical: true }],
  [20, { vertical: true, truncate: false }],
];

const SCRIPT = `
import sys, json, os
os.environ["TZ"] = "UTC"
from pyspark.sql import SparkSession
folder, frames, formats = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
         .config("spark.sql.session.timeZone", "UTC").config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1")
         .config("spark.sql.parquet.datetimeRebaseModeInWrite", "CORRECTED")
         .config("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS").getOrCreate())
spark.sparkContext.setLogLevel("OFF")
out = {}
for name, text in frames.items():
    df = eval(text, {"spark": spark}).coalesce(1)
    path = folder + "/" + name
    df.write.option("compression", "snappy").parquet(path)
    file = [f for f in os.listdir(path) if f.endswith(".parquet")]
    # Rows as they are read back; the schema as it was written, for Spark forgets what cannot be null when it reads.
    back = spark.read.parquet(path)
    out[name] = {"file": path + "/" + file[0], "tree": df._jdf.schema().treeString(),
                 "shown": [back._show_string(n, f.get("truncate", True), f.get("vertical", False)) for n, f in formats]}
print("=====" + json.dumps(out))
`;

interface Printed {
  readonly file: string;
  readonly tree: string;
  readonly shown: readonly string[];
}

let folder: string;
let spark: Record<string, Printed>;
let zone: string | undefined;

beforeAll(() => {
  zone = process.env.TZ;
  process.env.TZ = "UTC";
  folder = mkdtempSync(join(tmpdir(), "pomona-show-"));
  const out = runPython(SCRIPT, [folder, JSON.stringify(FRAMES), JSON.stringify(FORMATS)]);
  spark = JSON.parse(out.slice(out.indexOf("=====") + 5)) as Record<string, Printed>;
}, 600_000);

afterAll(() => {
  process.env.TZ = zone;
  rmSync(folder, { recursive: true, force: true });
});

function read(name: string): { table: Table; printed: Printed } {
  const printed = spark[name];
  if (!printed) throw new Error(`Spark printed nothing for ${name}`);
  const table = tableFromIPC(readParquet(readFileSync(printed.file)).intoIPCStream());
  return { table, printed };
}

describe.each(Object.keys(FRAMES))("%s", (name) => {
  it.each(FORMATS.map(([n, format], i) => ({ n, format, i })))(
    "show($n, $format) is Spark's text",
    ({ n, format, i }) => {
      const { table, printed } = read(name);
      expect(showString(sparkSchema(table.schema), table.batches, n, format)).toBe(printed.shown[i]);
    },
  );

  it("printSchema is Spark's text", () => {
    const { table, printed } = read(name);
    expect(schemaTree(sparkSchema(table.schema))).toBe(printed.tree);
  });
});
