import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { run } from "./setup/processes.mjs";

/**
 * Runs vitest and counts from its own report. A file that cannot be loaded counts as one failed test, and so does a run
 * without a test or with an error outside any test.
 * @param {string[]} options vitest's: filters and flags
 * @returns {Promise<{ passed: number, failed: number }>}
 */
export async function runVitest(options) {
  const folder = mkdtempSync(join(tmpdir(), "pomona-test-"));
  const report = join(folder, "report.json");
  const cli = join(dirname(createRequire(import.meta.url).resolve("vitest/package.json")), "vitest.mjs");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  try {
    // vitest's exit code is kept too: it also tells of errors outside any test.
    const ended = await run(process.execPath, [cli, "run", ...reporters, ...options], { live: true }).then(
      () => true,
      () => false,
    );
    if (!existsSync(report)) return { passed: 0, failed: 1 };
    const { numPassedTests, testResults } = JSON.parse(readFileSync(report, "utf8"));
    const failed = testResults.map(failuresOf).reduce((sum, n) => sum + n, 0);
    return { passed: numPassedTests, failed: ended ? failed : Math.max(1, failed) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function failuresOf({ status, assertionResults }) {
  const failed = assertionResults.filter((test) => test.status === "failed").length;
  return status === "failed" ? Math.max(1, failed) : failed;
}
