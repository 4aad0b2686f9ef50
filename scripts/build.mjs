#!/usr/bin/env node
// Compiles src into dist, where its Python goes as it is, and kernel-ext/src into kernel-ext/dist, and makes dist/executor of that:
// `node scripts/build.mjs [--force]`.
import { copyFileSync, existsSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { inRoot } from "./setup/paths.mjs";
import { run } from "./setup/processes.mjs";
import { filesBelow, fingerprint, isStamped, writeStamp } from "./setup/stamp.mjs";

const stampFile = inRoot("dist", ".pomona-stamp");
/** Each with its tsconfig.json, compiled in this order: the kernel uses the package's types. */
const projects = [
  { folder: inRoot(), source: inRoot("src"), output: inRoot("dist") },
  { folder: inRoot("kernel-ext"), source: inRoot("kernel-ext", "src"), output: inRoot("kernel-ext", "dist") },
];
/** What generates sources of other sources: AssemblyScript and Spark's .proto files. */
const generators = [inRoot("scripts", "build-wasm.mjs"), inRoot("scripts", "build-protos.mjs")];
/** What makes what executors run, of what was compiled. */
const executor = { script: inRoot("scripts", "build-executor.mjs"), about: inRoot("dist", "executor", "about.json") };
const generated = /\.wasm\.ts$|_pb\.ts$/;

/** True where the outputs are what the sources compile to. */
export function isBuilt() {
  const outputs = [...projects.map(({ output }) => output), executor.about];
  return isStamped(stampFile, sourcePrint()) && outputs.every(existsSync);
}

/** Generates sources, then compiles TypeScript. @returns {Promise<string>} what was done, for the progress line */
export async function build({ force = false } = {}) {
  if (!force && isBuilt()) return "up to date";
  for (const generator of generators) if (existsSync(generator)) await run(process.execPath, [generator]);
  const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
  const print = sourcePrint();
  for (const { folder, source, output } of projects) {
    const state = join(output, ".tsbuildinfo");
    if (force || !existsSync(stampFile)) rmSync(state, { force: true });
    await run(process.execPath, [tsc, "-p", folder, "--incremental", "--tsBuildInfoFile", state]);
    removeOrphans(source, output);
    for (const file of filesBelow(source).filter((file) => file.endsWith(".py")))
      copyFileSync(file, join(output, relative(source, file)));
  }
  await run(process.execPath, [executor.script]);
  writeStamp(stampFile, print);
  return "src and kernel-ext compiled";
}

/** Generated files are not counted: they follow from the others. */
function sourcePrint() {
  const sources = projects.flatMap(({ source }) => filesBelow(source)).filter((file) => !generated.test(file));
  const settings = projects.map(({ folder }) => join(folder, "tsconfig.json"));
  const others = [...settings, inRoot("package-lock.json"), ...generators, executor.script].filter(existsSync);
  return fingerprint({ files: [...sources, ...others] });
}

/** Removes from the output what has no source any more, so that nothing imports a file that is gone. */
function removeOrphans(source, output) {
  for (const file of filesBelow(output)) {
    const [, stem] = /^(.*?)(?:\.d\.ts|\.js|\.js\.map)$/.exec(relative(output, file)) ?? [];
    if (stem && ![".ts", ".tsx", ".json"].some((end) => existsSync(join(source, stem + end)))) rmSync(file);
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
