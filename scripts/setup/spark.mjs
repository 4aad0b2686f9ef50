#!/usr/bin/env node
// Installs what `pomona spark start` starts: Spark 4.0 and 3.5 with S3A, and Sail. Needs dist.
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { inRoot } from "./paths.mjs";

/** Installs them where they are missing: about 2 GB in the cache folder. @returns {Promise<void>} */
export async function installSparks() {
  const require = createRequire(import.meta.url);
  const { installSail, installSpark } = require(inRoot("dist", "cli", "spark", "installation.js"));
  const { RELEASES } = require(inRoot("dist", "cli", "spark", "releases.js"));
  const options = { signal: new AbortController().signal, note: console.error, onPackages: () => {} };
  await Promise.all([
    installSail(options),
    ...Object.values(RELEASES).map((release) => installSpark(release, options)),
  ]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await installSparks();
