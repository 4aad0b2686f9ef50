import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Session } from "../../src/index";
import { golden } from "../support/golden";
import { ml, pomona } from "./built";

const { Vectors } = ml;
let session: Session;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "pomona-vectors-"));
  session = await pomona.Session.builder().master("local[2]").getOrCreate();
});
afterAll(async () => {
  await session?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const frame = () =>
  session.createDataFrame([
    { id: 1, v: Vectors.dense(1, 2, -0.5) },
    { id: 2, v: Vectors.sparse(3, [0], [1]) },
    { id: 3, v: null },
    { id: 4, v: Vectors.dense([]) },
  ]);

/** What a DataFrame prints. */
async function shown(df: { showString(n: number, options: object): Promise<string> }): Promise<string> {
  return df.showString(20, { truncate: false });
}

describe("a vector column", () => {
  it("prints, has a schema and comes back as Spark's", async () => {
    const df = frame();
    // Spark 4.3's text.
    expect(await shown(df as never)).toBe(`+---+--------------+
|id |v             |
+---+--------------+
|1  |[1.0,2.0,-0.5]|
|2  |(3,[0],[1.0]) |
|3  |NULL          |
|4  |[]            |
+---+--------------+
`);
    expect((await df.schema()).fields.map(({ type }) => type)).toEqual(["long", "vector"]);
    const rows = await df.orderBy("id").collect();
    expect(rows.map(({ v }) => v && String(v))).toEqual(["[1.0,2.0,-0.5]", "(3,[0],[1.0])", null, "[]"]);
    expect(rows[1]!.v).toBeInstanceOf(ml.SparseVector);
    expect(Array.from(rows[1]!.v!.toArray())).toEqual([1, 0, 0]);
  });

  it("is read from Spark's files and shown as Spark shows it", async () => {
    type Answer = { readonly vectors: { readonly parquetFile: string; readonly shown: string } };
    const { parquetFile, shown: expected } = golden<Answer>("spark-ml").vectors;
    const path = join(folder, "spark.parquet");
    writeFileSync(path, Buffer.from(parquetFile, "base64"));
    const df = session.read.parquet(path);
    expect(await shown(df.orderBy("id") as never)).toBe(expected);
    expect((await df.schema()).fields[1]).toMatchObject({ name: "v", type: "vector" });
  });

  it("is written as Spark's type, through queries and workers", async () => {
    const path = join(folder, "written");
    await frame().filter("id < 3").write.parquet(path);
    const back = session.read.parquet<{ id: number; v: unknown }>(path);
    const both = await back.union(back).orderBy("id").collect();
    expect(both.map(({ v }) => String(v))).toEqual([
      "[1.0,2.0,-0.5]",
      "[1.0,2.0,-0.5]",
      "(3,[0],[1.0])",
      "(3,[0],[1.0])",
    ]);
    const parts = (await session.read.format("binaryFile").load(path).select("path").collect()) as { path: string }[];
    const part = parts.map((row) => row.path).find((name) => name.endsWith(".parquet"))!;
    expect(readFileSync(part.replace("file:", ""), "latin1")).toContain(
      '"class":"org.apache.spark.ml.linalg.VectorUDT"',
    );
  });

  it("becomes arrays and is made of them", async () => {
    const some = frame().filter("id < 3").orderBy("id");
    const arrays = await some
      .select(ml.vectorToArray("v").alias("a"), ml.vectorToArray("v", "float32").alias("f"))
      .collect();
    expect(arrays.map(({ a }) => Array.from(a as Float64Array))).toEqual([
      [1, 2, -0.5],
      [1, 0, 0],
    ]);
    expect(arrays[0]!.f).toBeInstanceOf(Float32Array);
    const lists = session.createDataFrame([{ a: [1, 2] }], "a ARRAY<BIGINT>");
    expect(String((await lists.select(ml.arrayToVector("a").alias("v")).first())?.v)).toBe("[1.0,2.0]");
    await expect(frame().select(ml.vectorToArray("v").alias("a")).collect()).rejects.toThrow(/v holds null/);
    const strings = session.createDataFrame([{ a: ["1"] }]);
    await expect(strings.select(ml.arrayToVector("a")).schema()).rejects.toThrow(/Column a is array<string>/);
  });

  it("goes into a scaler and a PCA and comes out as vectors, as in Spark", async () => {
    const some = frame().filter("id < 3").orderBy("id");
    const columns = { inputCol: "v", outputCol: "s" } as const;
    const scaler = await new ml.StandardScaler(columns).fit(some);
    expect(String(scaler.mean)).toBe("[1.0,1.0,-0.25]");
    const text = async (df: { collect(): Promise<{ s: unknown }[]> }) => (await df.collect()).map(({ s }) => String(s));
    // Spark 4.3's values.
    expect(await text(scaler.transform(some))).toEqual(["[0.0,1.414213562373095,-1.414213562373095]", "(3,[0],[0.0])"]);
    const centred = await new ml.StandardScaler({ ...columns, withMean: true }).fit(some);
    expect(await text(centred.transform(some))).toEqual([
      "[0.0,0.7071067811865475,-0.7071067811865475]",
      "[0.0,-0.7071067811865475,0.7071067811865475]",
    ]);
    const pca = await new ml.PCA({ ...columns, k: 2 }).fit(some);
    expect([pca.pc.numRows, pca.pc.numCols, pca.pc.toArray().length]).toEqual([3, 2, 3]);
    expect(pca.explainedVariance[0]).toBeCloseTo(1, 12);
    expect(Array.from(pca.explainedVariance.cumsum())[1]).toBeCloseTo(1, 12);
    expect((await pca.transform(some).schema()).fields.at(-1)).toMatchObject({ name: "s", type: "vector" });
  });
});

describe("numbers of other types", () => {
  it.each(["TINYINT", "SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL(5,2)"])(
    "of %s are widened",
    async (type) => {
      const df = session.sql(`SELECT CAST([1, 2] AS ${type}[]) AS a UNION ALL SELECT CAST([3, 5] AS ${type}[])`);
      const scaler = await new ml.StandardScaler({ inputCol: "a", outputCol: "s" }).fit(df as never);
      expect(Array.from(scaler.mean)).toEqual([2, 3.5]);
      const pca = await new ml.PCA({ inputCol: "a", outputCol: "p", k: 1 }).fit(df as never);
      const rows = (await pca.transform(df as never).collect()) as unknown as { p: Float64Array }[];
      expect(rows.map(({ p }) => p[0]!).sort()).toEqual([
        expect.closeTo(8 / 13 ** 0.5, 12),
        expect.closeTo(21 / 13 ** 0.5, 12),
      ]);
    },
  );

  it.each([
    ["array<string>", [["1"]]],
    ["array<boolean>", [[true]]],
    ["array<array<double>>", [[[1]]]],
    ["double", [1]],
    ["string", ["x"]],
  ])("%s is refused before any work", async (type, [value]) => {
    const df = session.createDataFrame([{ a: value }], `a ${type}`) as never;
    const problem = new RegExp(`Column a is ${type.replace(/[<>]/g, ".")}`);
    await expect(new ml.StandardScaler({ inputCol: "a", outputCol: "s" }).fit(df)).rejects.toThrow(problem);
    await expect(new ml.PCA({ inputCol: "a", outputCol: "s", k: 1 }).fit(df)).rejects.toThrow(problem);
    const good = session.createDataFrame([{ a: [1, 2] }, { a: [2, 0] }]);
    const scaler = await new ml.StandardScaler({ inputCol: "a", outputCol: "s" }).fit(good);
    await expect(scaler.transform(df).schema()).rejects.toThrow(problem);
  });

  it("name the row of the data and its path where one does not fit", async () => {
    const rows = Array.from({ length: 3000 }, (_, i) => ({
      path: `${i}.jpg`,
      a: i === 2222 ? [1, Number.NaN] : [i, 1],
    }));
    const df = session.createDataFrame(rows, "path STRING, a ARRAY<DOUBLE>");
    await expect(new ml.PCA({ inputCol: "a", outputCol: "p", k: 1 }).fit(df)).rejects.toThrow(
      /a holds NaN inside an array, in row 2222 of the data: 2222.jpg/,
    );
  });
});
