#!/usr/bin/env node
// All that is checked without running it. What takes long, types and promises, runs side by side.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { inRoot } from "./setup/paths.mjs";
import { run } from "./setup/processes.mjs";

const require = createRequire(import.meta.url);

/** A package's command, by its path, so that no other package's command of that name runs. */
function command(packageName, bin) {
  try {
    return join(dirname(require.resolve(`${packageName}/package.json`)), bin);
  } catch (cause) {
    throw new Error(`${packageName} is not installed. Run npm run setup (or npm install --ignore-scripts).`, { cause });
  }
}

const check = (script, ...args) => run(process.execPath, [script, ...args]);

/** Waits for all, so that one run names every fault. */
async function all(checks) {
  const failed = (await Promise.allSettled(checks)).filter(({ status }) => status === "rejected");
  for (const { reason } of failed) console.error(reason.message);
  if (failed.length > 0) process.exit(1);
}

await all([
  (async () => check(command("@biomejs/biome", "bin/biome"), "check", "--error-on-warnings", "--colors=off"))(),
  (async () => check(inRoot("node_modules/dependency-cruiser/bin/dependency-cruise.mjs"), "src", "kernel-ext/src"))(),
]);
await all([
  check(inRoot("scripts/typecheck.mjs")),
  (async () => check(command("eslint", "bin/eslint.js"), "src", "kernel-ext/src", "test", "scripts", "bench"))(),
]);
