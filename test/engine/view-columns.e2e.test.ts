import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DataFrame, Session } from "pomona";
import { col, udf } from "pomona/functions";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let session: Session;
let folder: string;

const CONTENTS = ["a", "bb", "", "dddd"];

/** A column that no row can compute: what reads it fails. */
const broken = udf(
  (path: string) => {
    if (path) throw new Error("read");
    return path;
  },
  { returns: "string", name: "broken" },
);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "pomona-views-"));
  for (const [i, text] of CONTENTS.entries()) writeFileSync(join(folder, `${i}.bin`), text);
  session = await Session.builder().master("local[2]").config("pomona.progress", "off").getOrCreate();
  const files = session.read.format("binaryFile").load(folder);
  files.createOrReplaceTempView("files");
  files.withColumn("lost", broken(col("path"))).createOrReplaceTempView("shaky");
  session.sql("SELECT * FROM files").createOrReplaceTempView("again");
});

afterAll(async () => {
  await session?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** How many stages read the content of files. */
async function reads(df: DataFrame): Promise<number> {
  let text = "";
  await new (df.constructor as typeof DataFrame)(df.plan, df.runtime, {
    print: (more) => {
      text += more;
    },
  }).explain();
  return text.split("-> binaryFile.content(").length - 1;
}

/** All values of the rows, bytes as text. */
async function values(df: DataFrame): Promise<unknown[]> {
  const rows = (await df.collect()) as Record<string, unknown>[];
  const shown = (value: unknown) => (value instanceof Uint8Array ? Buffer.from(value).toString() : value);
  return rows.map((row) => Object.values(row).map(shown));
}

const WITHOUT: readonly (readonly [query: string, rows: unknown])[] = [
  ["SELECT count(*) AS n FROM files", [[4]]],
  ["SELECT LENGTH AS n FROM FILES ORDER BY n", [[0], [1], [2], [4]]],
  ["SELECT * EXCLUDE (content, path, modificationTime) FROM files ORDER BY length", [[0], [1], [2], [4]]],
  ["WITH a AS (SELECT * FROM files) SELECT max(length) AS n FROM a", [[4]]],
  ["WITH a AS MATERIALIZED (SELECT * FROM files) SELECT max(a.length) AS n FROM a", [[4]]],
  ["SELECT n FROM (SELECT content, length AS n FROM files) WHERE n > 1 ORDER BY n", [[2], [4]]],
  ["SELECT count(*) AS n FROM files a JOIN files b USING (path) WHERE b.length > 1", [[2]]],
  [
    "SELECT length AS n FROM files f WHERE EXISTS (SELECT content FROM files g WHERE g.length > f.length) ORDER BY n",
    [[0], [1], [2]],
  ],
  ["SELECT length AS n FROM (SELECT * FROM files UNION ALL SELECT * FROM files) ORDER BY n LIMIT 3", [[0], [0], [1]]],
  ["SELECT row_number() OVER (ORDER BY length) AS n FROM files ORDER BY n", [[1], [2], [3], [4]]],
  ["SELECT max(length) AS n FROM again", [[4]]],
  ["SELECT count(*) AS n FROM again a, files b WHERE a.path = b.path", [[4]]],
];

const WITH: readonly (readonly [query: string, stages: number, rows: unknown])[] = [
  ["SELECT count(content) AS n FROM files", 1, [[4]]],
  ["SELECT CONTENT FROM files ORDER BY length", 1, [[""], ["a"], ["bb"], ["dddd"]]],
  ["SELECT length(decode(content)) AS n FROM files WHERE length > 1 ORDER BY n", 1, [[2], [4]]],
  ["SELECT length AS n FROM files WHERE content IS NOT NULL ORDER BY n", 1, [[0], [1], [2], [4]]],
  ["SELECT length AS n FROM files ORDER BY content DESC", 1, [[4], [2], [1], [0]]],
  ["SELECT count(*) AS n FROM (SELECT * FROM files UNION SELECT * FROM files)", 1, [[4]]],
  ["SELECT count(*) AS n FROM files a JOIN files b ON a.content = b.content", 1, [[4]]],
  ["SELECT f.content FROM files f JOIN again g USING (path) WHERE g.length = 4", 1, [["dddd"]]],
  ["SELECT length AS n FROM files WHERE content IN (SELECT content FROM files WHERE length = 2)", 1, [[2]]],
  ["SELECT content FROM again WHERE length = 4", 1, [["dddd"]]],
  ["SELECT (SELECT max(content) FROM files) AS most", 1, [["dddd"]]],
  ["SELECT columns('^cont') FROM files WHERE length = 4", 1, [["dddd"]]],
];

describe("a query in SQL text", () => {
  it.each(WITHOUT)("does not read what it does not use: %s", async (query, rows) => {
    const df = session.sql(query);
    expect(await reads(df)).toBe(0);
    expect(await values(df)).toEqual(rows);
  });

  it.each(WITH)("reads what it uses: %s", async (query, stages, rows) => {
    const df = session.sql(query);
    expect(await reads(df)).toBe(stages);
    expect(await values(df)).toEqual(rows);
  });

  it("reads what is used of its result", async () => {
    const all = session.sql("SELECT * FROM files");
    expect(await reads(all)).toBe(1);
    expect((await values(all.orderBy("length"))).map((row) => (row as unknown[])[3])).toEqual(["", "a", "bb", "dddd"]);
    const few = [
      all.select("length"),
      all.filter(col("length").gt(1)).select("length"),
      all.filter("length > 1").select("length"),
      all.groupBy("path").agg({ length: "max" }),
      all.select("path", "length").distinct(),
      all.join(session.sql("SELECT path FROM files"), "path").select("length").orderBy("length"),
      all.drop("content"),
    ];
    for (const df of few) expect(await reads(df)).toBe(0);
    expect(await all.count()).toBe(4);
    expect(await values(few[1]!.orderBy("length"))).toEqual([[2], [4]]);
    expect(await values(few[5]!)).toEqual([[0], [1], [2], [4]]);
    const more = [
      all.distinct().select("length"),
      all.sample(0.5, 1).select("length"),
      all.orderBy("content").select("length"),
      all.filter("COLUMNS('content') IS NOT NULL").select("length"),
    ];
    for (const df of more) expect(await reads(df)).toBeGreaterThan(0);
  });

  it("runs no function whose result it does not use", async () => {
    expect(await values(session.sql("SELECT max(length) AS n FROM shaky"))).toEqual([[4]]);
    expect(await values(session.sql("SELECT content FROM shaky WHERE length = 4"))).toEqual([["dddd"]]);
    await expect(session.sql("SELECT count(lost) AS n FROM shaky").collect()).rejects.toThrow("read");
    await expect(session.sql("SELECT * FROM shaky").collect()).rejects.toThrow("read");
  });

  it("still knows the names and types of all columns, and fails as it did for others", async () => {
    const df = session.sql("SELECT * EXCLUDE (path) FROM files");
    expect(await df.dtypes()).toEqual([
      ["modificationTime", "timestamp"],
      ["length", "bigint"],
      ["content", "binary"],
    ]);
    await expect(session.sql("SELECT contents FROM files").collect()).rejects.toThrow("`contents` cannot be resolved");
  });
});

describe("views whose rows are not there yet", () => {
  it("find PIVOT's columns in text files, which are read for that, and refuse to guess them where workers make the rows", async () => {
    const file = join(folder, "kinds.csv");
    writeFileSync(file, "k,y,n\na,1,10\na,2,20\nb,1,5\n");
    const csv = session.read.option("header", true).option("inferSchema", true).csv(file);
    const query = "PIVOT kinds ON y USING sum(n) GROUP BY k ORDER BY k";
    const pivoted = session.sql(query, { kinds: csv });
    expect(await pivoted.collect()).toEqual([
      { k: "a", "1": 10, "2": 20 },
      { k: "b", "1": 5, "2": null },
    ]);
    const same = udf((n: number) => n, { returns: "int" });
    const made = csv.withColumn("n", same(col("n")));
    await expect(session.sql(query, { kinds: made }).collect()).rejects.toThrow(
      /PIVOT finds its columns in the values of rows.*Name the values/s,
    );
    const named = session.sql("PIVOT kinds ON y IN (1, 2) USING sum(n) GROUP BY k ORDER BY k", { kinds: made });
    expect(await named.collect()).toEqual(await pivoted.collect());
    const kept = made.cache();
    await kept.count();
    expect(await session.sql(query, { kinds: kept }).collect()).toEqual(await pivoted.collect());
  });
});
