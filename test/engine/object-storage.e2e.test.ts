import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Engine } from "../../src/engine/contract";
import { DataFrame } from "../../src/frame/dataframe";
import { col, count, lit, udf } from "../../src/frame/functions";
import { validate } from "../../src/session/validate";
import { urlOf } from "../../src/storage";
import { type MemoryEngine, memoryEngine } from "../support/memory-engine";
import { type MemoryStorage, namesIn } from "../support/memory-storage";

let here: MemoryEngine;
let store: MemoryStorage;
let engine: Engine;
const out = urlOf("memory://bucket/out");
const session = () => here.session();

beforeAll(() => {
  here = memoryEngine();
  ({ store, engine } = here);
});
afterAll(() => here.close());

describe("a job whose data is on object storage", () => {
  const lut = ["apple", "pear"];
  const label = udf((id: number) => lut[id % 2]!, { returns: "string", broadcast: { lut } });
  const features = udf((id: number) => [id, id + 0.5], { returns: "array<float>" });
  const range = () => new DataFrame({ op: "range", start: "0", end: "100", step: "1" }, engine);
  const data = () =>
    range()
      .repartition(4)
      .select(col("id").cast("string").alias("path"), label("id").alias("label"), features("id").alias("features"));

  it("writes parts through uploads, all at once, and reads and validates them", async () => {
    await data().write.parquet(out);
    const names = namesIn(store, out);
    expect(names.map((name) => name.replace(/-[0-9a-f-]{36}-/, "-"))).toEqual([
      "_SUCCESS",
      ...[0, 1, 2, 3].map((i) => `part-0000${i}-c000.snappy.parquet`),
    ]);
    expect(store.uploads.size).toBe(0);
    expect([...store.objects.keys()].filter((url) => url.includes("_temporary"))).toEqual([]);
    const report = await validate(session(), out, { rows: 100, dimension: 2 });
    expect(report.problems).toEqual([]);
    expect(report).toMatchObject({ ok: true, rows: 100, files: 4, success: true });
  });

  it("maps what is there by a user's function, and writes that", async () => {
    const upper = udf((text: string) => text.toUpperCase(), { returns: "string" });
    const read = session().read.parquet(out);
    const streamed = vi.spyOn(store, "readStream");
    await read.select(upper("label").alias("label")).write.mode("overwrite").json("memory://bucket/json");
    const counted = await read.groupBy("label").count().orderBy("label").collect();
    expect(counted).toEqual([
      { label: "apple", count: 50 },
      { label: "pear", count: 50 },
    ]);
    // Workers read what they need where it is, and what DuckDB needs is brought here: no file comes whole.
    expect(streamed).not.toHaveBeenCalled();
    streamed.mockRestore();
    const again = session().read.json("memory://bucket/json");
    expect(await again.groupBy("label").count().orderBy("label").collect()).toEqual([
      { label: "APPLE", count: 50 },
      { label: "PEAR", count: 50 },
    ]);
  });

  it("replaces at its commit, and leaves everything as it was where it fails", async () => {
    const before = namesIn(store, out);
    const bad = udf(
      (id: number) => {
        if (id === 77) throw new TypeError("no such fruit");
        return [id];
      },
      { returns: "array<float>" },
    );
    const write = range().repartition(4).select(bad("id").alias("features")).write.mode("overwrite");
    await expect(write.parquet(out)).rejects.toThrow("no such fruit");
    expect(namesIn(store, out)).toEqual(before);
    expect(store.uploads.size).toBe(0);
    await data().filter(col("label").eq("pear")).write.mode("overwrite").parquet(out);
    expect((await validate(session(), out, { rows: 50 })).problems).toEqual([]);
  });
});

describe("text on object storage", () => {
  const ROWS = 60_000;
  const lines = (of: (i: number) => string) => Array.from({ length: ROWS }, (_, i) => of(i)).join("\n");
  const fetched = () => store.reads.reduce((sum, { bytes }) => sum + bytes, 0);

  it("is read no further than the first rows need, whose values are the same", async () => {
    await store.writeFile(
      urlOf("memory://bucket/t.csv"),
      `id,name\n${lines((i) => `${i},name-${i}-${"x".repeat(20)}`)}\n`,
    );
    await store.writeFile(
      urlOf("memory://bucket/t.json"),
      lines((i) => `{"id": ${i}, "name": "name-${i}-${"x".repeat(20)}"}`),
    );
    await store.writeFile(
      urlOf("memory://bucket/t.txt"),
      lines((i) => `line ${i} ${"x".repeat(20)}`),
    );
    const schema = "id int, name string";
    const frames: DataFrame[] = [
      session().read.option("header", true).schema(schema).csv("memory://bucket/t.csv"),
      session().read.schema(schema).json("memory://bucket/t.json"),
      session().read.text("memory://bucket/t.txt"),
    ];
    for (const df of frames) {
      store.reads.length = 0;
      const first = await df.limit(3).collect();
      expect(fetched()).toBeLessThan(400_000);
      store.reads.length = 0;
      expect(await df.count()).toBe(ROWS);
      expect(fetched()).toBeGreaterThan(1_500_000);
      const all = await df.collect();
      expect(all.slice(0, 3)).toEqual(first);
      // A limit above others, below a filter, and twice in one plan.
      expect(await df.limit(3).union(df.limit(5)).count()).toBe(8);
      expect(await df.limit(3).union(df).count()).toBe(ROWS + 3);
      expect(await df.limit(30_000).agg(count("*").alias("n")).collect()).toEqual([{ n: 30_000 }]);
      expect((await df.filter(lit(true)).offset(59_999).limit(5).collect()).length).toBe(1);
    }
  });

  it("is not read in folders k=v that a filter rules out", async () => {
    for (const k of [1, 2, 3]) await store.writeFile(urlOf(`memory://bucket/p/k=${k}/a.csv`), `${k}\n${k * 10}\n`);
    const df = session().read.schema("a int, k int").csv("memory://bucket/p");
    store.reads.length = 0;
    expect(await df.filter(col("k").eq(2)).orderBy("a").collect()).toEqual([
      { a: 2, k: 2 },
      { a: 20, k: 2 },
    ]);
    expect(new Set(store.reads.map(({ url }) => url))).toEqual(new Set(["memory://bucket/p/k=2/a.csv"]));
    expect(await df.filter(col("k").gt(1)).limit(3).count()).toBe(3);
  });
});
