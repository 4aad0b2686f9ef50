#!/usr/bin/env node
// Builds versitygw, the S3 server of the tests and of `npm run s3`. Prints the path of its program.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cached, cacheEntry } from "./cache.mjs";
import { probe, run } from "./processes.mjs";

export const versitygwVersion = "v1.8.0";
const entry = `versitygw-${versitygwVersion}-${process.platform}-${process.arch}`;
const minimumGo = [1, 25];

/** The program where it was built before, or undefined. */
export function builtVersitygw() {
  const folder = cached(entry);
  return folder && join(folder, "versitygw");
}

/** Why it can't be built here, or undefined: where it is in the cache, Go isn't needed. */
export function versitygwProblem() {
  if (builtVersitygw()) return undefined;
  const version = /go(\d+)\.(\d+)/.exec(probe("go", ["env", "GOVERSION"]) ?? "");
  const wanted = `Go ${minimumGo.join(".")} or newer, which builds versitygw ${versitygwVersion} (an S3 server) once,`;
  if (!version) return `${wanted} was not found: install golang and put its "go" on PATH.`;
  const [major, minor] = version.slice(1).map(Number);
  // From 1.21 on, Go fetches the newer toolchain that a module asks for, by its own proxy.
  const fits = major > minimumGo[0] || (major === minimumGo[0] && minor >= 21);
  return fits ? undefined : `${wanted} is needed; this is Go ${major}.${minor}.`;
}

/**
 * Builds it where it is missing: three to ten minutes, 45 MB in the cache folder.
 * @returns {Promise<string>} the program
 */
export async function installVersitygw() {
  const folder = await cacheEntry(entry, async (into) => {
    const problem = versitygwProblem();
    if (problem) throw new Error(problem);
    console.error(`Building versitygw ${versitygwVersion} (once, some minutes) in ${into}`);
    const module = `github.com/versity/versitygw/cmd/versitygw@${versitygwVersion}`;
    // One package at a time, because linkers side by side take more memory than a small machine has.
    const env = { GOBIN: into, GOFLAGS: "-p=1", CGO_ENABLED: "0", GO111MODULE: "on" };
    const build = ["install", "-trimpath", "-ldflags=-s -w", module];
    if (process.platform === "win32") await run("go", build, { env });
    else await run("nice", ["-n", "10", "go", ...build], { env });
  });
  return join(folder, "versitygw");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await installVersitygw());
