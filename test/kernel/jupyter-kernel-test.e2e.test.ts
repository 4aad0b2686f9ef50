import { execFile, execFileSync } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { venvProgram } from "../support/jupyter";

interface Outcome {
  readonly test: string;
  readonly outcome: "passed" | "failed" | "skipped";
  readonly detail: string;
}

const python = venvProgram("python");
const script = join(__dirname, "jupyter-kernel-test.py");
const kernel = process.env.POMONA_TEST_KERNEL ?? "pomona";
const names = JSON.parse(execFileSync(python, [script, kernel, "--list"], { encoding: "utf8" })) as string[];

describe("jupyter_kernel_test, each feature switched on", () => {
  let outcomes: Outcome[];
  beforeAll(async () => {
    const { stdout } = await promisify(execFile)(python, [script, kernel], { timeout: 500_000 });
    outcomes = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Outcome);
  });

  // A test may tell of several parts of it.
  it.each(names)("%s", (name) => {
    const of = outcomes.filter(({ test }) => test === name);
    expect(of, `${name} did not run`).not.toEqual([]);
    expect(of.filter(({ outcome }) => outcome !== "passed")).toEqual([]);
  });

  it("has all of the package's tests", () => {
    expect(names.length).toBeGreaterThanOrEqual(13);
  });
});
