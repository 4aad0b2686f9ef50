import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RecordBatch } from "apache-arrow";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sparkSchema } from "../../src/data/arrow";
import { arrayType, structField, structType } from "../../src/data/types";
import { batchFromColumns, valuesFromVector, vectorFromMatrix, vectorFromValues } from "../../src/data/vectors";
import { CorruptParquetError, readParquetBatches, readParquetFooter, writeParquetFile } from "../../src/parquet";
import { runPython } from "../support/python";

const SCHEMA = structType([
  structField("path", "string"),
  structField("n", "long"),
  structField("i", "integer"),
  structField("ok", "boolean"),
  structField("at", "timestamp"),
  structField("bytes", "binary"),
  structField("features", arrayType("float")),
  structField("pca", arrayType("double")),
]);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "parquet-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Rows 2i is null in every column that can be; vectors of 4 and 3 values. */
function batch(start: number, rows: number): RecordBatch {
  const indices = Array.from({ length: rows }, (_, i) => start + i);
  const orNull = <T>(of: (i: number) => T) => indices.map((i) => (i % 5 === 2 ? null : of(i)));
  const floats = Float32Array.from({ length: rows * 4 }, (_, j) => start * 4 + j + 0.25);
  const doubles = Float64Array.from({ length: rows * 3 }, (_, j) => (start * 3 + j) / 3);
  const nulls = new Set(indices.flatMap((i, row) => (i % 5 === 2 ? [row] : [])));
  return batchFromColumns([
    {
      name: "path",
      vector: vectorFromValues(
        orNull((i) => `déjà vu ${i} 🍎%`),
        "string",
      ),
    },
    {
      name: "n",
      vector: vectorFromValues(
        orNull((i) => 2n ** 60n + BigInt(i)),
        "long",
      ),
    },
    {
      name: "i",
      vector: vectorFromValues(
        orNull((i) => -i),
        "integer",
      ),
    },
    {
      name: "ok",
      vector: vectorFromValues(
        orNull((i) => i % 2 === 0),
        "boolean",
      ),
    },
    {
      name: "at",
      vector: vectorFromValues(
        orNull((i) => new Date(1_700_000_000_123 + i)),
        "timestamp",
      ),
    },
    {
      name: "bytes",
      vector: vectorFromValues(
        orNull((i) => Uint8Array.of(i % 256, 0, 255)),
        "binary",
      ),
    },
    { name: "features", vector: vectorFromMatrix({ values: floats, rows, dimension: 4 }, nulls) },
    { name: "pca", vector: vectorFromMatrix({ values: doubles, rows, dimension: 3 }) },
  ]);
}

async function* batches(...sizes: number[]) {
  let start = 0;
  for (const size of sizes) {
    yield batch(start, size);
    start += size;
  }
}

describe("a file written here", () => {
  it("reads the same in pandas/pyarrow and in DuckDB: types, values, nulls, metadata", async () => {
    const path = join(folder, "ours.parquet");
    const written = await writeParquetFile(path, batches(700, 700, 100), {
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
    await writeParquetFile(path, batches(), { schema: SCHEMA });
    const columns = runPython("import sys, pandas as pd; print(*pd.read_parquet(sys.argv[1]).columns)", [path]).trim();
    expect(columns).toBe("path n i ok at bytes features pca");
  });

  it("reads back in slices, only the columns asked for", async () => {
    const path = join(folder, "slices.parquet");
    await writeParquetFile(path, batches(1500, 1500), { schema: SCHEMA });
    const seen: unknown[] = [];
    for await (const part of readParquetBatches(path, { rows: [1000, 2100], columns: ["i"], batchSize: 256 })) {
      expect(part.schema.names).toEqual(["i"]);
      expect(part.numRows).toBeLessThanOrEqual(256);
      seen.push(...valuesFromVector(part.getChild("i")!, "integer"));
    }
    const expected = Array.from({ length: 1100 }, (_, j) => ((1000 + j) % 5 === 2 ? null : -(1000 + j)));
    expect(seen).toEqual(expected);
    expect((await readParquetFooter(path)).rows).toBe(3000);
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
    for await (const part of readParquetBatches(path)) read.push(part);
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

describe("what is not a whole file", () => {
  it("is a CorruptParquetError that names it", async () => {
    const path = join(folder, "cut.parquet");
    await writeParquetFile(path, batches(500), { schema: SCHEMA });
    truncateSync(path, 2000);
    const read = async () => {
      for await (const _ of readParquetBatches(path));
    };
    await expect(read()).rejects.toThrow(CorruptParquetError);
    await expect(read()).rejects.toThrow(/cut\.parquet/);
    writeFileSync(path, "not parquet at all");
    await expect(read()).rejects.toThrow(CorruptParquetError);
  });

  it("is not left behind by a write that fails", async () => {
    const path = join(folder, "failed.parquet");
    const failing = async function* () {
      yield batch(0, 10);
      throw new RangeError("the source broke");
    };
    await expect(writeParquetFile(path, failing(), { schema: SCHEMA })).rejects.toThrow(RangeError);
    expect(readdirSync(folder)).not.toContain("failed.parquet");
  });
});

it("a damaged page is an error, not wrong values", async () => {
  const path = join(folder, "damaged.parquet");
  await writeParquetFile(path, batches(500), { schema: SCHEMA });
  const bytes = readFileSync(path);
  bytes.fill(0xff, 8, 200);
  writeFileSync(path, bytes);
  const read = async () => {
    for await (const _ of readParquetBatches(path));
  };
  await expect(read()).rejects.toThrow(CorruptParquetError);
});
