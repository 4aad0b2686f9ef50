#!/usr/bin/env node
// Makes the environment of s3contents, which EMR's JupyterHub keeps notebooks with. Prints the interpreter's path. Only a test needs it.
import { fileURLToPath } from "node:url";
import { cachedEnvironment } from "./python-packages.mjs";

/** Makes the environment where it is missing: about 250 MB in the cache folder. @returns {Promise<string>} the interpreter */
export const installS3contents = () => cachedEnvironment({ name: "s3contents", below: 14, what: "s3contents" });

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await installS3contents());
