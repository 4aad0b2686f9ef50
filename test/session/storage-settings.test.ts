import { EventEmitter } from "node:events";
import { syncBuiltinESMExports } from "node:module";
import workerThreads from "node:worker_threads";
import { afterAll, expect, it, vi } from "vitest";
import { Session } from "../../src/session/session";
import { storageSettings } from "../../src/storage";

const started: unknown[] = [];

/** Takes the place of a thread: keeps what it is started with. */
class Started extends EventEmitter {
  constructor(_file: string, { workerData }: { workerData: unknown }) {
    super();
    started.push(workerData);
  }
  ref() {}
  unref() {}
  postMessage({ type }: { type: string }) {
    if (type === "close") this.emit("exit", 0);
  }
}
const { Worker } = workerThreads;
Object.assign(workerThreads, { Worker: Started });
syncBuiltinESMExports();
afterAll(() => {
  Object.assign(workerThreads, { Worker });
  syncBuiltinESMExports();
});

const said = vi.spyOn(console, "warn").mockImplementation(() => {});
afterAll(() => said.mockRestore());

it("are Hadoop's among a session's settings, by their own names", () => {
  expect(
    storageSettings({
      "spark.hadoop.fs.s3a.endpoint": "http://minio:9000",
      "fs.s3a.path.style.access": "true",
      "fs.unset": undefined,
      "spark.hadoop.mapreduce.x": "1",
      "spark.app.name": "fs.app",
    }),
  ).toEqual({ "fs.s3a.endpoint": "http://minio:9000", "fs.s3a.path.style.access": "true" });
});

it("go to the worker threads with the start of each", async () => {
  const session = await Session.builder()
    .master("local[2]")
    .config("pomona.progress", "off")
    .config("spark.hadoop.fs.s3a.endpoint", "http://minio:9000")
    .getOrCreate();
  await expect(session.read.parquet("/no/such").write.parquet("/no/such/either")).rejects.toThrow();
  const one = { storage: { "fs.s3a.endpoint": "http://minio:9000" } };
  expect(started).toEqual([one, one]);
  await session.stop();
});
