import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { Session } from "pomona";
import { col, udf } from "pomona/functions";
import { connectKernel, JUPYTER_DISPLAY, type KernelHost } from "pomona/kernel";
import { represent } from "pomona/notebook";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

let folder: string;
let session: Session | undefined;
const start = async (settings: Record<string, string | number | boolean> = {}) => {
  const builder = Session.builder().master("local[2]").config("pomona.progress", "off");
  for (const [key, value] of Object.entries(settings)) builder.config(key, value);
  session = await builder.getOrCreate();
  return session;
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pomona-session-"));
});
afterEach(async () => {
  await session?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const text = (html: unknown) =>
  String(html)
    .replace(/<style>[\s\S]*?<\/style>/g, "")
    .replace(/<[^>]+>/g, " ")
    .replace(/\s+/g, " ")
    .trim();

describe("a DataFrame at a cell's end", () => {
  it("shows its first rows, as a table and as Spark's text", async () => {
    const df = (await start()).createDataFrame([
      { label: "Apple <Red>", x: 0.5, v: [1, 2] },
      { label: "a name that is longer than twenty characters", x: null, v: null },
    ]);
    const shown = await represent(df);
    expect(shown["text/plain"]).toBe(await df.showString());
    expect(text(shown["text/html"])).toBe("label x v Apple &lt;Red&gt; 0.5 [1, 2] a name that is lo... NULL NULL");
    expect(shown["text/html"]).toContain('<th class="pomona-number" title="double">x</th>');
  });

  it("shows its columns alone where it was kept or forgotten, without a job", async () => {
    const running = await start();
    const df = running.range(3).select(udf((id: number) => id, { returns: "long" })("id").alias("n"));
    expect(await represent(df.cache(), { isBrief: true })).toEqual({ "text/plain": "DataFrame[n: bigint]" });
    expect(await represent(await df.unpersist(), { isBrief: true })).toEqual({ "text/plain": "DataFrame[n: bigint]" });
    expect(running.history()).toEqual([]);
    expect(await represent(3, { isBrief: true })).toEqual({ "text/plain": "3" });
  });

  it("says when there are more rows, and takes Spark's settings", async () => {
    const running = await start();
    const shown = await represent(running.range(100));
    expect(shown["text/plain"]).toContain("only showing top 20 rows");
    expect(text(shown["text/html"])).toMatch(/ 19 Only the first 20 rows are shown\.$/);
    running.conf.set("spark.sql.repl.eagerEval.maxNumRows", 2);
    running.conf.set("spark.sql.repl.eagerEval.truncate", 5);
    const wide = running.createDataFrame([{ a: "abcdefgh" }, { a: "b" }, { a: "c" }]);
    expect(text((await represent(wide))["text/html"])).toBe("a ab... b Only the first 2 rows are shown.");
    expect(text((await represent(wide, { rows: 1 }))["text/html"])).toBe("a ab... Only the first row is shown.");
    running.conf.set("spark.sql.repl.eagerEval.enabled", false);
    expect(await represent(wide)).toEqual({ "text/plain": "DataFrame[a: string]" });
    expect(() => running.conf.set("spark.sql.repl.eagerEval.enabled", "yes")).toThrow(/must be true or false/);
    expect(() => running.conf.set("spark.sql.repl.eagerEval.maxNumRows", -1)).toThrow(/whole number/);
  });

  it("computes no more rows than it shows, also behind a step that would run on all", async () => {
    const running = await start();
    const mark = udf(
      (id: number) => {
        fs.appendFileSync(`${folder}/${id}`, "");
        return id * 2;
      },
      { returns: "long", broadcast: { folder: folder }, imports: { fs: "node:fs" } },
    );
    const df = running
      .range(1000)
      .withColumn("twice", mark(col("id")))
      .withColumn("more", col("twice").plus(1));
    expect((await represent(df, { rows: 3 }))["text/plain"]).toContain("|  2|    4|   5|");
    expect(readdirSync(folder).length).toBeLessThanOrEqual(4);
  });

  it("fails the cell when its rows can't be computed", async () => {
    const df = (await start()).read.parquet(join(folder, "none"));
    await expect(represent(df)).rejects.toThrow(/none/);
  });
});

describe("a session in a notebook", () => {
  it("shows what it is", async () => {
    const running = await start({ "spark.app.name": "fruits & co" });
    expect(running.applicationId).toMatch(/^local-\d{13}$/);
    expect(running.uiWebUrl).toBeUndefined();
    expect(inspect(running)).toBe(`Session ${running.applicationId} (fruits & co, local[2], idle)`);
    const shown = running[JUPYTER_DISPLAY]();
    expect(text(shown["text/html"])).toBe(
      `ID ${running.applicationId} Application fruits &amp; co Master local[2] (2 workers) State idle UI none; pomona history serve shows one`,
    );
    await running.stop();
    expect(running.state).toBe("stopped");
  });

  it("keeps what it said, and prints a write in a line", async () => {
    const running = await start();
    const result = await running.range(10).repartition(2).write.parquet(join(folder, "out"));
    expect(inspect(result)).toMatch(/^WriteResult \{ path: 'file:.*out', rows: 10, parts: 2 \}$/);
    const skipped = await running.range(1).write.mode("ignore").parquet(join(folder, "out"));
    expect(inspect(skipped)).toMatch(/^WriteResult \{ path: '.*out', skipped: true \}$/);
    const log = running.log().join("\n");
    expect(log).toMatch(/^\d\d:\d\d:\d\d\.\d{3} info {2}job started: write parquet file:/);
    expect(log).toMatch(/info {2}job succeeded after \d+\.\d s: write parquet/);
  });

  it("cancels its jobs when the notebook interrupts, and tells when they have taken back what they wrote", async () => {
    const listeners = new Set<() => void | Promise<void>>();
    const onInterrupt: KernelHost["onInterrupt"] = (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    };
    const disconnect = connectKernel({
      onInterrupt,
      functionOrigin: () => undefined,
      importOf: () => undefined,
    } as unknown as KernelHost);
    try {
      const running = await start();
      const slow = udf(
        async (id: number) => {
          await new Promise((done) => setTimeout(done, 1e9));
          return id;
        },
        { returns: "long" },
      );
      const out = join(folder, "out");
      const write = running
        .range(1000)
        .repartition(4)
        .select(slow(col("id")).alias("id"))
        .write.parquet(out);
      const failed = write.then(
        () => "",
        (error: Error) => error.name,
      );
      await expect.poll(() => existsSync(out) && running.state, { timeout: 120_000 }).toBe("busy");
      expect(process.listenerCount("SIGINT")).toBe(0);
      await Promise.all([...listeners].map((listener) => listener()));
      expect(existsSync(out)).toBe(false);
      expect(await failed).toBe("CancelledError");
      expect(running.state).toBe("idle");
      expect(await running.range(3).count()).toBe(3);
      await running.stop();
      expect(listeners.size).toBe(0);
    } finally {
      disconnect();
    }
  });

  it("cancels its first job too, which still waits for the engine", async () => {
    const running = await start();
    const out = join(folder, "out");
    const failed = running
      .range(1000)
      .write.parquet(out)
      .then(
        () => "",
        (error: Error) => error.name,
      );
    await running.interruptAll();
    expect(await failed).toBe("CancelledError");
    expect(existsSync(out)).toBe(false);
    expect(await running.range(3).count()).toBe(3);
  });

  it("starts with the defaults that were set, unless its builder says otherwise", async () => {
    const builder = () => Session.builder().config("pomona.progress", "off");
    expect(() => builder().config("spark.task.maxFailure", 2).setDefaults()).toThrow(/spark.task.maxFailures/);
    expect(() => builder().master("nowhere").setDefaults()).toThrow(/is not a master URL/);
    expect(() => builder().master("local[9999999]").setDefaults()).toThrow(/asks for 9,999,999 worker threads/);
    builder().appName("fruits").master("local[1]").setDefaults();
    try {
      session = Session.builder().appName("own").getOrCreateSync();
      expect([session.appName, session.master]).toEqual(["own", "local[1]"]);
      expect(Session.builder().getOrCreateSync()).toBe(session);
    } finally {
      Session.builder().setDefaults();
    }
  });
});

/** In the workers, by the functions' imports. */
declare const fs: typeof import("node:fs");
