#!/usr/bin/env node
// Makes the environment of the other programs that read and write S3: pandas with s3fs, pyarrow. Prints the interpreter's path.
import { fileURLToPath } from "node:url";
import { cachedEnvironment } from "./python-packages.mjs";

/** Makes the environment where it is missing: about 350 MB in the cache folder. @returns {Promise<string>} the interpreter */
export const installS3Peers = () =>
  cachedEnvironment({ name: "s3-peers", below: 13, what: "the peers for S3 (pandas, s3fs, pyarrow)" });

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await installS3Peers());
