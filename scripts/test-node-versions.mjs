#!/usr/bin/env node
// Unit tests and the workflow notebook on other Node versions: `npm run test:node-versions [-- 22 24]`.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { executeNotebook } from "./execute-notebook.mjs";
import { cacheEntry } from "./setup/cache.mjs";
import { writeKernelspec } from "./setup/kernelspec.mjs";
import { inRoot } from "./setup/paths.mjs";
import { npm, probe, run } from "./setup/processes.mjs";
import { setup } from "./setup.mjs";

const majors = process.argv.length > 2 ? process.argv.slice(2) : ["22", "24"];
const { ready, missing } = await setup();
if (!ready || missing.includes("jupyter")) process.exit(1);

const failures = [];
for (const major of majors) {
  const node = await nodeOf(major);
  console.log(`\nNode ${probe(node, ["--version"])}`);
  await check(`unit tests on Node ${major}`, () => unitTests(node));
  await check(`workflow notebook on Node ${major}`, () => workflow(node, major));
}
console.log(`\n${majors.length * 2 - failures.length} passed, ${failures.length} failed`);
for (const failure of failures) console.log(`  failed: ${failure}`);
process.exitCode = failures.length ? 1 : 0;

async function check(name, work) {
  const started = performance.now();
  try {
    await work();
    console.log(`${name}: passed in ${((performance.now() - started) / 1000).toFixed(0)} s`);
  } catch (error) {
    failures.push(name);
    console.error(`${name}: ${error.message}`);
  }
}

/** The newest Node of a major version, which npm carries as a package. @returns {Promise<string>} its executable */
async function nodeOf(major) {
  const name = `node-${process.platform}-${process.arch}`;
  const folder = await cacheEntry(`node-${major}`, (prefix) =>
    npm(["install", "--prefix", prefix, "--ignore-scripts", "--no-audit", "--no-fund", `${name}@${major}`]),
  );
  return join(folder, "node_modules", name, "bin", "node");
}

/** The tests of `npm run test:unit`; what they start by the name `node` is that version too. */
function unitTests(node) {
  const path = [dirname(node), process.env.PATH].join(delimiter);
  return run(node, [inRoot("scripts", "test.mjs"), "--unit"], { live: true, env: { PATH: path } });
}

/** The workflow on a kernel that this version runs. */
async function workflow(node, major) {
  const dataDir = mkdtempSync(join(tmpdir(), "pomona-kernels-"));
  try {
    await writeKernelspec(dataDir, node);
    const executed = inRoot("out", `workflow-node-${major}.ipynb`);
    await executeNotebook(inRoot("notebooks", "workflow.ipynb"), executed, { env: { JUPYTER_PATH: dataDir } });
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}
