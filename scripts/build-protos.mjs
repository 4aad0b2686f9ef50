#!/usr/bin/env node
// Generates TypeScript of Spark Connect's .proto files: src/engine/spark/protos/spark/connect/NAME.proto becomes NAME_pb.ts beside it.
// Nothing is done while the outputs carry the hash of their sources and of the generator's version.
//
// Usage: node scripts/build-protos.mjs [--force]

import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inRoot } from "./setup/paths.mjs";
import { run } from "./setup/processes.mjs";

const protos = inRoot("src", "engine", "spark", "protos");
const folder = join(protos, "spark", "connect");
const generator = inRoot("node_modules", "@bufbuild", "protoc-gen-es", "bin", "protoc-gen-es");
const buf = inRoot("node_modules", ".bin", "buf");

const sources = readdirSync(folder).filter((name) => name.endsWith(".proto"));
const hash = hashOf(sources);
const outputs = sources.map((name) => join(folder, name.replace(".proto", "_pb.ts")));

if (process.argv.includes("--force") || !outputs.every(isUpToDate)) await generate();

async function generate() {
  const work = mkdtempSync(join(tmpdir(), "pomona-protos-"));
  try {
    // The file names its own imports without an ending, as all of src does.
    const options = ["target=ts", "import_extension=none"];
    const plugin = { local: [process.execPath, generator], out: work, opt: options };
    const template = JSON.stringify({ version: "v2", plugins: [plugin] });
    await run(buf, ["generate", protos, "--template", template]);
    for (const output of outputs) {
      const made = readFileSync(join(work, "spark", "connect", output.slice(folder.length + 1)), "utf8");
      writeFileSync(output, `// source ${hash}\n${made}`);
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function isUpToDate(output) {
  return existsSync(output) && readFileSync(output, "utf8").startsWith(`// source ${hash}\n`);
}

function hashOf(names) {
  const hash = createHash("sha256").update(readFileSync(join(generator, "..", "..", "package.json")));
  for (const name of names) hash.update(name).update(readFileSync(join(folder, name)));
  return hash.digest("hex");
}
