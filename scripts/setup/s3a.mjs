#!/usr/bin/env node
// Gets the jars by which PySpark 4.3 of the peer environment reads and writes S3 (S3A). Needs dist. Prints the path of their folder.
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { inRoot } from "./paths.mjs";

/** Fetches them where they are missing. @returns {Promise<string>} their folder */
export async function installS3a() {
  const require = createRequire(import.meta.url);
  const { s3aJars } = require(inRoot("dist", "cli", "spark", "s3a-jars.js"));
  const { HADOOP_3_5 } = require(inRoot("dist", "cli", "spark", "releases.js"));
  return s3aJars(HADOOP_3_5, { signal: new AbortController().signal, note: console.error });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await installS3a());
