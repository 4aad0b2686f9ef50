import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Session } from "pomona";
import { col, udf } from "pomona/functions";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { peerPython } from "../support/python";
import { type S3Server, startS3 } from "../support/s3-server";
import { s3Session } from "../support/s3-session";

const BUCKET = "exchanged";
const ROWS = 90;

let server: S3Server;
let session: Session;

beforeAll(async () => {
  server = await startS3({ buckets: [BUCKET] });
  session = await s3Session(server.settings);
  const label = udf((id: number) => `fruit ${id % 3}`, { returns: "string" });
  const features = udf((id: number) => [id, 0.5], { returns: "array<float>" });
  const data = session
    .range(ROWS)
    .repartition(3)
    .select(col("id"), label("id").alias("label"), features("id").alias("features"));
  await data.write.parquet(`s3://${BUCKET}/plain`);
  await data.write.partitionBy("label").parquet(`s3a://${BUCKET}/by-label`);
  await data.select("id", "label").write.option("header", true).csv(`s3n://${BUCKET}/csv`);
  for (const name of ["a b/1.jpg", "a b/é%+#.jpg", "c/_hidden.jpg"]) await server.put(`${BUCKET}/files/${name}`, name);
});
afterAll(async () => {
  await session?.stop();
  await server?.stop();
});

const SUM = (ROWS * (ROWS - 1)) / 2;
const WHOLE = { rows: ROWS, ids: SUM, labels: ["fruit 0", "fruit 1", "fruit 2"], sum: SUM + ROWS / 2 };

async function peer(
  python: string,
  who: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Record<string, unknown>> {
  const options = { env: { ...process.env, ...server.env, ...env }, maxBuffer: 1 << 26 };
  const { stdout } = await promisify(execFile)(python, [join(__dirname, "s3_peers.py"), BUCKET, who], options);
  return JSON.parse(stdout.trim().split("\n").at(-1)!) as Record<string, unknown>;
}

const setUp = async (script: string, name: string) =>
  ((await import(script)) as Record<string, () => Promise<string>>)[name]!();

/** What is in a folder, as the summaries say it. */
async function summary(path: string) {
  const rows = (await session.read.parquet(path).collect()) as { id: number; label: string; features: number[] }[];
  return {
    rows: rows.length,
    ids: rows.reduce((sum, { id }) => sum + id, 0),
    labels: [...new Set(rows.map((row) => row.label))].sort(),
    sum: rows.reduce((sum, row) => sum + row.features.reduce((a, b) => a + b, 0), 0),
  };
}

describe("data in S3 and other programs", () => {
  it("pandas over s3fs and pyarrow read what was written, and theirs is read", async () => {
    const python = await setUp("../../scripts/setup/s3-peers.mjs", "installS3Peers");
    expect(await peer(python, "pandas")).toEqual({ pandas: WHOLE, partitioned: WHOLE, pyarrow: WHOLE });
    const frame = session.read.parquet(`s3://${BUCKET}/of pandas/data é.parquet`);
    expect(await frame.groupBy("label").count().orderBy("label").collect()).toEqual([
      { label: "apple 0", count: 17 },
      { label: "apple 1", count: 17 },
      { label: "apple 2", count: 16 },
    ]);
    const csv = session.read.option("header", true).option("inferSchema", true).csv(`s3://${BUCKET}/of pandas csv`);
    expect(await csv.filter("id >= 48").orderBy("id").collect()).toEqual([
      { id: 48, label: "apple 0" },
      { id: 49, label: "apple 1" },
    ]);
    expect(await summary(`s3://${BUCKET}/of-pyarrow`)).toEqual(WHOLE);
  });

  it("Spark reads what was written by S3A, and its output is read", async () => {
    const jars = await setUp("../../scripts/setup/s3a.mjs", "installS3a");
    const read = await peer(peerPython(), "spark", {
      S3A_JARS: jars,
      SPARK_SUBMIT_OPTS: "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    });
    const images = session.read.format("binaryFile").option("recursiveFileLookup", true).load(`s3a://${BUCKET}/files`);
    const files = (await images.select("path", "length").orderBy("path").collect()).map(({ path, length }) => [
      path,
      length,
    ]);
    expect(read).toEqual({
      spark: WHOLE,
      sparkPartitioned: WHOLE,
      sparkCsv: { rows: ROWS, ids: SUM },
      files,
    });
    expect(files.map(([path]) => path)).toEqual([
      `s3a://${BUCKET}/files/a b/1.jpg`,
      `s3a://${BUCKET}/files/a b/é%+#.jpg`,
    ]);
    expect(await summary(`s3a://${BUCKET}/of-spark`)).toEqual(WHOLE);
    const csv = session.read.option("header", true).csv(`s3a://${BUCKET}/of-spark-csv`);
    expect(await csv.count()).toBe(ROWS);
  });
});
