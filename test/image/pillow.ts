import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runPython } from "../support/python";

/** A folder of files that a Python program wrote into its `sys.argv[1]`, by name. */
export function filesFromPython(source: string, args: string[] = []): ReadonlyMap<string, Buffer> {
  const folder = mkdtempSync(join(tmpdir(), "pomona-image-"));
  runPython(source, [folder, ...args]);
  return new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]));
}

/** The largest difference between two arrays of the same length. */
export function maxDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`Lengths differ: ${a.length} and ${b.length}.`);
  let max = 0;
  for (let i = 0; i < a.length; i++) max = Math.max(max, Math.abs(a[i]! - b[i]!));
  return max;
}
