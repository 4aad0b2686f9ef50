#!/usr/bin/env node
// Compiles src into dist: `node scripts/build.mjs [--force]`.
import { existsSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { inRoot } from "./setup/paths.mjs";
import { run } from "./setup/processes.mjs";
import { filesBelow, fingerprint, isStamped, writeStamp } from "./setup/stamp.mjs";

const stampFile = inRoot("dist", ".pomona-stamp");
const wasmBuilder = inRoot("scripts", "build-wasm.mjs");

/** True where dist is what src compiles to. */
export function isBuilt() {
  return isStamped(stampFile, sourcePrint()) && existsSync(inRoot("dist", "index.js"));
}

/** Compiles AssemblyScript, then TypeScript. @returns {Promise<string>} what was done, for the progress line */
export async function build({ force = false } = {}) {
  if (!force && isBuilt()) return "up to date";
  if (existsSync(wasmBuilder)) await run(process.execPath, [wasmBuilder]);
  const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
  const state = inRoot("dist", ".tsbuildinfo");
  if (force || !existsSync(stampFile)) rmSync(state, { force: true });
  const print = sourcePrint();
  await run(process.execPath, [tsc, "-p", inRoot(), "--incremental", "--tsBuildInfoFile", state]);
  removeOrphans();
  writeStamp(stampFile, print);
  return "src compiled into dist";
}

/** Generated files are not counted: they follow from the others. */
function sourcePrint() {
  const sources = filesBelow(inRoot("src")).filter((file) => !file.endsWith(".wasm.ts"));
  const others = [inRoot("tsconfig.json"), inRoot("package-lock.json"), wasmBuilder].filter(existsSync);
  return fingerprint({ files: [...sources, ...others] });
}

/** Removes from dist what has no source any more, so that nothing imports a file that is gone. */
function removeOrphans() {
  for (const file of filesBelow(inRoot("dist"))) {
    const [, stem] = /^(.*?)(?:\.d\.ts|\.js|\.js\.map)$/.exec(relative(inRoot("dist"), file)) ?? [];
    if (stem && ![".ts", ".tsx", ".json"].some((end) => existsSync(inRoot("src", stem + end)))) rmSync(file);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    console.log(await build({ force: process.argv.includes("--force") }));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
