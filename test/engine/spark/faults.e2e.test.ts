import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Session } from "pomona";
import { lit, udf } from "pomona/functions";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { CancelledError } from "../../../src/errors";
import { cutProxy } from "../../support/cut-proxy";
import { isAlive } from "../../support/processes";
import { type SlowRows, slowRows } from "../../support/slow-rows";
import { type SparkServer, startSpark, stopSpark } from "../../support/spark";

/** In the environment of all that runs beside this cluster's executors. */
const MARK = `POMONA_TEST_CLUSTER=${randomUUID()}`;

describe("a session on a cluster of two workers", () => {
  let server: SparkServer;
  let home: string;
  let session: Session;
  let rows: SlowRows;

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), "pomona-home-"));
    // Left by another version: its program takes no task.
    const left = join(home, "node_modules", "pomona", "dist", "executor");
    mkdirSync(left, { recursive: true });
    writeFileSync(join(left, "about.json"), JSON.stringify({ version: "0.0.9", hash: "0123456789abcdef" }));
    writeFileSync(join(left, "program.cjs"), "process.exit(9);");
    const [name, value] = MARK.split("=") as [string, string];
    server = await startSpark("cluster", {
      conf: {
        "spark.connect.execute.reattachable.senderMaxStreamDuration": "5s",
        [`spark.executorEnv.${name}`]: value,
        "spark.executorEnv.POMONA_HOME": home,
        "spark.connect.execute.manager.detachedTimeout": "15s",
        "spark.connect.execute.manager.maintenanceInterval": "1s",
      },
    });
  }, 600_000);
  afterEach(async () => {
    await session?.stop();
    rows?.remove();
  });
  afterAll(async () => {
    if (server) await stopSpark(server);
    rmSync(home, { recursive: true, force: true });
  });

  const open = async (url = server.url) => {
    rows = slowRows();
    session = await Session.builder().master(url).config("pomona.progress", "off").getOrCreate();
    return session;
  };
  const underWay = () => expect.poll(() => rows.begun).toBeGreaterThan(2);
  const ids = (found: readonly object[]) =>
    (found as { id: number }[]).map(({ id }) => Number(id)).sort((a, b) => a - b);
  const upTo = (count: number) => Array.from({ length: count }, (_, id) => id);
  /** Each row once, and nothing else of the write. */
  const expectWhole = async (count: number, parts: number) => {
    expect(ids(await session.read.parquet(rows.out).collect())).toEqual(upTo(count));
    const files = rows.files().sort();
    expect(files[0]).toBe("_SUCCESS");
    expect(files.filter((name) => /^part-.*\.parquet$/.test(name))).toHaveLength(parts);
    expect(files).toHaveLength(parts + 1);
  };

  it("does a write once whose connection is cut, and drops every second", async () => {
    const network = await cutProxy(`http://127.0.0.1:${server.port}`);
    try {
      await open(`sc://127.0.0.1:${new URL(network.baseUrl).port}`);
      rows.hold(4);
      const writing = rows.of(session, 40, 8).write.parquet(rows.out);
      await underWay();
      network.cut();
      // At most five have begun before: the others do while it is cut.
      rows.hold(9);
      await expect.poll(() => rows.begun).toBeGreaterThan(8);
      network.restore();
      network.drop();
      rows.release();
      const dropping = setInterval(() => network.drop(), 1000);
      const written = await writing.finally(() => clearInterval(dropping));
      expect(written).toMatchObject({ rows: 40 });
      expect(rows.begun).toBe(40);
      await expectWhole(40, 8);
    } finally {
      await session.stop();
      await network.stop();
    }
  });

  it("ends what runs there by an interrupt: no node process, no job is left, and it is of use", async () => {
    await open();
    const writing = rows
      .of(session, 4000, 8)
      .write.parquet(rows.out)
      .then(undefined, (error: unknown) => error);
    await underWay();
    const { pids } = rows;
    await session.interruptAll();
    expect(await writing).toBeInstanceOf(CancelledError);
    await expect.poll(() => pids.filter(isAlive)).toEqual([]);
    await expect.poll(() => running(server)).toEqual([]);
    // Spark takes back what was written after it has ended the job.
    await expect.poll(() => rows.files()).toEqual([]);
    const same = udf((id: number) => id, { returns: "long" });
    expect(ids(await session.range(0, 8).repartition(4).select(same("id").alias("id")).collect())).toEqual(upTo(8));
  });

  it("stops while a job runs, and takes that with it", async () => {
    await open();
    const writing = rows
      .of(session, 4000, 8)
      .write.parquet(rows.out)
      .then(undefined, (error: unknown) => error);
    await underWay();
    const { pids } = rows;
    await session.stop();
    expect(await writing).toMatchObject({ name: "SessionStoppedError" });
    await expect.poll(() => pids.filter(isAlive)).toEqual([]);
    // Spark takes back what was written after it has ended the job.
    await expect.poll(() => rows.files()).toEqual([]);
  });

  it("leaves nothing of a write whose driver was killed: no process, no file", async () => {
    rows = slowRows();
    const driver = spawn(process.execPath, [join(__dirname, "slow-driver.cjs"), server.url, rows.out, rows.marks], {
      stdio: "inherit",
    });
    await underWay();
    driver.kill("SIGKILL");
    expect(marked()).not.toEqual([]);
    await expect.poll(marked).toEqual([]);
    await expect.poll(() => rows.files()).toEqual([]);
    await expect.poll(() => running(server)).toEqual([]);
  });

  it("gets a row of 200 MB from beside an executor, or a named error", async () => {
    await open();
    const large = udf((bytes: number) => "x".repeat(bytes), { returns: "string" });
    const found = await session
      .range(0, 1)
      .select(large(lit(200 << 20)).alias("text"))
      .collect()
      .then(undefined, (error: Error) => error);
    if (found instanceof Error) {
      console.log(String(found));
      expect(found.name).toMatch(/^(?:SparkConnectError|MessageTooLargeError|TaskFailedError)$/);
    } else expect((found[0] as { text: string }).text).toHaveLength(200 << 20);
    expect(ids(await session.range(0, 3).collect())).toEqual(upTo(3));
  });

  it("completes a write whose worker is killed in the middle, once", async () => {
    await open();
    rows.hold(4);
    const writing = rows.of(session, 40, 8).write.parquet(rows.out);
    await underWay();
    process.kill(server.processes.find(({ role }) => role === "worker")!.pid, "SIGKILL");
    rows.release();
    expect(await writing).toMatchObject({ rows: 40 });
    await expectWhole(40, 8);
  });
});

/** The jobs that run, by Spark's own page. */
async function running({ pages }: SparkServer): Promise<unknown[]> {
  const api = `${pages.ui}/api/v1/applications`;
  const [application] = (await (await fetch(api)).json()) as { id: string }[];
  return (await (await fetch(`${api}/${application!.id}/jobs?status=running`)).json()) as unknown[];
}

/** Node processes beside the cluster's executors. */
function marked(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const isNode = readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("program.cjs");
        return isNode && isAlive(pid) && readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(MARK);
      } catch {
        return false;
      }
    });
}
