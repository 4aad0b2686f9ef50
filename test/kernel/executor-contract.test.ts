import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
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

  test("gives cells the places of the notebook's names", async () => {
    expect(await cell('const [x] = __tslab__.names(["x"], []); x.now = 20;')).toEqual({
      status: "ended",
      value: undefined,
    });
    expect(executor.end("In[1]", "done")).toEqual([]);
    await cell('const [y, x] = __tslab__.names(["y"], ["x"]); y.now = x.now + 1;');
    executor.end("In[2]", "done");
    expect(executor.locals()).toEqual({ x: 20, y: 21 });
  });

  test("tells what a failed cell did not come to", async () => {
    await cell('const [a, b, c] = __tslab__.names(["a", "b", "c"], []); a.now = b.now = 1; c.now = NaN;');
    executor.end("In[3]", "done");
    await cell('const [a, b, c, d] = __tslab__.names(["a", "b", "c", "d"], []); a.now = 2; throw 1;');
    expect(executor.end("In[4]", "failed")).toEqual(["b", "c"]);
    expect(executor.locals()).toMatchObject({ a: 2, b: 1, c: Number.NaN });
    const read = await cell('const [d] = __tslab__.names([], ["d"]); d.now;');
    executor.end("In[5]", "failed");
    expect(read.status === "threw" && String(read.error)).toBe(
      "ReferenceError: d has no value: In[4], which declares it, failed before it came to that line.",
    );
  });

  test("knows where a value was imported from, until there is another", async () => {
    await cell(
      'const [named] = __tslab__.names(["named"], []); named.takeImport(require("./some").id, "./some", "id");',
    );
    executor.end("In[6]", "done");
    expect(executor.locals()).toHaveProperty("named", "./some");
    expect(executor.importOf("named")).toMatchObject({ specifier: "./some", exported: "id" });
    await cell('const [named] = __tslab__.names([], ["named"]); named.now = 2;');
    executor.end("In[7]", "done");
    expect(executor.importOf("named")).toBeUndefined();
  });

  test("follows a variable that its module assigns", async () => {
    await cell('const [n] = __tslab__.names(["n"], []); let count = 0; n.followImport(() => ++count, "./c", "count");');
    executor.end("In[8]", "done");
    const first = Number(executor.locals().n);
    expect(Number(executor.locals().n)).toBeGreaterThan(first);
    await cell('const [n] = __tslab__.names(["n"], []); n.now = -5;');
    executor.end("In[9]", "done");
    expect(executor.locals()).toHaveProperty("n", -5);
  });

  test("gives the last expression's value and forgets its variable", async () => {
    const outcome = await cell("exports.last = [1, 2];", { lastExpressionVar: "last" });
    expect(outcome).toEqual({ status: "ended", value: { shown: [1, 2] } });
    expect(await cell("exports.other = 'last' in exports;", { lastExpressionVar: "other" })).toMatchObject({
      value: { shown: false },
    });
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
    // In a process of its own: what another test of this one has loaded says nothing.
    const program = `
      const { cellExecutor } = require(${JSON.stringify(join(__dirname, "../../kernel-ext/dist/runtime/tslab-executor.js"))});
      const cell = { hasToplevelAwait: false, lastExpressionVar: "x", output: "exports.x = 6 * 7;" };
      cellExecutor(process.cwd(), require).run(cell).then(({ value }) => {
        process.stdout.write(JSON.stringify([value.shown, Object.keys(require.cache)]));
      });`;
    const printed = execFileSync(process.execPath, ["-e", program], { encoding: "utf8" });
    const [value, loaded] = JSON.parse(printed) as [number, string[]];
    expect(value).toBe(42);
    expect(loaded.filter((path) => path.includes("/tslab/"))).not.toEqual([]);
    expect(loaded.filter((path) => path.includes("typescript"))).toEqual([]);
    // What takes its place is not left behind for those who need it.
    expect(loaded.filter((path) => path.endsWith("/tslab/dist/metadata.js"))).toEqual([]);
  });
});
