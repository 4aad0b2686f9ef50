import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningKernel, startKernel } from "../support/kernel";
import type { Execution } from "../support/kernel-client";

let folder: string;
let kernel: RunningKernel;

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "pomona-notebook-")));
  mkdirSync(join(folder, "lib"));
  writeFileSync(
    join(folder, "lib", "stats.ts"),
    "export const mean = (xs: number[]) => xs.reduce((a, b) => a + b, 0) / xs.length;\n",
  );
  kernel = await startKernel({ cwd: folder });
});
afterAll(async () => {
  await kernel.stop();
  rmSync(folder, { recursive: true, force: true });
});

const run = async (code: string) => {
  const execution = await kernel.execute(code, { timeout: 120_000 });
  const { content } = execution.reply;
  if (content.status !== "ok") throw new Error(`${content.ename}: ${content.evalue}`);
  return execution;
};
const data = ({ outputs }: Execution, type = "execute_result") =>
  outputs.filter((output) => output.type === type).map((output) => output.content.data as Record<string, string>);

describe("a notebook in the kernel", () => {
  test("the first use of the session starts it and shows its table once", async () => {
    const first = await run("session");
    expect(data(first, "display_data")[0]?.["text/plain"]).toMatch(
      /^ID +local-\d+\nApplication +pomona\nMaster +local\[\*\] \(\d+ workers?\)\nState +idle\nUI +none/,
    );
    expect(first.stdout).toBe("Session available as 'session'.\n");
    expect(data(first)[0]).toEqual({ "text/plain": expect.stringMatching(/^Session local-\d+ \(pomona, /) });
    const second = await run("await session.range(2).count()");
    expect(second.outputs.map(({ type }) => type)).toEqual(["execute_result"]);
    expect(second.result).toBe("2");
  });

  test("a DataFrame is a table, typed, and a wrong one fails the cell", async () => {
    const shown = await run(
      'const fruits = session.createDataFrame([{ id: 1, label: "Apple" }, { id: 2, label: "Kiwi" }]);\nfruits.filter("id > 1")',
    );
    expect(shown.result).toBe("+---+-----+\n| id|label|\n+---+-----+\n|  2| Kiwi|\n+---+-----+\n");
    expect(data(shown)[0]?.["text/html"]).toContain('<table class="pomona-table">');
    await expect(run('fruits.select(col("lable"))')).rejects.toThrow(/UnresolvedColumnError: .*lable/);
  });

  test("a promise without a value shows nothing, one that waits says what to do, and an assignment is no result", async () => {
    expect((await kernel.execute('display("x")')).result).toBeUndefined();
    expect((await kernel.execute("new Promise((done) => setTimeout(done, 50))")).result).toContain("await");
    expect((await kernel.execute("let assigned = 1; assigned = 2;")).result).toBeUndefined();
    expect((await kernel.execute("assigned")).result).toBe("2");
  });

  test("display shows any value, and replaces outputs in other cells", async () => {
    const shown = await run(
      'display({ "text/html": "<b>shown</b>", "text/plain": "shown" }, { displayId: "one" }); display([{ a: 1 }]);',
    );
    const [bundle, table] = data(shown, "display_data");
    expect(bundle).toEqual({ "text/html": "<b>shown</b>", "text/plain": "shown" });
    expect(table).toMatchObject({ "text/plain": "[ { a: 1 } ]", "text/html": expect.stringContaining("<td") });
    const updated = await run('const mark = "<"; updateDisplay("one", html`<i>$' + "{mark}</i>`);");
    expect(updated.outputs[0]).toMatchObject({
      type: "update_display_data",
      content: { data: { "text/html": "<i>&lt;</i>" }, transient: { display_id: "one" } },
    });
    const cleared = await run("clearOutput({ wait: true });");
    expect(cleared.outputs[0]).toMatchObject({ type: "clear_output", content: { wait: true } });
  });

  test("a value that throws while it is shown leaves the cell whole", async () => {
    const shown = await run('({ get toHTML(): string { throw new Error("boom"); } })');
    expect(shown.result).toContain("showing it failed: Error: boom");
  });

  test("a promise says what to do", async () => {
    expect((await run("new Promise(() => {})")).result).toBe(
      "Promise { <pending> }\nIts value is not there yet: put `await` before it.",
    );
  });

  test("prompt and readLine ask the reader", async () => {
    const answer = (prompt: string, password: boolean) => `${prompt}/${password}`;
    const asked = await kernel.execute('[prompt("a"), await readLine("b", { password: true })]', { answer });
    expect(asked.result).toBe("[ 'a/false', 'b/true' ]");
  });

  test("a captured variable is named at once; broadcast values and imports are taken", async () => {
    await run("const lut: Record<string, number> = { Apple: 2 };");
    await expect(run('udf((label: string) => lut[label], { returns: "double" });')).rejects.toThrow(
      /CapturedVariableError: The function .* uses `lut`, which is not part of it/,
    );
    const scored = await run(`import { mean } from "./lib/stats";
const score = udf((label: string) => mean([lut[label] ?? 0, 4]), { returns: "double", broadcast: { lut }, imports: ["./lib/stats"] });
await fruits.select(col("id"), score(col("label")).alias("score")).collect()`);
    expect(scored.result).toBe("[ { id: 1, score: 3 }, { id: 2, score: 2 } ]");
  });

  test("an interrupt cancels the job, and its output is taken back", async () => {
    const slow = `const slow = udf((id: number) => new Promise<number>((done) => setTimeout(done, 50, id)), { returns: "long" });
await session.range(10000).repartition(4).select(slow(col("id")).alias("id")).write.parquet("out")`;
    const started = kernel.start(slow, { timeout: 120_000 });
    await expect.poll(() => existsSync(join(folder, "out")), { timeout: 120_000 }).toBe(true);
    await kernel.interrupt();
    const { reply } = await started.done;
    expect(reply.content).toMatchObject({ status: "error", ename: "KeyboardInterrupt" });
    expect(existsSync(join(folder, "out"))).toBe(false);
    const after = await run("[session.state, await session.range(5).count()]");
    expect(after.result).toBe("[ 'idle', 5 ]");
  });
});
