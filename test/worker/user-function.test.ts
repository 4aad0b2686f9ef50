import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DataType } from "../../src/data/types";
import type { Column } from "../../src/frame/column";
import { batchUdf, defineMapBatches, type MapBatchesOptions, udf } from "../../src/frame/udf";
import { fromModule } from "../../src/user-functions";
import { startUdfWorker, type TestColumn, type UdfWorker } from "./udf-worker";

let worker: UdfWorker;
beforeAll(() => {
  worker = startUdfWorker();
});
afterAll(() => worker.close());

const doubles = (...values: (number | null)[]): TestColumn => ({ name: "x", type: "double", values });
const strings = (...values: (string | null)[]): TestColumn => ({ name: "s", type: "string", values });

/** A function as a JavaScript file would hold it, so that lines and columns are known. */
// biome-ignore lint/suspicious/noExplicitAny: whatever the text says
const js = (text: string): any => new Function(`return ${text}`)();

async function values(column: Column, ...input: TestColumn[]): Promise<unknown[] | undefined> {
  const outcome = await worker.column(column, input);
  if (outcome.error) throw Object.assign(new Error(outcome.error.message), { name: outcome.error.name });
  return outcome.values;
}

describe("a function of a row", () => {
  test("gets one row's values, null as null", async () => {
    const column = udf((x: number | null, s: string | null) => (x === null ? -1 : x * 2) + (s?.length ?? 0), {
      returns: "double",
    })("x", "s");
    expect(await values(column, doubles(1, null, 3), strings("a", "bb", null))).toEqual([3, 1, 6]);
  });

  test("gives null for null and undefined", async () => {
    const column = udf((x: number) => (x > 1 ? null : undefined), { returns: "string" })("x");
    expect(await values(column, doubles(1, 2))).toEqual([null, null]);
  });

  test("runs in sloppy mode, as the check of what it takes from outside has it", async () => {
    const text = "(x) => { if (x) { function twice(y) { return 2 * y; } } return twice(x); }";
    expect(await values(udf(js(text), { returns: "double" })("x"), doubles(3))).toEqual([6]);
  });

  test("may be async", async () => {
    const column = udf(
      async (x: number) => {
        await new Promise((done) => setTimeout(done, 1));
        return x + 1;
      },
      { returns: "double" },
    )("x");
    expect(await values(column, doubles(1, 2))).toEqual([2, 3]);
  });

  test.each<[DataType, unknown, unknown]>([
    ["boolean", true, true],
    ["byte", -128, -128],
    ["integer", 7n, 7],
    ["long", 2 ** 40, 2 ** 40],
    ["long", 2n ** 60n, 2n ** 60n],
    ["float", 0.5, 0.5],
    ["double", Number.NaN, Number.NaN],
    ["string", "é", "é"],
    ["binary", Uint8Array.of(1, 2), Uint8Array.of(1, 2)],
    ["timestamp", new Date(1234), new Date(1234)],
    ["date", new Date(86_400_000), new Date(86_400_000)],
    [{ type: "array", elementType: "float", containsNull: true }, [1, 2], Float32Array.of(1, 2)],
    [{ type: "array", elementType: "double", containsNull: true }, Float32Array.of(1, 2), Float64Array.of(1, 2)],
    [{ type: "array", elementType: "double", containsNull: true }, [1, null], [1, null]],
    [{ type: "array", elementType: "string", containsNull: true }, ["a", null], ["a", null]],
    [{ type: "array", elementType: "long", containsNull: true }, [1, 2], [1, 2]],
    [{ type: "struct", fields: [{ name: "a", type: "long", nullable: true, metadata: {} }] }, { a: 3 }, { a: 3 }],
    [
      { type: "map", keyType: "string", valueType: "integer", valueContainsNull: true },
      new Map([["k", 1]]),
      new Map([["k", 1]]),
    ],
    [{ type: "map", keyType: "string", valueType: "integer", valueContainsNull: true }, { k: 1 }, new Map([["k", 1]])],
  ])("returns %j as it is", async (returns, value, back) => {
    const column = udf((x: number) => (x === 0 ? null : value), { returns, broadcast: { value } })("x");
    expect(await values(column, doubles(1, 0, 1))).toEqual([back, null, back]);
  });

  test("sees columns as plain values", async () => {
    const column = udf(
      (list: Float32Array, when: Date, bytes: Uint8Array, big: number) =>
        `${list.length} ${when.toISOString()} ${bytes.length} ${big + 1}`,
      { returns: "string" },
    )("l", "w", "b", "n");
    const input: TestColumn[] = [
      { name: "l", type: { type: "array", elementType: "float", containsNull: true }, values: [[1, 2, 3]] },
      { name: "w", type: "timestamp", values: [new Date(0)] },
      { name: "b", type: "binary", values: [Uint8Array.of(9)] },
      { name: "n", type: "long", values: [41n] },
    ];
    expect(await values(column, ...input)).toEqual(["3 1970-01-01T00:00:00.000Z 1 42"]);
  });

  test("console goes to the log", async () => {
    const column = udf(
      (x: number) => {
        console.log("at %d", x, { a: 1 });
        console.error("bad");
        return x;
      },
      { returns: "double" },
    )("x");
    expect((await worker.column(column, [doubles(5)])).log).toEqual(["info: at 5 { a: 1 }", "warn: bad"]);
  });
});

describe("errors of the function", () => {
  const code = "function brightness(text) {\n  const parts = text.split(',');\n  return parts.length;\n}";

  test("show the row, the line and the user's frames alone", async () => {
    const column = udf(js(code), { returns: "double" })("s");
    const { error } = await worker.column(column, [strings("a", null)]);
    expect(error!.name).toBe("UserFunctionError");
    expect(error!.message).toBe(
      "brightness failed on row 1 of its input: TypeError: Cannot read properties of null (reading 'split')\n\n" +
        "  2 |   const parts = text.split(',');\n    |                      ^\n",
    );
    expect(error!.stack.split("\n").slice(-1)).toEqual(["    at brightness (udf:brightness:2:22)"]);
    expect(error!.retryable).toBe(false);
  });

  test("what is not a mistake may be tried again", async () => {
    const column = udf(js('() => { throw new Error("no answer"); }'), { returns: "double", name: "ask" })("s");
    const { error } = await worker.column(column, [strings("a")]);
    expect(error).toMatchObject({ name: "UserFunctionError", retryable: true });
    expect(error!.message).toContain(
      'ask failed on row 0 of its input: Error: no answer\n\n  1 | () => { throw new Error("no answer"); }\n    |               ^\n',
    );
  });

  test("a row that fails is null where that is wanted", async () => {
    const column = udf(js(code), { returns: "double", onError: "null" })("s");
    const outcome = await worker.column(column, [strings("a,b", null, "c")], true);
    expect(outcome.values).toEqual([2, null, 1]);
    expect(Object.keys(outcome.rowErrors)).toEqual(["1"]);
  });

  test("point into the TypeScript of an imported module", async () => {
    const root = realpathSync(mkdtempSync(join(tmpdir(), "pomona-udf-")));
    mkdirSync(join(root, "lib"));
    writeFileSync(
      join(root, "lib/deep.ts"),
      "interface Pear {\n  a: number;\n}\n\nexport function deep(x: Pear | null): number {\n  return x!.a;\n}\n",
    );
    const column = udf(js("(x) => deep(x)"), { returns: "double", name: "call", imports: ["./lib/deep"], root })("s");
    const { error } = await worker.column(column, [strings(null)]);
    const frames = error!.stack.split("\n").filter((line) => line.startsWith("    at "));
    expect(frames).toEqual(["    at deep (lib/deep.ts:6:13)", "    at udf:call:1:9"]);
  });
});

describe("results that do not fit", () => {
  test.each<[DataType, unknown, string]>([
    [
      "double",
      "high",
      'f returned "high" (a string) for row 1 of its input, where its type is double.\nReturn a number, or declare "string".',
    ],
    [
      "integer",
      1.5,
      'f returned 1.5 for row 1 of its input, where its type is int.\nRound it, e.g. Math.round(value), or declare "double".',
    ],
    [
      "byte",
      200,
      "f returned 200 for row 1 of its input, where its type is tinyint.\nIt is out of range (-128 to 127)",
    ],
    ["string", 3, "f returned 3 for row 1 of its input, where its type is string."],
    ["boolean", 1, "f returned 1 for row 1 of its input, where its type is boolean."],
    [
      "timestamp",
      new Date(Number.NaN),
      "f returned a Date for row 1 of its input, where its type is timestamp.\nReturn a valid Date.",
    ],
    [
      { type: "array", elementType: "double", containsNull: true },
      [1, "2"],
      'f returned "2" (a string) at [1] for row 1 of its input, where its type is double.',
    ],
    [
      { type: "array", elementType: "double", containsNull: true },
      5,
      "f returned 5 for row 1 of its input, where its type is array<double>.",
    ],
  ])("%j", async (returns, value, message) => {
    const column = udf((x: number) => (x === 0 ? null : value), { returns, name: "f", broadcast: { value } })("x");
    const { error } = await worker.column(column, [doubles(0, 1)]);
    expect(error!.name).toBe("UserFunctionResultError");
    expect(error!.message).toContain(message);
  });
});

describe("a function of a batch's columns", () => {
  test("gets arrays and returns one", async () => {
    const column = batchUdf((xs: number[], ss: string[]) => xs.map((x, i) => x + (ss[i]?.length ?? 0)), {
      returns: "double",
    })("x", "s");
    expect(await values(column, doubles(1, 2), strings("a", null))).toEqual([2, 2]);
    const typed = batchUdf((xs: number[]) => Int32Array.from(xs, (x) => x * 2), { returns: "int" })("x");
    expect(await values(typed, doubles(1, 2))).toEqual([2, 4]);
  });

  test("must return as many values as it got", async () => {
    const column = batchUdf((xs: number[]) => xs.slice(1), { returns: "double", name: "short" })("x");
    await expect(values(column, doubles(1, 2))).rejects.toThrow("short returned 1 values for a batch of 2 rows.");
    const single = batchUdf((xs: number[]) => xs.length as never, { returns: "double", name: "single" })("x");
    await expect(values(single, doubles(1, 2))).rejects.toThrow(
      "single returned 2 for a batch of 2 rows.\nReturn an array",
    );
  });
});

describe("mapBatches", () => {
  const table = (fn: (batch: never) => unknown, options: MapBatchesOptions, ...input: TestColumn[]) => {
    const { fn: spec, schema } = defineMapBatches(fn as never, { name: "extract", ...options });
    return worker.table(spec, schema, input);
  };

  test("gets columns by name and returns others, of another length", async () => {
    const fn = ({ s, x }: { s: string[]; x: number[] }) => {
      const keep = s.flatMap((text, i) => (text ? [i] : []));
      return { y: Float32Array.from(keep, (i) => x[i]!), label: keep.map((i) => s[i]) };
    };
    const outcome = await table(
      fn,
      { schema: { label: "string", y: "float" } },
      strings("a", null, "b"),
      doubles(1, 2, 3),
    );
    expect(outcome.columns).toEqual({ label: ["a", "b"], y: [1, 3] });
    expect(outcome.types).toEqual({ label: "string", y: "float" });
  });

  test("may return no row at all", async () => {
    expect((await table(() => ({ y: [] }), { schema: { y: "double" } }, doubles(1))).columns).toEqual({});
  });

  test.each<[string, () => unknown, string]>([
    [
      "nothing",
      () => undefined,
      "extract returned undefined where an object of columns is wanted.\nReturn { y: [...], n: [...] }.",
    ],
    ["rows", () => [{ y: 1, n: 1 }], "extract returned an array of 1 values where an object of columns is wanted."],
    [
      "too few columns",
      () => ({ y: [1] }),
      'extract returned no column "n", only y.\nReturn it, or take it out of the schema (y, n).',
    ],
    [
      "too many columns",
      () => ({ y: [1], n: [1], z: [1] }),
      'extract returned the column "z", which is not in the schema (y, n).',
    ],
    [
      "a column that is no array",
      () => ({ y: 1, n: [1] }),
      'extract returned 1 as column "y" where an array is wanted.',
    ],
    ["uneven columns", () => ({ y: [1, 2], n: [1] }), 'extract returned 1 values in column "n" but 2 in "y".'],
    [
      "a wrong value",
      () => ({ y: [1, 2], n: [1, 2.5] }),
      'extract returned 2.5 in column "n" for row 1 of what it made of all rows of its input, where the schema says int.',
    ],
  ])("refuses %s", async (_what, fn, message) => {
    const { error } = await table(fn, { schema: { y: "double", n: "int" } }, doubles(1));
    expect(error!.name).toBe("UserFunctionResultError");
    expect(error!.message).toContain(message);
  });

  test("refuses null where the schema does", async () => {
    const { error } = await table(() => ({ y: [1, null] }), { schema: "y double not null" }, doubles(1));
    expect(error!.message).toContain(
      'extract returned null in column "y" for row 1 of what it made of all rows of its input',
    );
  });

  test("an error of the function tells its line", async () => {
    const { error } = await table(
      js("(batch) => {\n  return { y: batch.missing.map(Number) };\n}"),
      { schema: { y: "double" } },
      doubles(1),
    );
    expect(error!.message).toBe(
      "extract failed on all rows of its input: TypeError: Cannot read properties of undefined (reading 'map')\n\n  2 |   return { y: batch.missing.map(Number) };\n    |                             ^\n",
    );
  });
});

describe("functions from modules", () => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "pomona-udf-")));
  writeFileSync(
    join(root, "features.ts"),
    'import { basename } from "node:path";\nconst seen: string[] = [];\nexport const nth = (path: string): string => [basename(path), seen.push(path)].join("#");\nexport default (x: number) => -x;\n',
  );

  test("an export of a module, whose state lives as long as the worker", async () => {
    const nth = udf(fromModule("./features", "nth", root), { returns: "string" })("s");
    expect(await values(nth, strings("/a/b", "/a/c"))).toEqual(["b#1", "c#2"]);
    expect(await values(nth, strings("/a/d"))).toEqual(["d#3"]);
  });

  test("a default export", async () => {
    expect(
      await values(udf(fromModule("./features.ts", "default", root), { returns: "double" })("x"), doubles(3)),
    ).toEqual([-3]);
  });

  test("a native package from the project", async () => {
    const column = udf(js("(x) => sharp.versions.vips.split('.').length"), {
      returns: "double",
      imports: { sharp: "sharp" },
    })("x");
    expect(await values(column, doubles(1))).toEqual([3]);
  });
});
