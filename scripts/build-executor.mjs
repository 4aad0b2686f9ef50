#!/usr/bin/env node
// Puts together what a Spark cluster's executors run: dist/executor has the program that does tasks there (src/worker/arrow-program.ts)
// in one file with everything it can reach, and what that looks for beside itself. Packages with native parts stay outside.
//
// Usage: node scripts/build-executor.mjs

import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { buildSync } from "esbuild";
import { inRoot } from "./setup/paths.mjs";
import { filesBelow } from "./setup/stamp.mjs";

const folder = inRoot("dist", "executor");
const require = createRequire(import.meta.url);
const { version } = require("../package.json");

/** Packages that executors have, or do without. */
const OUTSIDE = ["sharp", "onnxruntime-node", "@tensorflow/tfjs-node"];
/** Bundled too, but looks for its WebAssembly where its name leads. */
const TFJS_WASM = "@tensorflow/tfjs-backend-wasm";
/** Entries of this package that a user's modules find on executors. */
const ENTRIES = ["images"];

rmSync(folder, { recursive: true, force: true });
const entries = ENTRIES.map((entry) => `${entry}: () => require("./${entry}")`);
buildSync({
  stdin: {
    contents: `exports.entries = { ${entries} };\nrequire("./worker/arrow-program");\n`,
    resolveDir: inRoot("dist"),
  },
  bundle: true,
  outfile: join(folder, "program.cjs"),
  platform: "node",
  target: "node20",
  format: "cjs",
  // apache-arrow says of its adapter to Node's streams that it has no side effects, which is all that it has.
  ignoreAnnotations: true,
  // An error is known by its class's name.
  keepNames: true,
  external: OUTSIDE,
  logOverride: { "require-resolve-not-external": "silent" },
});

// Each looks for it in its own folder, which is the program's now.
const codec = require.resolve("@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasm");
copyFileSync(codec, join(folder, "libjpegturbowasm_decode.wasm"));

// Found by NODE_PATH: npm packs no node_modules.
const tfjs = dirname(require.resolve(TFJS_WASM));
writePackage(TFJS_WASM, { main: "index.js" }, { "index.js": "" });
for (const name of ["tfjs-backend-wasm.wasm", "tfjs-backend-wasm-simd.wasm"])
  copyFileSync(join(tfjs, name), join(folder, "packages", TFJS_WASM, name));
writePackage(
  "pomona",
  {},
  Object.fromEntries(
    ENTRIES.map((entry) => [`${entry}.js`, `module.exports = require("../../program.cjs").entries.${entry}();\n`]),
  ),
);

const hash = createHash("sha256");
for (const file of filesBelow(folder))
  hash
    .update(`${relative(folder, file)}\0`)
    .update(readFileSync(file))
    .update("\0");
// Written last: where it is, all is. Executors may have the program installed, which is as good if it is the same.
writeFileSync(join(folder, "about.json"), `${JSON.stringify({ version, hash: hash.digest("hex").slice(0, 16) })}\n`);

function writePackage(name, manifest, files) {
  const home = join(folder, "packages", name);
  mkdirSync(home, { recursive: true });
  for (const [file, text] of Object.entries({
    ...files,
    "package.json": `${JSON.stringify({ name, version, ...manifest })}\n`,
  }))
    writeFileSync(join(home, file), text);
}
