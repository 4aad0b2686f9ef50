import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SourceFunction } from "../../src/data/batch-function";
import { udf } from "../../src/frame/udf";
import { CapturedVariableError } from "../../src/user-functions";
import { type ConnectedNotebook, connectNotebook } from "../kernel/language-notebook";

/** What the cells of the notebook below define. */
interface Made {
  spec?: SourceFunction;
}
const made: Made = {};

describe("in a notebook", () => {
  let notebook: ConnectedNotebook;

  beforeAll(async () => {
    const stats =
      "export function mean(xs: number[]): number { return xs.reduce((a, b) => a + b, 0) / xs.length; }\nexport const scale = 2;\nexport default function first(xs: number[]) { return xs[0]; }\n";
    (globalThis as Record<string, unknown>).api = {
      udf: (fn: () => unknown, options: object) => {
        const { expression } = udf(fn, { returns: "double", ...options })(
          ...Array<string>(Math.max(1, fn.length)).fill("x"),
        );
        if (expression.kind === "batch" && expression.fn.kind === "source") made.spec = expression.fn;
      },
    };
    notebook = connectNotebook({
      files: {
        "lib/stats.ts": stats,
        "node_modules/units/index.js": "exports.celsius = (f) => ((f - 32) * 5) / 9;",
        "node_modules/units/index.d.ts": "export declare function celsius(f: number): number;",
      },
    });
    await notebook.run(
      "const udf = (globalThis as any).api.udf; const lut = { Apple: 1 }; const bias = 3; function helper(x: number) { return x + bias; }",
    );
    await notebook.run(
      'import { mean, scale as sc } from "./lib/stats"; import * as stats from "./lib/stats"; import first from "./lib/stats"; import { join } from "path";',
    );
  });
  afterAll(() => notebook.close());

  async function failure(cell: string): Promise<CapturedVariableError> {
    const error: unknown = await notebook.run(cell).then(
      () => new Error("no error"),
      (e: unknown) => e,
    );
    if (error instanceof CapturedVariableError) return error;
    throw error;
  }

  test("a variable of an earlier cell goes by its own name, with the remedy", async () => {
    const error = await failure("udf((label: string) => lut.Apple + label.length, {})");
    expect(error.variables).toEqual(["lut"]);
    expect(error.message).not.toContain("exports");
    expect(error.message).toContain("  1 | (label) => lut.Apple + label.length\n    |            ^^^\n");
    expect(error.message).toContain("broadcast: { lut }");
    await notebook.run("udf((label: string) => lut.Apple + label.length, { broadcast: { lut } })");
    expect(Object.keys(made.spec!.broadcast)).toEqual(["lut"]);
  });

  test("a variable of the same cell", async () => {
    expect((await failure("const near = 4; udf((x: number) => x + near, {})")).message).toContain(
      "broadcast: { near }",
    );
    await notebook.run("const near = 4; udf((x: number) => x + near, { broadcast: { near } })");
  });

  test("a helper of an earlier cell", async () => {
    const error = await failure("udf((x: number) => helper(x), {})");
    expect(error.message).toContain("`helper` is a function: put it into a module");
    expect(error.message).not.toContain("exports");
  });

  test("imports of the same cell", async () => {
    const cell =
      'import { mean, scale as sc } from "./lib/stats";\nimport stat from "node:fs";\nudf((xs: number[]) => mean(xs) * sc + stat.statSync(".").size, {})';
    const error = await failure(cell);
    expect(error.variables).toEqual(["mean", "sc", "stat"]);
    expect(error.message).toContain(
      '  1 | (xs) => mean(xs) * sc + stat.statSync(".").size\n    |         ^^^^       ^^   ^^^^\n',
    );
    expect(error.message).toContain(
      '`mean` and `sc` come from an import: name its module as the import line does, e.g. imports: ["./lib/stats"], or import them inside the function.',
    );
    expect(error.message).toContain('imports: ["node:fs"]');
    const own = await failure('import { Vectors } from "pomona/ml";\nudf((x: number) => Vectors.dense([x]), {})');
    expect(own.message).toContain('imports: ["pomona/ml"]');
    const packaged = await failure('import { celsius } from "units";\nudf((f: number) => celsius(f), {})');
    expect(packaged.message).toContain('imports: ["units"]');
    await notebook.run(cell.replace("{})", '{ imports: ["./lib/stats", "node:fs"] })'));
    expect(made.spec!.imports.map(({ specifier, names }) => ({ specifier, names }))).toEqual([
      { specifier: "./lib/stats", names: { mean: "mean", sc: "scale" } },
      { specifier: "node:fs", names: { stat: "default" } },
    ]);
  });

  test("imports of an earlier cell", async () => {
    expect((await failure("udf((xs: number[]) => mean(xs), {})")).message).not.toContain("exports");
    await notebook.run('udf((xs: number[]) => mean(xs) + stats.scale, { imports: ["./lib/stats"] })');
    expect(made.spec!.imports[0]!.names).toEqual({ mean: "mean", stats: "*" });
    await notebook.run(
      'udf((xs: number[]) => stats.mean(xs) * sc + first(xs), { imports: { stats: "./lib/stats", sc: "./lib/stats#scale", first: "./lib/stats" } })',
    );
    expect(made.spec!.imports[0]!.names).toEqual({ stats: "*", sc: "scale", first: "default" });
    await notebook.run('udf((x: string) => join(x, "a").length, { imports: ["path"] })');
    expect(made.spec!.imports[0]).toMatchObject({ specifier: "path", names: { join: "join" } });
  });

  test("a name whose type alone is asked of", async () => {
    await notebook.run('udf((x: string) => typeof join + x, { imports: ["path"] })');
    expect(made.spec!.imports[0]).toMatchObject({ specifier: "path", names: { join: "join" } });
    expect((await failure("udf((x: string) => typeof join + x, {})")).message).toContain("uses `join`");
    await notebook.run("udf((x: string) => typeof (globalThis as any).window + typeof queueMicrotask + x, {})");
    expect(made.spec!.imports).toEqual([]);
  });

  test("an import in the function itself", async () => {
    await notebook.run(
      'udf(async (xs: number[]) => { const { mean: m } = await import("./lib/stats"); return m(xs); }, {})',
    );
    expect(made.spec!.imports.map((module) => module.specifier)).toEqual(["./lib/stats"]);
  });

  test("an assignment to a variable of an earlier or the same cell", async () => {
    await notebook.run("let total = 0;");
    const message = "assigns `total`, a variable outside it";
    expect(
      (await failure("udf((x: number) => { total += x; return x; }, { broadcast: { total } })")).message,
    ).toContain(message);
    const same = await failure(
      "let total = 0; udf((x: number) => { total++; return x; }, { broadcast: { total } }); total = 2;",
    );
    expect(same.message).toContain(message);
    expect(same.message).not.toContain("exports");
  });
});
