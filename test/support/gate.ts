import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** What cells wait for, so that they run for as long as a test wants, whatever the machine. */
export interface Gate {
  /** A file that is there once the gate is open. */
  readonly path: string;
  /** A statement of a cell that waits for it, in small turns. */
  readonly wait: string;
  /** One that lets the thread do nothing else meanwhile. */
  readonly spin: string;
  open(): void;
}

/** A gate that is closed; it is gone with the test. */
export function newGate(): Gate {
  const folder = mkdtempSync(join(tmpdir(), "pomona-gate-"));
  const path = join(folder, "open");
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const isClosed = `!require("node:fs").existsSync(${JSON.stringify(path)})`;
  return {
    path,
    wait: `while (${isClosed}) await new Promise((done) => setTimeout(done, 5));`,
    spin: `while (${isClosed});`,
    open: () => writeFileSync(path, ""),
  };
}

/** A cell that prints `tick 1` and so on, and goes on behind its second tick once a gate is open. */
export function tickingCell(ticks: number, gate: Gate): string {
  return `for (let i = 1; i <= ${ticks}; i++) {
  console.log("tick", i);
  await new Promise((r) => setTimeout(r, 300));
  if (i === 2) ${gate.wait}
}`;
}
