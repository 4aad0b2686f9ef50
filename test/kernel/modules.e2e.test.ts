import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningKernel, startKernel } from "../support/kernel";

let kernel: RunningKernel;
let root: string;

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

/** A package beside the notebook. */
function writePackage(name: string, manifest: object, files: Readonly<Record<string, string>>): void {
  write(`project/node_modules/${name}/package.json`, JSON.stringify({ name, version: "1.0.0", ...manifest }));
  for (const [file, text] of Object.entries(files)) write(`project/node_modules/${name}/${file}`, text);
}

beforeAll(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "pomona-modules-")));
  write("project/notebooks/x.ts", "export const x: number = 1;\n");
  write("project/lib/above.ts", 'import { deep } from "./deep";\nexport const above = () => "above " + deep();\n');
  write("project/lib/deep.ts", 'export const deep = () => "deep 1";\n');
  write("project/notebooks/data.json", '{ "n": 1 }');
  write("project/notebooks/plain.js", "exports.plain = 5;\n");
  writePackage(
    "esm-only",
    { type: "module", exports: { ".": { types: "./index.d.ts", import: "./index.js" } } },
    {
      "index.js": "export const one = 1;\nexport default function two() { return 2; }\n",
      "index.d.ts": "export declare const one: number;\nexport default function two(): number;\n",
    },
  );
  writePackage(
    "waits",
    { type: "module", exports: "./index.js", types: "./index.d.ts" },
    {
      "index.js": "export const late = await Promise.resolve('late');\nexport default late;\n",
      "index.d.ts": "export declare const late: string;\nexport default late;\n",
    },
  );
  writePackage(
    "sub-paths",
    { exports: { "./part": { types: "./types/part.d.ts", default: "./part.js" } } },
    { "part.js": "exports.part = 'part';\n", "types/part.d.ts": "export declare const part: string;\n" },
  );
  writePackage(
    "throws",
    { main: "index.js" },
    { "index.js": "throw new Error('broken package');\n", "index.d.ts": "export declare const y: number;\n" },
  );
  kernel = await startKernel({ cwd: join(root, "project", "notebooks") });
});
afterAll(async () => {
  await kernel?.stop();
  rmSync(root, { recursive: true, force: true });
});

/** The result of a cell that must succeed. */
async function result(code: string): Promise<string | undefined> {
  const run = await kernel.execute(code);
  expect(run.reply.content, run.reply.content.traceback?.join("\n")).toMatchObject({ status: "ok" });
  return run.result;
}

describe("imports", () => {
  test("entries of the package go to the workers from any folder", async () => {
    const cell = `import { udf, col } from "pomona/functions";
import { Vectors } from "pomona/ml";
const toVector = udf((x: number) => Vectors.dense([x, 1]), { returns: "vector", imports: ["pomona/ml"] });
const { v } = await session.createDataFrame([{ x: 2.5 }]).select(toVector(col("x")).alias("v")).first();
String(v)`;
    expect(await result(cell)).toBe("'[2.5,1.0]'");
  });

  test.each([
    ["a module beside the notebook", 'import { x } from "./x"; x', "1"],
    ["with its extension", 'import { x as y } from "./x.ts"; y', "1"],
    [
      "a module above the notebook, which imports another",
      'import { above } from "../lib/above"; above()',
      "'above deep 1'",
    ],
    ["JSON", 'import data from "./data.json"; data.n', "1"],
    ["plain JavaScript", 'import { plain } from "./plain"; plain', "5"],
    ["Node's own modules", 'import { basename } from "node:path"; basename("a/b")', "'b'"],
    ["a package of ES modules alone", 'import two, { one } from "esm-only"; one + two()', "3"],
    ["a package with top-level await", 'import late, { late as l } from "waits"; late + l', "'latelate'"],
    ["that package by import()", '(await import("waits")).late', "'late'"],
    [
      "a package typed in `exports` alone",
      'import { part } from "sub-paths/part"; const p: string = part; p',
      "'part'",
    ],
    ["by require", 'const { part: q } = require("sub-paths/part"); q', "'part'"],
    ["the package itself, from any folder", 'import { lit } from "pomona/functions"; typeof lit', "'function'"],
  ])("%s", async (_, code, expected) => {
    expect(await result(code)).toBe(expected);
  });

  test("types of a package are checked", async () => {
    const run = await kernel.execute('import { part } from "sub-paths/part"; const n: number = part;');
    expect(run.reply.content).toMatchObject({
      ename: "TypeScriptError",
      evalue: "Type 'string' is not assignable to type 'number'.",
    });
  });

  test("of a package that throws give its error", async () => {
    const run = await kernel.execute('import { y } from "throws"; y');
    expect(run.reply.content).toMatchObject({ ename: "Error", evalue: "broken package" });
  });
});

describe("after an edit, running the cell again", () => {
  test("takes the new code and types", async () => {
    write("project/notebooks/x.ts", "export const x: string = 'two';\n");
    expect(await result('import { x } from "./x"; const s: string = x; s')).toBe("'two'");
    write("project/notebooks/x.ts", "export const x: number = 33;\n");
    expect(await result('import { x } from "./x"; const m: number = x; m')).toBe("33");
  });

  test("takes the new code of a module that a module imports", async () => {
    write("project/lib/deep.ts", 'export const deep = () => "deep two";\n');
    expect(await result('import { above } from "../lib/above"; above()')).toBe("'above deep two'");
  });

  test("takes new data of a JSON file", async () => {
    write("project/notebooks/data.json", '{ "n": 22 }');
    expect(await result('import data from "./data.json"; data.n')).toBe("22");
  });

  test("finds a module that was not there before", async () => {
    const missing = await kernel.execute('import { fresh } from "./fresh"; fresh');
    expect(missing.reply.content.ename).toBe("TypeScriptError");
    write("project/notebooks/fresh.ts", "export const fresh = 'here';\n");
    expect(await result('import { fresh } from "./fresh"; fresh')).toBe("'here'");
  });

  test("recovers from a mistake in the module", async () => {
    write("project/notebooks/fresh.ts", "export const fresh = ;\n");
    expect((await kernel.execute('import { fresh } from "./fresh"; fresh')).reply.content.ename).toBe(
      "TypeScriptError",
    );
    write("project/notebooks/fresh.ts", "export const fresh = 'mended';\n");
    expect(await result('import { fresh } from "./fresh"; fresh')).toBe("'mended'");
  });
});

describe("in scope without any set-up", () => {
  test.each([
    ["console and process", "console.log(typeof process.pid); 1", "1"],
    [
      "Buffer, URL, fetch, timers",
      "[typeof Buffer, typeof URL, typeof fetch, typeof setTimeout].join()",
      "'function,function,function,function'",
    ],
    [
      "the usual names",
      "[typeof col, typeof split, typeof udf, typeof PCA, typeof F.max, typeof display].join()",
      "'function,function,function,function,function,function'",
    ],
    ["newer methods of arrays", "[3, 1, 2].findLast((n) => n > 1)", "2"],
  ])("%s", async (_, code, expected) => {
    expect(await result(code)).toBe(expected);
  });

  test("the session, typed", async () => {
    expect(await result("const five = session.range(5); await five.count()")).toBe("5");
    const wrong = await kernel.execute("session.rangge(5)");
    expect(wrong.reply.content.ename).toBe("TypeScriptError");
    expect(wrong.reply.content.evalue).toContain("Did you mean 'range'?");
  });

  test("names of a notebook of its own go before", async () => {
    expect(await result("const col = 5; const session = 'mine'; [col, session].join()")).toBe("'5,mine'");
    expect(await result("col + 1")).toBe("6");
  });
});

describe("variables of earlier cells", () => {
  test.each([
    ["the short form of a property", "const lut = { a: 1 };", "const o = { lut }; o.lut.a", "1"],
    ["assignment", "let counter = 1;", "counter = 5; counter++; counter", "6"],
    ["destructuring assignment", "let p = 0, q = 0;", "({ p, q } = { p: 1, q: 2 }); p + q", "3"],
    ["a class", "class Base { n = 2; }", "class Sub extends Base {}; new Sub().n", "2"],
    ["an exported name", "export const exported = 4;", "exported", "4"],
    ["an enum", "enum Colour { Red = 3 }", "Colour.Red", "3"],
    ["a type", "interface Pair { a: number }", "const pair: Pair = { a: 8 }; pair.a", "8"],
    [
      "top-level for await",
      "async function* gen() { yield 1; yield 2; }",
      "let total = 0; for await (const n of gen()) total += n; total",
      "3",
    ],
    ["redeclaration", "const again = 1;", "const again = 'two'; again", "'two'"],
  ])("%s", async (_, first, second, expected) => {
    await result(first);
    expect(await result(second)).toBe(expected);
  });
});
