#!/usr/bin/env node
// Makes the environment of Enterprise Gateway, behind which kernels run tasks. Prints the interpreter's path. Only a test needs it.
import { fileURLToPath } from "node:url";
import { cachedEnvironment } from "./python-packages.mjs";

/** Makes the environment where it is missing: about 270 MB in the cache folder. @returns {Promise<string>} the interpreter */
export const installEnterpriseGateway = () =>
  cachedEnvironment({ name: "enterprise-gateway", below: 12, what: "Enterprise Gateway" });

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await installEnterpriseGateway());
