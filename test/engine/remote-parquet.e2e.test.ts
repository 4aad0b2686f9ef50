import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { arrayType, structField, structType } from "../../src/data/types";
import { batchFromColumns, vectorFromValues } from "../../src/data/vectors";
import type { DataFrame } from "../../src/frame/dataframe";
import { col, count, explode, lit, max, rand, sum, udf } from "../../src/frame/functions";
import { writeParquetFile } from "../../src/parquet";
import { urlOf } from "../../src/storage";
import { localFile } from "../support/local-file";
import { type MemoryEngine, memoryEngine } from "../support/memory-engine";

/* What is fetched of Parquet files on object storage, and that the rows are those of the same files on disk. */

const SCHEMA = structType([
  structField("id", "long"),
  structField("k", "string"),
  structField("d", "double"),
  structField("n", "integer"),
  structField("day", "date"),
  structField("at", "timestamp"),
  structField("v", arrayType("double")),
]);
const ROWS = 12_000;
const FILES = 2;

function batchOf(start: number, rows: number) {
  const ids = Array.from({ length: rows }, (_, i) => start + i);
  const column = (name: string, values: readonly unknown[]) => {
    const { type } = SCHEMA.fields.find((field) => field.name === name)!;
    return { name, vector: vectorFromValues(values, type) };
  };
  return batchFromColumns(
    [
      column("id", ids.map(BigInt)),
      column(
        "k",
        ids.map((i) => `key-${String(i).padStart(6, "0")}-${"é".repeat(i % 40)}`),
      ),
      column(
        "d",
        ids.map((i) => (i % 97 === 0 ? Number.NaN : Math.sin(i) * i)),
      ),
      column(
        "n",
        ids.map((i) => (i < 3000 ? null : i % 7 === 0 ? null : i % 1000)),
      ),
      column(
        "day",
        ids.map((i) => Math.floor(i / 100) * 86_400_000),
      ),
      column(
        "at",
        ids.map((i) => i * 3_600_000),
      ),
      column(
        "v",
        ids.map((i) => Array.from({ length: 8 }, (_, j) => i * 8 + j + 0.5)),
      ),
    ],
    rows,
  );
}

let here: MemoryEngine;
/** Bytes of all files. */
let total = 0;
const remote = () => here.session().read.parquet("memory://bucket/t");
const local = () => here.session().read.parquet(join(here.folder, "t"));

beforeAll(async () => {
  here = memoryEngine();
  for (let file = 0; file < FILES; file++) {
    const path = join(here.folder, "t", `part-${file}.parquet`);
    const batches = async function* () {
      for (let start = 0; start < ROWS; start += 500) yield batchOf(file * ROWS + start, 500);
    };
    await writeParquetFile(localFile(path), batches(), { schema: SCHEMA });
    const bytes = readFileSync(path);
    total += bytes.length;
    await here.store.writeFile(urlOf(`memory://bucket/t/part-${file}.parquet`), bytes);
  }
});
afterAll(() => here.close());
beforeEach(() => {
  here.store.reads.length = 0;
});

const fetched = () => here.store.reads.reduce((sum, { bytes }) => sum + bytes, 0);
const text = async (df: DataFrame) =>
  JSON.stringify(await df.collect(), (_, v) => (typeof v === "bigint" ? `${v}n` : v));

/** Rows that are the same on both, and the part of all bytes that was fetched for them, after the footers are known. */
async function sameRows(query: (df: DataFrame) => DataFrame): Promise<number> {
  await remote().schema();
  const expected = await text(query(local()));
  here.store.reads.length = 0;
  expect(await text(query(remote()))).toBe(expected);
  return fetched() / total;
}

describe("a query over Parquet files on object storage", () => {
  it("fetches the columns that it reads", async () => {
    expect(await sameRows((df) => df.select("id").orderBy(col("id").desc()).limit(3))).toBeLessThan(0.1);
    expect(await sameRows((df) => df.agg(sum("n"), max("d")))).toBeLessThan(0.25);
    expect(
      await sameRows((df) =>
        df
          .groupBy((col("n") as never as ReturnType<typeof col>).alias("m"))
          .agg(count("id").alias("c"))
          .orderBy("m"),
      ),
    ).toBeLessThan(0.2);
    expect(await sameRows((df) => df.select(explode("v").alias("x")).agg(sum("x")))).toBeGreaterThan(0.3);
    expect(await sameRows((df) => df)).toBeGreaterThan(0.95);
  });

  it("fetches nothing to count rows, and the footer once", async () => {
    expect(await sameRows((df) => df.groupBy().count())).toBe(0);
    expect(await remote().count()).toBe(FILES * ROWS);
    const before = here.store.reads.length;
    expect(await remote().filter(lit(true)).count()).toBe(FILES * ROWS);
    expect(here.store.reads.length).toBe(before);
  });

  it("fetches the first row groups for the first rows", async () => {
    expect(await sameRows((df) => df.limit(5))).toBeLessThan(0.06);
    expect(await sameRows((df) => df.select("id", "d").offset(20_000).limit(5))).toBeLessThan(0.3);
    expect(await sameRows((df) => df.withColumn("w", col("id").plus(1)).limit(700))).toBeLessThan(0.09);
    expect(
      await sameRows((df) =>
        df
          .union(df)
          .limit(ROWS * FILES + 10)
          .select("id"),
      ),
    ).toBeLessThan(0.2);
    expect(await sameRows((df) => df.limit(10).filter(col("id").gt(5)))).toBeLessThan(0.06);
  });

  it("fetches the row groups in which a row may pass the filters", async () => {
    const few: [string, (df: DataFrame) => DataFrame][] = [
      ["equal", (df) => df.filter(col("id").eq(7777))],
      ["mirrored", (df) => df.filter(lit(23_990).lt(col("id")))],
      ["text", (df) => df.filter("id >= 100 AND id < 110")],
      ["text with a string", (df) => df.filter("k = 'key-000005-ééééé'")],
      ["string", (df) => df.filter(col("k").geq("key-023900"))],
      ["in", (df) => df.filter(col("id").isin(3, 20_000))],
      ["null", (df) => df.filter(col("n").isNull().and(col("id").lt(900)))],
      ["date", (df) => df.filter(col("day").eq("1970-01-03"))],
      ["timestamp", (df) => df.filter(col("at").lt(new Date(7_200_000)))],
      ["renamed", (df) => df.select(col("id").alias("a"), "v").filter(col("a").between(5, 6))],
      [
        "below a step",
        (df) => df.filter(col("id").gt(23_995)).withColumn("w", col("id").multiply(2)).orderBy(col("w").desc()),
      ],
      [
        "joined",
        (df) =>
          df
            .filter(col("id").lt(3))
            .alias("a")
            .join(df.filter(col("id").lt(2)).alias("b"), "id")
            .select("id"),
      ],
      ["none at all", (df) => df.filter(col("id").lt(-1))],
      ["limited behind it", (df) => df.filter(col("id").gt(23_500)).limit(2)],
      ["fewer numbers", (df) => df.filter(col("d").lt(-23_000)).select("d")],
    ];
    for (const [name, query] of few) {
      const part = await sameRows(query);
      expect(part, name).toBeLessThan(name === "fewer numbers" ? 0.2 : 0.15);
    }
  });

  it("leaves nothing out where the rows depend on others, or on what no statistics say", async () => {
    const all: ((df: DataFrame) => DataFrame)[] = [
      (df) => df.filter(col("d").gt(1e9)),
      (df) => df.filter(col("d").eq(Number.NaN)),
      (df) => df.limit(10).filter(col("id").gt(100)),
      (df) => df.withColumn("r", rand(3)).filter(col("id").gt(23_990)),
      (df) => df.filter(rand(4).lt(0.01)).filter(col("id").gt(23_000)),
      (df) => df.filter(col("id").gt(23_000)).filter(rand(4).lt(0.1)),
      (df) => df.sample(0.01, 7).filter(col("id").lt(3000)),
      (df) => df.filter(col("id").lt(5).or(col("id").gt(23_995))),
      (df) => df.filter(col("id").gt(23_990.5)),
      (df) => df.filter("id > 5 or id < 3").agg(count("*")),
      (df) => df.distinct().filter(col("id").eq(3)),
      (df) =>
        df
          .join(df.filter(col("id").lt(3)).withColumnRenamed("k", "z").select("id", "z"), "id", "left")
          .filter(col("z").isNull())
          .agg(count("id")),
      (df) => df.filter(col("v").getItem(0).lt(10)),
    ];
    for (const query of all) await sameRows(query);
  });

  it("says in its plan what it reads and fetches, and fetches nothing for that", async () => {
    let shown = "";
    await remote().schema();
    here.store.reads.length = 0;
    shown = await here.engine.explain(remote().filter(col("id").gt(23_600)).select("k").plan);
    expect(shown).toContain("READ_PARQUET");
    expect(shown).not.toContain("EMPTY_RESULT");
    expect(shown).toMatch(
      /Fetches of memory:\/\/bucket\/t\/part-0\.parquet and 1 more: \[id, k\] of 7 columns, 1 of \d+ row groups, \d+ of \d+ bytes/,
    );
    expect(fetched()).toBe(0);
  });

  it("fetches by columns for workers, whose tasks know size and version", async () => {
    const twice = udf((id: number) => id * 2, { returns: "double" });
    await remote().schema();
    expect(await sameRows((df) => df.select(twice(col("id").cast("int")).alias("x")).agg(sum("x")))).toBeLessThan(0.2);
    const footerReads = here.store.reads.filter(({ bytes }) => bytes === 64 * 1024);
    expect(footerReads.length).toBeLessThanOrEqual(FILES);
  });

  it("fails by name where a file was written anew meanwhile", async () => {
    const url = urlOf("memory://bucket/u/a.parquet");
    await here.store.writeFile(url, readFileSync(join(here.folder, "t", "part-0.parquet")));
    const stat = here.store.stat;
    const df = here.session().read.parquet("memory://bucket/u");
    await df.schema();
    const { readRange } = here.store;
    here.store.readRange = async (at, from, to, reading) => {
      await here.store.writeFile(url, readFileSync(join(here.folder, "t", "part-1.parquet")));
      return readRange(at, from, to, reading);
    };
    await expect(df.select("id").orderBy("id").limit(1).collect()).rejects.toThrow(/u\/a\.parquet was written anew/);
    here.store.readRange = readRange;
    here.store.stat = stat;
  });

  it("looks at folders k=v before it fetches", async () => {
    for (const day of ["2024-01-01", "2024-01-02"]) {
      for (const n of [1, 2]) {
        const url = urlOf(`memory://bucket/p/day=${day}/n=${n}/a.parquet`);
        await here.store.writeFile(url, readFileSync(join(here.folder, "t", "part-0.parquet")));
      }
    }
    const df = here.session().read.parquet("memory://bucket/p");
    const seen = async (query: DataFrame) => {
      await df.schema();
      here.store.reads.length = 0;
      const rows = await query.agg(count("id").alias("c")).collect();
      return [Number((rows[0] as { c: number }).c), new Set(here.store.reads.map(({ url }) => url)).size];
    };
    expect(await seen(df.filter(col("n").eq(2)))).toEqual([2 * ROWS, 2]);
    expect(await seen(df.filter(col("day").eq("2024-01-02").and(col("n").lt(2))))).toEqual([ROWS, 1]);
    expect(await seen(df.filter("n > 5"))).toEqual([0, 0]);
  });

  it("names the object where its data is damaged", async () => {
    const bytes = readFileSync(join(here.folder, "t", "part-0.parquet"));
    bytes.fill(0xff, 4, 3000);
    await here.store.writeFile(urlOf("memory://bucket/damaged.parquet"), bytes);
    const df = here.session().read.parquet("memory://bucket/damaged.parquet");
    await expect(df.orderBy("id").collect()).rejects.toThrow(/memory:\/\/bucket\/damaged\.parquet is not a readable/);
  });
});

it("has the rows of the same file on disk, for files of ten writers", async () => {
  const fixtures = JSON.parse(readFileSync(join(__dirname, "../fixtures/parquet/files.json"), "utf8")) as Record<
    string,
    string
  >;
  let compared = 0;
  for (const [i, [name, base64]] of Object.entries(fixtures).entries()) {
    const bytes = Buffer.from(base64, "base64");
    const path = join(here.folder, `${i}.parquet`);
    writeFileSync(path, bytes);
    await here.store.writeFile(urlOf(`memory://bucket/f/${i}.parquet`), bytes);
    const there = here.session().read.parquet(`memory://bucket/f/${i}.parquet`);
    const onDisk = here.session().read.parquet(path);
    const fields = await onDisk.schema().then(
      (schema) => schema.fields.map((field) => field.name),
      () => [],
    );
    const first = fields[0];
    if (first === undefined) continue;
    const queries: ((df: DataFrame) => DataFrame)[] = [
      (df) => df.orderBy(lit(1)),
      (df) =>
        df
          .select(col(`\`${first}\``))
          .filter(col(`\`${first}\``).isNotNull())
          .limit(2),
    ];
    for (const query of queries) {
      const [expected, found] = await Promise.all([
        text(query(onDisk)).catch((error: Error) => error.name),
        text(query(there)).catch((error: Error) => error.name),
      ]);
      expect(found, name).toBe(expected);
      compared++;
    }
  }
  expect(compared).toBeGreaterThan(400);
});
