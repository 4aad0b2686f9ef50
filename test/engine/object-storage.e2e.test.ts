import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { WorkerContext } from "../../src/data/batch-function";
import type { Engine } from "../../src/engine/contract";
import { driver } from "../../src/engine/driver";
import { duckdbRelational } from "../../src/engine/duckdb/relational";
import { AttemptFailedError } from "../../src/engine/scheduler/errors";
import { openSpool } from "../../src/engine/spool";
import type { TaskWorker, WorkerPool } from "../../src/engine/workers";
import { DataFrame } from "../../src/frame/dataframe";
import { col, udf } from "../../src/frame/functions";
import { DataFrameReader } from "../../src/frame/reader";
import { RuntimeConfig } from "../../src/session/configuration";
import type { Session } from "../../src/session/session";
import { validate } from "../../src/session/validate";
import { type Storages, storages, storagesFrom, urlOf } from "../../src/storage";
import { runTask } from "../../src/worker/run-task";
import { remoteError } from "../../src/worker/task-errors";
import { workerFiles } from "../../src/worker/worker-files";
import { type MemoryStorage, memoryStorage, namesIn } from "../support/memory-storage";

/** Workers in this process: a thread would not see the store. */
function workersHere(count: number, table: Storages): WorkerPool {
  const workers = Array.from({ length: count }, (_, i): TaskWorker => {
    const functions = new Map();
    return {
      name: `here-${i + 1}`,
      beats: true,
      async run(task, signal, listener) {
        const worker: WorkerContext = { signal, log: listener.onLog, ...workerFiles(table) };
        try {
          return await runTask(JSON.parse(JSON.stringify(task)), worker, table, functions, listener.onProgress);
        } catch (error) {
          throw new AttemptFailedError(remoteError(error));
        }
      },
    };
  });
  return {
    parallelism: count,
    workers,
    watch(listener) {
      for (const worker of workers) listener.joined(worker);
      return () => {};
    },
    start() {},
    prepare() {},
    forget() {},
    close: async () => {},
  };
}

let store: MemoryStorage;
let engine: Engine;
let folder: string;
const out = urlOf("memory://bucket/out");

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "pomona-object-storage-"));
  store = memoryStorage();
  const table = storages({ memory: store, file: storagesFrom().for(urlOf(folder)) });
  const conf = new RuntimeConfig();
  engine = driver({
    master: "here[2]",
    about: { name: "here", version: "1" },
    conf: (key) => conf.get(key),
    workers: workersHere(2, table),
    storages: table,
    openSpool: () => openSpool(folder),
    openRelational: (temporaryFolder) => duckdbRelational({ memoryLimit: "256MB", threads: 1, temporaryFolder }),
  });
});
afterAll(async () => {
  await engine.close();
  rmSync(folder, { recursive: true });
});

/** What `validate` needs of a session. */
const session = () => ({ runtime: engine, read: new DataFrameReader(engine) }) as unknown as Session;

describe("a job whose data is on object storage", () => {
  const lut = ["apple", "pear"];
  const label = udf((id: number) => lut[id % 2]!, { returns: "string", broadcast: { lut } });
  const features = udf((id: number) => [id, id + 0.5], { returns: "array<float>" });
  const range = () => new DataFrame({ op: "range", start: "0", end: "100", step: "1" }, engine);
  const data = () =>
    range()
      .repartition(4)
      .select(col("id").cast("string").alias("path"), label("id").alias("label"), features("id").alias("features"));

  it("writes parts through uploads, all at once, and reads and validates them", async () => {
    await data().write.parquet(out);
    const names = namesIn(store, out);
    expect(names.map((name) => name.replace(/-[0-9a-f-]{36}-/, "-"))).toEqual([
      "_SUCCESS",
      ...[0, 1, 2, 3].map((i) => `part-0000${i}-c000.snappy.parquet`),
    ]);
    expect(store.uploads.size).toBe(0);
    expect([...store.objects.keys()].filter((url) => url.includes("_temporary"))).toEqual([]);
    const report = await validate(session(), out, { rows: 100, dimension: 2 });
    expect(report.problems).toEqual([]);
    expect(report).toMatchObject({ ok: true, rows: 100, files: 4, success: true });
  });

  it("maps what is there by a user's function, and writes that", async () => {
    const upper = udf((text: string) => text.toUpperCase(), { returns: "string" });
    const read = session().read.parquet(out);
    const brought = vi.spyOn(store, "readStream");
    await read.select(upper("label").alias("label")).write.mode("overwrite").json("memory://bucket/json");
    // Workers read what they need where it is; for DuckDB it is brought here.
    expect(brought).not.toHaveBeenCalled();
    const counted = await read.groupBy("label").count().orderBy("label").collect();
    expect(counted).toEqual([
      { label: "apple", count: 50 },
      { label: "pear", count: 50 },
    ]);
    expect(brought).toHaveBeenCalledTimes(4);
    brought.mockRestore();
    const again = session().read.json("memory://bucket/json");
    expect(await again.groupBy("label").count().orderBy("label").collect()).toEqual([
      { label: "APPLE", count: 50 },
      { label: "PEAR", count: 50 },
    ]);
  });

  it("replaces at its commit, and leaves everything as it was where it fails", async () => {
    const before = namesIn(store, out);
    const bad = udf(
      (id: number) => {
        if (id === 77) throw new TypeError("no such fruit");
        return [id];
      },
      { returns: "array<float>" },
    );
    const write = range().repartition(4).select(bad("id").alias("features")).write.mode("overwrite");
    await expect(write.parquet(out)).rejects.toThrow("no such fruit");
    expect(namesIn(store, out)).toEqual(before);
    expect(store.uploads.size).toBe(0);
    await data().filter(col("label").eq("pear")).write.mode("overwrite").parquet(out);
    expect((await validate(session(), out, { rows: 50 })).problems).toEqual([]);
  });
});
