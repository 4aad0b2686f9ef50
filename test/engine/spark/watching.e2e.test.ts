import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { Session } from "pomona";
import { col, count, lit, udf } from "pomona/functions";
import { JUPYTER_DISPLAY } from "pomona/kernel";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { startKernel } from "../../support/kernel";
import { type SparkServer, sparkServer } from "../../support/spark";

let server: SparkServer;
let session: Session;
const folder = mkdtempSync(join(tmpdir(), "pomona-watching-"));

const rows = (count = 1000) => session.range(0, count).repartition(4);
const slow = udf(
  (n: bigint | number) => {
    const until = Date.now() + 10;
    while (Date.now() < until);
    return Number(n);
  },
  { returns: "double" },
);

beforeAll(async () => {
  server = await sparkServer("local");
  session = await Session.builder()
    .master(server.url)
    .config({ "pomona.progress": "off", "pomona.history.dir": join(folder, "history") })
    .getOrCreate();
});
afterAll(async () => {
  await session.stop();
  rmSync(folder, { recursive: true, force: true });
});

it("tells of a write's stages by Spark's numbers, all of their tasks and rows", async () => {
  await rows().select(slow("id").alias("n")).write.parquet(join(folder, "out"));
  const [job] = session.history();
  expect(job).toMatchObject({ description: `write parquet file:${join(folder, "out")}`, status: "succeeded" });
  expect(job?.stages.length).toBeGreaterThan(0);
  for (const { name, stageId, tasks, tasksDone, status } of job?.stages ?? []) {
    expect(name).toMatch(new RegExp(`\\(stage ${stageId}\\)$`));
    expect([status, tasksDone]).toEqual(["succeeded", tasks]);
  }
  expect(Math.max(...(job?.stages ?? []).map((stage) => stage.rows))).toBe(1000);
  // What came out stands last, as `%%info` tells it.
  expect(job?.stages.at(-1)?.rows).toBe(1000);
  // Spark's own page has stages of these numbers.
  const numbers = job?.stages.map(({ stageId }) => stageId);
  expect(numbers).toEqual([...(numbers ?? [])].sort((a, b) => a - b));
  const { applicationId } = session;
  const told = (await (await fetch(`${server.pages.ui}/api/v1/applications/${applicationId}/stages`)).json()) as {
    readonly stageId: number;
  }[];
  expect(told.map(({ stageId }) => stageId)).toEqual(expect.arrayContaining(numbers ?? []));
});

it("tells of a job of 2,000 tasks now and then, and of all of them at its end", async () => {
  const events: { readonly type: string }[] = [];
  const end = session.onEvent((event) => events.push(event));
  await rows(2000).repartition(2000).agg(count("*")).write.mode("overwrite").json(join(folder, "many"));
  end();
  const stages = session.history().at(-1)?.stages ?? [];
  expect(stages.map(({ tasks }) => tasks)).toContain(2000);
  for (const { tasks, tasksDone, status } of stages) expect([status, tasksDone]).toEqual(["succeeded", tasks]);
  expect(events.length).toBeLessThan(500);
});

it("shows executors with what they have done, and takes no endpoints", async () => {
  await vi.waitFor(() => expect(session.workers()[0]?.done).toBeGreaterThan(0), { timeout: 120_000 });
  expect(session.workers()).toMatchObject([{ state: "ready", slots: 2, memory: undefined, problem: undefined }]);
  expect(session.uiWebUrl).toBe(server.pages.ui);
  await expect(session.addEndpoint("http://127.0.0.1:1")).rejects.toThrow(/work done by Spark's executors/);
});

it("tells of a job that failed and of one that was stopped, and goes on", async () => {
  const failing = udf(
    (n: bigint | number, told: string) => {
      const { existsSync } = require("node:fs") as typeof import("node:fs");
      if (Number(n) !== 700) return 1;
      while (!existsSync(told)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
      throw new RangeError("no such fruit");
    },
    { returns: "int" },
  );
  const told = join(folder, "told");
  const failure = expect(
    rows()
      .select(failing(col("id"), lit(told)))
      .collect(),
  ).rejects.toThrow(/no such fruit/);
  // Spark tells of a stage every few seconds: this one fails when its other three tasks are told of.
  await expect
    .poll(() => session.history().at(-1)?.stages)
    .toContainEqual(expect.objectContaining({ tasks: 4, tasksDone: 3 }));
  writeFileSync(told, "");
  await failure;
  const failed = session.history().at(-1);
  expect(failed).toMatchObject({ status: "failed", error: expect.stringContaining("no such fruit") });
  // Spark counts attempts that failed among a stage's tasks that are done.
  const broken = failed?.stages.filter(({ status }) => status === "failed") ?? [];
  expect(broken.length).toBeGreaterThan(0);
  for (const { tasksDone, tasks } of broken) expect(tasksDone).toBeLessThan(tasks);

  // Shown is what happened, not what the connection's headers hold.
  const refused = await session
    .sql("SELECT * FROM nowhere")
    .collect()
    .then(String, (error: unknown) => inspect(error));
  expect(refused).toMatch(/TABLE_OR_VIEW_NOT_FOUND/);
  expect(refused).not.toMatch(/grpc-status|rawMessage/);

  const stopped = rows(100_000).select(slow("id")).collect();
  const jobs = session.history().length;
  const ended = expect(stopped).rejects.toMatchObject({ name: "CancelledError" });
  await vi.waitFor(() => expect(session.history()[jobs]?.stages.length).toBeGreaterThan(0), { timeout: 120_000 });
  await session.interruptAll();
  await ended;
  const job = session.history().at(-1);
  expect(job?.status).toBe("cancelled");
  for (const { status } of job?.stages ?? []) expect(["succeeded", "cancelled"]).toContain(status);
  expect(await rows().count()).toBe(1000);
});

it("keeps a record whose report has the stages, and leads to Spark's page for the tasks", async () => {
  const report = await session.report(join(folder, "run.html"));
  const text = report[JUPYTER_DISPLAY]()["text/plain"];
  const html = readFileSync(join(folder, "run.html"), "utf8");
  expect(html).toContain(`<a href="${server.pages.ui}">`);
  expect(html).toMatch(/Spark ran the tasks/);
  expect(html).not.toMatch(/No task|No worker/);
  expect(text).not.toMatch(/\b0 (?:tasks|rows)/);
  const [first] = session.history();
  for (const { stageId } of first?.stages ?? []) expect(html).toContain(`(stage ${stageId})`);
});

it("a notebook's table of a session becomes that of the ready one where the first job connects it, in whichever cell", async () => {
  const kernel = await startKernel({ cwd: folder });
  try {
    const run = async (code: string) => {
      const { reply, outputs } = await kernel.execute(code, { timeout: 120_000 });
      expect(reply.content).toMatchObject({ status: "ok" });
      return outputs;
    };
    await run(`%%configure\n${JSON.stringify({ conf: { "spark.master": server.url } })}`);
    const [shown] = await run("session");
    expect(shown).toMatchObject({
      type: "display_data",
      content: { data: { "text/plain": expect.stringMatching(/^State +starting$/m) } },
    });
    const updated = (await run("await session.range(3).count()")).find(({ type }) => type === "update_display_data");
    expect(updated?.content).toMatchObject({ transient: shown?.content.transient });
    const { "text/plain": text } = (updated?.content.data ?? {}) as Record<string, string>;
    expect(text).toMatch(/^State +idle$/m);
    expect(text).toMatch(/^Spark +4\.0\.2$/m);
    const later = await run("await session.range(4).count()");
    expect(later.filter(({ type }) => type === "update_display_data")).toEqual([]);
  } finally {
    await kernel.stop();
  }
});
