import { EventEmitter } from "node:events";
import { afterAll, expect, it, vi } from "vitest";
import { storageSettings } from "../../src/storage";

const { started } = vi.hoisted(() => ({ started: [] as unknown[] }));
vi.mock("node:worker_threads", async (original) => ({
  ...(await original<typeof import("node:worker_threads")>()),
  Worker: class extends EventEmitter {
    constructor(_file: string, { workerData }: { workerData: unknown }) {
      super();
      started.push(workerData);
    }
    ref() {}
    unref() {}
    postMessage({ type }: { type: string }) {
      if (type === "close") this.emit("exit", 0);
    }
  },
}));
const { Session } = await import("../../src/session/session");

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
