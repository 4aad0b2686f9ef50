#!/usr/bin/env node
// Makes the environment of the benchmark's Python peers: onnxruntime, Pillow, Daft. Prints the interpreter's path. Only the benchmark needs it.
import { fileURLToPath } from "node:url";
import { cachedEnvironment } from "./python-packages.mjs";

/** Makes the environment where it is missing: about 600 MB in the cache folder. @returns {Promise<string>} the interpreter */
export const installBenchPeers = () =>
  cachedEnvironment({ name: "bench-peers", below: 14, what: "the benchmark's peers (onnxruntime, Daft)" });

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await installBenchPeers());
