import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type NotebookCell, writeNotebook } from "../support/notebook-file";
import { cellsOf, errorsOf, pythonModule, textOf } from "./notebooks";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "pomona-nbconvert-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const execute = (name: string, cells: readonly NotebookCell[], ...args: string[]) => {
  const path = writeNotebook(join(folder, `${name}.ipynb`), cells);
  const to = ["--to", "notebook", "--execute", "--output", `${name}-out.ipynb`];
  const ended = pythonModule("nbconvert", [...to, ...args, path]);
  return { ...ended, output: join(folder, `${name}-out.ipynb`) };
};

describe("nbconvert --execute", () => {
  it("runs every cell after errors that are allowed, none skipped", () => {
    const cells = Array.from({ length: 12 }, (_, i) =>
      i % 3 === 1 ? `throw new Error("expected ${i}");` : `console.log("cell ${i}");`,
    );
    const { status, stderr, output } = execute("allowed", cells, "--allow-errors");
    expect(status, stderr).toBe(0);
    for (const [i, cell] of cellsOf(output).entries()) {
      expect(cell.execution_count).toBe(i + 1);
      if (i % 3 === 1) expect(errorsOf(cell)).toEqual([expect.stringContaining(`Error: expected ${i}`)]);
      else expect(textOf(cell)).toBe(`cell ${i}\n`);
    }
  });

  it("runs the cell after one tagged raises-exception, at once", () => {
    const { status, stderr, output } = execute("tagged", [
      { source: "throw new TypeError('on purpose');", tags: ["raises-exception"] },
      "1 + 1",
      { source: "const x: number = 'text';", tags: ["raises-exception"] },
      "let after = 3; after",
    ]);
    expect(status, stderr).toBe(0);
    const [thrown, two, compiled, three] = cellsOf(output);
    expect(errorsOf(thrown)[0]).toMatch(/^TypeError: on purpose/);
    expect(textOf(two)).toBe("2");
    expect(errorsOf(compiled)[0]).toMatch(/^TypeScriptError: Type 'string' is not assignable/);
    expect(textOf(three)).toBe("3");
  });

  it("fails with name, message and traceback where an error is not allowed", () => {
    const { status, stderr } = execute("fails", ["1", "\n\nJSON.parse('null').field;"]);
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/TypeError/);
    expect(stderr).toMatch(/Cannot read properties of null/);
    expect(stderr).toMatch(/3 \|.* JSON.parse/);
  });

  it("leaves nbconvert's output as it is, of which a kernel that makes it non-blocking would lose parts", () => {
    const { status, stderr, output } = execute("whole", [
      'console.log("log"); process.stderr.write("error"); require("node:child_process").execSync("true", { stdio: "inherit" });',
      `const fs = require("node:fs");
[1, 2].map((fd) => {
  const flags = /^flags:\\s*([0-7]+)$/m.exec(fs.readFileSync("/proc/self/fdinfo/" + fd, "utf8"))[1];
  return [fs.readlinkSync("/proc/self/fd/" + fd).split(":")[0], Number.parseInt(flags, 8) & fs.constants.O_NONBLOCK];
})`,
    ]);
    expect(status, stderr).toBe(0);
    expect(textOf(cellsOf(output)[1])).toMatch(/^\[ \[ '(socket|pipe)', 0 \], \[ '(socket|pipe)', 0 \] \]$/);
  });

  it("interrupts a cell that takes too long, and goes on with the state that it left", () => {
    // The other cells end by themselves, on a slow machine later than that.
    const config = join(folder, "timeout.py");
    const timeout = `lambda cell: 10 if "true" in cell.source or "Promise" in cell.source else 600`;
    writeFileSync(config, `c.ExecutePreprocessor.timeout_func = ${timeout}\n`);
    const { status, stderr, output } = execute(
      "timeout",
      ["let kept = 41;", "while (true) { kept = 42; }", "await new Promise(() => {});", "kept"],
      `--config=${config}`,
      "--ExecutePreprocessor.interrupt_on_timeout=True",
      "--allow-errors",
    );
    expect(status, stderr).toBe(0);
    const [, busy, pending, last] = cellsOf(output);
    expect(errorsOf(busy)[0]).toMatch(/^KeyboardInterrupt/);
    expect(errorsOf(pending)[0]).toMatch(/^KeyboardInterrupt/);
    expect(textOf(last)).toBe("42");
  });

  it("gives up on such a cell where it is not to interrupt", () => {
    const { status, stderr } = execute("gives-up", ["while (true);"], "--ExecutePreprocessor.timeout=3");
    expect(status).not.toBe(0);
    // nbclient says so in any case; its error is CellTimeoutError or, where its own tasks race, a cancellation.
    expect(stderr).toMatch(/Timeout waiting for execute reply \(3s\)/);
  });
});
