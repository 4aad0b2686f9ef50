import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Engine } from "../../src/engine/contract";
import { DataFrame } from "../../src/frame/dataframe";
import { col, udf } from "../../src/frame/functions";
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
