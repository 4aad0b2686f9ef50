import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inRoot } from "../../scripts/setup/paths.mjs";

/**
 * Runs a benchmark of the built package in a folder of its own, which is removed after it.
 * @param {string} name
 * @param {(work: string) => Promise<void>} bench
 */
export async function inWorkFolder(name, bench) {
  if (!existsSync(inRoot("dist", "cli", "main.js"))) throw new Error("Set-up first: npm run setup.");
  const work = mkdtempSync(join(tmpdir(), `pomona-bench-${name}-`));
  try {
    await bench(work);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
