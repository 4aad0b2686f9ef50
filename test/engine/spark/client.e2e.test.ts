import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { MessageTooLargeError, SparkConnectError } from "../../../src/engine/spark/errors";
import { runJob, sparkJob } from "../../../src/engine/spark/jobs";
import { sparkFacts } from "../../../src/engine/spark/watch";
import { CancelledError } from "../../../src/errors";
import { AnalysisError } from "../../../src/frame/analysis-error";
import { sparkServer } from "../../support/spark";
import { client, ENDLESS, failure, jobsOf, networkTo, rows, SLOW, sql, stops } from "./connect-clients";

const KINDS = [
  { version: "4.0", kind: "local" },
  { version: "3.5", kind: "3.5" },
] as const;

const writing = (query: string, path: string) => ({
  opType: {
    case: "command" as const,
    value: {
      commandType: {
        case: "writeOperation" as const,
        value: {
          input: sql(query).opType.value,
          source: "parquet",
          saveType: { case: "path" as const, value: path },
          mode: 2,
        },
      },
    },
  },
});

describe.each(KINDS)("Spark $version", ({ version, kind }) => {
  let master: string;
  let ui: string;
  beforeAll(async () => {
    const server = await sparkServer(kind);
    master = server.url;
    ui = server.pages.ui!;
  });

  test("rows, plans, settings and files", async () => {
    const made = client(master, {
      onNewSession: (session) => session.setConfig({ "spark.sql.shuffle.partitions": "3" }),
    });
    expect(await made.version()).toMatch(version === "4.0" ? /^4\.0\./ : /^3\.5\./);
    expect(await rows(made, "select id, id * 2 as twice from range(0, 4, 1, 2)")).toEqual(
      [0n, 1n, 2n, 3n].map((id) => ({ id, twice: id * 2n })),
    );
    const tree = await made.analyze({ case: "treeString", value: { plan: sql("select 1 as a") } });
    expect(tree).toMatchObject({
      case: "treeString",
      value: { treeString: "root\n |-- a: integer (nullable = false)\n" },
    });
    await made.setConfig({ "spark.sql.session.timeZone": "Asia/Tokyo" });
    expect([
      ...(await made.getConfig(["spark.sql.session.timeZone", "spark.sql.shuffle.partitions", "spark.nix"])),
    ]).toEqual([
      ["spark.sql.session.timeZone", "Asia/Tokyo"],
      ["spark.sql.shuffle.partitions", "3"],
      ["spark.nix", undefined],
    ]);
    const content = new Uint8Array(3 << 20).fill(7);
    await made.addArtifact("files/small-1.txt", content.subarray(0, 9));
    await Promise.all([made.addArtifact("files/large-1.bin", content), made.addArtifact("files/large-1.bin", content)]);
    await made.addArtifact("files/source-1.ts", { path: __filename });
    expect((await failure(made.addArtifact("files/none-1.ts", { path: "/nix/session/none.ts" }))).message).toBe(
      "/nix/session/none.ts, which Spark's executors need, can't be read: ENOENT.",
    );
  });

  test("what Spark can't compute is an analysis error, what fails has its class and its whole text", async () => {
    const made = client(master);
    const unknown = await failure(rows(made, "select nix from range(3)"));
    expect(unknown).toBeInstanceOf(AnalysisError);
    expect(unknown.message).toMatch(
      /^\[UNRESOLVED_COLUMN.WITH_SUGGESTION\] A .*name `nix` cannot be resolved. Did you mean .*\[`id`\]. \(line 1, pos 7\)$/,
    );
    expect(unknown).toMatchObject({
      errorClass: "UNRESOLVED_COLUMN.WITH_SUGGESTION",
      details: expect.stringContaining("'Project ['nix]"),
    });
    const syntax = await failure(made.analyze({ case: "schema", value: { plan: sql("selct 1") } }));
    expect(syntax).toBeInstanceOf(AnalysisError);
    expect(syntax).toMatchObject({ errorClass: "PARSE_SYNTAX_ERROR" });
    const raised = await failure(rows(made, "select raise_error(concat('boom ', id)) from range(1)"));
    expect(raised).toBeInstanceOf(SparkConnectError);
    expect(raised.message).toContain("boom 0");
    expect(raised.message).not.toMatch(/\n\tat |SQLSTATE/);
    expect(raised).toMatchObject({ details: expect.stringContaining("\tat ") });
    if (version === "4.0") expect(raised).toMatchObject({ errorClass: "USER_RAISED_EXCEPTION", sqlState: "P0001" });
  });

  test("a query whose stream drops again and again gives every row once", async () => {
    const network = await networkTo(master);
    const retried: string[] = [];
    const made = client(network.master, { onRetry: (why) => retried.push(why) });
    await made.version();
    network.dropEvery(1 << 20);
    const query = "select id, repeat(cast(id as string), 500) as text from range(0, 6000, 1, 60)";
    const ids = (await rows(made, query)).map(({ id, text }) => [Number(id), String(text)]);
    expect(ids).toEqual(Array.from({ length: 6000 }, (_, id) => [id, String(id).repeat(500)]));
    // Twelve million characters.
    expect(retried.length).toBeGreaterThan(5);
  });

  test("a write whose connection is cut in the middle is done once", async () => {
    const folder = mkdtempSync(join(tmpdir(), "pomona-spark-"));
    stops.push(() => rmSync(folder, { recursive: true, force: true }));
    const network = await networkTo(master);
    const made = client(network.master);
    await made.version();
    const operationId = crypto.randomUUID();
    const write = (async () => {
      for await (const _ of made.execute(writing(SLOW, join(folder, "out")), { operationId }));
    })();
    await expect.poll(() => jobsOf(ui, operationId)).toMatchObject([{ status: "RUNNING" }]);
    network.drop();
    await sleep(300);
    network.drop();
    await write;
    expect(await jobsOf(ui, operationId)).toMatchObject([{ status: "SUCCEEDED" }]);
    expect(readdirSync(join(folder, "out")).filter((name) => name.endsWith(".parquet"))).toHaveLength(60);
    expect(
      await rows(made, `select count(*) as n, count(distinct id) as d from parquet.\`${join(folder, "out")}\``),
    ).toEqual([{ n: 600n, d: 600n }]);
  });

  test("an aborted signal interrupts the operation there, and so does leaving the loop", async () => {
    const made = client(master);
    const aborting = new AbortController();
    const reason = new Error("enough of it");
    const operationId = crypto.randomUUID();
    const aborted = failure(rows(made, ENDLESS, { signal: aborting.signal, operationId }));
    await expect.poll(() => jobsOf(ui, operationId)).toMatchObject([{ status: "RUNNING" }]);
    aborting.abort(reason);
    expect(await aborted).toBe(reason);
    await expect.poll(() => jobsOf(ui, operationId)).toMatchObject([{ status: "FAILED" }]);

    const left = crypto.randomUUID();
    for await (const _ of made.execute(sql(ENDLESS), { operationId: left })) {
      await expect.poll(() => jobsOf(ui, left)).toMatchObject([{ status: "RUNNING" }]);
      break;
    }
    await expect.poll(() => jobsOf(ui, left)).toMatchObject([{ status: "FAILED" }]);

    const interrupted = crypto.randomUUID();
    const running = failure(rows(made, ENDLESS, { operationId: interrupted }));
    await expect.poll(() => jobsOf(ui, interrupted)).toMatchObject([{ status: "RUNNING" }]);
    await made.interrupt(interrupted);
    expect(await running).toBeInstanceOf(CancelledError);
    expect(await failure(rows(made, ENDLESS, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(await rows(made, "select 1 as a")).toEqual([{ a: 1 }]);
  });

  test("no job is left that Spark begins in the moment that its operation ends", async () => {
    const made = client(master);
    const facts = sparkFacts(() => undefined);
    await facts.learn(await made.version(), made);
    const left: string[] = [];
    for (let wait = 0; wait < 120; wait += 10) {
      const { signal } = new AbortController();
      const job = sparkJob({ description: "endless", isLong: false, signal, emit: () => undefined, facts });
      left.push(job.jobId);
      // The first response is the schema, before there is a job.
      for await (const _ of runJob(made, sql(ENDLESS), job, "")) {
        await sleep(wait);
        break;
      }
    }
    // What was to begin has begun.
    expect(await rows(made, "select sum(id) as n from range(10)")).toEqual([{ n: 45n }]);
    const statuses = async () => {
      const found: string[] = [];
      for (const operationId of left) found.push(...(await jobsOf(ui, operationId)).map(({ status }) => status));
      return found;
    };
    await expect.poll(statuses).not.toContain("RUNNING");
    await facts.close();
  });

  test("a plan above what the server takes is told with its size and limit", async () => {
    const made = client(master);
    const told = await failure(rows(made, `select length('${"x".repeat(140 << 20)}') as n`));
    expect(told).toBeInstanceOf(MessageTooLargeError);
    expect(told.message).toMatch(/^The plan of 140\.0 MiB is above the 128\.0 MiB that Spark takes in one message\.\n/);
    expect(told).toMatchObject({ limit: 128 << 20 });
    const plan = sql(`select '${"x".repeat(140 << 20)}' as n`);
    expect(await failure(made.analyze({ case: "schema", value: { plan } }))).toBeInstanceOf(MessageTooLargeError);
    expect(await rows(made, "select 1 as a")).toEqual([{ a: 1 }]);
  });
});
