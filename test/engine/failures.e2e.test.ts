import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EngineEvent, Session } from "pomona";
import { udf } from "pomona/functions";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

let session: Session;
let folder: string;
let events: EngineEvent[];
let unsubscribe: () => void;

beforeAll(async () => {
  session = await Session.builder().master("local[2]").config("pomona.progress", "off").getOrCreate();
});
afterAll(() => session.stop());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pomona-failures-"));
  events = [];
  unsubscribe = session.onEvent((event) => events.push(event));
});
afterEach(() => {
  unsubscribe();
  rmSync(folder, { recursive: true, force: true });
});

const eight = () => session.range(8).repartition(4);
const retries = () => events.flatMap((event) => (event.type === "taskRetried" ? [event] : []));

describe("a worker that goes away", () => {
  it("is replaced, its task tried again, and the output holds each row once", async () => {
    const marker = join(folder, "crashed");
    const crashOnce = udf(
      (id: number) => {
        if (id === 3 && !fs.existsSync(marker)) {
          fs.writeFileSync(marker, "");
          process.exit(7);
        }
        return id * 10;
      },
      { returns: "long", broadcast: { marker }, imports: { fs: "node:fs" } },
    );
    const out = join(folder, "out");
    const result = await eight().select("id", crashOnce("id").alias("ten")).write.parquet(out);
    expect(result).toMatchObject({ rows: 8, failedRows: 0 });
    expect(result.files).toHaveLength(4);
    expect(retries()).toEqual([
      expect.objectContaining({
        partition: 1,
        attempt: 0,
        error: expect.stringMatching(/^worker-\d was lost.*code 7\./),
      }),
    ]);
    expect(readdirSync(out).filter((name) => !name.startsWith("part-"))).toEqual(["_SUCCESS"]);
    const rows = await session.read.parquet(out).orderBy("id").collect();
    expect(rows).toEqual(Array.from({ length: 8 }, (_, id) => ({ id, ten: id * 10 })));
  });

  it("four times fails the job, with stage, task, worker and attempt, and leaves nothing", async () => {
    const crash = udf((id: number) => (id === 5 ? process.exit(9) : id), { returns: "long", name: "crash" });
    const out = join(folder, "out");
    const failed = await eight()
      .select(crash("id"))
      .write.parquet(out)
      .catch((error: Error) => error);
    expect(failed).toMatchObject({ name: "TaskFailedError", remoteName: "WorkerLostError", partition: 2, attempts: 4 });
    expect((failed as Error).message).toMatch(/its thread ended with code 9/);
    expect((failed as Error).message).toMatch(/in stage 0 \(crash\), task 2, worker-\d, attempt 4/);
    expect(retries().map((event) => event.attempt)).toEqual([0, 1, 2]);
    expect(existsSync(out)).toBe(false);
    await expectUsable();
  });

  it("by an exception that nobody catches is told with that exception", async () => {
    const late = udf(
      async (id: number) => {
        setTimeout(() => {
          throw new Error("too late to catch");
        });
        await new Promise((resolve) => setTimeout(resolve, 200));
        return id;
      },
      { returns: "long" },
    );
    const failed = await session
      .range(1)
      .select(late("id"))
      .collect()
      .catch((error: Error) => error);
    expect((failed as Error).message).toMatch(
      /WorkerLostError: worker-\d was lost in the middle of a task: Error: too late/,
    );
    expect(retries()).toHaveLength(3);
    await expectUsable();
  });

  // Node 24 itself ends the process when a thread runs out of memory this fast, whatever limits the thread has.
  const plainThread = `const worker = new (require("node:worker_threads").Worker)(
    "const all = []; for (;;) all.push(new Array(1000).fill({}));",
    { eval: true, resourceLimits: { maxOldGenerationSizeMb: 64 } });
  worker.on("error", () => {});`;
  const nodeSurvives = spawnSync(process.execPath, ["-e", plainThread], { stdio: "ignore" }).status === 0;

  it.runIf(nodeSurvives)("for want of memory leaves the process alive, and is told with a remedy", () => {
    const program = join(folder, "out-of-memory.js");
    writeFileSync(
      program,
      `const { Session } = require(${JSON.stringify(join(__dirname, "../../dist"))});
      const { udf } = require(${JSON.stringify(join(__dirname, "../../dist/functions"))});
      (async () => {
        const session = await Session.builder().master("local[2]").config("pomona.progress", "off")
          .config("spark.task.maxFailures", 2).getOrCreate();
        const hoard = udf((id) => { const all = []; for (;;) all.push(new Array(1000).fill({ id })); }, { returns: "long" });
        const error = await session.range(1).select(hoard("id")).collect().catch((error) => error);
        const left = await session.range(3).count();
        await session.stop();
        console.log(JSON.stringify({ name: error.name, message: error.message, attempts: error.attempts, left }));
      })();`,
    );
    const stdout = execFileSync(process.execPath, ["--max-old-space-size=128", program], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const told = JSON.parse(stdout) as { name: string; message: string; attempts: number; left: number };
    expect(told).toMatchObject({ name: "TaskFailedError", attempts: 2, left: 3 });
    expect(told.message).toMatch(/was lost in the middle of a task: .*memory/);
    expect(told.message).toMatch(/fewer workers \(local\[1\]/);
  });
});

describe("a function that never ends", () => {
  it("is ended with its worker by an abort, and leaves nothing", async () => {
    const loop = udf(
      (id: number) => {
        for (;;) id++;
      },
      { returns: "long" },
    );
    const out = join(folder, "out");
    const abort = new AbortController();
    const writing = eight()
      .select(loop("id").alias("never"))
      .write.parquet(out, { signal: abort.signal })
      .catch((error: Error) => error);
    while (!events.some((event) => event.type === "taskStarted"))
      await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve, 300));
    abort.abort();
    expect(await writing).toMatchObject({ name: "CancelledError" });
    expect(existsSync(out)).toBe(false);
    await expectUsable();
  });
});

/** The same session goes on, with new workers. */
async function expectUsable() {
  const double = udf((id: number) => id * 2, { returns: "long" });
  const rows = await eight().select(double("id").alias("double")).collect();
  expect(rows.map((row) => row.double)).toEqual([0, 2, 4, 6, 8, 10, 12, 14]);
}

/** What `imports` binds in the workers. */
declare const fs: typeof import("node:fs");
