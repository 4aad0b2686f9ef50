#!/usr/bin/env node
// Makes the environment of s3contents, which EMR's JupyterHub keeps notebooks with. Prints the interpreter's path. Only a test needs it.
import { fileURLToPath } from "node:url";
import { cacheEntry } from "./cache.mjs";
import { inRoot, venvPython } from "./paths.mjs";
import { createVenv } from "./python-packages.mjs";
import { findPython } from "./requirements.mjs";
import { fingerprint } from "./stamp.mjs";

const requirements = inRoot("scripts", "setup", "s3contents.txt");
const locked = inRoot("scripts", "setup", "s3contents.lock.txt");

/** Makes the environment where it is missing: about 250 MB in the cache folder. @returns {Promise<string>} the interpreter */
export async function installS3contents() {
  const venv = await cacheEntry(`s3contents-${fingerprint({ files: [requirements, locked] })}`, async (folder) => {
    const python = findPython({ below: 14 });
    if (!python) throw new Error("s3contents needs Python 3.10 to 3.13 (POMONA_PYTHON may name it).");
    console.error(`Making the environment of s3contents (once) in ${folder}`);
    await createVenv({ python, venv: folder, requirements, locked });
  });
  return venvPython(venv);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await installS3contents());
