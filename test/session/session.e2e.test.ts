import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Session } from "pomona";
import {
  avg,
  batchUdf,
  col,
  elementAt,
  explode,
  length,
  lit,
  posexplode,
  size,
  split,
  sum,
  udf,
  upper,
} from "pomona/functions";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { syntheticFruit } from "../../src/image/synthetic";

let folder: string;
let images: string;
let session: Session;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "session-"));
  images = join(folder, "images");
  for (const name of ["Kiwi", "Lemon", "Plum"]) {
    mkdirSync(join(images, name), { recursive: true });
    for (let n = 0; n < 6; n++) writeFileSync(join(images, name, `${n}_100.jpg`), await syntheticFruit(name, n));
  }
  writeFileSync(join(images, "Plum", "notes.txt"), "not an image");
  session = await Session.builder().appName("test").master("local[2]").config("pomona.progress", "off").getOrCreate();
});
afterAll(async () => {
  await session.stop();
  rmSync(folder, { recursive: true, force: true });
});

const files = () =>
  session.read
    .format("binaryFile")
    .option("pathGlobFilter", "*.jpg")
    .option("recursiveFileLookup", true)
    .load(images)
    .withColumn("label", elementAt(split(col("path"), "/"), -2));

describe("a session", () => {
  it("is one at a time, with settings that are checked", async () => {
    expect(await Session.builder().getOrCreate()).toBe(session);
    expect(session.version).toBe(JSON.parse(readFileSync("package.json", "utf8")).version);
    expect(session.conf.get("spark.task.maxFailures")).toBe("4");
    expect(() => session.conf.set("spark.task.maxFailure", 2)).toThrow(/spark\.task\.maxFailures/);
    expect(() => session.conf.set("spark.task.maxFailures", 0)).toThrow(/positive whole number/);
    await expect(Session.builder().config("nonsense", 1).getOrCreate()).rejects.toThrow(/no setting/);
  });
});

describe("views", () => {
  it("are tables by name, and listed and dropped by the catalog", async () => {
    session.range(3).createOrReplaceTempView("Numbers");
    expect(await session.table("numbers").count()).toBe(3);
    expect(session.catalog.listTables()).toMatchObject([
      { name: "Numbers", tableType: "TEMPORARY", isTemporary: true },
    ]);
    expect(session.catalog.tableExists("NUMBERS")).toBe(true);
    expect(session.catalog.dropTempView("numbers")).toBe(true);
    expect(session.catalog.dropTempView("numbers")).toBe(false);
    expect(session.catalog.tableExists("Numbers")).toBe(false);
    expect(() => session.table("numbers")).toThrow(
      /\[TABLE_OR_VIEW_NOT_FOUND\] There is no view `numbers`; there are: none\./,
    );
  });
});

describe("rows of elements", () => {
  it("stand beside what workers make, before and after", async () => {
    const twice = udf((n: number) => n * 2, { returns: "double" });
    const pieces = files().withColumn("part", explode(split(col("label"), "i")));
    expect(await pieces.count()).toBe(30);
    const read = await pieces.filter(col("part").eq("w")).select("part", "content").collect();
    expect(read).toHaveLength(6);
    expect(read[0]?.content).toBeInstanceOf(Uint8Array);
    const made = session.createDataFrame([{ xs: [1, 2], y: 3 }]).withColumn("z", twice(col("y")));
    expect(
      await made
        .select("z", posexplode("xs"))
        .withColumn("w", twice(col("col")))
        .collect(),
    ).toEqual([
      { z: 6, pos: 0, col: 1, w: 2 },
      { z: 6, pos: 1, col: 2, w: 4 },
    ]);
    const words = udf((text: string) => text.split(" "), { returns: "array<string>" });
    const spoken = session.createDataFrame([{ text: "a b" }, { text: "c" }]);
    expect(await spoken.select(explode(words(col("text"))).alias("word")).collect()).toEqual(
      ["a", "b", "c"].map((word) => ({ word })),
    );
    expect(await made.offset(1).count()).toBe(0);
    expect(await made.selectExpr("z + 1 AS a", "len(xs) AS n").collect()).toEqual([{ a: 7, n: 2 }]);
  });
});

describe("binaryFile", () => {
  it("has Spark's schema, and reads content only where it is asked for", async () => {
    const tree: string[] = [];
    const { fields } = await files().drop("label").schema();
    for (const field of fields) tree.push(`${field.name} ${String(field.type)}`);
    expect(tree).toEqual(["path string", "modificationTime timestamp", "length long", "content binary"]);
    const jobs = session.history().length;
    expect(await files().count()).toBe(18);
    expect(await files().groupBy("label").count().orderBy("label").collect()).toEqual([
      { label: "Kiwi", count: 6 },
      { label: "Lemon", count: 6 },
      { label: "Plum", count: 6 },
    ]);
    // Counting needs no worker.
    expect(session.history().length).toBe(jobs);
  });

  it("gives each file's bytes, path and size", async () => {
    const row = (await files().filter(col("label").eq("Kiwi")).orderBy("path").first())!;
    expect(row.path).toBe(`file:${join(images, "Kiwi", "0_100.jpg")}`);
    expect(Buffer.from(row.content).equals(readFileSync(join(images, "Kiwi", "0_100.jpg")))).toBe(true);
    expect(row.length).toBe(row.content.length);
    expect(row.modificationTime).toBeInstanceOf(Date);
  });

  it("computes relationally over content, reading it on workers first", async () => {
    const rows = await files()
      .select("length", length(col("content")).alias("bytes"))
      .filter(col("bytes").gt(0))
      .collect();
    expect(rows).toHaveLength(18);
    for (const row of rows) expect(row.bytes).toBe(row.length);
  });

  it("limits before it reads: five rows read five files", async () => {
    await files().limit(5).collect();
    const job = session.history().at(-1)!;
    expect(job.stages.map((s) => s.rows)).toEqual([5]);
  });
});

describe("batch functions between relational ones", () => {
  const brightness = udf((bytes: Uint8Array) => bytes.length * 2, { returns: "double", name: "brightness" });

  it("run in one stage with what they read, and results can be filtered, grouped and joined", async () => {
    const bright = files().select("label", "length", brightness("content").alias("b"));
    const wrong = await bright.filter(col("b").notEqual(col("length").multiply(2))).count();
    expect(wrong).toBe(0);
    const means = await bright.groupBy("label").agg(avg("b").alias("mean")).collect();
    expect(means).toHaveLength(3);
    const joined = await bright.join(session.createDataFrame([{ label: "Kiwi", colour: "green" }]), "label").collect();
    expect(joined.map((r) => r.colour)).toEqual(Array(6).fill("green"));
    const job = session.history().at(-1)!;
    expect(job.stages.map((s) => s.name)).toEqual(["brightness"]);
  });

  it("nest, mix with relational expressions and feed one another", async () => {
    const twice = batchUdf((xs: number[]) => xs.map((x) => x * 2), { returns: "double" });
    const rows = await session
      .range(5)
      .select("id", twice(twice("id")).plus(lit(1)).alias("y"), upper(lit("x")).alias("z"))
      .orderBy(col("id").desc())
      .collect();
    expect(rows.map((r) => r.y)).toEqual([17, 13, 9, 5, 1]);
    expect(rows[0]!.z).toBe("X");
  });

  it("mapBatches may change the number of rows and columns", async () => {
    const out = session
      .range(10)
      .repartition(3)
      .mapBatches<{ n: number; half: number[] }>(
        (batch: { id: number[] }) => {
          const even = batch.id.filter((i) => i % 2 === 0);
          return { n: even, half: even.map((i) => [i / 2, 0.5]) };
        },
        { schema: { n: "long", half: "array<double>" } },
      );
    const rows = await out.orderBy("n").collect();
    expect(rows.map((r) => r.n)).toEqual([0, 2, 4, 6, 8]);
    expect(rows[2]!.half).toEqual(Float64Array.of(2, 0.5));
    expect(
      await out
        .select(size(col("half")).alias("s"))
        .agg(sum("s").alias("s"))
        .first(),
    ).toEqual({ s: 10 });
  });

  it("broadcast values arrive, captured variables are refused where they are defined", async () => {
    const lut = new Map([
      [0, "zero"],
      [1, "one"],
    ]);
    const name = udf((i: number) => lut.get(i) ?? "many", { returns: "string", broadcast: { lut } });
    expect((await session.range(3).select(name("id").alias("n")).collect()).map((r) => r.n)).toEqual([
      "zero",
      "one",
      "many",
    ]);
    expect(() => udf((i: number) => lut.get(i), { returns: "string" })).toThrow(/lut/);
  });
});

describe("actions", () => {
  it("fail on an unknown column before any work, naming the nearest", async () => {
    const jobs = session.history().length;
    await expect(files().select(col("lable")).collect()).rejects.toThrow(
      /Did you mean one of the following\? \[`label`,/,
    );
    await expect(files().filter(col("lenght").gt(1)).count()).rejects.toThrow(/`length`/);
    expect(session.history().length).toBe(jobs);
  });

  it("stop when aborted, and leave nothing", async () => {
    const slow = udf(
      (i: number) => {
        const end = Date.now() + 200;
        while (Date.now() < end);
        return i;
      },
      { returns: "long" },
    );
    const abort = new AbortController();
    const out = join(folder, "aborted");
    const writing = session
      .range(1000)
      .repartition(4)
      .select(slow("id").alias("i"))
      .write.parquet(out, { signal: abort.signal });
    setTimeout(() => abort.abort(), 700);
    await expect(writing).rejects.toMatchObject({ name: "CancelledError" });
    expect(existsSync(out)).toBe(false);
    // The workers that were ended are replaced.
    expect(await session.range(3).count()).toBe(3);
    expect(
      await session
        .range(2)
        .select(udf((i: number) => i, { returns: "long" })("id").alias("i"))
        .collect(),
    ).toHaveLength(2);
  });

  it("a task that fails shows the function's stack, the worker, the attempts", async () => {
    const fails = udf(
      (i: number) => {
        if (i === 3) throw new Error(`no ${i}`);
        return i;
      },
      { returns: "long", name: "fails" },
    );
    const error = await session
      .range(5)
      .select(fails("id").alias("x"))
      .collect()
      .then(
        () => undefined,
        (e: unknown) => e,
      );
    expect(error).toMatchObject({ name: "TaskFailedError", attempts: 4, remoteName: "UserFunctionError" });
    expect((error as Error).message).toMatch(/no 3/);
    expect((error as Error).message).toMatch(/worker-\d/);
    expect((error as Error).message).toMatch(/remote stack/);
  });

  it("cache keeps what was computed until unpersist", async () => {
    const df = session
      .range(4)
      .select(udf(() => Math.random(), { returns: "double" })("id").alias("r"))
      .cache();
    const first = await df.orderBy("r").collect();
    expect(await df.orderBy("r").collect()).toEqual(first);
    await df.unpersist();
    expect(await df.orderBy("r").collect()).not.toEqual(first);
  });
});

describe("writes", () => {
  it("one part a partition, in order, with Spark's names", async () => {
    const out = join(folder, "parts");
    const result = await session.range(10).repartition(4).write.parquet(out);
    expect(result.rows).toBe(10);
    const names = readdirSync(out).sort();
    expect(names[0]).toBe("_SUCCESS");
    expect(names.slice(1).map((n) => n.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, "UUID"))).toEqual(
      [0, 1, 2, 3].map((i) => `part-0000${i}-UUID-c000.snappy.parquet`),
    );
    expect((await session.read.parquet(out).collect()).map((r) => r.id)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it("a sorted frame stays sorted over its parts; an empty one keeps its schema", async () => {
    const sorted = join(folder, "sorted");
    await session.range(100).orderBy(col("id").desc()).write.parquet(sorted);
    expect((await session.read.parquet(sorted).first())!.id).toBe(99);
    const empty = join(folder, "empty");
    await session.range(10).filter("id > 100").write.parquet(empty);
    expect(await session.read.parquet(empty).count()).toBe(0);
    expect(await session.read.parquet(empty).columns()).toEqual(["id"]);
  });

  it("CSV, with a header and back", async () => {
    const out = join(folder, "csv");
    await session
      .createDataFrame(
        [
          { a: 'x "y", z', b: 1.5 },
          { a: null, b: 2 },
        ],
        "a STRING, b DOUBLE",
      )
      .write.option("header", true)
      .csv(out);
    const back = session.read.format("csv").option("header", true).option("inferSchema", true).load(out);
    expect(await back.collect()).toEqual([
      { a: 'x "y", z', b: 1.5 },
      { a: null, b: 2 },
    ]);
    await expect(session.sql("select [1.0, 2.0] as v").write.csv(join(folder, "bad"))).rejects.toThrow(
      /CSV has no form/,
    );
  });
});

describe("createDataFrame and sql", () => {
  it("find types, keep nulls, and query views", async () => {
    const df = session.createDataFrame([
      { name: "a", n: 1, at: new Date("2024-01-02T03:04:05Z"), v: new Float32Array([1, 2]), deep: { x: 1, y: ["p"] } },
      { name: null, n: 2.5, at: null, v: null, deep: null },
    ]);
    const [first, second] = await df.collect();
    expect(first).toEqual({
      name: "a",
      n: 1,
      at: new Date("2024-01-02T03:04:05Z"),
      v: Float32Array.of(1, 2),
      deep: { x: 1, y: ["p"] },
    });
    expect(second).toEqual({ name: null, n: 2.5, at: null, v: null, deep: null });
    expect(await session.sql("select -1.50::decimal(38,2) as d").collect()).toEqual([{ d: "-1.50" }]);
    session.createOrReplaceTempView("people", df);
    expect(await session.sql("select name, n * 2 as m from people where n > 1").collect()).toEqual([
      { name: null, m: 5 },
    ]);
    session.createOrReplaceTempView("animals", df);
    expect(await session.sql("show tables;").collect()).toEqual([
      { namespace: "", tableName: "animals", isTemporary: true },
      { namespace: "", tableName: "people", isTemporary: true },
    ]);
    expect((await session.sql("SHOW VIEWS").columns()).join()).toBe("namespace,viewName,isTemporary");
    expect(() => session.createDataFrame([{ a: 1 }, { a: true }])).toThrow(/different types/);
    await expect(session.sql("selec 1").collect()).rejects.toMatchObject({ name: "AnalysisError" });
  });
});
