import { existsSync, readFileSync } from "node:fs";
import { inRoot } from "./paths.mjs";
import { npm } from "./processes.mjs";
import { fingerprint, isStamped, writeStamp } from "./stamp.mjs";

const stampFile = inRoot("node_modules", ".pomona-stamp");

/**
 * Installs what package-lock.json names. No package's install script runs: nothing comes from elsewhere than the
 * configured registry, and what needs building is built by a step of its own.
 * @returns {Promise<string>} what was done, for the progress line
 */
export async function installPackages({ force }) {
  // Not all of package.json: a new script is no reason to install everything anew.
  const manifest = JSON.parse(readFileSync(inRoot("package.json"), "utf8"));
  const { dependencies, optionalDependencies, devDependencies, overrides } = manifest;
  const wanted = JSON.stringify([dependencies, optionalDependencies, devDependencies, overrides]);
  const values = [process.platform, process.arch, wanted];
  const print = fingerprint({ values, files: [inRoot("package-lock.json")] });
  if (!force && isStamped(stampFile, print) && existsSync(inRoot("node_modules", ".package-lock.json")))
    return "up to date";
  const options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  await npm(["ci", ...options], { env: { ONNXRUNTIME_NODE_INSTALL: "skip" } });
  writeStamp(stampFile, print);
  return "npm packages, without their install scripts";
}
