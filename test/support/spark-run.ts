import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isAlive } from "./processes";

/** Names the folder in which the test files of a run find the Spark servers that they share. */
export const SPARK_RUN = "POMONA_TEST_SPARK_RUN";
/** The ending of a file that is called by the port of a server that a test file has started. */
export const STARTED = ".started";
const PREFIX = "pomona-spark-run-";
const OWNER = "pid";

/** Before the tests: makes that folder, and ends what a run that was killed has left. Servers end after the tests. */
export default async function setup(): Promise<() => Promise<void>> {
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(PREFIX)) continue;
    const left = join(tmpdir(), name);
    const owner = existsSync(join(left, OWNER)) ? Number(readFileSync(join(left, OWNER), "utf8")) : undefined;
    if (owner !== undefined && !isAlive(owner)) await end(left);
  }
  const folder = mkdtempSync(join(tmpdir(), PREFIX));
  writeFileSync(join(folder, OWNER), String(process.pid));
  process.env[SPARK_RUN] = folder;
  return () => end(folder);
}

async function end(folder: string): Promise<void> {
  const started = readdirSync(folder).filter((name) => name.endsWith(STARTED));
  for (const port of started.map((name) => Number.parseInt(name, 10))) {
    // Only where there is one: most runs of one file have none.
    const { stopSpark } = await import("./spark");
    await stopSpark({ port }).catch((error) => {
      if (!String(error).includes("NoSparkServerError")) console.warn(String(error));
    });
  }
  rmSync(folder, { recursive: true, force: true });
}
