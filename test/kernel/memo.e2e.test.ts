// biome-ignore-all lint/suspicious/noTemplateCurlyInString: cells are text
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { newGate } from "../support/gate";
import { type RunningKernel, startKernel } from "../support/kernel";

let folder: string;
let kernel: RunningKernel;
const others: RunningKernel[] = [];
const folders: string[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "pomona-memo-"));
  folders.push(folder);
  kernel = await startKernel({ cwd: folder });
});
afterEach(async () => {
  for (const each of [kernel, ...others.splice(0)]) await each.stop();
});
afterAll(() => {
  for (const each of folders) rmSync(each, { recursive: true, force: true });
});

/** What a cell prints, its error first, as one text. */
async function run(code: string, on = kernel): Promise<string> {
  const { reply, stdout, outputs } = await on.execute(code);
  const { status, ename, evalue } = reply.content as { status: string; ename?: string; evalue?: string };
  const result = outputs.find(({ header }) => header.msg_type === "execute_result");
  const shown = (result?.content as { data?: Record<string, string> } | undefined)?.data?.["text/plain"] ?? "";
  return `${status === "error" ? `${ename}: ${evalue}\n` : ""}${stdout}${shown}`;
}

async function restart(): Promise<void> {
  await kernel.stop();
  kernel = await startKernel({ cwd: folder });
}

test("a value outlives its kernel, and is computed again when what it is made of changes", async () => {
  const cells = [
    "const rate = 2; const unused = 1; class Unit { constructor(readonly factor: number) {} of(x: number) { return x * this.factor; } }",
    "const unit = new Unit(10); function scaled(x: number) { return unit.of(x) * rate; }",
  ];
  const all = async () => {
    for (const cell of cells) expect(await run(cell)).toBe("");
  };
  const ask = 'await memo("prices", async () => { for (let i = 0; i < 3; i++); return [1, 2].map((x) => scaled(x)); })';
  await all();
  const first = await run(ask);
  expect(first).toMatch(
    /^memo "prices": computed in [\d.]+ m?s, kept in \.pomona\/memo\/prices\/[0-9a-f]{8}… \(\d+ bytes\)\n\[ 20, 40 \]$/,
  );
  expect(await run(ask)).toMatch(/^memo "prices": taken from \.pomona\/memo\/prices\/[0-9a-f]{8}… \(made 20/);

  await restart();
  await all();
  expect(await run(ask)).toMatch(/taken from .*\n\[ 20, 40 \]$/);
  // Comments and white space mean nothing, and neither do names that it does not use.
  await run("const unused = 2");
  expect(await run(ask.replace("return", "/* as always */\n  return"))).toContain("taken from");
  // In other cells, or once more.
  await run(cells[1] as string);
  expect(await run(ask)).toContain("taken from");

  await run("const rate = 3");
  expect(await run(ask)).toMatch(/recomputed: rate is 3 \(was 2\); computed in .*\n\[ 30, 60 \]$/);
  await run("function scaled(x: number) { return unit.of(x) * rate + 1; }");
  expect(await run(ask)).toMatch(/recomputed: scaled was redefined; .*\n\[ 31, 61 \]$/);
  await run("unit.factor");
  await run("(unit as any).factor = 100");
  expect(await run(ask)).toMatch(/recomputed: unit was redefined; .*\n\[ 301, 601 \]$/);
  await run(`${cells[0]?.replace("x * this.factor", "x + this.factor").replace("rate = 2", "rate = 3")}`);
  // The instance is of the class as it was.
  expect(await run(ask)).toContain("taken from");
  await run("const unit = new Unit(100)");
  expect(await run(ask)).toMatch(/recomputed: unit was redefined; .*\n\[ 304, 307 \]$/);
  expect(await run(ask.replace("scaled(x)", "scaled(x) - 1"))).toContain("recomputed: the function's text changed; ");
  expect(await run("(await memo.list()).map(({ name }) => name).join()")).toContain("prices,prices");
  expect(await run('await memo.clear("prices")')).toBe("5");
  expect(existsSync(join(folder, ".pomona/memo/prices"))).toBe(false);
});

test("modules of one's own, packages and what functions capture are part of it", async () => {
  writeFileSync(join(folder, "base.ts"), "export const base = 1;\nexport const other = 5;\n");
  writeFileSync(
    join(folder, "stats.ts"),
    'import { base } from "./base";\nlet offset = 0;\nexport const setOffset = (n: number) => { offset = n; };\nexport const mean = (xs: number[]) => base + offset + xs.reduce((a, x) => a + x, 0) / xs.length;\n',
  );
  const load = 'import * as stats from "./stats"; import { mean } from "./stats"; import { join } from "node:path";';
  const ask = 'await memo("mean", () => join("a", String(mean([1, 3]) + stats.mean([5]))))';
  await run(load);
  expect(await run(ask)).toMatch(/computed in .*\n'?a\/9/);
  await restart();
  await run(load);
  expect(await run(ask)).toMatch(/taken from .*\n'?a\/9/);
  writeFileSync(join(folder, "base.ts"), "export const base = 2;\nexport const other = 5;\n");
  await run(load);
  expect(await run(ask)).toMatch(/recomputed: .*base is 2 \(was 1\).*\n'?a\/11/);
  // What a module's own functions change is seen as well.
  await run('import { setOffset } from "./stats"; setOffset(10)');
  expect(await run(ask)).toMatch(/recomputed: .*offset is 10 \(was 0\).*\n'?a\/31/);

  await run('const make = (performance: number) => memo("captured", () => performance * 2);');
  expect(await run("await make(2)")).toMatch(/computed in .*\n4$/);
  expect(await run("await make(3)")).toMatch(/recomputed: performance is 3 \(was 2\); computed in .*\n6$/);
  expect(await run("await make(2)")).toMatch(/taken from .*\n4$/);
});

test("files that a DataFrame is made of are looked at each time", async () => {
  const data = join(folder, "fruits");
  mkdirSync(data);
  writeFileSync(join(data, "a.csv"), "name,size\nKiwi,1\nFig,2\n");
  const load = 'const fruits = session.read.option("header", "true").csv("fruits");';
  const inside =
    'const big = await memo("big", () => session.read.option("header", "true").csv("fruits").filter("cast(size as int) > 1")); await big.count()';
  const outside = 'await memo("count", async () => ({ rows: await fruits.count(), frame: fruits.limit(1) }))';
  await run(load);
  expect(await run(inside)).toMatch(/memo "big": computed in .*[\s\S]*\n1$/);
  expect(await run(outside)).toMatch(/memo "count": computed in .*[\s\S]*rows: 2/);
  await restart();
  await run(load);
  expect(await run(inside)).toMatch(/memo "big": taken from .*[\s\S]*\n1$/);
  expect(await run(outside)).toMatch(/memo "count": taken from .*[\s\S]*rows: 2/);
  writeFileSync(join(data, "b.csv"), "name,size\nPlum,7\n");
  expect(await run(inside)).toMatch(/memo "big": recomputed: fruits: 1 file more; [\s\S]*\n2$/);
  expect(await run(outside)).toMatch(/memo "count": recomputed: fruits: 1 file more; [\s\S]*rows: 3/);
  writeFileSync(join(data, "b.csv"), "name,size\nPlum,1\n");
  expect(await run(inside)).toMatch(/memo "big": recomputed: fruits: 1 file changed; [\s\S]*\n1$/);
  // What is cached has the rows of its time.
  await run("const kept = fruits.cache(); await kept.count()");
  const cached = 'await memo("cached", () => kept.count())';
  expect(await run(cached)).toMatch(/computed in [\s\S]*\n3$/);
  writeFileSync(join(data, "c.csv"), "name,size\nPear,1\n");
  await restart();
  await run(load);
  await run("const kept = fruits.cache();");
  expect(await run(cached)).toMatch(/recomputed: fruits: 1 file more; [\s\S]*\n4$/);
});

test("nothing is kept of what failed, was interrupted or was damaged", async () => {
  const kept = () => readdirSync(folder, { recursive: true }).filter((path) => String(path).includes(".pomona/memo/"));
  expect(await run('await memo("bad", () => { throw new RangeError("no"); })')).toContain("RangeError: no");
  expect(kept().filter((path) => /entry\.json|value/.test(String(path)))).toEqual([]);

  const gate = newGate();
  for (const waits of [gate.wait, "while (true);"]) {
    const cell = kernel.start(`await memo("slow", async () => { console.log("begun"); ${waits} return 1; })`);
    await kernel.prints(cell.id);
    await kernel.interrupt();
    expect((await cell.done).reply.content.ename).toBe("KeyboardInterrupt");
  }
  gate.open();
  await new Promise((done) => setTimeout(done, 500));
  expect(kept().filter((path) => /entry\.json|value/.test(String(path)))).toEqual([]);

  const ask = 'await memo("rows", () => Array.from({ length: 1000 }, (_, i) => ({ i })))';
  await run(`(${ask}).length`);
  const value = kept().find((path) => String(path).endsWith("value.v8")) as string;
  const bytes = readFileSync(join(folder, value));
  bytes[100] = (bytes[100] as number) ^ 1;
  writeFileSync(join(folder, value), bytes);
  expect(await run(`(${ask}).length`)).toMatch(
    /recomputed: what was kept can't be used \(value\.v8 is damaged\); .*\n1000$/,
  );
  expect(await run(`(${ask}).length`)).toMatch(/taken from .*\n1000$/);
});

test("two kernels that compute the same have the same", async () => {
  const second = await startKernel({ cwd: folder });
  others.push(second);
  // Both have begun before either is done.
  const gate = newGate();
  const ask = `import { writeFileSync } from "node:fs";
await memo("both", async () => {
  writeFileSync(\`begun-\${process.pid}\`, "");
  ${gate.wait}
  return session.range(5);
}).then((df) => df.count())`;
  const running = Promise.all([run(ask), run(ask, second)]);
  await expect.poll(() => readdirSync(folder).filter((name) => name.startsWith("begun-"))).toHaveLength(2);
  gate.open();
  const both = await running;
  for (const each of both) expect(each).toMatch(/computed in [\s\S]*\n5$/);
  expect(await run(ask)).toMatch(/taken from [\s\S]*\n5$/);
  expect(await run(ask, second)).toMatch(/taken from [\s\S]*\n5$/);
});

test("what can't be compared or kept is an error that names it", async () => {
  await run(
    'import { createServer } from "node:net"; const server = createServer(); const table = { rows: [server] }; const later = Promise.resolve(1); let total = 0;',
  );
  expect(await run('await memo("a", () => table.rows.length)')).toMatch(/MemoKeyError: memo "a": table\.rows\[0\]/);
  expect(await run('await memo("a", () => table.rows.length, { key: 1 })')).toMatch(/computed in .*\n1$/);
  expect(await run('await memo("b", async () => await later)')).toContain('MemoKeyError: memo "b": later is a Promise');
  expect(await run('await memo("c", () => { total = 5; return 1; })')).toContain("assigns total");
  expect(await run('await memo("d", () => eval("total"))')).toContain("uses `eval` or `with`");
  expect(await run('await memo("e", () => ({ at: new (class Point { x = 1 })() }))')).toContain(
    'MemoValueError: memo "e" can\'t keep its value: its value.at is a Point',
  );
  expect(await run('await memo("f", () => () => 1)')).toContain("its value is a function");
});

test("frames and models are kept within other values, and memos within memos", async () => {
  writeFileSync(join(folder, "a.csv"), "x,y\n1,2\n3,5\n4,4\n");
  const cells = [
    'import { assemble } from "./assemble"; const points = session.read.option("header", "true").option("inferSchema", "true").csv("a.csv");',
    'const fitted = await memo("fitted", async () => { const frame = await memo("frame", () => assemble(points)); const pca = new PCA({ inputCol: "v", outputCol: "p", k: 1 }); return { model: await pca.fit(frame), frames: new Map([["all", frame]]) }; });',
    'const { model, frames } = fitted; [await model.transform(frames.get("all")!).count(), model.explainedVariance.length].join()',
  ];
  writeFileSync(
    join(folder, "assemble.ts"),
    'import { VectorAssembler } from "pomona/ml";\nimport type { DataFrame } from "pomona";\nexport const assemble = (df: DataFrame) => new VectorAssembler({ inputCols: ["x", "y"], outputCol: "v" }).transform(df);\n',
  );
  const all = async () => {
    let text = "";
    for (const cell of cells) text += `${await run(cell)}\n`;
    return text;
  };
  expect(await all()).toMatch(/"frame": computed in [\s\S]*"fitted": computed in [\s\S]*3,1/);
  await restart();
  const again = await all();
  expect(again).toMatch(/"fitted": taken from [\s\S]*3,1/);
  expect(again).not.toContain("computed");
  await restart();
  writeFileSync(join(folder, "a.csv"), "x,y\n1,2\n3,5\n4,4\n5,9\n");
  expect(await all()).toMatch(
    /"frame": recomputed: a\.csv: 1 file changed; [\s\S]*"fitted": recomputed: a\.csv: 1 file changed; [\s\S]*4,1/,
  );
});

test("a value that can't be written is still there", async () => {
  await run('import { writeFileSync } from "node:fs";');
  const cell = 'await memo("v", () => { writeFileSync(".pomona", "in the way"); return 5; })';
  expect(await run(cell)).toMatch(/memo "v": computed in [\d.]+ m?s, NOT kept: .*\n5$/);
});
