#!/usr/bin/env node
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
// The cases' Spark texts as JSON, for test/golden/conformance.py.
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const bundle = await build({
  entryPoints: [join(here, "cases.ts")],
  bundle: true,
  platform: "node",
  format: "cjs",
  packages: "external",
  write: false,
  logLevel: "error",
});
const module = { exports: {} };
new Function("module", "exports", "require", bundle.outputFiles[0].text)(
  module,
  module.exports,
  createRequire(import.meta.url),
);
const listed = module.exports.CASES.map(({ frame, spark }) => ({ spark, ...(frame === undefined ? {} : { frame }) }));
process.stdout.write(JSON.stringify(listed));
