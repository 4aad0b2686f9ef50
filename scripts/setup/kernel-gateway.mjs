#!/usr/bin/env node
// Makes the environment of Kernel Gateway, behind which kernels run tasks. Prints the interpreter's path. Only a test needs it.
import { fileURLToPath } from "node:url";
import { cachedEnvironment } from "./python-packages.mjs";

/** Makes the environment where it is missing: about 80 MB in the cache folder. @returns {Promise<string>} the interpreter */
export const installKernelGateway = () =>
  cachedEnvironment({ name: "kernel-gateway", below: 14, what: "Kernel Gateway" });

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await installKernelGateway());
