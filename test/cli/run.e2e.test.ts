import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type NotebookCell, writeNotebook } from "../support/notebook-file";
import { expectError, until, workplace } from "./command-line";
import { cellsOf, errorsOf, textOf } from "./notebooks";

const at = workplace();
const env = { HOME: process.env.HOME ?? "" };
const start = (cells: readonly NotebookCell[], ...args: string[]) =>
  at.start(["run", writeNotebook(at.path("in.ipynb"), cells), "-o", "out.ipynb", "-q", ...args], { env });
const run = (...args: Parameters<typeof start>) => start(...args).ended;

describe("pomona run", () => {
  it("names the failed cell and its line, and shows the traceback of the TypeScript source", async () => {
    const failing = '// Picks a fruit\nfunction pick(): never {\n  throw new RangeError("no such fruit");\n}\npick();';
    const outcome = await run(['console.log("before");', failing, "3"]);
    expectError(outcome, "NotebookFailedError", [
      /In \[2\] of in\.ipynb failed \(function pick\(\): never \{\):/,
      /RangeError: no such fruit/,
      /> 3 \| {3}throw new RangeError\("no such fruit"\);/,
      /The notebook with the error in it: .*out\.ipynb/,
    ]);
    // Not a terminal: no colours.
    expect(outcome.stderr).not.toContain("\u001b[");
    const cells = cellsOf(at.path("out.ipynb"));
    expect(textOf(cells[0])).toBe("before\n");
    expect(errorsOf(cells[1])[0]).toMatch(/RangeError: no such fruit/);
    expect(cells[2]?.outputs).toEqual([]);
  });

  it.each([
    ["bad.count();\n1;", /In \[2\] of in\.ipynb failed/],
    ["const held = bad.count();", /What cells of in\.ipynb left running failed:\n\n.* in what In\[2\] left running/],
  ])("fails by a job that nobody awaits: %s", async (cell, message) => {
    const bad = `const bad = session.range(2).mapBatches(() => { throw new Error("bad one"); }, { schema: "a int" });`;
    const outcome = await run([bad, cell]);
    expectError(outcome, "NotebookFailedError", [message, /bad one/]);
    expect(errorsOf(cellsOf(at.path("out.ipynb"))[1])[0]).toMatch(/bad one/);
  });

  it("shows what TypeScript finds wrong, with the place marked", async () => {
    const outcome = await run(["const a = 1;", "\nconst n: number = 'text';"]);
    expectError(outcome, "NotebookFailedError", [
      /In \[2\] of in\.ipynb failed/,
      /TypeScriptError: Type 'string' is not assignable to type 'number'/,
      /> 2 \| const n: number = 'text';\n {4}\| {7}\^/,
    ]);
  });

  it("sets parameters with -p and -r", async () => {
    const cells = [
      { source: "let n: number = 1; let who = ''; let on = false;", tags: ["parameters"] },
      "[n + 1, who, !on]",
    ];
    expect((await run(cells, "-p", "n", "41", "-r", "who", "007", "-p", "on", "true")).code).toBe(0);
    expect(textOf(cellsOf(at.path("out.ipynb"))[2])).toBe("[ 42, '007', false ]");
    expectError(await run(cells, "-p", "who", "007"), "UsageError", [/-r who 7 passes it as text/], 2);
    expectError(await run(cells, "-p", "m", "1"), "UsageError", [/no parameter "m"/, /Did you mean n or on\?/], 2);
  });

  it("interrupts the cell on Ctrl-C, and saves what there is", async () => {
    const waiting = at.path("waiting");
    const cell = `import { writeFileSync } from "node:fs"; console.log("so far"); writeFileSync(${JSON.stringify(waiting)}, "");
while (true);`;
    const running = start(['console.log("first");', cell, '"never"']);
    await until(() => existsSync(waiting), "the cell that loops");
    running.process.kill("SIGINT");
    const outcome = await running.ended;
    expect(outcome.code).toBe(130);
    const cells = cellsOf(at.path("out.ipynb"));
    expect(textOf(cells[0])).toBe("first\n");
    expect(textOf(cells[1])).toBe("so far\n");
    expect(errorsOf(cells[1])[0]).toMatch(/^KeyboardInterrupt/);
    expect(cells[2]?.outputs).toEqual([]);
  });

  it("keeps the notebook elsewhere where it can't be saved at its output any more", async () => {
    const outcome = await run([
      `import { mkdirSync } from "node:fs"; mkdirSync(${JSON.stringify(at.path("out.ipynb"))}); 7`,
    ]);
    expectError(outcome, "NotebookNotSavedError", [/is not saved at .*out\.ipynb: .*directory/i, /It is kept here: /]);
    expect(textOf(cellsOf(at.path("out", "out.ipynb"))[0])).toBe("7");
  });

  it("says that the kernel died, by what, and in which cell", async () => {
    const outcome = await run(["1", 'process.kill(process.pid, "SIGKILL");\nawait new Promise(() => {});']);
    expectError(outcome, "NotebookFailedError", [
      /The kernel died \(signal 9\) in In \[2\] of in\.ipynb \(process\.kill\(process\.pid, "SIGKILL"\);\)/,
      /memory ran out/,
    ]);
    expect(textOf(cellsOf(at.path("out.ipynb"))[0])).toBe("1");
  });

  it("says that a cell took too long", async () => {
    const outcome = await run(["await new Promise(() => {});"], "--timeout", "8");
    expectError(outcome, "NotebookFailedError", [
      /In \[1\] of in\.ipynb took longer than 8 s/,
      /--timeout allows more/,
    ]);
  });

  it("takes process.exit(0) for the end, on purpose", async () => {
    const outcome = await run(["process.exit(0);", '"never"']);
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(cellsOf(at.path("out.ipynb"))[1]?.outputs).toEqual([]);
  });
});
