import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { RunningKernel } from "../support/kernel";
import { useKernel } from "../support/use-kernel";

const MB = 1024 * 1024;
const folder = mkdtempSync(join(tmpdir(), "pomona-again-"));
let kernel: RunningKernel;
useKernel((running) => {
  kernel = running;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function megabytesShipped(): number {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.includes("shipped-"));
  // They may go at any time.
  return (
    files.reduce((sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0), 0) / MB
  );
}

test("a cell that is run again and again does not fill the disk with what its function broadcast", async () => {
  await kernel.execute(`%%configure -f\n{ "conf": { "pomona.spool.dir": ${JSON.stringify(folder)} } }`);
  await kernel.execute('import { udf } from "pomona/functions";');
  let most = 0;
  for (let i = 0; i < 15; i++) {
    const cell = `const table = new Uint8Array(20 * 1024 * 1024).fill(${i});
const plus = udf((id: number) => id + table[0]!, { returns: "long", broadcast: { table } });
const rows = await session.range(4).select(plus("id").alias("x")).collect();
rows.map(({ x }) => x).join(" ")`;
    expect((await kernel.execute(cell)).result).toBe(`'${[0, 1, 2, 3].map((id) => id + i).join(" ")}'`);
    most = Math.max(most, megabytesShipped());
  }
  expect(most).toBeGreaterThan(19);
  expect(most).toBeLessThan(200);
});
