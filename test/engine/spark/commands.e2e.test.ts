import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DataFrame, Session } from "pomona";
import { col, udf } from "pomona/functions";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sparkServer } from "../../support/spark";

const twice = udf((id: number) => 2 * id, { returns: "long" });
/** Another number whenever it is computed. */
const luck = udf((_: number) => Math.random(), { returns: "double" });

describe.each(["local", "3.5"] as const)("commands of SQL over views that functions make, on Spark (%s)", (kind) => {
  let session: Session;
  const folder = mkdtempSync(join(tmpdir(), "pomona-spark-commands-"));
  const table = `commands_${process.pid}`;

  beforeAll(async () => {
    const { url } = await sparkServer(kind);
    session = await Session.builder().master(url).config("pomona.progress", "off").getOrCreate();
  }, 300_000);
  afterAll(async () => {
    for (const name of [table, `${table}_made`]) await session.sql(`DROP TABLE IF EXISTS ${name}`).collect();
    await session.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const numbers = async (query: string | Pick<DataFrame, "collect">) => {
    const frame = typeof query === "string" ? session.sql(query) : query;
    return (await frame.collect()).map(({ n }) => Number(n)).sort((a, b) => a - b);
  };

  it("write the functions' rows, once, whatever is asked of their frame", async () => {
    session.createOrReplaceTempView("doubled", session.range(0, 3).select(twice("id").alias("n")));
    await session.sql(`CREATE TABLE ${table} (n BIGINT) USING parquet`).collect();
    const insert = session.sql(`WITH some AS (SELECT * FROM doubled) INSERT INTO ${table} SELECT n FROM some`);
    expect(await Promise.all([insert.schema(), insert.count(), insert.collect()])).toMatchObject([
      { fields: [] },
      0,
      [],
    ]);
    await insert.show();
    expect(await numbers(`TABLE ${table}`)).toEqual([0, 2, 4]);
    await session.sql(`/* (SELECT */ CREATE TABLE ${table}_made USING parquet AS SELECT n FROM doubled`).schema();
    expect(await numbers(`SELECT * FROM ${table}_made`)).toEqual([0, 2, 4]);
    const out = join(folder, "directory");
    await session.sql(`INSERT OVERWRITE DIRECTORY '${out}' USING parquet SELECT n + 1 AS n FROM doubled`).collect();
    expect(await numbers(session.read.parquet(out))).toEqual([1, 3, 5]);
    const [explained] = await session.sql("EXPLAIN SELECT * FROM doubled").collect();
    expect(String((explained as { plan: string }).plan)).toMatch(/MapInArrow[\s\S]*Range \(0, 3/);
    expect(session.history().every(({ status }) => status === "succeeded")).toBe(true);
  });

  it("read what is kept of a frame, which is kept on", async () => {
    const kept = session.range(0, 4).select(luck("id").alias("n")).cache();
    session.createOrReplaceTempView("lucky", kept);
    const out = join(folder, "lucky");
    await session.sql(`INSERT OVERWRITE DIRECTORY '${out}' USING parquet SELECT n FROM lucky`).collect();
    const written = await numbers(session.read.parquet(out));
    expect(await numbers("SELECT n FROM lucky")).toEqual(written);
    expect(await numbers(kept)).toEqual(written);
    await kept.unpersist();
    expect(await numbers(kept)).not.toEqual(written);
  });

  it("and queries find each its own view of a name, also at once", async () => {
    const own = Array.from({ length: 4 }, (_, i) =>
      session.sql("SELECT n FROM same", {
        same: session.range(i, i + 2).select((i % 2 === 0 ? twice("id") : col("id")).alias("n")),
      }),
    );
    const found = await Promise.all(own.flatMap((frame) => [numbers(frame), frame.schema().then(() => [])]));
    expect(found.filter(({ length }) => length > 0)).toEqual([
      [0, 2],
      [1, 2],
      [4, 6],
      [3, 4],
    ]);
    // Nothing of them is left to be found by others.
    await expect(session.sql("SELECT n FROM same").collect()).rejects.toThrow(/TABLE_OR_VIEW_NOT_FOUND/);
  });

  it("that Spark would keep as text are refused", async () => {
    session.createOrReplaceTempView("doubled", session.range(0, 3).select(twice("id").alias("n")));
    for (const text of ["CACHE TABLE c AS", "create or replace temporary view w as"])
      await expect(session.sql(`${text} SELECT * FROM doubled`).collect()).rejects.toThrow(
        /can't be of a view of this session: doubled/,
      );
    await session.sql("CREATE TEMP VIEW plain AS SELECT 7 AS n").collect();
    expect(await numbers("SELECT * FROM plain")).toEqual([7]);
  });
});
