import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * What the real Spark, Pillow, Keras or numpy answers: `test/golden/<name>.json`, which `npm run golden -- <name>` makes
 * by running `test/golden/<name>.py`. The caller says which form the script gives it.
 */
export function golden<T>(name: string): T {
  return JSON.parse(readFileSync(join(__dirname, "..", "golden", `${name}.json`), "utf8")) as T;
}
