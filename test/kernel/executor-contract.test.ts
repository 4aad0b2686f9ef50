import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { types } from "node:util";
import { describe, expect, test } from "vitest";
import { cellExecutor } from "../../kernel-ext/src/runtime/tslab-executor";

const require = createRequire(__filename);

/** What the kernel relies on in tslab's executor; a new version of tslab must keep these. */
describe("tslab's executor", () => {
  const required: string[] = [];
  const executor = cellExecutor(process.cwd(), (id) => {
    if (id.startsWith("node:")) return require(id);
    required.push(id);
    return { id };
  });
  const cell = (output: string, more: { hasToplevelAwait?: boolean; lastExpressionVar?: string } = {}) =>
    executor.run({ hasToplevelAwait: false, lastExpressionVar: undefined, ...more, output });

  test("is the pinned version", () => {
    const { version } = JSON.parse(readFileSync(require.resolve("tslab/package.json"), "utf8"));
    expect(version).toBe("1.0.22");
    const own = JSON.parse(readFileSync(require.resolve("../../package.json"), "utf8"));
    expect(own.dependencies.tslab).toBe("1.0.22");
  });

  test("keeps a cell's exports as variables of the next", async () => {
    expect(await cell("exports.x = 20;")).toEqual({ status: "ended", value: undefined });
    await cell("exports.y = exports.x + 1;");
    expect(executor.locals).toMatchObject({ x: 20, y: 21 });
  });

  test("keeps variables in an object that is no proxy, under which tslab's own sees them", async () => {
    const outcome = await cell("exports.isProxy = require('node:util').types.isProxy(exports);");
    expect(outcome.status).toBe("ended");
    expect(types.isProxy(executor.locals)).toBe(true);
    expect(executor.locals).toHaveProperty("isProxy", false);
    expect("probe" in executor.locals).toBe(false);
  });

  test("lets an imported name be declared anew", async () => {
    const imported =
      'const m = require("./some");\nObject.defineProperty(exports, "named", { enumerable: true, get: function () { return m.id; } });';
    await cell(imported);
    expect(executor.locals).toHaveProperty("named", "./some");
    await cell("exports.named = 2;");
    expect(executor.locals).toHaveProperty("named", 2);
    await cell(imported);
    expect(executor.locals).toHaveProperty("named", "./some");
  });

  test("gives the last expression's value and forgets its variable", async () => {
    const outcome = await cell("exports.last = [1, 2];", { lastExpressionVar: "last" });
    expect(outcome).toEqual({ status: "ended", value: { shown: [1, 2] } });
    expect("last" in executor.locals).toBe(false);
  });

  test.each(["null", "undefined"])("has no value for %s", async (text) => {
    const outcome = await cell(`exports.last = ${text};`, { lastExpressionVar: "last" });
    expect(outcome).toEqual({ status: "ended", value: undefined });
  });

  test("gives what a cell throws, itself", async () => {
    const outcome = await cell('throw Object.assign(new RangeError("far"), { code: 7 });');
    expect(outcome.status === "threw" && outcome.error).toMatchObject({ name: "RangeError", message: "far", code: 7 });
    expect(await cell("throw 5;")).toEqual({ status: "threw", error: 5 });
  });

  test("awaits at top level", async () => {
    const outcome = await cell("exports.v = await Promise.resolve(3);", {
      hasToplevelAwait: true,
      lastExpressionVar: "v",
    });
    expect(outcome).toEqual({ status: "ended", value: { shown: 3 } });
  });

  test("takes `require` from us", async () => {
    const outcome = await cell('exports.m = require("./some");', { lastExpressionVar: "m" });
    expect(outcome).toEqual({ status: "ended", value: { shown: { id: "./some" } } });
    expect(required.at(-1)).toBe("./some");
  });

  test("lets the script be told by its sourceURL, with columns unmoved after a first line break", async () => {
    const before = Error.prepareStackTrace;
    const told: string[] = [];
    Error.prepareStackTrace = (_, sites) => {
      const site = sites[0] as NodeJS.CallSite & { getScriptNameOrSourceURL(): string };
      told.push(`${site.getScriptNameOrSourceURL()}:${site.getLineNumber()}:${site.getColumnNumber()}`);
      return "";
    };
    try {
      await cell('\nconst here = new Error("x"); void here.stack;\n//# sourceURL=pomona-cell:77');
    } finally {
      Error.prepareStackTrace = before;
    }
    expect(told).toEqual(["pomona-cell:77:2:14"]);
  });

  test("ends a pending await when it is interrupted, and runs the next cell", async () => {
    const pending = cell("await new Promise(() => {});", { hasToplevelAwait: true });
    setTimeout(() => executor.interrupt(), 20);
    const outcome = await pending;
    expect(outcome.status === "threw" && (outcome.error as Error).message).toBe("Interrupted asynchronously");
    expect(await cell("exports.z = 1;", { lastExpressionVar: "z" })).toEqual({ status: "ended", value: { shown: 1 } });
  });

  test("does not load TypeScript", () => {
    expect(Object.keys(require.cache).filter((path) => path.includes("typescript-for-tslab"))).toEqual([]);
  });
});
