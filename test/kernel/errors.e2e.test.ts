import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newGate } from "../support/gate";
import { type RunningKernel, startKernel } from "../support/kernel";
import type { Execution } from "../support/kernel-client";

let kernel: RunningKernel;
let folder: string;
beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "pomona-errors-")));
  mkdirSync(join(folder, "lib"));
  kernel = await startKernel({ cwd: folder });
});
afterAll(async () => {
  await kernel?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The cell's one error, with its traceback as plain text. */
function errorOf(run: Execution): { ename: string; evalue: string; text: string } {
  const errors = run.outputs.filter(({ type }) => type === "error");
  expect(errors).toHaveLength(1);
  const { ename, evalue, traceback } = errors[0]!.content;
  expect(run.reply.content).toMatchObject({ status: "error", ename, evalue, traceback });
  return { ename, evalue, text: stripVTControlCharacters(traceback.join("\n")) };
}

describe("a thrown error", () => {
  test("is an error message whose lines are those of the TypeScript source", async () => {
    const run = await kernel.execute(
      'interface Fruit { name: string; weight?: { grams: number } }\n\nconst kiwi: Fruit = { name: "Kiwi" };\nfunction grams(fruit: Fruit): number {\n  return fruit.weight!.grams;\n}\ngrams(kiwi)',
    );
    const { ename, evalue, text } = errorOf(run);
    expect(ename).toBe("TypeError");
    expect(evalue).toBe("Cannot read properties of undefined (reading 'grams')");
    const count = run.reply.content.execution_count;
    expect(text).toContain(`In[${count}], line 5`);
    expect(text).toContain("> 5 |   return fruit.weight!.grams;\n    |                        ^^^^^");
    expect(text).toMatch(new RegExp(`at grams \\(In\\[${count}\\]:5:24\\)\\s+at In\\[${count}\\]:7:1`));
  });

  test("names the cell that defined the function, and the one that called it", async () => {
    const defined = await kernel.execute(
      "const half = (n: number) => {\n  if (n < 0) throw new RangeError(String(n));\n  return n / 2;\n};",
    );
    const called = await kernel.execute("const values = [4, -2];\nvalues.map(half)");
    const { ename, text } = errorOf(called);
    expect(ename).toBe("RangeError");
    const [a, b] = [defined, called].map(({ reply }) => reply.content.execution_count);
    expect(text).toContain(`at half (In[${a}]:2:20)`);
    expect(text).toContain("at Array.map (<anonymous>)");
    expect(text).toContain(`at In[${b}]:2:8`);
  });

  test("has no frame of the kernel, the executor or Node", async () => {
    const run = await kernel.execute(
      "await new Promise((done) => setTimeout(done, 5));\nawait (async () => { throw new Error('late'); })()",
    );
    const { text } = errorOf(run);
    expect(text).toContain("late");
    expect(text).not.toMatch(/tslab|kernel-ext|node:|evalmachine/);
  });

  test("in a local module points to the line of its source", async () => {
    writeFileSync(
      join(folder, "lib", "stats.ts"),
      'type Numbers = readonly number[];\n\nexport function mean(values: Numbers): number {\n  if (values.length === 0) throw new Error("no values");\n  return values.reduce((a, b) => a + b, 0) / values.length;\n}\n',
    );
    const run = await kernel.execute('import { mean } from "./lib/stats";\nmean([])');
    const { text } = errorOf(run);
    expect(text).toContain("at mean (lib/stats.ts:4:34)");
    expect(text).toContain('> 4 |   if (values.length === 0) throw new Error("no values");');
  });

  test("keeps its causes, and the parts of an AggregateError", async () => {
    const run = await kernel.execute(
      'try { JSON.parse("{"); } catch (cause) { throw new Error("settings are broken", { cause }); }',
    );
    const { ename, text } = errorOf(run);
    expect(ename).toBe("Error");
    expect(text).toMatch(/Error: settings are broken[\s\S]*Caused by SyntaxError: /);
    const any = await kernel.execute(
      'await Promise.any([Promise.reject(new Error("one")), Promise.reject(new Error("two"))])',
    );
    expect(errorOf(any).text).toMatch(/AggregateError[\s\S]*Error: one[\s\S]*Error: two/);
  });

  test("of a class of the user's has the class's name", async () => {
    const run = await kernel.execute('class TooRipe extends Error {}\nthrow new TooRipe("a kiwi")');
    expect(errorOf(run)).toMatchObject({ ename: "TooRipe", evalue: "a kiwi" });
  });

  test.each([
    ["'text'", "'text'"],
    ["undefined", "undefined"],
    ["{ code: 7 }", "{ code: 7 }"],
  ])("may be any value: throw %s", async (code, evalue) => {
    const run = await kernel.execute(`throw ${code};`);
    expect(errorOf(run)).toMatchObject({ ename: "Thrown", evalue });
  });

  test("of a worker shows the worker's own stack, in the cell's lines", async () => {
    const run = await kernel.execute(
      'const bad = udf((n: number) => {\n  const none = n > 2 ? undefined : [n];\n  return none![0];\n}, { returns: "int" });\nawait session.range(5).select(bad("id")).collect()',
      { timeout: 120_000 },
    );
    const { ename, text } = errorOf(run);
    expect(ename).toBe("TaskFailedError");
    expect(text).toContain("Cannot read properties of undefined");
    expect(text).toContain("return none![0];");
    expect(text).toMatch(/In\[\d+\]:3:1\d/);
    expect(text).toMatch(/In\[\d+\], line 5\n[\s\S]*> 5 \| await session\.range/);
  });

  test("of work that fails late is shown at the line that began it, in a function too", async () => {
    const cell = `const lost = "/nowhere/at/all";
async function count() {
  await session.range(3).count();
  return session.read.parquet(lost).count();
}
`;
    const called = errorOf(await kernel.execute(`${cell}await count()`, { timeout: 120_000 }));
    expect(called.ename).toBe("PathNotFoundError");
    expect(called.text).toMatch(/In\[\d+\], line 4\n[\s\S]*> 4 \| {3}return session\.read/);
    const kept =
      "const counting = session.read.parquet(lost).count();\nawait session.range(3).count();\nawait counting";
    expect(errorOf(await kernel.execute(kept)).text).toMatch(/In\[\d+\], line 1\n> 1 \| const counting/);
  });

  test("leaves the next cells alone, also those sent at once", async () => {
    const first = kernel.start('throw new Error("expected")', { stop_on_error: false });
    const second = kernel.start("'still here'");
    expect((await first.done).reply.content.status).toBe("error");
    expect((await second.done).result).toBe("'still here'");
  });
});

describe("a compile error", () => {
  test("is one TypeScriptError with a caret", async () => {
    const run = await kernel.execute('const grams: number = 5;\nconst name: number = "Kiwi";');
    const { ename, evalue, text } = errorOf(run);
    expect(ename).toBe("TypeScriptError");
    expect(evalue).toBe("Type 'string' is not assignable to type 'number'.");
    expect(text).toContain("TS2322");
    expect(text).toContain('> 2 | const name: number = "Kiwi";\n    |       ^^^^');
    expect(run.outputs).toHaveLength(1);
  });

  test("tells of all mistakes at once", async () => {
    const { evalue, text } = errorOf(await kernel.execute("const a: number = true;\nconst b: string = 1;\nfoo;"));
    expect(evalue).toContain("(and 2 more)");
    expect(text).toContain("Cannot find name 'foo'.");
  });

  test("leaves nothing of the cell behind", async () => {
    await kernel.execute("const kept = 1;");
    await kernel.execute("const kept = 2; const wrong: string = 3;");
    expect((await kernel.execute("kept")).result).toBe("1");
  });

  test("of a local module names the file", async () => {
    writeFileSync(join(folder, "lib", "broken.ts"), "export const x: number = ;\n");
    const run = await kernel.execute('import { x } from "./lib/broken";\nx');
    const { ename, text } = errorOf(run);
    expect(ename).toBe("TypeScriptError");
    expect(text).toContain("lib/broken.ts:1:");
    expect(text).toContain("export const x: number = ;");
  });

  test("of a module that is not there says so", async () => {
    const { ename, evalue } = errorOf(await kernel.execute('import { x } from "./nowhere";\nx'));
    expect(ename).toBe("TypeScriptError");
    expect(evalue).toContain("Cannot find module './nowhere'");
    const required = errorOf(await kernel.execute('require("./nowhere.cjs")'));
    expect(required.evalue).toBe("Cannot find module './nowhere.cjs'");
  });

  test("of a DataFrame that is looked at points to the line that shows it", async () => {
    const cell = 'const fruits = session.createDataFrame([{ kilos: 1 }]);\n\nfruits\n  .filter("kilo > 5")';
    const { ename, text } = errorOf(await kernel.execute(cell));
    expect(ename).toBe("UnresolvedColumnError");
    expect(text).toMatch(/In\[\d+\], line 3\n.*\n.*\n> 3 \| fruits/);
    expect(text).not.toContain("/dist/");
    const written = errorOf(await kernel.execute('fruits\n  .filter(col("kilo").gt(5))'));
    expect(written.text).toMatch(/In\[\d+\], line 2\n.*\n> 2 \|\s+\.filter\(/);
  });

  test("of the package has nothing of its own stack, nor its causes", async () => {
    const { ename, text } = errorOf(await kernel.execute('session.read.csv("nowhere.csv")'));
    expect(ename).toMatch(/NotFound|Path/);
    expect(text).toContain("Caused by");
    expect(text).not.toMatch(/\/dist\/|node:|<anonymous>/);
  });
});

describe("process.exit", () => {
  test("ends the cell with the code, not the kernel", async () => {
    const run = await kernel.execute("const before = 1;\nprocess.exit(3);\nconsole.log('not reached');");
    expect(errorOf(run)).toMatchObject({ ename: "SystemExit", evalue: "3" });
    expect(run.stdout).toBe("");
    expect((await kernel.execute("1 + 1")).result).toBe("2");
  });
});

describe("code that a cell left running", () => {
  test("prints in its own cell, also when another runs", async () => {
    const first = kernel.start("setTimeout(() => console.log('from the first'), 300); 'started'");
    await first.done;
    const second = await kernel.execute(
      "await new Promise((done) => setTimeout(done, 600)); console.log('from the second')",
    );
    expect(second.stdout).toBe("from the second\n");
    const late = await kernel.waitFor((m) => m.type === "stream" && m.content.text.includes("from the first"));
    expect(late.parent.msg_id).toBe(first.id);
  });

  test("reports its error on stderr, and the kernel lives", async () => {
    for (const left of ["throw new Error('too late')", "Promise.reject(new Error('nobody waits'))"]) {
      // When its cell has ended.
      const gate = newGate();
      await kernel.execute(
        `{ const timer = setInterval(() => { if (require("node:fs").existsSync("${gate.path}")) { clearInterval(timer); ${left}; } }, 20); } 1`,
      );
      gate.open();
      const [text = ""] = /too late|nobody waits/.exec(left) ?? [];
      const message = await kernel.waitFor((m) => m.type === "stream" && m.content.text.includes(text));
      expect(message.content.name).toBe("stderr");
    }
    expect((await kernel.execute("'alive'")).result).toBe("'alive'");
  });
});
