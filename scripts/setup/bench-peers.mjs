#!/usr/bin/env node
// Makes the environment of the benchmark's Python peers: onnxruntime, Pillow, Daft. Prints the interpreter's path. Only the benchmark needs it.
import { fileURLToPath } from "node:url";
import { cacheEntry } from "./cache.mjs";
import { inRoot, venvPython } from "./paths.mjs";
import { createVenv } from "./python-packages.mjs";
import { findPython } from "./requirements.mjs";
import { fingerprint } from "./stamp.mjs";

const requirements = inRoot("scripts", "setup", "bench-peers.txt");
const locked = inRoot("scripts", "setup", "bench-peers.lock.txt");

/** Makes the environment where it is missing: about 600 MB in the cache folder. @returns {Promise<string>} the interpreter */
export async function installBenchPeers() {
  const name = `bench-peers-${fingerprint({ files: [requirements, locked] })}`;
  const venv = await cacheEntry(name, async (folder) => {
    const python = findPython({ below: 14 });
    if (!python) throw new Error("The benchmark's peers need Python 3.10 to 3.13 (POMONA_PYTHON may name it).");
    console.error(`Making the environment of the benchmark's peers (onnxruntime, Daft; once) in ${folder}`);
    await createVenv({ python, venv: folder, requirements, locked });
  });
  return venvPython(venv);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await installBenchPeers());
