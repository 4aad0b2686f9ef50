import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Table } from "apache-arrow";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DriverContext } from "../../src/data/batch-function";
import { parseSchema } from "../../src/frame/ddl";
import { col, udf } from "../../src/frame/functions";
import { mobileNetV2 } from "../../src/models";
import type { ArrowTask } from "../../src/worker/arrow-program";
import type { FromWorker, Step, Task } from "../../src/worker/task";
import { localFile } from "../support/local-file";
import { REFERENCE } from "../support/reference";
import { startS3 } from "../support/s3-server";

/** The built package: both run what is shipped. */
const dist = (path: string) => require(join(__dirname, "../../dist", path));
const { preparedSteps } = dist("engine/stage") as typeof import("../../src/engine/stage");
const { shipping } = dist("engine/shipping") as typeof import("../../src/engine/shipping");
const { openSpool } = dist("engine/spool") as typeof import("../../src/engine/spool");
const { workerFiles } = dist("worker/worker-files") as typeof import("../../src/worker/worker-files");
const { runTask } = dist("worker/run-task") as typeof import("../../src/worker/run-task");
const { batchFromColumns, vectorFromValues } = dist("data/vectors") as typeof import("../../src/data/vectors");
const { readParquetBatches, writeParquetFile } = dist("parquet") as typeof import("../../src/parquet");
const { storagesFrom, urlOf } = dist("storage/index") as typeof import("../../src/storage");

/** The copy that the built package has. */
const arrow = require("apache-arrow") as typeof import("apache-arrow");
const { RecordBatchReader, tableToIPC } = arrow;

const PROGRAM = join(__dirname, "../../dist/worker/arrow-program.js");
const WEIGHTS = join(REFERENCE, "models", "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5");
const SCHEMA = parseSchema("path string, features array<float>");

let folder: string;
const spool = openSpool();
const { ship } = shipping(urlOf(spool.folder), storagesFrom(), () => {});
const driver: DriverContext = { log: () => {}, ship };
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "pomona-arrow-"));
});
afterAll(() => spool.close());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a column of a worker's function is in a task. */
function step(
  column: { readonly expression: unknown },
  args: string[],
  as: string,
  type: Step & { kind: "column" },
): Step {
  const { fn } = column.expression as { readonly fn: (typeof type)["fn"] };
  return { ...type, fn, args, as };
}

async function program(task: ArrowTask, input: Uint8Array, env: Readonly<Record<string, string>> = {}) {
  const file = join(folder, "task.json");
  writeFileSync(file, JSON.stringify(task));
  const child = spawn(process.execPath, [PROGRAM, file], {
    env: { ...process.env, ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const told: string[] = [];
  child.stderr.setEncoding("utf8").on("data", (text: string) => told.push(text));
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  child.stdin.on("error", () => {}).end(input);
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout) chunks.push(chunk as Buffer);
  const code = await ended;
  const messages = told
    .join("")
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as FromWorker);
  return { code, messages, output: Buffer.concat(chunks) };
}

describe("the program beside a process that has the rows", () => {
  it("gives the same columns as a task, 300 images' features bit for bit", async () => {
    const images = join(REFERENCE, "data", "fruits-360");
    const paths = readdirSync(images, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".jpg"))
      .sort()
      .map((name) => `file:${join(images, name)}`);
    const every = Math.max(1, Math.floor(paths.length / 300));
    const chosen = paths.filter((_, i) => i % every === 0).slice(0, 300);
    expect(chosen.length).toBeGreaterThanOrEqual(Math.min(300, paths.length));
    const content = { kind: "builtin", name: "binaryFile.content", params: {} } as const;
    const base = {
      kind: "column",
      fn: content,
      args: ["path"],
      as: "content",
      type: "binary",
      rowName: "path",
    } as const;
    const { fields } = SCHEMA;
    const steps: Step[] = [
      base,
      step(mobileNetV2({ weights: WEIGHTS })(col("content")), ["content"], "features", {
        ...base,
        type: fields[1]!.type,
      }),
      {
        kind: "select",
        columns: [
          { from: "path", as: "path" },
          { from: "features", as: "features" },
        ],
      },
    ];
    const prepared = await preparedSteps(steps, driver);
    const rows = pathsTable(chosen);

    const input = join(folder, "input.parquet");
    await writeParquetFile(
      localFile(input),
      (async function* () {
        yield* rows.batches;
      })(),
      { schema: parseSchema("path string") },
    );
    const task: Task = {
      jobId: "test",
      stageId: 0,
      partition: 0,
      attempt: 0,
      batchSize: 16,
      input: { files: [{ url: urlOf(input) }], columns: ["path"], firstRow: 0 },
      steps: prepared.steps,
      output: { url: urlOf(join(folder, "output.parquet")), schema: SCHEMA, compression: "snappy", metadata: {} },
    };
    const context = {
      log: () => {},
      ...workerFiles(storagesFrom()),
      signal: new AbortController().signal,
    };
    const result = await runTask(task, context, storagesFrom(), new Map(), () => {});
    const expected: unknown[][] = [];
    for await (const batch of readParquetBatches(localFile(task.output.url)))
      expected.push(...valuesOf(batch as never));

    const run = await program(
      { partition: 0, firstRow: 0, steps: prepared.steps, schema: SCHEMA, batchSize: 16 },
      tableToIPC(rows, "stream"),
    );
    expect(run.code).toBe(0);
    const found: unknown[][] = [];
    for (const batch of RecordBatchReader.from(run.output)) found.push(...valuesOf(batch as never));
    expect(result.rows).toBe(chosen.length);
    expect(found).toEqual(expected);
    expect(run.messages.at(-1)).toMatchObject({ type: "done", result: { rows: chosen.length, failedRows: 0 } });
    expect(run.messages.some((m) => m.type === "progress")).toBe(true);
  }, 300_000);

  it("gives an empty stream of the declared columns for no rows", async () => {
    const select: Step = { kind: "select", columns: [{ from: "path", as: "path" }] };
    const schema = parseSchema("path string");
    const run = await program(
      { partition: 0, firstRow: 0, steps: [select], schema, batchSize: 16 },
      tableToIPC(pathsTable([]), "stream"),
    );
    expect(run.code).toBe(0);
    const reader = RecordBatchReader.from(run.output).open();
    expect(reader.schema.fields.map((f) => `${f.name}: ${f.type}`)).toEqual(["path: Utf8"]);
  }, 60_000);

  it("reads from S3 by the settings of its environment, which a user's function does not see", async () => {
    const server = await startS3({ buckets: ["fruits"] });
    try {
      await server.put("fruits/a b.txt", "apple");
      const text = udf((content: Uint8Array) => `${Buffer.from(content)} ${process.env.POMONA_STORAGE}`, {
        returns: "string",
      });
      const content = { kind: "builtin", name: "binaryFile.content", params: {} } as const;
      const base = {
        kind: "column",
        fn: content,
        args: ["path"],
        as: "content",
        type: "binary",
        rowName: "path",
      } as const;
      const steps = [base, step(text(col("content")), ["content"], "out", { ...base, type: "string" })];
      const { steps: prepared } = await preparedSteps(steps, driver);
      const select: Step = { kind: "select", columns: ["path", "out"].map((name) => ({ from: name, as: name })) };
      const schema = parseSchema("path string, out string");
      const task = { partition: 0, firstRow: 0, steps: [...prepared, select], schema, batchSize: 16 };
      const input = tableToIPC(pathsTable(["s3://fruits/a b.txt"]), "stream");
      const run = await program(task, input, { POMONA_STORAGE: JSON.stringify(server.settings) });
      expect(run.code, JSON.stringify(run.messages)).toBe(0);
      const [batch] = [...RecordBatchReader.from(run.output)];
      expect(batch?.getChildAt(1)?.get(0)).toBe("apple undefined");
      expect(JSON.stringify(run.messages)).not.toContain(server.secretKey);
    } finally {
      await server.stop();
    }
  }, 60_000);

  it("tells what a user's function throws, with the row's number, and fails", async () => {
    const fails = udf(
      (path: string) => {
        if (path === "b") throw new RangeError("no b");
        return path;
      },
      { returns: "string" },
    );
    const base = {
      kind: "column",
      fn: { kind: "builtin", name: "", params: {} },
      args: [],
      as: "",
      type: "string",
    } as const;
    const steps = [step(fails(col("path")), ["path"], "out", base as never)];
    const { steps: prepared } = await preparedSteps(steps, driver);
    const run = await program(
      { partition: 3, firstRow: 40, steps: prepared, schema: parseSchema("path string, out string"), batchSize: 16 },
      tableToIPC(pathsTable(["a", "b"]), "stream"),
    );
    expect(run.code).toBe(1);
    expect(run.messages.at(-1)).toMatchObject({
      type: "failed",
      error: {
        name: expect.stringMatching(/UserFunctionError|RangeError/),
        message: expect.stringContaining("row 41"),
      },
    });
  }, 60_000);
});

function pathsTable(paths: readonly string[]): Table {
  return new arrow.Table([batchFromColumns([{ name: "path", vector: vectorFromValues(paths, "string") }])]);
}

/** A batch's rows, floats as the bits they are. */
function valuesOf(batch: { readonly numRows: number; getChildAt(i: number): { get(row: number): unknown } | null }) {
  return Array.from({ length: batch.numRows }, (_, row) => [
    batch.getChildAt(0)?.get(row),
    Buffer.from(Float32Array.from(batch.getChildAt(1)?.get(row) as Iterable<number>).buffer).toString("hex"),
  ]);
}
