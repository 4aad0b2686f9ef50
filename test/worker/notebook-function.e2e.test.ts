import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Column } from "../../src/frame/column";
import { udf } from "../../src/frame/udf";
import { connectNotebook } from "../kernel/language-notebook";
import { startUdfWorker, type TestColumn, type UdfWorker } from "./udf-worker";

let worker: UdfWorker;
beforeAll(() => {
  worker = startUdfWorker();
});
afterAll(() => worker.close());

const doubles = (...values: (number | null)[]): TestColumn => ({ name: "x", type: "double", values });

async function values(column: Column, ...input: TestColumn[]): Promise<unknown[] | undefined> {
  const outcome = await worker.column(column, input);
  if (outcome.error) throw Object.assign(new Error(outcome.error.message), { name: outcome.error.name });
  return outcome.values;
}

describe("functions of a notebook", () => {
  const made: Record<string, Column> = {};

  beforeAll(async () => {
    const stats =
      "export function mean(...xs: number[]): number { return xs.reduce((a, b) => a + b, 0) / xs.length; }\nexport const scale = 2;\nexport default function negate(x: number) { return -x; }\n";
    const define = (name: string, fn: () => unknown, options: object) => {
      made[name] = udf(fn, { returns: "double", ...options })("x");
    };
    (globalThis as Record<string, unknown>).api = { define };
    const notebook = connectNotebook({ files: { "lib/stats.ts": stats } });
    await notebook.run(
      'const define = (globalThis as any).api.define; const lut = { one: 1 }; import { mean, scale as sc } from "./lib/stats"; import negate from "./lib/stats"; import * as stats from "./lib/stats"; import { join } from "path"; import fs from "fs";',
    );
    await notebook.run('define("earlier", (x: number) => x + lut.one, { broadcast: { lut } })');
    await notebook.run(
      'const near = new Map([[1, 10]]); define("same", (x: number) => near.get(x), { broadcast: { near } })',
    );
    await notebook.run(
      'define("both", (x: number) => { const pair = { near: lut }; return pair.near.one + lut.one + x; }, { broadcast: { lut } })',
    );
    await notebook.run(
      'import { mean, scale } from "./lib/stats"; import negative from "./lib/stats"; import * as fsp from "fs/promises"; define("imported", async (x: number) => mean(x, 4) * scale + negative(x) + (await fsp.stat("/")).nlink * 0, { imports: { stats: "./lib/stats", fsp: "fs/promises" } })',
    );
    await notebook.run(
      'define("importedEarlier", (x: number) => mean(x, 4) * stats.scale + join("a", "b").length + (fs.existsSync("/") ? 100 : 0), { imports: ["./lib/stats", "path", "fs"] })',
    );
    await notebook.run(
      'define("renamed", (x: number) => negate(x) * sc, { imports: { negate: "./lib/stats", sc: "./lib/stats#scale" } })',
    );
    await notebook.run(
      'define("inside", async (x: number) => { const { mean } = await import("./lib/stats"); const { sep } = await import("node:path"); return mean(x, 3) + sep.length; }, {})',
    );
    await notebook.run(
      'define("shorthand", (x: number) => { const o = { lut }; return o.lut.one + x; }, { broadcast: { lut } })',
    );
    notebook.close();
  });

  test.each<[string, number]>([
    ["earlier", 3],
    ["both", 4],
    ["imported", 4],
    ["importedEarlier", 109],
    ["renamed", -4],
    ["inside", 3.5],
    ["shorthand", 3],
  ])("%s", async (name, expected) => {
    expect(await values(made[name]!, doubles(2))).toEqual([expected]);
  });

  test("a Map of the same cell", async () => {
    expect(await values(made.same!, doubles(1, 2))).toEqual([10, null]);
  });
});
