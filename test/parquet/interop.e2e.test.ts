import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RecordBatch } from "apache-arrow";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sparkSchema } from "../../src/data/arrow";
import { valuesFromVector } from "../../src/data/vectors";
import { readParquetBatches, writeParquetFile } from "../../src/parquet";
import { localFile } from "../support/local-file";
import { runPython } from "../support/python";
import { batches, SCHEMA } from "./sample-batches";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "parquet-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a file written here", () => {
  it("reads the same in pandas/pyarrow and in DuckDB: types, values, nulls, metadata", async () => {
    const path = join(folder, "ours.parquet");
    const written = await writeParquetFile(localFile(path), batches(700, 700, 100), {
      schema: SCHEMA,
      metadata: { "pomona.x": "y" },
    });
    expect(written.rows).toBe(1500);
    const told = JSON.parse(
      runPython(
        `
import sys, json, duckdb, pyarrow.parquet as pq
table = pq.read_table(sys.argv[1]); meta = pq.read_metadata(sys.argv[1])
rows = table.slice(1, 3).to_pylist()
for row in rows:
    row["at"] = row["at"] and row["at"].isoformat(); row["bytes"] = row["bytes"] and list(row["bytes"])
con = duckdb.connect()
con.execute("SET threads = 1")
one = con.execute("SELECT path, n, i, ok, features, pca, octet_length(bytes) FROM read_parquet(?) LIMIT 1 OFFSET 1499", [sys.argv[1]]).fetchone()
print(json.dumps({
  "schema": {f.name: str(f.type) for f in table.schema}, "rows": rows, "duckdb": one,
  "nulls": [table.column(c).null_count for c in table.column_names], "count": table.num_rows,
  "codec": meta.row_group(0).column(0).compression, "x": meta.metadata[b"pomona.x"].decode(),
  "pandas": table.to_pandas().shape, "spark": json.loads(meta.metadata[b"org.apache.spark.sql.parquet.row.metadata"]),
}))`,
        [path],
      ),
    );
    expect(told.schema).toEqual({
      path: "string",
      n: "int64",
      i: "int32",
      ok: "bool",
      at: "timestamp[us, tz=UTC]",
      bytes: "binary",
      features: "list<element: float>",
      pca: "list<element: double>",
    });
    expect(told.count).toBe(1500);
    expect(told.pandas).toEqual([1500, 8]);
    expect(told.nulls).toEqual([300, 300, 300, 300, 300, 300, 300, 0]);
    expect(told.codec).toBe("SNAPPY");
    expect(told.x).toBe("y");
    expect(told.spark).toEqual(SCHEMA);
    expect(told.rows[0]).toMatchObject({
      path: "déjà vu 1 🍎%",
      i: -1,
      ok: false,
      at: "2023-11-14T22:13:20.124000+00:00",
      bytes: [1, 0, 255],
      features: [4.25, 5.25, 6.25, 7.25],
      pca: [1, 4 / 3, 5 / 3],
    });
    expect(told.rows[1]).toMatchObject({
      path: null,
      n: null,
      i: null,
      ok: null,
      at: null,
      bytes: null,
      features: null,
    });
    expect(told.duckdb).toEqual([
      "déjà vu 1499 🍎%",
      Number(2n ** 60n + 1499n),
      -1499,
      false,
      [5996.25, 5997.25, 5998.25, 5999.25],
      [1499, 1499 + 1 / 3, 1499 + 2 / 3].map((v) => expect.closeTo(v, 10)),
      3,
    ]);
  });

  it("keeps its schema without a row", async () => {
    const path = join(folder, "empty.parquet");
    await writeParquetFile(localFile(path), batches(), { schema: SCHEMA });
    const columns = runPython("import sys, pandas as pd; print(*pd.read_parquet(sys.argv[1]).columns)", [path]).trim();
    expect(columns).toBe("path n i ok at bytes features pca");
  });
});

describe("a file written elsewhere", () => {
  it.each(["pyarrow", "duckdb"])("by %s reads here with the same types and values", async (writer) => {
    const path = join(folder, `${writer}.parquet`);
    runPython(
      `
import sys, datetime, pyarrow as pa, pyarrow.parquet as pq, duckdb
writer, path = sys.argv[1:]
t = pa.table({"path": ["a", None, "ç 🍎"], "n": pa.array([1, None, 2**60], pa.int64()),
  "at": pa.array([datetime.datetime(2024, 2, 29, 1, 2, 3, 4000, tzinfo=datetime.timezone.utc)] * 3, pa.timestamp("us", "UTC")),
  "day": pa.array([datetime.date(2024, 2, 29), None, None], pa.date32()),
  "features": pa.array([[1.5, 2.5], None, []], pa.list_(pa.float32())),
  "s": pa.array([{"a": 1, "b": "x"}] * 3, pa.struct([("a", pa.int32()), ("b", pa.string())]))})
if writer == "pyarrow": pq.write_table(t, path, compression="zstd")
else: duckdb.sql(f"COPY t TO '{path}' (FORMAT parquet)")
`,
      [writer, path],
    );
    const read: RecordBatch[] = [];
    for await (const part of readParquetBatches(localFile(path))) read.push(part);
    const [only] = read;
    const schema = sparkSchema(only!.schema);
    expect(schema.fields.map((f) => [f.name, typeof f.type === "string" ? f.type : f.type.type])).toEqual([
      ["path", "string"],
      ["n", "long"],
      ["at", "timestamp"],
      ["day", "date"],
      ["features", "array"],
      ["s", "struct"],
    ]);
    const column = (name: string) =>
      valuesFromVector(only!.getChild(name)!, schema.fields.find((f) => f.name === name)!.type);
    expect(column("path")).toEqual(["a", null, "ç 🍎"]);
    expect(column("n")).toEqual([1, null, 2n ** 60n]);
    expect(column("at")[0]).toEqual(new Date("2024-02-29T01:02:03.004Z"));
    expect(column("day")).toEqual([new Date("2024-02-29"), null, null]);
    expect(column("features")).toEqual([Float32Array.of(1.5, 2.5), null, new Float32Array(0)]);
    expect(column("s")[0]).toEqual({ a: 1, b: "x" });
  });
});
