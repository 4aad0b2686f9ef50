import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningKernel, startKernel } from "../support/kernel";

const CELLS = 2_000;

let kernel: RunningKernel;
beforeAll(async () => {
  // With little room V8 collects in time, so that resident memory follows what lives; a leak of 40 KiB a cell ends the kernel.
  kernel = await startKernel({ env: { NODE_OPTIONS: "--max-old-space-size=160" } });
});
afterAll(() => kernel?.stop());

/** Resident memory of the kernel's process, in MiB. */
function resident(): number {
  const kib = execFileSync("ps", ["-o", "rss=", "-p", String(kernel.process.pid)], { encoding: "utf8" });
  return Number(kib) / 1024;
}

/** What lives in the thread that runs cells, in MiB. */
async function living(): Promise<number> {
  // Once: each context would add to what lives.
  const { result } = await kernel.execute(
    `(globalThis as any).collect ??= (require("node:v8").setFlagsFromString("--expose-gc"), require("node:vm").runInNewContext("gc"));
(globalThis as any).collect(); process.memoryUsage().heapUsed`,
  );
  return Number(result) / 2 ** 20;
}

test(`${CELLS} cells leave memory flat`, { timeout: 600_000 }, async () => {
  const samples: number[] = [];
  const lives: number[] = [];
  await kernel.execute(`const fails = () => {\n  throw new Error("early");\n};\nclass Reader { read() { return 1; } }`);
  for (let i = 1; i <= CELLS; i++) {
    const run = await kernel.execute(
      `const rows = Array.from({ length: 1000 }, (_, n) => ({ n, text: "row " + n }));
function total(of: typeof rows) { let sum = 0; for (const { n } of of) sum += n; return sum + ${i}; }
if (${i} % 100 === 0) { try { total(undefined as any); } catch (error) { console.log((error as Error).stack); } }
console.log(rows.length); total(rows)`,
    );
    expect(run.result).toBe(String(499_500 + i));
    if (i % 200 !== 0) continue;
    samples.push(resident());
    lives.push(await living());
  }
  const told = (all: number[]) => all.map((mib) => mib.toFixed(0)).join(" ");
  console.log(`after each 200 cells, in MiB: resident ${told(samples)}, living ${told(lives)}`);
  const early = await kernel.execute("try { fails(); } catch (error) { console.log((error as Error).stack); }");
  expect(early.stdout).toMatch(/Error: early\n {4}at fails \(In\[1\]:2:9\)\n {4}at In\[\d+\]:1:7/);
  // A cell's text stays, for the stack traces of its functions, and for a while what V8 caches of its code.
  expect(lives.at(-1)! - lives[0]!).toBeLessThan(((CELLS - 200) * 16) / 1024);
});
