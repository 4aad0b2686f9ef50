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
function memory(): number {
  const kib = execFileSync("ps", ["-o", "rss=", "-p", String(kernel.process.pid)], { encoding: "utf8" });
  return Number(kib) / 1024;
}

test(`${CELLS} cells leave memory flat`, { timeout: 600_000 }, async () => {
  const samples: number[] = [];
  for (let i = 1; i <= CELLS; i++) {
    const run = await kernel.execute(
      `const rows = Array.from({ length: 1000 }, (_, n) => ({ n, text: "row " + n }));
function total(of: typeof rows) { let sum = 0; for (const { n } of of) sum += n; return sum + ${i}; }
if (${i} % 100 === 0) { try { total(undefined as any); } catch (error) { console.log((error as Error).stack); } }
console.log(rows.length); total(rows)`,
    );
    expect(run.result).toBe(String(499_500 + i));
    if (i % 200 === 0) samples.push(memory());
  }
  console.log(`memory after each 200 cells, in MiB: ${samples.map((mib) => mib.toFixed(0)).join(" ")}`);
  const half = samples.length / 2;
  const lowest = (part: number[]) => Math.min(...part);
  // Collection comes in waves; a leak lifts the troughs too.
  expect(lowest(samples.slice(half)) - lowest(samples.slice(1, half))).toBeLessThan(40);
});
