import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { golden } from "../support/golden";
import { runPython } from "../support/python";

const scripts = readdirSync(__dirname).filter((file) => file.endsWith(".py") && !file.startsWith("_"));

test.each(scripts)(
  "%s gives today what its golden file says",
  (script) => {
    const printed = runPython(
      "import runpy, sys; sys.path.insert(0, sys.argv[1]); runpy.run_path(sys.argv[2], run_name='__main__')",
      [__dirname, join(__dirname, script)],
    );
    const answer: unknown = JSON.parse(printed.trimEnd().split("\n").at(-1)!);
    expect(firstDifference(answer, golden(basename(script, ".py")))).toBe(undefined);
  },
  600_000,
);

/** Where two answers differ. Numbers may by 1e-9 relative: another processor's BLAS rounds otherwise. */
function firstDifference(a: unknown, b: unknown, path = "$"): string | undefined {
  if (typeof a === "number" && typeof b === "number") {
    const near = Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b), 1e-6);
    return near ? undefined : `${path}: ${a} is not ${b}`;
  }
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) {
    return a === b ? undefined : `${path}: ${JSON.stringify(a)} is not ${JSON.stringify(b)}`;
  }
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  for (const key of keys) {
    const difference = firstDifference((a as never)[key], (b as never)[key], `${path}.${key}`);
    if (difference) return difference;
  }
  return undefined;
}
