import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { CancelledError, type DataFrame, type Session, validate } from "pomona";
import { col, count, max, sum, udf } from "pomona/functions";

import { PCA, PCAModel, Vectors } from "pomona/ml";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type S3FaultProxy, startFaultProxy } from "../support/s3-fault-proxy";
import { type S3Server, s3Settings, startS3 } from "../support/s3-server";
import { s3Session } from "../support/s3-session";

/* Whole jobs of a real session, whose worker threads have storages of their own, on a real S3 server behind a proxy that counts bytes. */

let server: S3Server;
let proxy: S3FaultProxy;
let session: Session;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "pomona-s3-jobs-"));
  server = await startS3({ buckets: ["fruits"] });
  proxy = await startFaultProxy(server.endpoint);
  session = await s3Session(s3Settings({ ...server, endpoint: proxy.endpoint }));
});
afterAll(async () => {
  await session?.stop();
  await proxy?.stop();
  await server?.stop();
  rmSync(folder, { recursive: true });
});

/** Bytes that objects below a key were read in, of the requests since. */
function bytesOf(prefix: string, since: number): number {
  return proxy.requests
    .slice(since)
    .filter(({ operation, key }) => operation === "GetObject" && key.startsWith(prefix))
    .reduce((total, { received }) => total + received, 0);
}

describe("a session on S3", () => {
  it("writes and reads Parquet, CSV and JSON, with folders k=v, modes, patterns and lists", async () => {
    const data = session
      .range(0, 2000)
      .select(col("id"), col("id").mod(3).alias("k"), col("id").cast("string").alias("s"));
    await data.repartition(3).write.parquet("s3://fruits/t");
    await expect(data.write.parquet("s3a://fruits/t")).rejects.toThrow(/exists/);
    await data.limit(10).write.mode("append").parquet("s3a://fruits/t");
    expect(await session.read.parquet("s3n://fruits/t").count()).toBe(2010);
    await data.write.mode("overwrite").parquet("s3://fruits/t");
    await data.write.partitionBy("k").csv("s3://fruits/csv");
    await data.write.json("s3://fruits/json");
    const totals = async (df: DataFrame) => (await df.agg(count("id").alias("n"), sum("id").alias("s")).collect())[0];
    const expected = { n: 2000, s: 1_999_000 };
    expect(await totals(session.read.parquet("s3://fruits/t"))).toEqual(expected);
    expect(await totals(session.read.json("s3://fruits/json"))).toEqual(expected);
    const csv = session.read.schema("id long, s string, k int").csv("s3://fruits/csv");
    expect(await totals(csv)).toEqual(expected);
    const since = proxy.requests.length;
    expect(await csv.filter(col("k").eq(1)).count()).toBe(667);
    expect(bytesOf("csv/k=1/", since)).toBeGreaterThan(0);
    expect(bytesOf("csv/k=0/", since)).toBe(0);
    const explained = await session.runtime.explain(csv.filter(col("k").eq(1)).plan);
    expect(explained).toMatch(/Fetches of s3:\/\/fruits\/csv\/.+ and \d+ more: \d+ of \d+ files, \d+ of \d+ bytes$/m);
    const firstRows = await session.runtime.explain(session.read.text("s3://fruits/json").limit(2).plan);
    expect(firstRows).toMatch(/Fetches of s3:\/\/fruits\/json\/.+, no further than 2 rows/);
    expect(await session.read.parquet("s3://fruits/t/part-0*").count()).toBe(2000);
    expect(await session.read.format("json").load(["s3://fruits/json", "s3://fruits/json"]).count()).toBe(4000);
    expect(await server.uploads("fruits")).toEqual([]);
    expect((await server.keys("fruits")).filter((key) => key.includes("_temporary"))).toEqual([]);
  });

  it("fetches of a large file the columns and row groups that are needed, for queries and for workers", async () => {
    const wide = session
      .sql("SELECT range AS id, sha256(range::VARCHAR) AS a, sha256((range + 1)::VARCHAR) AS b FROM range(200000)")
      .repartition(1);
    await wide.write.parquet("s3://fruits/wide");
    const df = session.read.parquet("s3://fruits/wide");
    const size = (await session.read.format("binaryFile").load("s3://fruits/wide").select("length").collect())[0] as {
      length: number;
    };
    const part = async (work: () => Promise<unknown>) => {
      const since = proxy.requests.length;
      await work();
      return bytesOf("wide/", since) / Number(size.length);
    };
    expect(await part(() => df.count())).toBeLessThan(0.1);
    expect(await part(() => df.agg(sum("id")).collect())).toBeLessThan(0.25);
    expect(await part(() => df.filter(col("id").lt(10)).select("id").collect())).toBeLessThan(0.25);
    expect(await part(() => df.select("id").limit(2).collect())).toBeLessThan(0.25);
    df.createOrReplaceTempView("wide");
    const rows = async (query: string) => {
      let found: unknown;
      const share = await part(async () => {
        found = (await session.sql(query).collect()).map(({ id, b }) => [Number(id), typeof b]);
      });
      return [found, share < 0.05];
    };
    expect(await rows("SELECT id, b FROM wide WHERE id > 150000 AND id <= 150002 AND a IS NOT NULL")).toEqual([
      [
        [150_001, "string"],
        [150_002, "string"],
      ],
      true,
    ]);
    expect(await rows("SELECT l.id FROM wide l JOIN wide r USING (id) WHERE l.id = 7 AND r.b > ''")).toEqual([
      [[7, "undefined"]],
      true,
    ]);
    expect(await rows("select * from wide limit 1 offset 3")).toEqual([[[3, "string"]], true]);
    expect(await part(() => session.sql("select * from wide").take(2))).toBeLessThan(0.05);
    // Of a number of the row among all nothing may be left out.
    const numbered = "SELECT n FROM (SELECT id, row_number() OVER () AS n FROM wide) WHERE id >= 199999";
    expect(Number((await session.sql(numbered).collect())[0]?.n)).toBe(200_000);
    const half = udf((id: number) => id / 2, { returns: "double" });
    expect(
      await part(() => df.select(half("id").alias("h")).write.mode("overwrite").parquet("s3://fruits/half")),
    ).toBeLessThan(0.35);
    expect((await session.read.parquet("s3://fruits/half").agg(sum("h").alias("s")).collect())[0]).toEqual({
      s: (199_999 * 200_000) / 4,
    });
  });

  it("fetches the first pages alone of a large row group for its first rows", async () => {
    const path = join(folder, "group.parquet");
    const connection = await (await DuckDBInstance.create(":memory:")).connect();
    await connection.run(
      `COPY (SELECT range AS id, sha256(range::VARCHAR) AS a, list_transform(range(64), x -> random()::FLOAT) AS v
        FROM range(100000)) TO '${path}' (FORMAT parquet, ROW_GROUP_SIZE 100000)`,
    );
    connection.closeSync();
    await server.put("fruits/group/a.parquet", readFileSync(path));
    const [there, here] = [session.read.parquet("s3://fruits/group"), session.read.parquet(path)];
    await there.schema();
    for (const query of [(df: DataFrame) => df.limit(1), (df: DataFrame) => df.select("v", "id").offset(40).limit(5)]) {
      const expected = await query(here).collect();
      const since = proxy.requests.length;
      expect(await query(there).collect()).toEqual(expected);
      // Of one group of 36 MB.
      expect(bytesOf("group/", since)).toBeLessThan(3_000_000);
      expect(proxy.requests.slice(since).filter(({ operation }) => operation === "GetObject").length).toBeLessThan(10);
    }
    const plan = await session.runtime.explain(there.limit(1).plan);
    expect(plan).toMatch(/1 of 1 row groups \(of 1 the pages with the first 1 rows\), \d+ of \d+ bytes/);
  });

  it("tells of a slow fetch by its megabytes, and ends it at once", async () => {
    const last = () => session.history().at(-1);
    const parquet = session.read.parquet("s3://fruits/wide").agg(max("a"), max("b"));
    await session.range(0, 300_000).select(col("id"), col("id").alias("k")).write.csv("s3://fruits/slow");
    const csv = session.read.schema("id long, k long").csv("s3://fruits/slow").agg(max("id"));
    const half = udf((id: number) => id / 2, { returns: "double" });
    for (const df of [parquet, csv, csv.select(half("max(id)"))]) {
      await df.schema();
      proxy.fault({ operation: "GetObject", fault: { kind: "slow", milliseconds: 3000 } });
      await df.collect();
      proxy.reset();
      expect(last()).toMatchObject({ description: "collect", status: "succeeded" });
      const fetched = last()?.stages.find(({ name }) => name === "fetch");
      expect(fetched).toMatchObject({ status: "succeeded" });
      expect(fetched?.tasks).toBeGreaterThan(1);
    }
    // What is quick is not told of.
    const jobs = session.history().length;
    await session.read.parquet("s3://fruits/wide").count();
    expect(session.history()).toHaveLength(jobs);

    for (const df of [parquet, csv]) {
      proxy.fault({ operation: "GetObject", fault: { kind: "stall", bytes: 100 } });
      const abort = new AbortController();
      const work = df.collect({ signal: abort.signal });
      const ended = expect(work).rejects.toThrow(CancelledError);
      await vi.waitFor(() => expect(last()?.status).toBe("running"), { timeout: 20_000 });
      abort.abort();
      await ended;
      // Before the thirty seconds of silence after which it would be tried again.
      expect(last()).toMatchObject({ status: "cancelled", stages: [{ name: "fetch", status: "cancelled" }] });
      expect(last()?.storageRetries).toBe(0);
      proxy.reset();
    }
  });

  it("reads files' contents on its workers", async () => {
    for (let i = 0; i < 40; i++) await server.put(`fruits/files/${i}.bin`, "x".repeat(i));
    const files = session.read.format("binaryFile").option("pathGlobFilter", "*.bin").load("s3://fruits/files");
    const length = udf((content: Uint8Array) => content.length, { returns: "int" });
    const rows = await files.select(length("content").alias("n"), "length").collect();
    expect(rows.every((row) => Number(row.n) === Number(row.length))).toBe(true);
    expect(rows).toHaveLength(40);
  });

  it("saves and loads a model, and validates what it wrote", async () => {
    const data = session.createDataFrame(
      [[Vectors.dense([1, 2, 3])], [Vectors.dense([3, 1, 0])], [Vectors.dense([0, 5, 1])]],
      ["v"],
    );
    const model = await new PCA({ inputCol: "v", outputCol: "p", k: 2 }).fit(data);
    await model.save("s3://fruits/model");
    const loaded = await PCAModel.load("s3://fruits/model", session);
    expect(await loaded.transform(data).collect()).toEqual(await model.transform(data).collect());
    const features = udf((id: number) => [id, 1], { returns: "array<float>" });
    const label = udf((id: number) => `l${id % 2}`, { returns: "string" });
    await session
      .range(0, 20)
      .select(col("id").cast("string").alias("path"), label("id").alias("label"), features("id").alias("features"))
      .write.parquet("s3://fruits/features");
    const report = await validate(session, "s3://fruits/features", { rows: 20, dimension: 2 });
    expect(report.problems).toEqual([]);
  });
});
