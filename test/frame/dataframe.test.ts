import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataFrame, IllegalArgumentError, Session } from "pomona";
import { avg, col, count, desc, lit, rand, split, upper } from "pomona/functions";
import { mobileNetV2, vgg16 } from "pomona/models";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseDataType, parseSchema } from "../../src/frame/ddl";
import type { Plan } from "../../src/frame/plan";

let session: Session;
let folder: string;
let fruits: DataFrame<{ path: string; label: string | null; bytes: number }>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "pomona-frame-"));
  session = await Session.builder().master("local[1]").config("pomona.progress", "off").getOrCreate();
  fruits = session.createDataFrame(
    [
      { path: "a/1.jpg", label: "Apple", bytes: 10 },
      { path: "a/2.jpg", label: "Apple", bytes: 30 },
      { path: "p/1.jpg", label: "Pear", bytes: 2 },
      { path: "x", label: null, bytes: 7 },
    ],
    "path STRING, label STRING, bytes BIGINT",
  );
});

afterAll(async () => {
  await session?.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe("actions", () => {
  it("collect, take, first, head and isEmpty give rows as objects", async () => {
    const sorted = fruits.orderBy(desc("bytes"));
    expect(await sorted.select("path", "bytes").collect()).toEqual([
      { path: "a/2.jpg", bytes: 30 },
      { path: "a/1.jpg", bytes: 10 },
      { path: "x", bytes: 7 },
      { path: "p/1.jpg", bytes: 2 },
    ]);
    expect(await sorted.take(1)).toEqual([{ path: "a/2.jpg", label: "Apple", bytes: 30 }]);
    expect((await sorted.first())?.bytes).toBe(30);
    expect((await sorted.head())?.bytes).toBe(30);
    expect((await sorted.head(2)).length).toBe(2);
    expect(await fruits.filter(col("bytes").gt(99)).first()).toBeNull();
    expect(await fruits.filter("bytes > 99").isEmpty()).toBe(true);
  });

  it("count counts rows, also without columns", async () => {
    expect(await fruits.count()).toBe(4);
    expect(await fruits.limit(0).count()).toBe(0);
    expect(await fruits.filter("label IS NULL").count()).toBe(1);
  });

  it("show and printSchema print through the frame's print", async () => {
    const printed: string[] = [];
    const df = new DataFrame(fruits.plan, fruits.runtime, { print: (text) => printed.push(text) });
    await df.show(1, { truncate: 6 });
    await df.printSchema();
    await df.select("bytes").show({ vertical: true });
    expect(printed).toEqual([
      "+------+-----+-----+\n|  path|label|bytes|\n+------+-----+-----+\n|a/1...|Apple|   10|\n+------+-----+-----+\nonly showing top 1 row",
      "root\n |-- path: string (nullable = true)\n |-- label: string (nullable = true)\n |-- bytes: long (nullable = true)\n",
      "-RECORD 0----\n bytes | 10  \n-RECORD 1----\n bytes | 30  \n-RECORD 2----\n bytes | 2   \n-RECORD 3----\n bytes | 7   \n",
    ]);
  });

  it("columns, schema and explain start no work and name unknown columns", async () => {
    expect(await fruits.withColumn("class", upper("label")).columns()).toEqual(["path", "label", "bytes", "class"]);
    // The schema is known, so the line that is wrong fails itself.
    expect(() => fruits.withColumn("x", split("pth", "/"))).toThrow(
      expect.objectContaining({ name: "UnresolvedColumnError", column: "pth", suggestions: ["path"] }),
    );
    expect(() => fruits.filter(col("pth").isNull())).toThrow("Did you mean one of the following? [`path`");
    const printed: string[] = [];
    await new DataFrame(fruits.plan, fruits.runtime, { print: (t) => printed.push(t) }).explain();
    expect(printed.join("")).not.toBe("");
  });

  it("an unknown column fails at the line that names it, where the columns are known", async () => {
    const other = session.createDataFrame([{ label: "Apple", price: 2 }]);
    const unresolved = /^\[UNRESOLVED_COLUMN.WITH_SUGGESTION\] .* with name `bites` cannot be resolved/;
    const lines: (readonly [line: () => DataFrame, message: RegExp | string])[] = [
      [() => fruits.filter(col("bites").gt(1)), unresolved],
      [() => fruits.where(upper("bites").eq("x").and(col("label").isNull())), unresolved],
      [() => fruits.orderBy("bites" as "bytes"), unresolved],
      [() => fruits.sort(col("bites").desc()), unresolved],
      [() => fruits.groupBy("bites" as "bytes").count(), unresolved],
      [() => fruits.groupBy("label").agg(avg("bites")), unresolved],
      [() => fruits.dropna({ subset: "bites" }), unresolved],
      [() => fruits.fillna(0, "bites"), unresolved],
      [() => fruits.fillna({ bites: 0 }), unresolved],
      [() => fruits.replace(1, 2, "bites"), unresolved],
      [() => fruits.dropDuplicates(["bites" as "bytes"]), "[UNRESOLVED_COLUMN_AMONG_FIELD_NAMES]"],
      [() => fruits.join(other, "price" as "bytes"), "cannot be resolved on the left side of the join"],
      [() => fruits.join(other, "bytes"), "cannot be resolved on the right side of the join"],
      [() => fruits.join(other, "label").filter(col("bites").gt(1)), unresolved],
      [() => fruits.drop("path").withColumnRenamed("bytes", "size").select(col("bites")), /`bites` cannot be resolved/],
      [() => fruits.select("path", "bytes").filter(col("bites").gt(1)), unresolved],
      [() => fruits.union(fruits).orderBy("bites" as "bytes"), unresolved],
    ];
    for (const [line, message] of lines) expect(line).toThrow(message);
    // What a choice left out, a filter or a sort still reaches below; drop leaves alone what is not there.
    const kept = fruits.select("path").filter(col("bytes").gt(5)).orderBy(desc("label"), col("bytes"));
    expect((await kept.collect()).map((row) => row.path)).toEqual(["a/1.jpg", "a/2.jpg", "x"]);
    const renamed = fruits.withColumnRenamed("bytes", "size").drop("label").filter(col("bytes").gt(9));
    expect(await renamed.select("SIZE" as "size").count()).toBe(2);
    expect(await fruits.drop("bites", "label").columns()).toEqual(["path", "bytes"]);
    expect(
      await fruits
        .alias("f")
        .filter(col("f.bytes").gt(9))
        .orderBy("f.path" as "path")
        .count(),
    ).toBe(2);
  });

  it("toArrow gives a table, of no rows too", async () => {
    const table = await fruits.toArrow();
    expect([table.numRows, table.schema.names]).toEqual([4, ["path", "label", "bytes"]]);
    const none = await fruits.limit(0).toArrow();
    expect([none.numRows, none.schema.names]).toEqual([0, ["path", "label", "bytes"]]);
  });

  it("toDanfo gives a Danfo.js frame that computes", async () => {
    const frame = await fruits.select("label", "bytes").toDanfo();
    expect([frame.shape, frame.columns]).toEqual([
      [4, 2],
      ["label", "bytes"],
    ]);
    expect(frame.bytes.mean()).toBe(12.25);
  }, 600_000);

  it("stop at once for a signal that is aborted already", async () => {
    const signal = AbortSignal.abort();
    await expect(fruits.collect({ signal })).rejects.toThrow("Cancelled");
    await expect(fruits.write.parquet(join(folder, "never"), { signal })).rejects.toThrow("Cancelled");
    expect(readdirSync(folder)).toEqual([]);
  });

  it("write and read back, Parquet and CSV", async () => {
    const parquet = join(folder, "fruits");
    expect(await fruits.write.mode("overwrite").parquet(parquet)).toMatchObject({ rows: 4, skipped: false });
    expect(await session.read.parquet(parquet).orderBy("path").collect()).toEqual(
      await fruits.orderBy("path").collect(),
    );
    await fruits.write.option("header", true).csv(join(folder, "csv"));
    const back = session.read
      .option("header", true)
      .schema("path STRING, label STRING, bytes INT")
      .csv(join(folder, "csv"));
    expect(await back.agg(avg("bytes").alias("mean")).collect()).toEqual([{ mean: 12.25 }]);
    const part = readdirSync(join(folder, "csv")).find((name) => name.endsWith(".csv")) ?? "";
    expect(readFileSync(join(folder, "csv", part), "utf8").split("\n")[0]).toBe("path,label,bytes");
  });

  it("cache keeps rows for the same object, and unpersist forgets them", async () => {
    const drawn = fruits.withColumn("r", rand(1));
    expect(drawn.cache()).toBe(drawn);
    expect(drawn.plan.op).toBe("cached");
    const first = await drawn.collect();
    expect(await drawn.filter(col("bytes").gt(5)).count()).toBe(3);
    expect(await drawn.unpersist()).toBe(drawn);
    expect(drawn.plan.op).toBe("withColumns");
    expect(await drawn.collect()).toEqual(first);
  });

  it("mapBatches passes batches through a function", async () => {
    const lengths = fruits.mapBatches<{ n: number }>((batch) => ({ n: batch.path.map((p: string) => p.length) }), {
      schema: { n: "int" },
    });
    expect((await lengths.collect()).map((row) => row.n)).toEqual([7, 7, 7, 1]);
  });

  it("cached work, SQL and groups go together", async () => {
    const busy = session
      .sql<{ label: string; n: number }>("SELECT label, count(*) AS n FROM fruits GROUP BY label", { fruits })
      .filter(col("n").gt(1));
    expect(await busy.collect()).toEqual([{ label: "Apple", n: 2 }]);
  });
});

describe("what cannot be", () => {
  it.each([
    ["mode", () => fruits.write.mode("overwite"), 'Unknown mode: "overwite".\nDid you mean "overwrite"?'],
    ["format to write", () => fruits.write.format("parket"), 'Did you mean "parquet"?'],
    ["format to read", () => session.read.format("binaryfiles"), 'Did you mean "binaryFile"?'],
    [
      "option",
      () => session.read.format("binaryFile").option("pathGlobFiler", "*.jpg").load("x"),
      'Unknown option of format binaryFile: "pathGlobFiler".\nDid you mean "pathGlobFilter"?',
    ],
    ["kind of join", () => fruits.join(fruits, "label", "iner"), "Did you mean inner"],
    ["type", () => col("x").cast("flot"), "Did you mean float"],
    ["backend", () => mobileNetV2({ backend: "tfjs-nod" as "auto" }), 'Did you mean "tfjs-node"?'],
    ["fraction", () => fruits.sample(10), "not between 0 and 1"],
    ["seed", () => fruits.sample(0.1, 0.5), "not a whole number"],
    ["replacement", () => fruits.sample(true, 0.1), "with replacement"],
    ["number of partitions", () => fruits.repartition(0), "at least 1"],
    ["limit", () => fruits.limit(-1), "at least 0"],
    ["empty select", () => fruits.select(), "at least one column"],
    ["load without a path", () => session.read.load([]), "at least one path"],
    ["literal", () => lit({} as unknown as string), "cannot be a literal"],
  ])("names the %s", (_, make, message) => {
    expect(make).toThrow(IllegalArgumentError);
    expect(make).toThrow(message);
  });

  it("takes Spark's other spellings", () => {
    expect(() => fruits.write.mode("ERROR").format("PARQUET")).not.toThrow();
    expect(session.read.format("CSV").option("DELIMITER", ";").load("x").plan).toMatchObject({ options: { sep: ";" } });
    expect(fruits.join(fruits, "label", "LEFT_OUTER").plan).toMatchObject({ how: "left" });
    expect(fruits.sample(false, 0.5, 3).plan).toMatchObject({ fraction: 0.5, seed: 3 });
  });

  it("reads types as Spark writes them", () => {
    expect(parseDataType("ARRAY<struct<a:int, `b c`: Decimal(10,2)>>")).toEqual({
      type: "array",
      containsNull: true,
      elementType: {
        type: "struct",
        fields: [
          { name: "a", type: "integer", nullable: true, metadata: {} },
          { name: "b c", type: "decimal(10,2)", nullable: true, metadata: {} },
        ],
      },
    });
    expect(parseSchema("a INT NOT NULL, b map<string,array<double>>").fields[0]).toMatchObject({ nullable: false });
    expect(() => parseDataType("array<int")).toThrow('expected ">"');
    expect(() => parseDataType("decimal(50,2)")).toThrow("precision <= 38");
  });
});

describe("plans", () => {
  it("are JSON, whatever they hold", () => {
    const plan: Plan = fruits
      .select("path", vgg16({ onError: "null", errorCol: "why" })("path").alias("features"))
      .withColumn("big", lit(2n ** 60n))
      .withColumn("nan", lit(Number.NaN))
      .withColumn("when", lit(new Date(0)))
      .groupBy("path")
      .agg(count("*").alias("n")).plan;
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
  });

  it("give models their parameters and the path for messages", () => {
    const { expression } = mobileNetV2({ weights: "random", onError: "null" })(col("content")).alias("features");
    expect(expression).toEqual({
      kind: "alias",
      name: "features",
      child: {
        kind: "batch",
        fn: {
          kind: "builtin",
          name: "image.features",
          params: { network: "MobileNetV2", weights: "random", backend: "auto" },
        },
        args: [{ kind: "column", name: "content" }],
        argIfThere: "path",
        returns: { type: "array", elementType: "float", containsNull: true },
        onError: { kind: "null", errorColumn: "error" },
      },
    });
  });
});
