#!/usr/bin/env node
// Makes the environment of repo2docker, which Binder makes its images with. Prints the interpreter's path. Only a test needs it.
import { fileURLToPath } from "node:url";
import { cachedEnvironment } from "./python-packages.mjs";

/** Makes the environment where it is missing. @returns {Promise<string>} the interpreter */
export const installRepo2docker = () => cachedEnvironment({ name: "repo2docker", below: 14, what: "repo2docker" });

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await installRepo2docker());
