import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Table } from "apache-arrow";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DriverContext } from "../../src/data/batch-function";
import { parseSchema } from "../../src/frame/ddl";
import { col, udf } from "../../src/frame/functions";
import { mobileNetV2 } from "../../src/models";
import type { Step, Task } from "../../src/worker/task";
import { PROGRAM, type Program, startProgram } from "../support/arrow-program";
import { localFile } from "../support/local-file";
import { REFERENCE } from "../support/reference";

/** The built package: both run what is shipped. */
const dist = (path: string) => require(join(__dirname, "../../dist", path));
const { preparedSteps } = dist("engine/prepared-steps") as typeof import("../../src/engine/prepared-steps");
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

const WEIGHTS = join(REFERENCE, "models", "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5");
const SCHEMA = parseSchema("path string, features array<float>");

/** What every step of these tests is, but for what it says of itself. */
const BASE = {
  kind: "column",
  fn: { kind: "builtin", name: "", params: {} },
  args: [],
  as: "",
  type: "string",
  rowName: "path",
} as Step & { kind: "column" };

const counts = udf(
  (path: string) => {
    const kept = globalThis as { counted?: number };
    kept.counted = (kept.counted ?? 0) + 1;
    console.log(`counting ${path}`);
    process.stdout.write(`printed ${path}\n`);
    return `${path} ${kept.counted}`;
  },
  { returns: "string" },
);

let folder: string;
const spool = openSpool();
const { ship } = shipping(urlOf(spool.folder), storagesFrom(), () => {});
const driver: DriverContext = { log: () => {}, ship };
const programs: Program[] = [];
const start = (options?: Parameters<typeof startProgram>[0]) => {
  const program = startProgram(options);
  programs.push(program);
  return program;
};
afterAll(() => programs.forEach(({ child }) => void child.kill("SIGKILL")));
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

describe("the program beside a process that has the rows", () => {
  it("gives the same columns as a task, 300 images' features bit for bit, and by WebAssembly where there are no native packages", async () => {
    const chosen = someImages(300);
    const { fields } = SCHEMA;
    const featureStep = (options: object) =>
      step(mobileNetV2({ weights: WEIGHTS, ...options })(col("content")), ["content"], "features", {
        ...BASE,
        type: fields[1]!.type,
      });
    const selected: Step = { kind: "select", columns: ["path", "features"].map((name) => ({ from: name, as: name })) };
    const content: Step = {
      ...BASE,
      fn: { kind: "builtin", name: "binaryFile.content", params: {} },
      args: ["path"],
      as: "content",
    };
    const prepared = await preparedSteps([content, featureStep({}), selected], driver);

    const input = join(folder, "input.parquet");
    await writeParquetFile(
      localFile(input),
      (async function* () {
        yield* pathsTable(chosen).batches;
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
    const context = { log: () => {}, ...workerFiles(storagesFrom()), signal: new AbortController().signal };
    await runTask(task, context, storagesFrom(), new Map(), () => {});
    const expected: Row[] = [];
    for await (const batch of readParquetBatches(localFile(task.output.url))) expected.push(...rowsOf(batch as never));

    const rows = tableToIPC(imagesTable(chosen), "stream");
    const program = start();
    const steps = shippedHere(prepared.steps.slice(1));
    const run = await program.run({ steps, schema: SCHEMA, shipped: folder }, rows);
    expect(run.end, program.said()).toEqual({ rowsIn: chosen.length, rows: chosen.length, failedRows: 0 });
    const found = [...RecordBatchReader.from(run.output)].flatMap((batch) => rowsOf(batch as never));
    expect(found.map(bitsOf)).toEqual(expected.map(bitsOf));

    // As it lies on an executor: nothing of this checkout around it.
    const alone = mkdtempSync(join(tmpdir(), "pomona-alone-"));
    try {
      cpSync(dirname(PROGRAM), alone, { recursive: true });
      const wasm = await preparedSteps([featureStep({}), selected], { ...driver, hasNatives: async () => false });
      const file = join(alone, "program.cjs");
      const away = start({ file, env: { NODE_PATH: join(alone, "packages") } });
      const few = chosen.slice(0, 20);
      const again = await away.run(
        { steps: shippedHere(wasm.steps), schema: SCHEMA, shipped: folder },
        tableToIPC(imagesTable(few), "stream"),
      );
      expect(again.end, away.said()).toMatchObject({ rows: few.length });
      const close = [...RecordBatchReader.from(again.output)].flatMap((batch) => rowsOf(batch as never));
      few.forEach((path, i) => {
        expect(close[i]!.path).toBe(path);
        close[i]!.features.forEach(
          (value, at) => void expect(Math.abs(value - expected[i]!.features[at]!)).toBeLessThan(1e-4),
        );
      });
    } finally {
      rmSync(alone, { recursive: true, force: true });
    }
  }, 300_000);

  it("does task after task with functions that stay set up, and ends with its input", async () => {
    const { steps } = await preparedSteps([step(counts(col("path")), ["path"], "out", BASE)], driver);
    const program = start();
    const schema = parseSchema("path string, out string");
    const outputs: unknown[] = [];
    for (const paths of [["a", "b"], [], ["c"]]) {
      const { output, end } = await program.run({ steps, schema }, tableToIPC(pathsTable(paths), "stream"));
      expect(end).toEqual({ rowsIn: paths.length, rows: paths.length, failedRows: 0 });
      const reader = RecordBatchReader.from(output).open();
      expect(reader.schema.fields.map((f) => `${f.name}: ${f.type}`)).toEqual(["path: Utf8", "out: Utf8"]);
      for (const batch of reader) outputs.push(...(batch.getChildAt(1) ?? []));
    }
    expect(outputs).toEqual(["a 1", "b 2", "c 3"]);
    // What anybody prints is no part of the output.
    expect(program.said()).toContain("info counting a");
    expect(program.said()).toContain("printed b");
    expect(await program.close()).toBe(0);
  });

  it("tells what a user's function throws, with the task and the row's number, and ends", async () => {
    const fails = udf(
      (path: string) => {
        if (path === "b") throw new RangeError("no b");
        return path;
      },
      { returns: "string" },
    );
    const { steps } = await preparedSteps([step(fails(col("path")), ["path"], "out", BASE)], driver);
    const program = start();
    const schema = parseSchema("path string, out string");
    const run = await program.run({ partition: 3, steps, schema }, tableToIPC(pathsTable(["a", "b"]), "stream"));
    expect(run.end).toMatchObject({
      error: {
        name: "UserFunctionError",
        message: expect.stringContaining("row 1 of the input of task 3"),
        retryable: false,
      },
    });
    expect(await program.close()).toBe(0);
  });

  it("does no task of another version's, and none that its columns do not fit", async () => {
    const select: Step = { kind: "select", columns: [{ from: "path", as: "path" }] };
    const other = await start().run(
      { version: "9.9.9", steps: [select], schema: parseSchema("path string") },
      new Uint8Array(),
    );
    expect(other.end).toMatchObject({
      error: { name: "ProgramVersionError", message: expect.stringContaining("9.9.9") },
    });
    const misfit = await start().run(
      { steps: [select], schema: parseSchema("path int") },
      tableToIPC(pathsTable(["a"]), "stream"),
    );
    expect(misfit.end).toMatchObject({
      error: { message: "The steps made Utf8 for the column path, which is Int32." },
    });
  });

  it("takes no more than a few batches while nobody takes what it gives", async () => {
    const select: Step = { kind: "select", columns: [{ from: "path", as: "path" }] };
    const program = start();
    const [batch] = pathsTable(Array.from({ length: 1000 }, () => "x".repeat(1000))).batches;
    const input = tableToIPC(new arrow.Table(Array.from({ length: 60 }, () => batch!)), "stream");
    const task = { batchSize: 1000, steps: [select], schema: parseSchema("path string") };
    const written = program.begin(task, input);
    const everything = written.then(() => "everything");
    expect(await Promise.race([everything, setTimeout(3000, "some of it")])).toBe("some of it");
    expect(await program.result()).toMatchObject({ end: { rowsIn: 60_000, rows: 60_000 } });
    await written;
  });
});

/** As an executor has them: by their hash, in one folder. */
function shippedHere(steps: readonly Step[]): Step[] {
  return JSON.parse(JSON.stringify(steps), (_, value: { url?: string; sha256?: string }) => {
    if (typeof value?.url !== "string" || value.sha256 === undefined) return value;
    cpSync(fileURLToPath(value.url), join(folder, value.sha256));
    return { ...value, url: `spark-files:${value.sha256}` };
  }) as Step[];
}

function someImages(count: number): string[] {
  const images = join(REFERENCE, "data", "fruits-360");
  const paths = readdirSync(images, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".jpg"))
    .sort()
    .map((name) => `file:${join(images, name)}`);
  const every = Math.max(1, Math.floor(paths.length / count));
  const chosen = paths.filter((_, i) => i % every === 0).slice(0, count);
  expect(chosen.length).toBeGreaterThanOrEqual(Math.min(count, paths.length));
  return chosen;
}

function pathsTable(paths: readonly string[]): Table {
  return new arrow.Table([batchFromColumns([{ name: "path", vector: vectorFromValues(paths, "string") }])]);
}

function imagesTable(paths: readonly string[]): Table {
  const contents = paths.map((path) => readFileSync(path.slice("file:".length)));
  return new arrow.Table([
    batchFromColumns([
      { name: "path", vector: vectorFromValues(paths, "string") },
      { name: "content", vector: vectorFromValues(contents, "binary") },
    ]),
  ]);
}

interface Row {
  readonly path: unknown;
  readonly features: Float32Array;
}

function rowsOf(batch: {
  readonly numRows: number;
  getChildAt(i: number): { get(row: number): unknown } | null;
}): Row[] {
  return Array.from({ length: batch.numRows }, (_, row) => ({
    path: batch.getChildAt(0)?.get(row),
    features: Float32Array.from(batch.getChildAt(1)?.get(row) as Iterable<number>),
  }));
}

const bitsOf = ({ path, features }: Row) => [path, Buffer.from(features.buffer).toString("hex")];
