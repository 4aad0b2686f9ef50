#!/usr/bin/env node
// Builds s5cmd, which the benchmark holds copies and listings in S3 against. Prints the path of its program.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheEntry } from "./cache.mjs";
import { run } from "./processes.mjs";

export const s5cmdVersion = "v2.3.0";
const module = "github.com/peak/s5cmd/v2";

/** Builds it with Go where it is missing: a minute or two, 15 MB in the cache folder. @returns {Promise<string>} the program */
export async function installS5cmd() {
  const folder = await cacheEntry(`s5cmd-${s5cmdVersion}-${process.platform}-${process.arch}`, async (into) => {
    console.error(`Building s5cmd ${s5cmdVersion} (once) in ${into}`);
    const { Dir } = JSON.parse(
      await run("go", ["mod", "download", "-json", `${module}@${s5cmdVersion}`], { cwd: into }),
    );
    const env = { GOFLAGS: "-p=1 -mod=readonly", CGO_ENABLED: "0", GO111MODULE: "on" };
    // In the module's own folder, because go install asks for the list of its versions, which not every module proxy has.
    await run("go", ["build", "-trimpath", "-ldflags=-s -w", "-o", join(into, "s5cmd"), "."], { cwd: Dir, env });
  });
  return join(folder, "s5cmd");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await installS5cmd());
