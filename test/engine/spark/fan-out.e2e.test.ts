import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { Session } from "pomona";
import { col, udf } from "pomona/functions";
import { mobileNetV2 } from "pomona/models";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type StructType, simpleString } from "../../../src/data/types";
import { RelationSchema } from "../../../src/engine/spark/protos/spark/connect/relations_pb";
import { parseSchema } from "../../../src/frame/ddl";
import { defineMapBatches } from "../../../src/frame/udf";
import type { Step } from "../../../src/worker/task";
import {
  column,
  type FunctionsOnSpark,
  functionsOn,
  projected,
  type Row,
  selected,
  sql,
  titled,
  withVector,
} from "../../support/functions-on-spark";
import { REFERENCE } from "../../support/reference";
import { sparkServer } from "../../support/spark";

const WEIGHTS = join(REFERENCE, "models", "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5");
const IMAGES = join(REFERENCE, "data", "fruits-360");

/** A module's, where the function runs. */
declare const scale: (x: number) => number;

/** What this machine lacks of Spark is told by what starts it. */
describe.each(["local", "3.5"] as const)("functions beside the executors of Spark (%s)", (kind) => {
  let functions: FunctionsOnSpark;
  beforeAll(async () => {
    functions = functionsOn((await sparkServer(kind)).url);
  }, 300_000);
  afterAll(() => functions?.close());

  it("run with broadcast values and modules of the user's, in one process for each Python worker", async () => {
    const folder = mkdtempSync(join(tmpdir(), "pomona-modules-"));
    writeFileSync(join(folder, "stats.ts"), "export const scale = (x: number): number => x * 3;\n");
    const lut = new Map([[5, "five"]]);
    const f = udf((id: number) => `${lut.get(id) ?? scale(id)} ${process.pid}`, {
      returns: "string",
      broadcast: { lut },
      imports: { scale: "./stats#scale" },
      root: folder,
    });
    rmSync(folder, { recursive: true });
    const work = {
      input: sql("select id from range(0, 1000, 1, 12)"),
      columns: "id long",
      steps: [column(f(col("id")), ["id"], "out", "string"), selected("id", "out")],
      returns: "id long, out string",
    };
    const rows = [...(await functions.rowsOf(work)), ...(await functions.rowsOf(work))];
    const said = new Map(rows.map(({ id, out }) => [Number(id), String(out).split(" ")[0]]));
    expect(rows).toHaveLength(2000);
    expect([said.get(5), said.get(4), said.get(999)]).toEqual(["five", "12", "2997"]);
    // 24 tasks in two jobs on two cores.
    expect(new Set(rows.map(({ out }) => String(out).split(" ")[1])).size).toBeLessThanOrEqual(2);
  });

  it("make other rows of a partition's, and none of none", async () => {
    const { fn, schema } = defineMapBatches(
      (batch: { id: number[] }) => ({ n: batch.id.flatMap((id) => (id % 2 === 0 ? [id, -id] : [])) }),
      {
        schema: "n long",
      },
    );
    const steps: Step[] = [{ kind: "table", fn, schema }];
    const work = { columns: "id long", steps, returns: schema, preservesRows: false };
    const rows = await functions.rowsOf({ ...work, input: sql("select id from range(1, 11, 1, 7)") });
    expect(rows.map(({ n }) => Number(n)).sort((a, b) => a - b)).toEqual([-10, -8, -6, -4, -2, 2, 4, 6, 8, 10]);
    expect(await functions.rowsOf({ ...work, input: sql("select id from range(0, 10, 1, 3) where id > 99") })).toEqual(
      [],
    );
  });

  it("get and give values of every type, nulls and Spark's vectors among them", async () => {
    const schema =
      "b boolean, t tinyint, s short, i int, l bigint, f float, d double, x decimal(20,3), u string, y binary, da date, ts timestamp, nt timestamp_ntz, " +
      "a array<int>, m map<string,double>, st struct<p: int, q: array<string>>, v vector";
    const values =
      "true b, tinyint(-7) t, smallint(300) s, -5 i, 9007199254740993L l, float(0.1) f, double('-0.0') d, cast('12345678901234567.891' as decimal(20,3)) x, 'é😀' u, X'00ff' y, " +
      "date'1582-10-15' da, timestamp'2024-02-29 12:00:00.123456' ts, timestamp_ntz'0001-01-01 00:00:00' nt, array(1, null) a, map('k', double('NaN')) m, " +
      "named_struct('p', 1, 'q', array('a')) st";
    const nulls = parseSchema(schema)
      .fields.slice(0, -1)
      .map(({ name, type }) => `cast(null as ${simpleString(type)}) ${name}`);
    const input = withVector(
      sql(`select *, array(1.5D, 0D) w from (select ${values} union all select ${nulls})`),
      "w",
      "v",
    );
    const { fields } = parseSchema(schema);
    const names = fields.map(({ name }) => name);
    const given = fields.filter(({ type }) => !simpleString(type).startsWith("decimal"));
    const steps = given.map(({ name, type }) =>
      column(udf((value: unknown) => value, { returns: type })(col(name)), [name], `${name}2`, simpleString(type)),
    );
    // Decimals go through as they are: no function gives one.
    const from = (name: string) => (given.some((field) => field.name === name) ? `${name}2` : name);
    const renamed: Step = { kind: "select", columns: names.map((name) => ({ from: from(name), as: name })) };
    const returns: StructType = { type: "struct", fields };
    const found = await functions.rowsOf({ input, columns: schema, steps: [...steps, renamed], returns });
    const direct = await functions.collected(input, returns);
    const inOrder = (rows: readonly Row[]) => [...rows].sort((a) => (a.b === null ? 1 : -1));
    expect(inOrder(found)).toEqual(inOrder(direct));
    const [full, none] = inOrder(found);
    expect(found).toHaveLength(2);
    expect(full).toMatchObject({ b: true, t: -7, l: 9007199254740993n, u: "é😀", a: [1, null] });
    expect(Object.is(full!.d, -0)).toBe(true);
    expect(String(full!.v)).toBe("[1.5,0.0]");
    expect(names.filter((name) => name !== "v" && none![name] !== null)).toEqual([]);
  });

  it("give a network's features, as the local engine does", async () => {
    const files = readdirSync(IMAGES, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".jpg"));
    const chosen = files.sort().filter((_, i) => i % Math.ceil(files.length / 24) === 0);
    const session = await Session.builder().master("local[2]").config("pomona.progress", "off").getOrCreate();
    const paths = chosen.map((name) => `file:${join(IMAGES, name)}`);
    const network = mobileNetV2({ weights: WEIGHTS });
    const expected = await session.read
      .format("binaryFile")
      .load(paths)
      .select(col("path"), network(col("content")).alias("features"))
      .collect();
    await session.stop();
    const value = { format: "binaryFile", paths, options: {} };
    const read = create(RelationSchema, {
      relType: { case: "read", value: { readType: { case: "dataSource", value } } },
    });
    const rows = await functions.rowsOf({
      input: projected(read, ["path", "content"]),
      columns: "path string, content binary",
      steps: [column(network(col("content")), ["content"], "features", "array<float>"), selected("path", "features")],
      returns: "path string, features array<float>",
      batchRows: 16,
    });
    expect(rows).toHaveLength(chosen.length);
    const found = new Map(rows.map(({ path, features }) => [path, features as number[]]));
    for (const { path, features } of expected) {
      const worst = Math.max(
        ...Array.from(features as Iterable<number>, (value, i) => Math.abs(value - found.get(path)![i]!)),
      );
      expect(worst, path).toBeLessThan(1e-5);
    }
    expect(functions.notes).toEqual([]);
  }, 600_000);

  it("fail as on any engine where a function throws: with the row's path and the program's own lines", async () => {
    const f = udf(
      (path: string) => {
        if (path === "s3://b/7.jpg") throw new TypeError("no seven");
        return path;
      },
      { returns: "string", name: "check" },
    );
    const work = functions.rowsOf({
      input: sql("select concat('s3://b/', id, '.jpg') path from range(0, 10, 1, 2)"),
      columns: "path string",
      steps: [column(f(col("path")), ["path"], "out", "string"), selected("path", "out")],
      returns: "path string, out string",
    });
    await expect(work).rejects.toMatchObject({
      name: "TaskFailedError",
      remoteName: "UserFunctionError",
      path: "s3://b/7.jpg",
      worker: expect.stringMatching(/^executor on /),
      message: expect.stringContaining("TypeError: no seven"),
      remoteStack: expect.stringMatching(/at .*udf:check:\d+:\d+/),
    });
  });

  it("leave no node process behind an interrupt, and the session usable", async () => {
    const mark = `pomona-test-${process.pid}-${kind}`;
    const f = udf(
      async (id: number, title: string) => {
        process.title = title;
        await new Promise((resolve) => globalThis.setTimeout(resolve, 200));
        return id;
      },
      { returns: "long" },
    );
    const abort = new AbortController();
    const work = functions.rowsOf({
      input: sql(`select id, '${mark}' title from range(0, 10000, 1, 4)`),
      columns: "id long, title string",
      steps: [column(f(col("id"), col("title")), ["id", "title"], "out", "long"), selected("id", "out")],
      returns: "id long, out long",
      signal: abort.signal,
    });
    work.catch(() => {});
    await expect.poll(() => titled(mark), { interval: 200 }).not.toEqual([]);
    abort.abort(new Error("interrupted by the test"));
    await expect(work).rejects.toThrow("interrupted by the test");
    await expect.poll(() => titled(mark), { interval: 200 }).toEqual([]);
    const twice = udf((id: number) => id * 2, { returns: "long" });
    const rows = await functions.rowsOf({
      input: sql("select id from range(3)"),
      columns: "id long",
      steps: [column(twice(col("id")), ["id"], "out", "long"), selected("out")],
      returns: "out long",
    });
    expect(rows.map(({ out }) => out)).toEqual([0, 2, 4]);
  });

  it("lose a node process with an error that says how it ended, where Spark does not try the task again", async () => {
    const f = udf((id: number) => (id === 5 ? process.kill(process.pid, "SIGKILL") : id), { returns: "long" });
    const work = functions.rowsOf({
      input: sql("select id from range(0, 10, 1, 1)"),
      columns: "id long",
      steps: [column(f(col("id")), ["id"], "out", "long"), selected("out")],
      returns: "out long",
    });
    await expect(work).rejects.toMatchObject({
      remoteName: "WorkerLostError",
      message: expect.stringContaining("ended by signal 9"),
    });
  }, 300_000);
});

describe("functions beside Sail", () => {
  let functions: FunctionsOnSpark;
  beforeAll(async () => {
    functions = functionsOn((await sparkServer("sail")).url);
  });
  afterAll(() => functions?.close());

  const work = (made: { readonly expression: unknown }) => ({
    input: sql("select id from range(0, 10, 1, 2)"),
    columns: "id long",
    steps: [column(made, ["id"], "out", "long"), selected("out")],
    returns: "out long",
  });

  it("run where the package is installed on its machine, but what they would have sent to them is refused by name", async () => {
    const twice = udf((id: number) => id * 2, { returns: "long" });
    const rows = await functions.rowsOf(work(twice(col("id"))));
    expect(rows.map(({ out }) => Number(out)).sort((a, b) => a - b)).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18]);
    const by = 3;
    const times = udf((id: number) => id * by, { returns: "long", broadcast: { by } });
    await expect(functions.rowsOf(work(times(col("id"))))).rejects.toMatchObject({
      name: "ArtifactsUnsupportedError",
      message: expect.stringMatching(/^Spark at 127\.0\.0\.1:\d+ takes no files from its clients/),
    });
  });
});
