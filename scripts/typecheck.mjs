#!/usr/bin/env node
// Type-checks src, kernel-ext and test. By path, because `tsc` in node_modules/.bin is the one that tslab brings.
import { createRequire } from "node:module";
import { inRoot } from "./setup/paths.mjs";
import { run } from "./setup/processes.mjs";

const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
// What it knows of unchanged files is kept, so that the next run takes seconds.
const check = (folder, name) =>
  run(process.execPath, [
    ...[tsc, "--noEmit", "-p", inRoot(folder), "--incremental"],
    ...["--tsBuildInfoFile", inRoot(`node_modules/.cache/pomona/${name}.tsbuildinfo`)],
  ]);
try {
  await check(".", "src");
  await check("kernel-ext", "kernel-ext");
  await check("test", "test");
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
