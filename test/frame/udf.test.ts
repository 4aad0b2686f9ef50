import { mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { deserialize } from "node:v8";
import { afterEach, describe, expect, test } from "vitest";
import { IllegalArgumentError } from "../../src/errors";
import { col } from "../../src/frame/functions";
import { batchUdf, defineMapBatches, udf } from "../../src/frame/udf";
import {
  BroadcastValueError,
  fromModule,
  ImportBundleError,
  needsPreparation,
  prepareSourceFunction,
} from "../../src/user-functions";

function folder(files: Record<string, string>): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "pomona-udf-")));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(resolve(root, name, ".."), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return root;
}

function caught(define: () => unknown): Error {
  try {
    define();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
}

describe("udf", () => {
  test("makes a batch expression of its columns", () => {
    const ratio = udf((w: number, h: number) => w / h, { returns: "double", name: "ratio" });
    const column = ratio("width", col("height").alias("h"));
    expect(column.columnName).toBe("ratio(width, height)");
    expect(column.alias("r").expression).toMatchObject({
      kind: "alias",
      child: {
        kind: "batch",
        args: [
          { kind: "column", name: "width" },
          { kind: "column", name: "height" },
        ],
        returns: "double",
        onError: { kind: "fail" },
      },
    });
  });

  test("goes by <lambda> without a name, as in Spark", () => {
    expect(udf((x: number) => x, { returns: "bigint" })("a").columnName).toBe("<lambda>(a)");
  });

  test("reads the result's type as Spark text or as a data type", () => {
    const array = { type: "array", elementType: "float", containsNull: true } as const;
    expect(udf((x: number) => [x], { returns: "array<float>" })("a").expression).toMatchObject({ returns: array });
    expect(udf((x: number) => [x], { returns: array })("a").expression).toMatchObject({ returns: array });
    expect(() => udf((x: number) => x, { returns: "dubble" })).toThrow(IllegalArgumentError);
  });

  test("keeps failed rows on request", () => {
    const options = { returns: "double", onError: "null", errorColumn: "why" } as const;
    expect(udf((x: number) => x, options)("a").expression).toMatchObject({
      onError: { kind: "null", errorColumn: "why" },
    });
    expect(() => batchUdf((xs: number[]) => xs, options)).toThrow('Use udf for onError: "null".');
  });

  test("counts its columns", () => {
    const ratio = udf((w: number, h: number) => w / h, { returns: "double", name: "ratio" });
    expect(() => ratio("width")).toThrow("ratio takes 2 columns but got 1.");
    expect(() => udf(() => 1, { returns: "double", name: "one" })()).toThrow("one takes 1 column but got 0.");
  });

  test("refuses what is no function", () => {
    expect(() => udf("x + 1" as never, { returns: "double" })).toThrow("udf takes a function, not string.");
  });

  test("mapBatches takes its schema in three forms", () => {
    const fn = (batch: { x: number[] }) => ({ y: batch.x });
    const schema = { type: "struct", fields: [{ name: "y", type: "integer", nullable: true, metadata: {} }] } as const;
    for (const form of [{ y: "int" }, "y int", schema]) {
      expect(defineMapBatches(fn, { schema: form }).schema).toEqual(schema);
    }
    expect(() => defineMapBatches(fn, {} as never)).toThrow("mapBatches needs the schema of what it returns.");
  });
});

describe("broadcast", () => {
  class Table {
    rows = [1];
    get(i: number) {
      return this.rows[i];
    }
  }
  const define = (lut: unknown) => udf((x: number) => (lut ? x : 0), { returns: "double", broadcast: { lut } });

  test.each<[string, unknown, string, string]>([
    ["a function", { compare: () => 0 }, "lut.compare", "is a function"],
    ["a function deep inside", { a: [1, new Map([["k", { f: Math.abs }]])] }, 'lut.a[1].get("k").f', "is a function"],
    ["a class", { Table }, "lut.Table", "is a class"],
    ["an instance", { "my table": new Table() }, 'lut["my table"]', "is a Table, and a copy would lose its methods"],
    ["a promise", Promise.resolve(1), "lut", "is a Promise, and a copy would lose its methods"],
    ["a symbol", [Symbol("a")], "lut[0]", "is a symbol"],
    ["a set of functions", new Set([1, () => 0]), "lut (item 1)", "is a function"],
    ["a WeakMap", { cache: new WeakMap() }, "lut.cache", "is a WeakMap"],
    ["a shared buffer", { b: new SharedArrayBuffer(4) }, "lut", "cannot be serialised"],
  ])("refuses %s and says where", (_what, value, path, problem) => {
    const error = caught(() => define(value));
    expect(error).toBeInstanceOf(BroadcastValueError);
    expect((error as BroadcastValueError).path).toBe(path);
    expect(error.message).toContain(`Cannot broadcast lut: ${path} ${problem}`);
  });

  test("tells what to do with a promise and a function", () => {
    expect(caught(() => define(Promise.resolve(1))).message).toContain("\nAwait it first.");
    expect(caught(() => define({ f: () => 1 })).message).toContain('name it in imports: ["./file"]');
  });

  test("takes plain data as it is at that moment", async () => {
    const circular: Record<string, unknown> = { n: 1n, when: new Date(5), text: "ü" };
    circular.self = circular;
    const lut = {
      circular,
      map: new Map([[{ k: 1 }, new Set([/x/g])]]),
      f: Float32Array.of(1, 2),
      b: Buffer.from("hi"),
    };
    const { expression } = define(lut)("x");
    lut.f[0] = 99;
    if (expression.kind !== "batch" || expression.fn.kind !== "source") throw new Error(expression.kind);
    expect(needsPreparation(expression.fn)).toBe(true);
    // Through JSON, as a plan may go.
    const written: Uint8Array[] = [];
    const prepared = await prepareSourceFunction(JSON.parse(JSON.stringify(expression.fn)), async (bytes) => {
      written.push(bytes);
      return { url: `file:/spool/${written.length}.bin`, sha256: "", bytes: bytes.length };
    });
    expect(prepared.broadcast).toMatchObject({ lut: { url: "file:/spool/1.bin" } });
    expect(needsPreparation(prepared)).toBe(false);
    const copy = deserialize(written[0]!) as typeof lut;
    expect(copy.f).toEqual(Float32Array.of(1, 2));
    expect(copy.circular.self).toBe(copy.circular);
    expect(copy.circular.when).toEqual(new Date(5));
    expect([...copy.map][0]).toEqual([{ k: 1 }, new Set([/x/g])]);
    expect(Buffer.from(copy.b).toString()).toBe("hi");
  });

  test("writes a value once that has two names", async () => {
    const a = [1, 2];
    const b = [1, 2];
    const { fn } = defineMapBatches(() => ({ x: [...a, ...b] }), { schema: { x: "double" }, broadcast: { a, b } });
    let writes = 0;
    const prepared = await prepareSourceFunction(fn, async ({ length }) => ({
      url: `file:/${++writes}`,
      sha256: "",
      bytes: length,
    }));
    expect(prepared.broadcast).toMatchObject({ a: { url: "file:/1" }, b: { url: "file:/1" } });
  });

  test("ships a module once, so that a task is small whatever it imports", async () => {
    const root = folder({ "large.ts": `export const text = ${JSON.stringify("x".repeat(100_000))};` });
    const one = udf(fromModule("./large", "text", root), { returns: "string" })("x").expression;
    if (one.kind !== "batch" || one.fn.kind !== "source") throw new Error(one.kind);
    const contents: Uint8Array[] = [];
    const ship = async (content: Uint8Array) => {
      contents.push(content);
      return { url: "file:/a", sha256: "a", bytes: content.length };
    };
    expect(needsPreparation(one.fn)).toBe(true);
    const prepared = await prepareSourceFunction(one.fn, ship);
    expect(needsPreparation(prepared)).toBe(false);
    expect(JSON.stringify(prepared).length).toBeLessThan(1000);
    expect(contents.map((c) => c.length > 100_000)).toEqual([true]);
    expect(Buffer.from(contents[0]!).toString()).toContain("xxx");
  });

  test("a value of another process is named", async () => {
    const { fn } = defineMapBatches(() => ({ x: [] }), { schema: { x: "double" } });
    const foreign = { ...fn, broadcast: { lut: `broadcast:${"0".repeat(64)}` } };
    await expect(prepareSourceFunction(foreign, async () => ({ url: "", sha256: "", bytes: 0 }))).rejects.toThrow(
      "is not in this process",
    );
  });

  test("warns of large values", async () => {
    const warning = new Promise<Error>((done) => process.once("warning", done));
    define(new Uint8Array(101 * 1024 * 1024));
    expect((await warning).message).toBe(
      "The broadcast value lut takes 101 MB, and each worker keeps a copy. Consider a join instead.",
    );
  });

  test("a name that is no variable is refused", () => {
    const options = { returns: "double", broadcast: { "my-lut": 1 } } as const;
    expect(() => udf((x: number) => x, options)).toThrow('"my-lut" cannot be the name of a variable.');
  });
});

describe("imports", () => {
  const home = process.cwd();
  afterEach(() => process.chdir(home));
  const use = (root: string, imports: readonly string[] | Record<string, string>) =>
    defineMapBatches(() => ({ x: [] }), { schema: { x: "double" }, imports, root }).fn.imports;

  test("bundles what a module imports, and leaves Node's own modules alone", () => {
    const root = folder({
      "lib/a.ts":
        'import { b } from "./b"; import { join } from "node:path"; export const a = (x: string): string => join(b, x);',
      "lib/b.ts": "export const b: string = 'bee';",
    });
    const [module] = use(root, ["./lib/a"]);
    expect(module!.specifier).toBe("./lib/a");
    expect(module!.bundle).toContain('"bee"');
    expect(module!.bundle).toContain('require("node:path")');
    expect(use(root, ["node:fs"])).toEqual([{ specifier: "node:fs", names: {} }]);
  });

  test("takes paths from the current folder", () => {
    process.chdir(folder({ "lib/a.ts": "export const a = 1;" }));
    expect(use(".", ["./lib/a.ts"])[0]!.bundle).toContain("a = 1");
  });

  test("takes an edited module anew", () => {
    const root = folder({ "a.ts": "export const a = 'before';" });
    expect(use(root, ["./a"])[0]!.bundle).toContain("before");
    writeFileSync(join(root, "a.ts"), "export const a = 'after';");
    expect(use(root, ["./a"])[0]!.bundle).toContain("after");
  });

  test("bundles plain packages and leaves native ones where they are", () => {
    const root = folder({
      "a.ts": 'import sharp from "sharp"; import { parse } from "acorn"; export { sharp, parse };',
    });
    symlinkSync(join(home, "node_modules"), join(root, "node_modules"));
    const [module] = use(root, ["./a"]);
    expect(module!.bundle).toContain('require("sharp")');
    expect(module!.bundle).not.toContain('require("acorn")');
    expect(use(root, { sharp: "sharp" })).toEqual([
      { specifier: "sharp", home: { root, packages: ["sharp"] }, names: { sharp: "*" } },
    ]);
  });

  test("a missing module", () => {
    const root = folder({});
    const error = caught(() => use(root, ["./lib/none"]));
    expect(error).toBeInstanceOf(ImportBundleError);
    expect(error.message).toBe(
      `The module "./lib/none" of imports was not found from ${root}.\nA path starts with ./ or ../ and is relative to the notebook's folder; a package must be installed there.`,
    );
  });

  test("a syntax error and a missing import, with file and line", () => {
    const root = folder({ "bad.ts": "export const a = 1;\nexport const = 2;\n", "lost.ts": '\nimport "./nowhere";\n' });
    const syntax = caught(() => use(root, ["./bad"])) as ImportBundleError;
    expect(syntax).toBeInstanceOf(ImportBundleError);
    expect(syntax.location).toEqual({ file: join(root, "bad.ts"), line: 2, column: 14 });
    expect(syntax.message).toContain('bad.ts:2:14: Expected identifier but found "="\n    export const = 2;');
    expect(caught(() => use(root, ["./lost"])).message).toContain('lost.ts:2:8: Could not resolve "./nowhere"');
  });

  test("an export that is not there", () => {
    const root = folder({ "a.ts": "export const scale = 1; export const mean = 2;" });
    expect(() => use(root, { s: "./a#scales" })).toThrow(
      'The module "./a" has no export `scales`.\nDid you mean scale? It exports mean, scale.',
    );
  });

  test("fromModule names an export", () => {
    const root = folder({ "lib/features.ts": "const k = 3; export function perImage(x: number) { return x * k; }" });
    const column = udf(fromModule("./lib/features", "perImage", root), { returns: "double" })("x");
    expect(column.columnName).toBe("perImage(x)");
    expect(() => udf(fromModule("./lib/features", "perimage", root), { returns: "double" })).toThrow(
      "Did you mean perImage?",
    );
    const both = { returns: "double", broadcast: { a: 1 } } as const;
    expect(() => udf(fromModule("./lib/features", "perImage", root), both)).toThrow("imports what it needs itself");
  });
});
