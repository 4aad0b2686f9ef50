import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newGate } from "../support/gate";
import { type RunningKernel, startKernel } from "../support/kernel";
import { isStatus } from "../support/kernel-messages";

let kernel: RunningKernel;
let folder: string;
beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "pomona-interrupt-")));
  mkdirSync(join(folder, "node_modules", "busy"), { recursive: true });
  writeFileSync(
    join(folder, "node_modules", "busy", "index.js"),
    "exports.spin = () => { for (;;); };\nexports.spinUntil = (path) => { while (!require('node:fs').existsSync(path)); return 'spun'; };\n",
  );
  writeFileSync(
    join(folder, "node_modules", "busy", "index.d.ts"),
    "export declare function spin(): void;\nexport declare function spinUntil(path: string): string;\n",
  );
  mkdirSync(join(folder, "node_modules", "half"));
  writeFileSync(
    join(folder, "node_modules", "half", "index.js"),
    `const part = require("./part");
     const isFirst = globalThis.hasTried === undefined;
     globalThis.hasTried = true;
     if (isFirst) console.log("loading");
     while (isFirst);
     exports.value = 7;
     exports.fromPart = part.value;`,
  );
  writeFileSync(
    join(folder, "node_modules", "half", "part.js"),
    'const whole = require("./index");\nexports.value = () => whole.value;\n',
  );
  writeFileSync(join(folder, "mine.ts"), "export function spin() { let n = 0; for (;;) n++; }\n");
  kernel = await startKernel({ cwd: folder });
  await kernel.execute('const kept = "kept"; import { spin, spinUntil } from "busy"; import * as mine from "./mine";');
});
afterAll(async () => {
  await kernel?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const CASES: readonly (readonly [string, string])[] = [
  ["a busy loop", "while (true);"],
  ["a busy loop with a body", "let i = 0; for (;;) { i += 1; }"],
  ["a loop after an await", "await new Promise((done) => setTimeout(done, 10)); while (true);"],
  ["a loop after await 0", "await 0; for (;;) {}"],
  ["a loop in a function of an earlier cell, after an await", "await 0; forever();"],
  ["a loop that awaits", "for (;;) await new Promise((done) => setTimeout(done, 1));"],
  [
    "a loop that swallows errors",
    "while (true) { try { await new Promise((done) => setTimeout(done, 1)); } catch {} }",
  ],
  ["a loop in a timer", "await new Promise(() => setTimeout(() => { for (;;); }, 10));"],
  [
    "endless recursion after an await",
    "await 0; const down = (n: number): number => { try { return down(n + 1); } catch { return down(n); } }; down(0);",
  ],
  ["a pending await", "await new Promise(() => {});"],
  ["a busy loop inside a library", "spin();"],
  ["a loop of a local module, after an await", "await 0; mine.spin();"],
  ["a loop in a callback of a library function, after an await", "await 0; [1].forEach(() => { for (;;); });"],
];

const WAYS = {
  interrupt_request: async () => void (await kernel.interrupt()),
  SIGINT: async () => void kernel.process.kill("SIGINT"),
};

describe.each(["interrupt_request", "SIGINT"] as const)("%s", (way) => {
  test.each(CASES)("ends %s, and keeps the variables", async (_, code) => {
    await kernel.execute("function forever() { for (;;); }");
    const run = kernel.start(code);
    await kernel.waitFor((m) => isStatus(m, "busy") && m.parent.msg_id === run.id);
    await sleep(250);
    await kernel.heartbeat();
    await WAYS[way]();
    const { reply, outputs } = await run.done;
    expect(reply.content).toMatchObject({ status: "error", ename: "KeyboardInterrupt" });
    expect(outputs.filter(({ type }) => type === "error")).toHaveLength(1);
    expect(reply.content.traceback).toHaveLength(1);
    expect((await kernel.execute("kept")).result).toBe("'kept'");
  });

  test("without a cell that runs does nothing", async () => {
    await WAYS[way]();
    await sleep(100);
    expect((await kernel.execute("kept")).result).toBe("'kept'");
  });
});

test("a library's loop after an await, which can't be interrupted in place, is told of with the remedy", async () => {
  const gate = newGate();
  const run = kernel.start(`await 0; console.log("begun");\nspinUntil(${JSON.stringify(gate.path)})`);
  await kernel.prints(run.id);
  await kernel.interrupt();
  const told = await kernel.waitFor(
    (m) => m.type === "stream" && m.parent.msg_id === run.id && m.content.name === "stderr",
  );
  expect(told.content.text).toMatch(/can't be interrupted/);
  expect(told.content.text).toMatch(/[Rr]estart/);
  await kernel.heartbeat();
  gate.open();
  expect((await run.done).reply.content.ename).toBe("KeyboardInterrupt");
});

test("cells that were queued are not run", async () => {
  const first = kernel.start("await new Promise(() => {});");
  const second = kernel.start("var ran = true;");
  await kernel.arrived();
  await kernel.interrupt();
  expect((await first.done).reply.content.ename).toBe("KeyboardInterrupt");
  expect((await second.done).reply.content.status).toBe("aborted");
});

test("what an interrupted cell left running does not go on", async () => {
  const run = kernel.start(
    'let turns = 0; (globalThis as any).turns = () => turns; for (;;) { if (++turns === 3) console.log("begun"); await new Promise((done) => setTimeout(done, 20)); }',
  );
  await kernel.prints(run.id);
  await kernel.interrupt();
  await run.done;
  const first = (await kernel.execute("(globalThis as any).turns()")).result;
  await sleep(200);
  expect((await kernel.execute("(globalThis as any).turns()")).result).toBe(first);
});

test("what was being loaded is loaded anew by the next cell", async () => {
  const run = kernel.start('require("half")');
  await kernel.prints(run.id);
  await kernel.interrupt();
  expect((await run.done).reply.content.ename).toBe("KeyboardInterrupt");
  expect((await kernel.execute('require("half").value + require("half").fromPart()')).result).toBe("14");
});

test("a running job is cancelled, and its output rolled back", async () => {
  const out = join(folder, "out");
  const run = kernel.start(
    `const slow = udf(async (n: number) => { await new Promise((done) => setTimeout(done, 20)); return n; }, { returns: "int" });
await session.range(1_000_000).repartition(4).select(slow("id")).write.parquet(${JSON.stringify(out)})`,
    { timeout: 120_000 },
  );
  await expect.poll(() => existsSync(out), { timeout: 120_000 }).toBe(true);
  await sleep(500);
  await kernel.interrupt();
  const { reply } = await run.done;
  expect(reply.content.ename).toBe("KeyboardInterrupt");
  const files = existsSync(out) ? readdirSync(out, { recursive: true }).map(String) : [];
  expect(files.filter((file) => file.endsWith(".parquet"))).toEqual([]);
  expect((await kernel.execute("await session.range(3).count()", { timeout: 120_000 })).result).toBe("3");
});
