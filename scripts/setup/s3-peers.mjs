#!/usr/bin/env node
// Makes the environment of the other programs that read and write S3: pandas with s3fs, pyarrow. Prints the interpreter's path.
import { fileURLToPath } from "node:url";
import { cacheEntry } from "./cache.mjs";
import { inRoot, venvPython } from "./paths.mjs";
import { createVenv } from "./python-packages.mjs";
import { findPython } from "./requirements.mjs";
import { fingerprint } from "./stamp.mjs";

const requirements = inRoot("scripts", "setup", "s3-peers.txt");
const locked = inRoot("scripts", "setup", "s3-peers.lock.txt");

/** Makes the environment where it is missing: about 350 MB in the cache folder. @returns {Promise<string>} the interpreter */
export async function installS3Peers() {
  const name = `s3-peers-${fingerprint({ files: [requirements, locked] })}`;
  const venv = await cacheEntry(name, async (folder) => {
    const python = findPython({ below: 13 });
    if (!python) throw new Error("The peers for S3 need Python 3.10, 3.11 or 3.12 (POMONA_PYTHON may name it).");
    console.error(`Making the environment of the peers for S3 (pandas, s3fs, pyarrow; once) in ${folder}`);
    await createVenv({ python, venv: folder, requirements, locked });
  });
  return venvPython(venv);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await installS3Peers());
