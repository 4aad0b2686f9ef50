import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { venvProgram } from "../support/jupyter";

const NOTEBOOKS = join(__dirname, "..", "..", "notebooks");
const names = readdirSync(NOTEBOOKS).filter((file) => file.endsWith(".ipynb"));
const isWorkflow = (name: string) => name === "workflow.ipynb";

interface Output {
  readonly output_type: string;
  readonly name?: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

let folder: string;
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "pomona-notebooks-")));
  mkdirSync(join(folder, "notebooks"));
  cpSync(NOTEBOOKS, join(folder, "notebooks"), { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The outputs of an executed notebook's code cells, after checking that each ran and none failed. */
function outputsOf(path: string): Output[] {
  const { cells } = JSON.parse(readFileSync(path, "utf8")) as {
    cells: { cell_type: string; source: string | string[]; execution_count: number | null; outputs: Output[] }[];
  };
  const code = cells.filter(({ cell_type, source }) => cell_type === "code" && [source].flat().join("").trim() !== "");
  expect(code.map((cell) => cell.execution_count)).toEqual(code.map((_, i) => i + 1));
  const outputs = code.flatMap((cell) => cell.outputs);
  expect(outputs.filter(({ output_type, name }) => output_type === "error" || name === "stderr")).toEqual([]);
  return outputs;
}

const run = (program: string, args: readonly string[]) =>
  execFileSync(venvProgram(program), args, { cwd: join(folder, "notebooks"), stdio: "pipe", encoding: "utf8" });

describe.each(names)("notebooks/%s", (name) => {
  test.runIf(!isWorkflow(name))("is executed by nbconvert", { timeout: 180_000 }, () => {
    run("jupyter", ["nbconvert", "--to", "notebook", "--execute", "--output", `nbconvert-${name}`, name]);
    const outputs = outputsOf(join(folder, "notebooks", `nbconvert-${name}`));
    expect(outputs.filter(({ data }) => data && "text/html" in data).length).toBeGreaterThanOrEqual(5);
  });

  test("is executed by papermill, with parameters where it has some", { timeout: 180_000 }, () => {
    const parameters = isWorkflow(name) ? ["-p", "n", "24", "-p", "k", "5", "-p", "output", join(folder, "out")] : [];
    const options = ["--no-progress-bar", "--cwd", join(folder, "notebooks"), ...parameters];
    run("papermill", [name, `papermill-${name}`, ...options]);
    outputsOf(join(folder, "notebooks", `papermill-${name}`));
  });
});
