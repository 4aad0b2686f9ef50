import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { golden } from "../support/golden";
import { runPython } from "../support/python";

const names = readdirSync(__dirname)
  .filter((file) => file.endsWith(".py") && !file.startsWith("_"))
  .map((file) => basename(file, ".py"));

/** Spark or Keras takes from half a minute to minutes for each; `POMONA_GOLDEN=all` asks these too. */
const SLOW = [
  "conformance",
  "created-frames",
  "csv-read",
  "json-read",
  "networks",
  "spark-columns",
  "spark-ml",
  "spark-parquet-files",
  "spark-parquet-merge",
  "text-write",
];

/**
 * Asked one after the other in one process: most of what such a script takes is the start of Spark's JVM or of TensorFlow. What
 * the first one sets stays the default of Spark's JVM, so that is the one with the fewest settings.
 */
const TOGETHER = [
  ["spark-session", "image_source", "spark-partitions", "functions-anywhere"],
  ["every-layer", "image-features", "model-summary", "preprocess_input"],
];

interface Printed {
  readonly name: string;
  readonly printed: string;
  readonly error: string | null;
}

/** What a process printed that ran several scripts, for each of them. */
const printedTogether = new Map<string, Printed>();

/** What a script prints today. @throws Error with its traceback */
function printedBy(name: string): string {
  const names = TOGETHER.find((those) => those.includes(name)) ?? [name];
  if (!printedTogether.has(name)) {
    const lines = runPython("import runpy, sys; runpy.run_path(sys.argv.pop(1), run_name='__main__')", [
      join(__dirname, "_together.py"),
      ...names,
    ]);
    for (const line of lines.trimEnd().split("\n")) {
      const answer = JSON.parse(line) as Printed;
      printedTogether.set(answer.name, answer);
    }
  }
  const answer = printedTogether.get(name);
  if (!answer || answer.error !== null) throw new Error(answer?.error ?? `${name}.py did not run.`);
  return answer.printed;
}

/** By a variable, since the script is JavaScript without declarations. */
const SCRIPT = "../../scripts/golden.mjs";
interface Script {
  notedMakers(): Readonly<Record<string, string>>;
  makerOf(name: string): string;
}

test("each answer is the one that its script, what it reads and the pinned packages gave", async () => {
  const { notedMakers, makerOf } = (await import(SCRIPT)) as Script;
  // Where one differs: npm run golden -- NAME
  expect(Object.fromEntries(names.map((name) => [name, makerOf(name)]))).toEqual(notedMakers());
});

test.each(names.filter((name) => process.env.POMONA_GOLDEN === "all" || !SLOW.includes(name)))(
  "%s.py gives today what its golden file says",
  (name) => {
    const printed = printedBy(name);
    const answer: unknown = JSON.parse(printed.trimEnd().split("\n").at(-1)!);
    const kept = golden<{ readonly tolerance?: number }>(name);
    expect(firstDifference(answer, kept, kept.tolerance)).toBe(undefined);
  },
  // Spark answers a thousand cases one by one, which takes minutes on a quiet machine.
  1_800_000,
);

/** Bytes of a Parquet file: parquet-mr lists a column's encodings in the order of a Java hash set, another in each process. */
const BYTES = "parquetFile";

/**
 * Where two answers differ. Numbers may by 1e-9 relative: another processor's BLAS rounds otherwise; or by the `tolerance` that
 * the file states, relative for what is above 1: float32 sums of a network's features.
 */
function firstDifference(a: unknown, b: unknown, tolerance: number | undefined, path = "$"): string | undefined {
  if (typeof a === "number" && typeof b === "number") {
    const floor = tolerance === undefined ? 1e-6 : 1;
    const near = Math.abs(a - b) <= (tolerance ?? 1e-9) * Math.max(Math.abs(a), Math.abs(b), floor);
    return near ? undefined : `${path}: ${a} is not ${b}`;
  }
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) {
    return a === b ? undefined : `${path}: ${JSON.stringify(a)} is not ${JSON.stringify(b)}`;
  }
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  keys.delete(BYTES);
  for (const key of keys) {
    const difference = firstDifference((a as never)[key], (b as never)[key], tolerance, `${path}.${key}`);
    if (difference) return difference;
  }
  return undefined;
}
