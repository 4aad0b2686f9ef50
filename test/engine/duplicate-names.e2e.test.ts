import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DataFrame, Session } from "pomona";
import { batchUdf, col, lit, max, sum, udf } from "pomona/functions";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

type Row = readonly unknown[];

/** The sides of the joins below, from which what is expected is computed without the engine. */
const FRUITS: readonly (readonly [number, string | null, number])[] = [
  [1, "apple", 10],
  [2, "pear", 20],
  [3, null, 30],
  [4, "plum", 40],
];
const SHOPS: readonly (readonly [number, string | null, number])[] = [
  [1, "APPLE", 100],
  [1, "Apple!", 101],
  [3, "kiwi", 300],
  [5, "fig", 500],
];
/** Inner join on id: id, label, v of the fruit, then of the shop. */
const JOINED: readonly Row[] = FRUITS.flatMap((f) => SHOPS.filter((s) => s[0] === f[0]).map((s) => [...f, ...s]));

const shout = udf((text: string | null) => (text === null ? "none" : `${text}!`), { returns: "string", name: "shout" });
const doubled = batchUdf((values: ArrayLike<number>) => Array.from(values, (v) => v * 2), {
  returns: "int",
  name: "doubled",
});

let session: Session;
let folder: string;
let fruits: DataFrame;
let shops: DataFrame;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "pomona-names-"));
  session = await Session.builder().master("local[2]").config("pomona.progress", "off").getOrCreate();
  fruits = session.createDataFrame(FRUITS as never, "id int, label string, v int");
  shops = session.createDataFrame(SHOPS as never, "id int, label string, v int");
});

afterAll(async () => {
  await session?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** id, label, v, id, label, v */
const joined = () => fruits.join(shops, fruits.col("id").eq(shops.col("id")));

describe("a column that is selected twice", () => {
  it("is written twice, in every format and by workers", async () => {
    const label = udf((v: number) => `l${v}`, { returns: "string" });
    const of = (df: DataFrame) => df.select("id", col("id").alias("k"), "v", col("v").alias("w"), col("id").alias("l"));
    const frames = [
      of(session.range(0, 500).withColumn("v", label("id"))),
      of(session.range(0, 7).withColumn("v", lit("x"))),
    ];
    for (const frame of frames) {
      const expected = await frame.collect();
      for (const format of ["parquet", "csv", "json"]) {
        const path = join(folder, `again-${format}`);
        await frame.write.mode("overwrite").format(format).save(path);
        const read = session.read.schema("id long, k long, v string, w string, l long").format(format).load(path);
        expect(await read.orderBy("id").collect()).toEqual(expected);
      }
    }
  });
});

describe("a frame with names that come twice", () => {
  it("is cached by column", async () => {
    const cached = joined().cache();
    const names = ["id", "label", "v", "id", "label", "v"];
    expect(await contents(cached)).toEqual({ names, rows: sorted(JOINED) });
    // From what was kept, and by columns of the frames that it was made from.
    expect(await contents(cached)).toEqual({ names, rows: sorted(JOINED) });
    expect(await rows(cached.select(shops.col("label"), fruits.col("label"), shops.col("v")))).toEqual(
      sorted(JOINED.map((r) => [r[4], r[1], r[5]])),
    );
    expect(await rows(cached.filter(shops.col("label").eq("kiwi")).drop(fruits.col("label")))).toEqual([
      [3, 30, 3, "kiwi", 300],
    ]);
    await expect(cached.select("label").collect()).rejects.toThrow("[AMBIGUOUS_REFERENCE]");
    await cached.unpersist();
    expect(await rows(cached.select(shops.col("label")))).toEqual(sorted(JOINED.map((r) => [r[4]])));
  });

  it("is joined with itself once it is cached", async () => {
    const cached = joined().cache();
    await cached.count();
    const twice = cached.alias("a").join(cached.alias("b"), col("a.v").eq(col("b.v")));
    await expect(twice.count()).rejects.toThrow("[AMBIGUOUS_REFERENCE]");
    const named = joined().toDF("i", "label", "v", "j", "Label", "w").cache();
    const self = named.alias("a").join(named.alias("b"), col("a.w").lt(col("b.w")));
    const expected = JOINED.flatMap((a) => JOINED.filter((b) => Number(a[5]) < Number(b[5])).map((b) => [...a, ...b]));
    for (const _ of ["before its rows are kept", "after"]) {
      expect(await rows(self)).toEqual(sorted(expected));
      expect(await rows(self.select(col("b.w"), col("a.w"), col("b.i")))).toEqual(
        sorted(expected.map((r) => [r[11], r[5], r[6]])),
      );
    }
    expect(() => named.join(named, "w").select(col("a.w"))).toThrow("UNRESOLVED_COLUMN");
    expect(await rows(named.join(named, "w"))).toEqual(
      sorted(JOINED.map((r) => [r[5], ...r.slice(0, 5), ...r.slice(0, 5)])),
    );
    await named.unpersist();
    await cached.unpersist();
  });

  it("gives functions on workers the side that was meant", async () => {
    const made = joined().select(
      shout(shops.col("label")).alias("label"),
      shout(fruits.col("label")).alias("label"),
      doubled(shops.col("v")),
      fruits.col("v"),
      shops.col("v"),
    );
    expect(await contents(made)).toEqual({
      names: ["label", "label", "doubled(v)", "v", "v"],
      rows: sorted(JOINED.map((r) => [bang(r[4]), bang(r[1]), Number(r[5]) * 2, r[2], r[5]])),
    });
    const all = joined().withColumn("w", doubled(shops.col("v")));
    expect(await rows(all)).toEqual(sorted(JOINED.map((r) => [...r, Number(r[5]) * 2])));
    // Spark replaces every column of the name.
    expect(await rows(joined().withColumn("label", shout(shops.col("label"))))).toEqual(
      sorted(JOINED.map((r) => [r[0], bang(r[4]), r[2], r[3], bang(r[4]), r[5]])),
    );
  });

  it("is refused by mapBatches, which goes by names, but for names that differ by case", async () => {
    const copy = { schema: "a string, b string" };
    const pick = ({ label, Label }: Record<string, ArrayLike<unknown>>) => ({
      a: Array.from(label ?? []) as string[],
      b: Array.from(Label ?? []) as string[],
    });
    await expect(joined().mapBatches(pick, copy).collect()).rejects.toThrow(
      expect.objectContaining({ name: "DuplicateColumnError" }),
    );
    const named = joined().toDF("i", "label", "v", "j", "Label", "w");
    expect(await rows(named.mapBatches(pick, copy))).toEqual(sorted(JOINED.map((r) => [r[1], r[4]])));
    const partial = joined().drop(fruits.col("label")).drop("id", "v");
    const one = { schema: "n string" };
    expect(await rows(partial.mapBatches(({ label }) => ({ n: Array.from(label ?? []) as string[] }), one))).toEqual(
      sorted(JOINED.map((r) => [r[4]])),
    );
  });

  it("goes on after a function on workers", async () => {
    const loud = joined().withColumn("n", shout(fruits.col("label")));
    const expected = JOINED.map((r) => [...r, bang(r[1])]);
    expect(await rows(loud.filter(col("n").eq("none")))).toEqual(sorted(expected.filter((r) => r[6] === "none")));
    expect(await rows(loud.distinct())).toEqual(sorted(expected));
    expect(await rows(loud.union(loud))).toEqual(sorted([...expected, ...expected]));
    expect(await rows(loud.sample(1, 1))).toEqual(sorted(expected));
    expect(await ordered(loud.sort(col("n").desc(), shops.col("v").desc()).limit(2))).toEqual([
      ...expected.filter((r) => r[6] === "none"),
      ...expected.filter((r) => r[5] === 101),
    ]);
    const groups = loud
      .groupBy(col("n"), shops.col("id"))
      .agg(sum(shops.col("v")).alias("n"), max(fruits.col("v")).alias("n"));
    expect(await contents(groups)).toEqual({
      names: ["n", "id", "n", "n"],
      rows: sorted([
        ["apple!", 1, 201, 10],
        ["none", 3, 300, 30],
      ]),
    });
    const again = loud.join(shops.toDF("k", "label", "x"), shops.col("v").eq(col("x")));
    expect(await contents(again)).toEqual({
      names: ["id", "label", "v", "id", "label", "v", "n", "k", "label", "x"],
      rows: sorted(expected.map((r) => [...r, r[3], r[4], r[5]])),
    });
    // A second function over the result of the first and over a side's column.
    expect(await rows(again.select(shout("n"), shout(shops.col("label")), fruits.col("label")))).toEqual(
      sorted(expected.map((r) => [bang(r[6]), bang(r[4]), r[1]])),
    );
  });

  it("keeps two aggregates of one name, and Label beside label", async () => {
    const two = shops.groupBy("id").agg(sum("v").alias("n"), max("v").alias("n"));
    const totals = [
      [1, 201, 101],
      [3, 300, 300],
      [5, 500, 500],
    ];
    expect(await contents(two)).toEqual({ names: ["id", "n", "n"], rows: sorted(totals) });
    expect(await rows(two.cache().select("*", shout(col("id").cast("string")).alias("N")))).toEqual(
      sorted(totals.map((r) => [...r, `${r[0]}!`])),
    );
    await expect(two.select("n").count()).rejects.toThrow("[AMBIGUOUS_REFERENCE]");
    const cased = fruits.select("*", shout("label").alias("Label"), col("v").plus(lit(1)).alias("V"));
    expect(await contents(cased)).toEqual({
      names: ["id", "label", "v", "Label", "V"],
      rows: sorted(FRUITS.map((f) => [...f, bang(f[1]), f[2] + 1])),
    });
    expect(await rows(cased.repartition(3))).toEqual(sorted(FRUITS.map((f) => [...f, bang(f[1]), f[2] + 1])));
    await expect(cased.filter(col("LABEL").isNull()).count()).rejects.toThrow("[AMBIGUOUS_REFERENCE]");
  });

  it("is written and read again under other names alone", async () => {
    for (const format of ["parquet", "json", "csv"] as const) {
      const path = join(folder, format);
      await expect(joined().write[format](path)).rejects.toThrow(
        expect.objectContaining({ name: "DuplicateColumnError" }),
      );
      await expect(joined().toDF("i", "label", "v", "j", "Label", "w").write[format](path)).rejects.toThrow(
        expect.objectContaining({ name: "DuplicateColumnError" }),
      );
      const named = joined()
        .withColumn("n", shout(shops.col("label")))
        .toDF("i", "label", "v", "j", "label2", "w", "n");
      await named.repartition(2).write[format](path);
      const schema = await named.schema();
      const back = format === "csv" ? session.read.schema(schema).csv(path) : session.read.schema(schema)[format](path);
      expect(await contents(back)).toEqual({
        names: ["i", "label", "v", "j", "label2", "w", "n"],
        rows: sorted(JOINED.map((r) => [...r, bang(r[4])])),
      });
      // A reread frame joined with one of its own columns' names.
      const both = back.join(fruits, back.col("i").eq(fruits.col("id")));
      expect(await rows(both.select(fruits.col("label"), back.col("label2"), shout(back.col("label"))))).toEqual(
        sorted(JOINED.map((r) => [r[1], r[4], bang(r[1])])),
      );
    }
  });

  it("is a view only under names that SQL can tell apart", async () => {
    joined().createOrReplaceTempView("twice");
    await expect(session.sql("SELECT * FROM twice").count()).rejects.toThrow(
      expect.objectContaining({ name: "DuplicateColumnError" }),
    );
    const named = joined()
      .withColumn("n", shout(shops.col("label")))
      .toDF("i", "label", "v", "j", "label2", "w", "n");
    named.createOrReplaceTempView("once");
    const query = session.sql("SELECT a.label, b.n AS label FROM once a JOIN once b ON a.w = b.w WHERE a.w > 100");
    expect(await contents(query)).toEqual({
      names: ["label", "label"],
      rows: sorted(JOINED.filter((r) => Number(r[5]) > 100).map((r) => [r[1], bang(r[4])])),
    });
    const texts: readonly (readonly [text: string, names: readonly string[], rows: readonly Row[]])[] = [
      [
        "/* two */ WITH q AS (SELECT w FROM once) SELECT w, w + 1 AS W FROM q",
        ["w", "W"],
        JOINED.map((r) => [r[5], Number(r[5]) + 1]),
      ],
      ["FROM once SELECT i, j AS i", ["i", "i"], JOINED.map((r) => [r[0], r[3]])],
      ["SELECT 1 AS a, 2 AS a, 3 AS a_1;", ["a", "a", "a_1"], [[1, 2, 3]]],
      ["VALUES (1, 'x')", ["col0", "col1"], [[1, "x"]]],
    ];
    for (const [text, names, expected] of texts) {
      expect(await contents(session.sql(text))).toEqual({ names, rows: sorted(expected) });
    }
    expect(await session.sql("DESCRIBE SELECT 1 AS a").columns()).toContain("column_name");
    const twice = session.sql("SELECT label AS n, n FROM once");
    await expect(twice.select("n").count()).rejects.toThrow("[AMBIGUOUS_REFERENCE]");
    await expect(twice.write.parquet(join(folder, "sql"))).rejects.toThrow("COLUMN_ALREADY_EXISTS");
  });

  it("is cut into other partitions", async () => {
    const parts = joined()
      .repartition(3)
      .select(shout(shops.col("label")).alias("label"), fruits.col("label"));
    const expected = sorted(JOINED.map((r) => [bang(r[4]), r[1]]));
    expect(await contents(parts)).toEqual({ names: ["label", "label"], rows: expected });
    expect(await rows(parts.coalesce(1).cache())).toEqual(expected);
  });
});

function bang(text: unknown): string {
  return text === null ? "none" : `${text}!`;
}

async function contents(df: DataFrame): Promise<{ names: string[]; rows: Row[] }> {
  return { names: await df.columns(), rows: await rows(df) };
}

async function rows(df: DataFrame): Promise<Row[]> {
  return sorted(await ordered(df));
}

/** By position: an object would lose all but one of the columns of a name. */
async function ordered(df: DataFrame): Promise<Row[]> {
  const table = await df.toArrow();
  return Array.from({ length: table.numRows }, (_, row) =>
    table.schema.fields.map((_field, i) => {
      const value: unknown = table.getChildAt(i)?.get(row);
      return typeof value === "bigint" ? Number(value) : (value ?? null);
    }),
  );
}

function sorted(list: readonly Row[]): Row[] {
  return [...list].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}
