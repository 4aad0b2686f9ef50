import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { col, count, upper } from "../../../src/frame/functions";
import { Session } from "../../../src/session/session";
import { sparkServer } from "../../support/spark";

it("a session on Sail computes, reads and writes, and counts what it has written", async () => {
  const folder = mkdtempSync(join(tmpdir(), "pomona-sail-"));
  const { url } = await sparkServer("sail");
  const session = Session.builder().appName("sail").master(url).config("pomona.progress", "off").getOrCreateSync();
  const said: string[] = [];
  session.onEvent((event) => event.type === "message" && said.push(event.text));
  try {
    const rows = Array.from({ length: 20_000 }, (_, i) => ({ i, text: `row ${i}` }));
    const df = session.createDataFrame(rows, "i bigint, text string");
    const told = df.filter(col("i").lt(7)).groupBy(col("i").mod(3).alias("k")).agg(count("*").alias("n")).orderBy("k");
    expect(await told.collect()).toEqual([
      { k: 0, n: 3 },
      { k: 1, n: 2 },
      { k: 2, n: 2 },
    ]);
    expect(said).toEqual([expect.stringMatching(/This server is Sail, not Spark/)]);
    df.createOrReplaceTempView("rows");
    expect(await session.sql("SELECT max(i) AS most FROM rows").collect()).toEqual([{ most: 19_999 }]);
    expect(await df.select(upper("text").alias("u")).limit(1).collect()).toEqual([{ u: "ROW 0" }]);
    const path = join(folder, "out");
    expect(await df.write.parquet(path)).toMatchObject({ rows: 20_000, skipped: false });
    expect(await df.limit(5).write.mode("append").parquet(path)).toMatchObject({ rows: 5 });
    expect(await df.write.mode("ignore").parquet(path)).toMatchObject({ rows: 0, skipped: true });
    expect(readdirSync(path).length).toBeGreaterThan(1);
    expect(await session.read.parquet(path).count()).toBe(20_005);
    await expect(session.range(1).filter("nix(id) > 1").count()).rejects.toThrow(/nix/);
  } finally {
    await session.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});
