import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OutputInsideInputError } from "../../../src/engine/errors";
import type { EngineEvent } from "../../../src/engine/events";
import { type SparkClient, sparkClient } from "../../../src/engine/spark/client";
import { sparkJob } from "../../../src/engine/spark/jobs";
import { of } from "../../../src/engine/spark/relations";
import { write } from "../../../src/engine/spark/write";
import { AnalysisError } from "../../../src/frame/analysis-error";
import { col, count, lit, rand, sum } from "../../../src/frame/functions";
import { JUPYTER_DISPLAY } from "../../../src/kernel";
import { balancedSample } from "../../../src/ml/balanced-sample";
import { Session } from "../../../src/session/session";
import { PathNotFoundError } from "../../../src/storage";
import { PathAlreadyExistsError } from "../../../src/storage/commit";
import { type SparkServer, sparkServer } from "../../support/spark";

/** What a session does on Spark besides computing columns, which the conformance suite holds against Spark's answers. */
describe.each(["local", "3.5"] as const)("a session on Spark (%s)", (kind) => {
  let server: SparkServer;
  let session: Session;
  let folder: string;
  const events: EngineEvent[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "pomona-spark-engine-"));
    server = await sparkServer(kind);
    session = await Session.builder()
      .appName("engine")
      .master(server.url)
      .config({ "pomona.progress": "off", "spark.sql.shuffle.partitions": 3 })
      .getOrCreate();
    session.onEvent((event) => events.push(event));
  });

  afterAll(async () => {
    await session?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const path = (name: string) => join(folder, name);

  it("tells what it runs on", async () => {
    expect(session.engineInfo).toMatchObject({ master: server.url, version: server.version, state: "idle" });
    // A start waits a few seconds for Spark's page; one that has much to do is asked again at the next action.
    const workers = async () => {
      await session.range(1).count();
      return session.workers();
    };
    await expect.poll(workers).toMatchObject([{ state: "ready", slots: 2 }]);
    expect(session.applicationId).toMatch(/^local-\d+$/);
    const page = await fetch(`${session.uiWebUrl}/api/v1/applications/${session.applicationId}`);
    expect(page.status).toBe(200);
    expect(session.defaultParallelism).toBe(2);
  });

  it("sends its settings, and those that change later", async () => {
    const set = async (name: string) => (await session.sql(`SET ${name}`).collect())[0]?.value;
    expect(await set("spark.sql.shuffle.partitions")).toBe("3");
    session.conf.set("spark.sql.shuffle.partitions", 2);
    expect(await set("spark.sql.shuffle.partitions")).toBe("2");
    expect(await set("spark.sql.session.timeZone")).toBe("UTC");
    expect(await set("spark.sql.ansi.enabled")).toBe("true");
  });

  it("has all rows of this program there, however many", async () => {
    const rows = Array.from({ length: 60_000 }, (_, i) => ({ i, text: `row ${i} of many, so that it is large` }));
    const [told] = await session.createDataFrame(rows).agg(count("*").alias("n"), sum("i").alias("s")).collect();
    expect(told).toEqual({ n: 60_000, s: (60_000 * 59_999) / 2 });
    expect(await session.createDataFrame([], "a int, b string").count()).toBe(0);
  });

  it("writes by each mode, and tells how many rows and which files", async () => {
    const at = path("modes");
    const first = await session.range(40).repartition(4).write.parquet(at);
    expect(first).toMatchObject({ path: `file:${at}`, rows: 40, failedRows: 0, skipped: false });
    expect(first.files).toHaveLength(4);
    for (const file of first.files) expect(file).toMatch(/^file:\/.*\/part-\d{5}-[0-9a-f-]+-c000\.snappy\.parquet$/);
    await expect(session.range(1).write.parquet(at)).rejects.toThrow(PathAlreadyExistsError);
    expect(await session.range(1).write.mode("ignore").parquet(at)).toMatchObject({
      rows: 0,
      files: [],
      skipped: true,
    });
    const more = await session.range(5).repartition(1).write.mode("append").parquet(at);
    expect(more).toMatchObject({ rows: 5, skipped: false });
    expect(more.files).toHaveLength(1);
    expect(first.files).not.toContain(more.files[0]);
    expect(await session.read.parquet(at).count()).toBe(45);
    await session.range(3).write.mode("overwrite").parquet(at);
    // Spark would write `id` and something else, and remove what it has yet to read.
    const twice = session.range(1).select("id", col("id").alias("ID"));
    await expect(twice.write.mode("overwrite").json(at)).rejects.toThrow(/COLUMN_ALREADY_EXISTS.*`id`/);
    for (const [input, output] of [
      [at, at],
      [`${at}/part-*`, at],
      [`${at}/*`, `${at}/part-00000-x`],
      [at, dirname(at)],
    ] as const) {
      const writing = session.read.parquet(input).cache().write.mode("overwrite").parquet(output);
      await expect(writing).rejects.toThrow(OutputInsideInputError);
    }
    await session.read.parquet(`${at}/*.parquet`).write.mode("overwrite").parquet(`${at}/copy`);
    expect(await session.read.parquet(`${at}/copy`).count()).toBe(3);
    await session.read.parquet(`${at}/copy`).write.mode("append").parquet(`${at}/copy`);
    expect(await session.read.parquet(`${at}/copy`).count()).toBe(6);
    // Where the server is on this machine, a path that is not absolute is one of this program's.
    expect(await session.read.parquet(relative(process.cwd(), at)).count()).toBe(3);
    const texts = session.range(3).select(col("id").cast("string").alias("value"));
    expect(await texts.write.text(path("texts"))).toMatchObject({ rows: 3 });
  });

  it("writes into a folder that a write left empty, as into none", async () => {
    const [once, twice, held] = ["left", "ignored", "held"].map(path) as [string, string, string];
    for (const folder of [once, twice, held]) mkdirSync(join(folder, "part"), { recursive: true });
    expect(await session.range(3).write.parquet(once)).toMatchObject({ rows: 3 });
    expect(await session.range(4).write.mode("ignore").parquet(twice)).toMatchObject({ rows: 4, skipped: false });
    expect(await session.read.parquet(once).count()).toBe(3);
    await expect(session.range(3).write.parquet(once)).rejects.toThrow(PathAlreadyExistsError);
    // Of another kind, and of a write that is under way.
    for (const name of ["part/notes.bin", "_temporary"]) {
      writeFileSync(join(held, name), "");
      await expect(session.range(3).write.parquet(held)).rejects.toThrow(PathAlreadyExistsError);
      expect(await session.range(4).write.mode("ignore").parquet(held)).toMatchObject({ rows: 0, skipped: true });
      rmSync(join(held, name));
    }
  });

  it("counts rows in what was written where Spark told of none on the way", async () => {
    const client = sparkClient(server.url);
    const silent: SparkClient = {
      ...client,
      async *execute(plan, options) {
        for await (const response of client.execute(plan, options)) yield { ...response, observedMetrics: [] };
      },
    };
    const query = "SELECT id, concat('a\\n', id) AS text, if(id % 3 = 0, 'bad', null) AS why FROM range(0, 10, 1, 4)";
    const relation = of({ case: "sql", value: { query } });
    const plan = { relation, name: "", errorColumns: ["why"] };
    const signal = new AbortController().signal;
    const facts = { look: async () => {}, stage: async () => undefined, endLeft: () => {} };
    try {
      for (const [format, partitionBy] of [
        ["parquet"],
        ["parquet", ["why"]],
        ["csv"],
        ["csv", ["why"]],
        ["json"],
      ] as const) {
        const job = sparkJob({ description: "", signal, emit: () => {}, facts, isLong: false });
        const sink = { format, path: path(`counted-${format}-${partitionBy}`), mode: "append", partitionBy } as const;
        const context = { client: silent, paths: (at: string) => `file:${at}`, job, isSail: false };
        const more = await job.over(() => write(plan, { ...sink, options: {} }, context));
        expect(more, format).toMatchObject({ rows: 10, failedRows: 4 });
      }
    } finally {
      await client.close();
    }
  });

  it("has errors of the same names as other engines", async () => {
    await expect(session.read.parquet(path("none")).count()).rejects.toThrow(PathNotFoundError);
    await expect(session.sql("SELECT 1 AS id").select("none").count()).rejects.toThrow(
      /UNRESOLVED_COLUMN\.WITH_SUGGESTION/,
    );
    await expect(session.sql("SELECT FROM WHERE").count()).rejects.toThrow(AnalysisError);
    await expect(session.sql("SELEC 1").count()).rejects.toThrow(/ near 'SELEC'\. \(line 1, pos 0\)/);
    for (const command of ["SET TIME ZONE 'Asia/Tokyo'", " set spark.sql.ansi.enabled = false", "RESET"]) {
      await expect(session.sql(command).collect()).rejects.toThrow(/UNSUPPORTED_FEATURE.*other values/);
    }
    await expect(session.range(1).filter("nix(id) > 1").count()).rejects.toThrow(/UNRESOLVED_ROUTINE/);
    await expect(
      session
        .range(2)
        .select(lit(1).divide(col("id")))
        .collect(),
    ).rejects.toThrow(/DIVIDE_BY_ZERO/);
  });

  it("does a command of SQL text once, whatever is asked of its frame, and takes views with a query", async () => {
    await session.sql(`CREATE TABLE once (a INT) USING parquet LOCATION '${path("once")}'`).collect();
    try {
      const insert = session.sql("INSERT INTO once VALUES (1), (2)");
      await insert.collect();
      await insert.schema();
      expect(await insert.count()).toBe(0);
      expect(await session.sql("SELECT * FROM once").count()).toBe(2);
      expect(await session.table("once").count()).toBe(2);
      expect(await session.table("default.`once`").orderBy("a").collect()).toEqual([{ a: 1 }, { a: 2 }]);
      await expect(session.table("none.once").count()).rejects.toThrow(/TABLE_OR_VIEW_NOT_FOUND.*none/);
      await expect(session.table("it's").count()).rejects.toThrow(/PARSE_SYNTAX_ERROR/);
    } finally {
      await session.sql("DROP TABLE once").collect();
    }
    session.range(4).createOrReplaceTempView("numbers");
    const before = session.sql("SELECT sum(id) AS s FROM numbers");
    session.range(10).createOrReplaceTempView("numbers");
    expect(await session.sql("SELECT sum(id) AS s FROM Numbers").collect()).toEqual([{ s: 45 }]);
    expect(await session.table("NUMBERS").count()).toBe(10);
    // A view stands for what it was when the query was described.
    expect(await before.collect()).toEqual([{ s: 6 }]);
    expect(await session.range(3).selectExpr("id * 2 AS twice", "concat('n', id) AS name").collect()).toEqual([
      { twice: 0, name: "n0" },
      { twice: 2, name: "n1" },
      { twice: 4, name: "n2" },
    ]);
  });

  it("keeps a frame on the executors, until it is forgotten", async () => {
    const kept = session.range(50).withColumn("luck", rand(7)).cache();
    const first = await kept.orderBy("id").collect();
    expect(await kept.orderBy("id").collect()).toEqual(first);
    const stored = async () => {
      const page = `${session.uiWebUrl}/api/v1/applications/${session.applicationId}/storage/rdd`;
      return ((await (await fetch(page)).json()) as unknown[]).length;
    };
    expect(await stored()).toBe(1);
    await kept.unpersist();
    await expect.poll(stored).toBe(0);
    expect(await kept.count()).toBe(50);
  });

  it("samples, splits and cuts rows as Spark does", async () => {
    const parts = session.range(1000).randomSplit([0.3, 0.7], 5);
    const [few, many] = await Promise.all(parts.map((part) => part.count()));
    expect((few ?? 0) + (many ?? 0)).toBe(1000);
    expect(few).toBeGreaterThan(200);
    expect(await parts[0]!.intersect(parts[1]!).count()).toBe(0);
    const labels = session.range(100).withColumn("label", col("id").mod(7).cast("string"));
    const chosen = balancedSample(labels, { by: "label", n: 30, seed: 3 });
    const sizes = (await chosen.groupBy("label").count().collect()).map((row) => Number(row.count));
    expect([Math.min(...sizes), Math.max(...sizes), sizes.reduce((a, b) => a + b)]).toEqual([4, 5, 30]);
    expect(await chosen.collect()).toEqual(await chosen.collect());
    expect(await session.range(100).repartition(7).rdd.getNumPartitions()).toBe(7);
    expect(await session.range(100).rdd.getNumPartitions()).toBe(2);
  });

  it("explains by Spark's own plan, and shows its jobs", async () => {
    const printed: string[] = [];
    const log = console.log;
    console.log = (line: string) => void printed.push(line);
    try {
      await session.range(3).filter(col("id").gt(1)).explain();
    } finally {
      console.log = log;
    }
    expect(printed.join("\n")).toMatch(/== Stages ==[\s\S]*== Physical Plan ==[\s\S]*Range \(0, 3/);
    events.length = 0;
    await session.range(10).write.mode("overwrite").parquet(path("events"));
    const job = events.filter((event) => "jobId" in event);
    expect(job[0]).toMatchObject({ type: "jobStarted", description: `write parquet file:${path("events")}` });
    expect(job.at(-1)).toMatchObject({ type: "jobEnded", status: "succeeded" });
    expect(session.history().at(-1)).toMatchObject({ status: "succeeded" });
    // Spark 3.5 tells of no stages: its rows are unknown, not 0.
    const report = (await session.report())[JUPYTER_DISPLAY]()["text/plain"];
    expect(report).toMatch(kind === "3.5" ? /tasks and rows are not told/ : /[1-9]\d* tasks?; [1-9][\d,]* rows?/);
  });
});
