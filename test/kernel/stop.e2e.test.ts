import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningKernel, startKernel } from "../support/kernel";

/**
 * What runs after an interrupt. Each program logs its steps and waits at `gate()`, where it is interrupted; then the gate
 * opens, and the log must show what was to run before the interrupt and of the rest `finally` and `catch` alone.
 */
let kernel: RunningKernel;
let folder: string;
let log: string;
/** A file that is there once the interrupt was answered. */
let interrupted: string;

const PRELUDE = `
import { appendFileSync } from "node:fs";
import { createRequire } from "node:module";
import * as mine from "./mine";
const gates: (() => void)[] = [];
const log = (what: string) => appendFileSync("log.txt", what + "\\n");
const sleep = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));
const gate = (what = "gate") => new Promise<string>((open) => { gates.push(() => open("open")); log(what); });
const shut = (what = "gate") => new Promise<string>((_, fail) => { gates.push(() => fail(new Error("shut"))); log(what); });
const lib = createRequire(process.cwd() + "/x.js")("./lib.cjs") as any;
async function earlier() { await gate(); log("after"); }
async function earlierLoop() { for (;;) { await sleep(1); log("turn"); } }
`;

const LIBRARY = `
exports.each = async (values, f) => { for (const value of values) await f(value); };
exports.all = (values, f) => Promise.all(values.map((value) => f(value)));
exports.retry = async (f) => { for (;;) { try { return await f(); } catch {} await new Promise((done) => setTimeout(done, 1)); } };
exports.swallow = (f) => { try { return f(); } catch { return undefined; } };
exports.nothing = () => {};
exports.spin = () => { while (!require("node:fs").existsSync("interrupted")); };
exports.Emitter = require("node:events").EventEmitter;
`;

const MODULE = `
import { appendFileSync } from "node:fs";
const log = (what: string) => appendFileSync("log.txt", what + "\\n");
export async function work(gate: () => Promise<unknown>) {
  try { await gate(); log("after"); } finally { log("finally"); }
  log("behind");
}
export async function forever(gate: () => Promise<unknown>) {
  for (;;) { try { await gate(); log("after"); } catch { log("catch"); } }
}
export const mapped = (gate: () => Promise<unknown>, then: () => void) => gate().then(() => then());
`;

/** What each program is, its code, and the steps that it logs from the gate on. */
const PROGRAMS: readonly (readonly [name: string, code: string, steps: string])[] = [
  ["straight code", `await gate(); log("after");`, ""],
  ["straight code that takes no notice", `const x = await gate(); log("after " + x); x`, ""],
  ["an expression around it", `log("after " + await gate());`, ""],
  ["arguments that come after", `[await gate(), log("after")];`, ""],
  ["a called function", `const f = async () => { await gate(); log("after"); }; await f(); log("behind");`, ""],
  ["a function of an earlier cell", `await earlier(); log("behind");`, ""],
  [
    "nested functions",
    `async function f() { await g(); log("f"); } async function g() { await gate(); log("g"); } await f(); log("behind");`,
    "",
  ],
  [
    "a function that nobody awaits",
    `const f = async () => { await gate("before"); log("after"); }; f(); await gate(); log("behind");`,
    "",
  ],
  ["a function of an earlier cell that nobody awaits", `earlier(); await new Promise(() => {});`, ""],
  ["a loop of an earlier cell that nobody awaits", `earlierLoop(); await sleep(20); await gate(); log("behind");`, "*"],
  [
    "an await of a value",
    `for (let i = 0; ; i++) { await i; if (i === 5) log("gate"); if (i % 20 === 0) await sleep(1); }`,
    "",
  ],
  ["a for loop", `for (let i = 0; i < 3; i++) { await gate(); log("after " + i); } log("behind");`, ""],
  ["a while loop without a body", `let n = 0; while (n++ < 3) await gate().then(() => log("after"));`, ""],
  ["a do loop", `do { await gate(); log("after"); } while (true);`, ""],
  ["a condition", `if (await gate()) log("after"); else log("else"); log("behind");`, ""],
  ["a switch", `switch (await gate()) { case "open": log("after"); break; default: log("default"); }`, ""],
  ["a template", "log(`after ${" + "await gate()}`);", ""],
  ["a default value", `const { x = log("after") } = { x: await gate() as any }; log("behind");`, ""],
  ["an optional call", `(await gate())?.at(log("after") as any);`, ""],
  ["for await over promises", `for await (const x of [gate(), gate("2")]) log("after " + x); log("behind");`, "2"],
  [
    "for await over an async generator",
    `async function* g() { try { await gate(); yield 1; } finally { log("closed"); } } for await (const x of g()) log("after " + x); log("behind");`,
    "closed",
  ],
  [
    "the body of for await",
    `async function* g() { try { yield 1; log("next"); } finally { log("closed"); } } for await (const x of g()) { await gate(); log("after"); } log("behind");`,
    "closed",
  ],
  [
    "for await over a library's iterable",
    `const it = { [Symbol.asyncIterator]: () => ({ next: () => gate().then(() => ({ done: false, value: 1 })), async return() { lib.nothing(); await 0; log("returned"); return { done: true, value: 0 }; } }) } as any; for await (const x of it) log("after");`,
    "",
  ],
  [
    "a generator",
    `function* g() { try { yield 1; log("next"); } finally { log("closed"); } } for (const x of g()) { await gate(); log("after"); } log("behind");`,
    "closed",
  ],
  [
    "yield* of an async generator",
    `async function* g() { await gate(); yield 1; } async function* h() { yield* g(); log("h"); } for await (const x of h()) log("after");`,
    "",
  ],
  [
    "a promise that is yielded",
    `async function* g() { yield gate(); log("next"); } for await (const x of g()) log("after");`,
    "",
  ],
  ["a promise chain", `gate().then(() => log("then")).then(() => log("then 2")); await new Promise(() => {});`, ""],
  ["a promise chain that is awaited", `await gate().then((x) => log("then")); log("behind");`, ""],
  [
    "a promise chain with finally",
    `await gate().then(() => log("then")).finally(() => log("finally")); log("behind");`,
    "finally",
  ],
  [
    "a promise chain with catch",
    `await gate().then(() => log("then")).catch(() => log("catch")).then(() => log("then 2")); log("behind");`,
    "catch",
  ],
  [
    "a promise chain with both, in blocks",
    `await gate().then(() => log("then"), (e) => { log("failed"); }).finally(async () => { await sleep(1); log("finally"); }); log("behind");`,
    "failed|finally",
  ],
  [
    "a promise chain of an async function",
    `const f = async () => { try { await gate(); } finally { log("f"); } }; await f().finally(() => log("finally")); log("behind");`,
    "f|finally",
  ],
  [
    "Promise.all",
    `const f = async (n: number) => { await gate(n < 2 ? "before" : "gate"); log("after " + n); }; await Promise.all([1, 2].map(f)); log("behind");`,
    "",
  ],
  [
    "Promise.all with finally in each",
    `const f = async (n: number) => { try { await gate(n < 2 ? "before" : "gate"); log("after " + n); } finally { await sleep(5); log("finally " + n); } }; try { await Promise.all([1, 2].map(f)); } finally { log("last"); } log("behind");`,
    "finally 2|last|finally 1",
  ],
  ["Promise.race", `await Promise.race([gate().then(() => log("one")), new Promise(() => {})]); log("behind");`, ""],
  ["Promise.allSettled", `await Promise.allSettled([gate(), new Promise(() => {})]); log("behind");`, ""],
  ["finally", `try { await gate(); log("after"); } finally { log("finally"); } log("behind");`, "finally"],
  ["catch", `try { await gate(); log("after"); } catch (e: any) { log(e.name); } log("behind");`, "KeyboardInterrupt"],
  [
    "catch and finally",
    `try { await gate(); } catch { log("catch"); } finally { log("finally"); } log("behind");`,
    "catch|finally",
  ],
  [
    "a catch that throws",
    `try { try { await gate(); } catch { log("catch"); throw new Error("x"); } finally { log("finally"); } } catch (e: any) { log(e.message); } log("behind");`,
    "catch|finally|The cell was interrupted.",
  ],
  [
    "a catch that returns",
    `const f = async () => { try { await gate(); } catch { return 1; } }; log("after " + await f());`,
    "",
  ],
  [
    "a catch that continues",
    `for (let i = 0; i < 3; i++) { try { await gate(); } catch { log("catch"); continue; } } log("behind");`,
    "catch",
  ],
  ["a catch that breaks", `for (;;) { try { await gate(); } catch { log("catch"); break; } } log("behind");`, "catch"],
  [
    "a finally that returns",
    `const f = async () => { try { await gate(); } finally { log("finally"); return 1; } }; await f(); log("behind");`,
    "finally",
  ],
  [
    "a finally that continues",
    `for (let i = 0; i < 3; i++) { try { await gate(); } finally { log("finally"); continue; } } log("behind");`,
    "finally",
  ],
  [
    "a retry loop",
    `for (let i = 0; i < 3; i++) { try { await gate(); log("after"); break; } catch { log("catch"); } } log("behind");`,
    "catch",
  ],
  [
    "a retry loop that waits",
    `for (;;) { try { await gate(); break; } catch { await sleep(1); log("catch"); } } log("behind");`,
    "catch",
  ],
  [
    "a catch that is waiting",
    `try { throw 1; } catch { await gate(); log("after"); } finally { log("finally"); } log("behind");`,
    "finally",
  ],
  [
    "nested tries, inner first",
    `try { try { await gate(); } finally { await sleep(5); log("inner"); } } finally { log("outer"); } log("behind");`,
    "inner|outer",
  ],
  [
    "tries of nested functions, inner first",
    `const f = async () => { try { await gate(); } finally { await sleep(5); log("inner"); } }; try { await f(); } finally { await sleep(1); log("outer"); } log("behind");`,
    "inner|outer",
  ],
  [
    "tries of functions that were called before, inner first",
    `const f = async () => { try { await sleep(5); await gate(); } finally { await sleep(5); log("inner"); } }; const p = f(); await sleep(1); try { await p; } finally { log("outer"); }`,
    "inner|outer",
  ],
  [
    "a cleanup that calls functions",
    `const close = async (n: number) => { for (let i = 0; i < n; i++) { await sleep(1); log("close " + i); } }; try { await gate(); } finally { await close(2); [1].forEach(() => log("each")); log("done"); } log("behind");`,
    "close 0|close 1|each|done",
  ],
  [
    "a cleanup that catches",
    `try { await gate(); } finally { try { throw new Error("x"); } catch { await sleep(1); log("caught"); } log("finally"); } log("behind");`,
    "caught|finally",
  ],
  [
    "a cleanup that starts what nobody awaits",
    `try { await gate(); } finally { (async () => { await sleep(1); log("side"); })(); log("finally"); } log("behind");`,
    "finally|side",
  ],
  [
    "a cleanup while another flow would go on",
    `const f = async () => { for (;;) { await sleep(2); if (done) log("turn"); } }; let done = false; f(); try { await gate(); } finally { done = true; await sleep(20); log("finally"); }`,
    "finally",
  ],
  [
    "await using",
    `const open = () => ({ async [Symbol.asyncDispose]() { await sleep(1); log("disposed"); } }); { await using x = open(); await gate(); log("after"); } log("behind");`,
    "disposed",
  ],
  [
    "using",
    `const open = () => ({ [Symbol.dispose]() { log("disposed"); } }); const f = async () => { using x = open(); await gate(); log("after"); }; await f(); log("behind");`,
    "disposed",
  ],
  [
    "methods of a class",
    `class A { async m() { try { await gate(); log("after"); } finally { this.#close(); } } #close() { log("closed"); } static async s() { await new A().m(); log("s"); } } await A.s(); log("behind");`,
    "closed",
  ],
  [
    "getters",
    `class A { get value() { return (async () => { await gate(); log("after"); return 1; })(); } } log("value " + await new A().value);`,
    "",
  ],
  [
    "a getter of an object",
    `const o = { get value() { return gate().then((x) => { log("then"); return x; }); } }; log("value " + await o.value);`,
    "",
  ],
  [
    "static blocks and fields",
    `class A { static p = gate().then(() => log("field")); static q: Promise<void>; static { A.q = (async () => { await A.p; log("block"); })(); } } await A.q; log("behind");`,
    "",
  ],
  [
    "a constructor's promise",
    `class A { ready = (async () => { await gate(); log("ready"); })(); } await new A().ready; log("behind");`,
    "",
  ],
  ["a function of a local module", `await mine.work(gate); log("behind cell");`, "finally"],
  ["a loop of a local module", `await mine.forever(gate); log("behind");`, "catch"],
  ["a chain of a local module", `await mine.mapped(gate, () => log("then")); log("behind");`, ""],
  [
    "a callback that a library awaits",
    `await lib.each([1, 2], async (n: number) => { await gate(); log("after " + n); }); log("behind");`,
    "",
  ],
  [
    "callbacks that a library starts at once",
    `await lib.all([1, 2], async (n: number) => { try { await gate(n < 2 ? "before" : "gate"); log("after"); } finally { log("finally " + n); } }); log("behind");`,
    "finally 2|finally 1",
  ],
  [
    "a library that tries again",
    `await lib.retry(async () => { await gate(); log("after"); throw new Error("again"); }); log("behind");`,
    "",
  ],
  [
    "a library's callback without await",
    `await lib.retry(() => gate().then(() => { log("after"); throw new Error("again"); })); log("behind");`,
    "",
  ],
  [
    "a timer",
    `const again = () => { setTimeout(() => { if (open) log("timer"); again(); }, 2); }; let open = false; again(); await gate().finally(() => { open = true; });`,
    "",
  ],
  [
    "an interval",
    `setInterval(() => { if (open) log("tick"); }, 2); let open = false; await gate().finally(() => { open = true; });`,
    "",
  ],
  [
    "setImmediate and nextTick",
    `(async () => { await gate("before"); setImmediate(() => log("immediate")); })(); await gate(); process.nextTick(() => log("tick"));`,
    "",
  ],
  [
    "a listener",
    `const e = new lib.Emitter(); e.on("x", () => log("heard")); const again = () => { setTimeout(() => { if (open) e.emit("x"); again(); }, 2); }; let open = false; again(); await gate().finally(() => { open = true; });`,
    "",
  ],
  ["a promise that fails late", `await shut(); log("behind");`, ""],
  ["a failure that nobody awaits", `shut("before").then(() => log("then")); await gate();`, ""],
  ["a thenable", `await { then(done: (x: number) => void) { gate().then(() => done(1)); } }; log("behind");`, ""],
  [
    "a tagged template and new",
    "const tag = async (..._: unknown[]) => { await gate(); log('tag'); }; await tag`x`; new Set([log('behind')]);",
    "",
  ],
  [
    "labels",
    `outer: for (const a of [1, 2]) { inner: for (const b of [1, 2]) { try { await gate(); } catch { continue outer; } log("after"); } } log("behind");`,
    "",
  ],
  ["a library's synchronous work", `await sleep(1); log("gate"); lib.spin(); log("after"); log("behind");`, ""],
  [
    "a library's synchronous work in a function",
    `const f = async () => { await sleep(1); log("gate"); lib.spin(); log("after"); }; await f(); log("behind");`,
    "",
  ],
  [
    "synchronous code with finally",
    `try { log("gate"); for (;;) {} } finally { log("finally"); } log("behind");`,
    "finally",
  ],
  [
    "synchronous code that swallows",
    `log("gate"); for (let i = 0; i < 3; i++) { try { for (;;) {} } catch { log("catch"); } } log("behind");`,
    "catch",
  ],
  [
    "synchronous code in a library that swallows",
    `log("gate"); for (;;) lib.swallow(() => { const t = Date.now() + 5; while (Date.now() < t); }); log("behind");`,
    "",
  ],
  [
    "a synchronous loop in an async function with cleanup",
    `const f = async () => { try { log("gate"); for (;;) {} } finally { await sleep(5); log("finally"); } }; const p = f(); log("after"); await p; log("behind");`,
    "finally",
  ],
  [
    "a generator that cleans up with yield",
    `function* g() { try { log("gate"); for (;;) {} } finally { yield 2; log("g"); } } for (const x of g()) log("after " + x); log("behind");`,
    "",
  ],
];

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "pomona-stop-")));
  log = join(folder, "log.txt");
  interrupted = join(folder, "interrupted");
  writeFileSync(join(folder, "lib.cjs"), LIBRARY);
  writeFileSync(join(folder, "mine.ts"), MODULE);
  kernel = await startKernel({ cwd: folder });
  const { reply } = await kernel.execute(PRELUDE);
  expect(reply.content).toMatchObject({ status: "ok" });
});
afterAll(async () => {
  await kernel?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function steps(): string[] {
  return existsSync(log) ? readFileSync(log, "utf8").split("\n").slice(0, -1) : [];
}

const OPEN = "for (const open of gates.splice(0)) open(); await sleep(50);";

test.each(PROGRAMS)("%s", async (_, code, expected) => {
  for (const path of [log, interrupted]) rmSync(path, { force: true });
  const run = kernel.start(code);
  await expect.poll(steps, { interval: 5 }).toContain("gate");
  await kernel.interrupt();
  writeFileSync(interrupted, "");
  const { reply } = await run.done;
  expect(reply.content).toMatchObject({ status: "error", ename: "KeyboardInterrupt" });
  const next = await kernel.execute(OPEN);
  expect(next.reply.content).toMatchObject({ status: "ok" });
  expect(next.outputs).toEqual([]);
  const all = steps();
  const after = all.slice(all.indexOf("gate") + 1).filter((step) => step !== "turn");
  if (expected !== "*") expect(after.join("|")).toBe(expected);
});

async function interruptedAt(code: string, step: string) {
  rmSync(log, { force: true });
  const run = kernel.start(code);
  await expect.poll(steps, { interval: 5 }).toContain(step);
  await kernel.interrupt();
  return run;
}

test("a second interrupt ends a cleanup that hangs, and the ones around it run", async () => {
  const run = await interruptedAt(
    `try { try { await gate(); } finally { log("inner"); await new Promise(() => {}); log("after"); } } finally { await sleep(1); log("outer"); } log("behind");`,
    "gate",
  );
  await expect.poll(steps, { interval: 5 }).toContain("inner");
  await kernel.interrupt();
  expect((await run.done).reply.content.ename).toBe("KeyboardInterrupt");
  await kernel.execute(OPEN);
  expect(steps()).toEqual(["gate", "inner", "outer"]);
});

test("a second interrupt ends a loop that cleans up", async () => {
  const run = await interruptedAt(`try { await gate(); } finally { log("inner"); for (;;) {} }`, "gate");
  await expect.poll(steps, { interval: 5 }).toContain("inner");
  await kernel.interrupt();
  expect((await run.done).reply.content.ename).toBe("KeyboardInterrupt");
});

test("functions, classes and values of an interrupted cell can be used", async () => {
  const run = await interruptedAt(
    `const twice = (x: number) => { let n = 0; for (const y of [x, x]) n += y; return n; };
const later = async (x: number) => { try { await sleep(1); return twice(x); } finally { log("later"); } };
class Box { async open() { for await (const x of [1]) return later(x); } }
const chain = () => sleep(1).then(() => twice(4)).finally(() => log("chain"));
await gate(); log("after");`,
    "gate",
  );
  await run.done;
  const next = await kernel.execute("[twice(2), await later(3), await new Box().open(), await chain()]");
  expect(next.result).toBe("[ 4, 6, 2, 8 ]");
  expect(steps()).toEqual(["gate", "later", "later", "chain"]);
});

test("what an earlier cell computes while the interrupt arrives goes on", async () => {
  await kernel.execute(`let rounds = 0; (async () => { while (rounds < 1e6) {
  await sleep(1);
  for (const end = Date.now() + 30; Date.now() < end; ) Math.sqrt(2);
  rounds++;
} })();`);
  const counted = async () => Number((await kernel.execute("rounds")).result);
  for (let i = 0; i < 5; i++) {
    const run = await interruptedAt(`await gate(); log("after");`, "gate");
    expect((await run.done).reply.content.ename).toBe("KeyboardInterrupt");
    const before = await counted();
    await expect.poll(counted).toBeGreaterThan(before);
  }
  await kernel.execute("rounds = 1e7;");
});

test("what an earlier cell left running goes on", async () => {
  await kernel.execute(`let ticks = 0; const ticking = setInterval(() => { ticks++; }, 2);
let turns = 0; (async () => { while (ticks < 1e6) { await sleep(2); turns++; } })();`);
  const run = await interruptedAt(`await gate(); log("after");`, "gate");
  await run.done;
  const counted = async () => JSON.parse((await kernel.execute("JSON.stringify([ticks, turns])")).result!.slice(1, -1));
  const [ticked, turned] = await counted();
  await expect.poll(async () => (await counted())[0]).toBeGreaterThan(ticked);
  await expect.poll(async () => (await counted())[1]).toBeGreaterThan(turned);
  await kernel.execute("clearInterval(ticking); ticks = 1e7;");
});

test("stacks go through awaits as without guards", async () => {
  const { reply } = await kernel.execute(
    `const inner = async () => { await sleep(1); throw new Error("deep"); };
async function middle() { await inner(); }
const outer = async () => { for await (const x of [middle()]) log("never"); };
await outer();`,
  );
  const shown = (reply.content.traceback as string[]).join("\n");
  expect(shown).toMatch(/inner[\s\S]*async middle/);
  expect(shown).not.toMatch(/follow|__stop__|flows/);
});

test("a retry that waits, in a catch, sees its own errors and goes on without an interrupt", async () => {
  const { result } = await kernel.execute(
    `const seen: unknown[] = [];
for (let i = 0; i < 3; i++) { try { await Promise.reject(new Error("e" + i)); } catch (e: any) { await sleep(1); seen.push(e.message); continue; } finally { seen.push(i); } }
const r = (async () => { try { return await sleep(1).then(() => 7); } finally { seen.push("last"); } })();
[await r, ...seen].join()`,
  );
  expect(result).toBe("'7,e0,0,e1,1,e2,2,last'");
});
