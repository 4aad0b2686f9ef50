import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { SparkClient } from "../../../src/engine/spark/client";
import { SparkSessionLostError } from "../../../src/engine/spark/errors";
import { type SparkServer, sparkServer, startSpark, stopSpark } from "../../support/spark";
import { client, ENDLESS, failure, jobsOf, networkTo, rows, stops } from "./connect-clients";

/** Longer than the first query of a server on a machine that does much else. */
const SHORT_SESSIONS = {
  "spark.connect.session.manager.defaultSessionTimeout": "25s",
  "spark.connect.session.manager.maintenanceInterval": "1s",
};

let server: SparkServer;
const conf = { "spark.driver.memory": "3g" };
beforeAll(async () => {
  server = await startSpark("local", { conf });
});
afterAll(() => stopSpark(server));

test("a row of 200 MB arrives", async () => {
  const folder = mkdtempSync(join(tmpdir(), "pomona-spark-"));
  stops.push(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "large.bin");
  writeFileSync(file, new Uint8Array(200_000_000).fill(7, 199_999_999));
  const [row] = await rows(client(server.url), `select content from binaryFile.\`${file}\``);
  const content = row!.content as Uint8Array;
  expect([content.byteLength, content[0], content.at(-1)]).toEqual([200_000_000, 0, 7]);
});

test("a server that is started anew: what ran is told to be lost, the next use works", async () => {
  const retried: string[] = [];
  const made = client(server.url, { onRetry: (why) => retried.push(why) });
  const first = made.sessionId;
  const operationId = crypto.randomUUID();
  const running = failure(rows(made, ENDLESS, { operationId }));
  await expect.poll(() => jobsOf(server.pages.ui!, operationId)).toMatchObject([{ status: "RUNNING" }]);
  for (const { role, pid } of server.processes) if (role === "server") process.kill(pid, "SIGKILL");
  await stopSpark(server);
  server = await startSpark("local", { conf: { ...conf, ...SHORT_SESSIONS }, args: ["--port", String(server.port)] });
  const lost = await running;
  expect(lost).toBeInstanceOf(SparkSessionLostError);
  expect(lost).toMatchObject({ sessionId: first });
  expect(retried.join()).toMatch(/ECONNREFUSED/);
  expect(await rows(made, "select 1 as a")).toEqual([{ a: 1 }]);
  expect(made.sessionId).not.toBe(first);
});

test.concurrent("a session that was idle for too long is told, and the next use starts a new one with its settings and files", async () => {
  const prepared: string[] = [];
  const made: SparkClient = client(server.url, {
    onNewSession: async (session) => {
      prepared.push(made.sessionId);
      await session.setConfig({ "spark.sql.shuffle.partitions": "3" });
    },
  });
  await made.addArtifact("files/kept-1.txt", new Uint8Array([1]));
  const first = made.sessionId;
  await expect
    .poll(() => readFileSync(join(server.folder, "logs", "server-0.log"), "utf8"))
    .toMatch(new RegExp(`(?:expired|closing|Closing).*${first}`, "i"));
  const lost = await failure(rows(made, "select 1 as a"));
  expect(lost).toBeInstanceOf(SparkSessionLostError);
  expect(lost).toMatchObject({ sessionId: first, errorClass: "INVALID_HANDLE.SESSION_CLOSED" });
  expect(await rows(made, "select 1 as a")).toEqual([{ a: 1 }]);
  expect([...(await made.getConfig(["spark.sql.shuffle.partitions"])).values()]).toEqual(["3"]);
  await made.addArtifact("files/kept-1.txt", new Uint8Array([1]));
  expect(prepared).toEqual([first, made.sessionId]);
  expect(made.sessionId).not.toBe(first);
});

test.concurrent("nothing any more: a network that swallows everything is noticed, and what ran there goes on", async () => {
  const network = await networkTo((await sparkServer("local")).url);
  const retried: string[] = [];
  const made = client(network.master, { onRetry: (why) => retried.push(why) });
  await made.version();
  network.cut();
  const counting = rows(made, "select count(*) as n from range(1000)");
  await expect.poll(() => retried.join()).toContain("nothing came for");
  network.restore();
  expect(await counting).toEqual([{ n: 1000n }]);
});
