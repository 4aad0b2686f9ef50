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
  const { result } = await kernel.execute(
    'require("node:v8").setFlagsFromString("--expose-gc"); require("node:vm").runInNewContext("gc")(); process.memoryUsage().heapUsed',
  );
  return Number(result) / 2 ** 20;
}

test(`${CELLS} cells leave memory flat`, { timeout: 600_000 }, async () => {
  const samples: number[] = [];
  const lives: number[] = [];
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
  // Each cell's text stays, for the stack traces of its functions. What is resident rises with V8's own room as well.
  expect(lives.at(-1)! - lives[0]!).toBeLessThan(((CELLS - 200) * 16) / 1024);
});
