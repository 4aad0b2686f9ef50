#!/usr/bin/env node
// Type-checks src, kernel-ext and test. By path, because `tsc` in node_modules/.bin is the one that tslab brings.
import { createRequire } from "node:module";
import { inRoot } from "./setup/paths.mjs";
import { run } from "./setup/processes.mjs";

const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
try {
  await run(process.execPath, [tsc, "--noEmit", "-p", inRoot()]);
  await run(process.execPath, [tsc, "--noEmit", "-p", inRoot("kernel-ext")]);
  await run(process.execPath, [tsc, "-p", inRoot("test")]);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
