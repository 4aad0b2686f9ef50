#!/usr/bin/env node
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { build } from "./build.mjs";
import { installPeer } from "./setup/peer.mjs";
import { run } from "./setup/processes.mjs";
import { setup } from "./setup.mjs";

const help = `npm test [-- options for vitest]        everything, after set-up
npm run test:unit [-- options]          all but *.e2e.test.ts, in under 2 minutes

Ends in the line "N passed, N failed"; exit code 0 only where something passed and nothing failed.`;

const args = process.argv.slice(2);
const unit = args[0] === "--unit";
if (args.includes("--help")) console.log(help);
else {
  try {
    await prepare();
    const { passed, failed } = await runVitest(unit ? args.slice(1) : args);
    console.log(`${passed} passed, ${failed} failed`);
    process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
  } catch (error) {
    console.error(error.message);
    console.log("0 passed, 1 failed");
    process.exitCode = 1;
  }
}

/** Unit tests need dist and the peer; the others also what set-up makes. */
async function prepare() {
  if (unit && existsSync("node_modules")) await build();
  else if (!(await setup()).ready) throw new Error("Set-up failed; no test was run.");
  await installPeer();
}

/** Runs vitest and counts from its own report. A file that cannot be loaded counts as one failed test. */
async function runVitest(options) {
  const folder = mkdtempSync(join(tmpdir(), "pomona-test-"));
  const report = join(folder, "report.json");
  const cli = join(dirname(createRequire(import.meta.url).resolve("vitest/package.json")), "vitest.mjs");
  const exclude = unit ? ["--exclude", "**/*.e2e.test.ts"] : [];
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  try {
    // vitest's exit code is kept too: it also tells of errors outside any test.
    const ended = await run(process.execPath, [cli, "run", ...exclude, ...reporters, ...options], { live: true }).then(
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
