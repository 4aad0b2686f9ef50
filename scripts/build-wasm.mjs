#!/usr/bin/env node
// Compiles every src/**/*.as.ts (AssemblyScript) into a sibling *.wasm.ts that exports the module's bytes as base64.
// A file is skipped while its output carries the hash of its sources and of the compiler's version and flags.
//
// Usage: node scripts/build-wasm.mjs [--force]

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const compiler = createRequire(import.meta.url)("assemblyscript/package.json").version;

// `--use abort=` turns a failed check into a trap, so that the module imports nothing.
const FLAGS = ["-O3", "--noAssert", "--enable", "simd", "--runtime", "minimal", "--use", "abort="];

const force = process.argv.includes("--force");
const stale = findSources(join(root, "src"))
  .map((source) => ({ source, target: source.replace(/\.as\.ts$/, ".wasm.ts"), hash: hashOf(source) }))
  .filter(({ target, hash }) => force || !isUpToDate(target, hash));

if (stale.length > 0) {
  // The compiler takes a moment to load: only when there is something to compile.
  const { default: asc } = await import("assemblyscript/asc");
  for (const { source, target, hash } of stale) await compile(asc, source, target, hash);
}

function findSources(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".as.ts"))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

function isUpToDate(target, hash) {
  return existsSync(target) && readFileSync(target, "utf8").includes(`// source ${hash}\n`);
}

/** Hash of a source, of what it imports by relative path, and of how it is compiled. */
function hashOf(source) {
  const hash = createHash("sha256").update(`${compiler} ${FLAGS.join(" ")}`);
  const seen = new Set();
  const visit = (file) => {
    if (seen.has(file)) return;
    seen.add(file);
    const text = readFileSync(file, "utf8");
    hash.update(text);
    for (const [, path] of text.matchAll(/from\s+"(\.[^"]*)"/g)) visit(resolve(dirname(file), `${path}.ts`));
  };
  visit(source);
  return hash.digest("hex");
}

async function compile(asc, source, target, hash) {
  const started = performance.now();
  const written = new Map();
  const { error, stderr } = await asc.main([relative(root, source), "--outFile", "module.wasm", ...FLAGS], {
    readFile: (name, base = ".") => readIfThere(resolve(root, base, name)),
    writeFile: (name, contents) => void written.set(name, contents),
    listFiles: (folder, base = ".") => listIfThere(resolve(root, base, folder)),
  });
  const bytes = written.get("module.wasm");
  if (error || !bytes) {
    process.stderr.write(`${stderr}\n`);
    throw new Error(`${relative(root, source)} does not compile: ${error?.message ?? "no output"}`);
  }
  const text = [
    `// Generated from ${basename(source)} by scripts/build-wasm.mjs; do not edit.`,
    `// source ${hash}`,
    `export const wasmBase64 =\n  "${Buffer.from(bytes).toString("base64")}";`,
    "",
  ].join("\n");
  // Written beside and renamed, so that a build running at the same time never reads half a file.
  writeFileSync(`${target}.${process.pid}`, text);
  renameSync(`${target}.${process.pid}`, target);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${relative(root, target)}: ${bytes.length} bytes of WebAssembly in ${seconds} s`);
}

function readIfThere(path) {
  return existsSync(path) ? readFileSync(path, "utf8") : null;
}

function listIfThere(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"));
}
