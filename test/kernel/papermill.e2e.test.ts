import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cellsOf, errorsOf, pythonModule, textOf } from "../cli/notebooks";
import { type NotebookCell, writeNotebook } from "../support/notebook-file";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "pomona-papermill-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const PARAMETERS = `interface Options { x: number[]; label?: string }
let n: number = 5; // how many
let who = "nobody"; // to greet
let on = false;
let options: Options = { x: [] };
let big = 1n;
let day: string | null = null;`;

const papermill = (name: string, cells: readonly NotebookCell[], ...args: string[]) => {
  const output = join(folder, `${name}-out.ipynb`);
  const ended = pythonModule("papermill", [writeNotebook(join(folder, `${name}.ipynb`), cells), output, ...args]);
  return { ...ended, stderr: stripVTControlCharacters(ended.stderr), output };
};

describe("papermill", () => {
  it("sets parameters of every kind, with the types that the notebook declares", () => {
    const show = "JSON.stringify({ n: n + 1, who: who.length, on: !on, options, big: String(big * 2n), day })";
    const given = [
      ...["-p", "n", "7", "-r", "who", "2024", "-p", "on", "True"],
      ...["-y", "{options: {x: [1, 2.5], label: Ä}, big: 12345678901234567890, day: 2026-11-21}"],
    ];
    const { status, stderr, output } = papermill(
      "kinds",
      [{ source: PARAMETERS, tags: ["parameters"] }, show],
      ...given,
    );
    expect(status, stderr).toBe(0);
    expect(stderr).not.toMatch(/unknown parameter/i);
    const [, injected, shown] = cellsOf(output);
    expect(injected?.metadata.tags).toContain("injected-parameters");
    expect([injected?.source].flat().join("")).toContain('let options: Options = {"x": [1, 2.5], "label": "Ä"};');
    expect(JSON.parse(textOf(shown).replace(/^'|'$/g, ""))).toEqual({
      n: 8,
      who: 4,
      on: false,
      options: { x: [1, 2.5], label: "Ä" },
      big: "24691357802469135780",
      day: "2026-11-21",
    });
  });

  it("takes the cell that an earlier run inserted away again", () => {
    const first = papermill("twice", [{ source: PARAMETERS, tags: ["parameters"] }, "n"], "-p", "n", "6");
    const again = join(folder, "again.ipynb");
    expect(pythonModule("papermill", [first.output, again, "-p", "n", "8"]).status).toBe(0);
    expect(cellsOf(again)).toHaveLength(3);
    expect(textOf(cellsOf(again)[2])).toBe("8");
  });

  it("sets them at the top of a notebook without a parameters cell", () => {
    const { status, stderr, output } = papermill("top", ["n * 2"], "-p", "n", "6");
    expect(status, stderr).toBe(0);
    expect(textOf(cellsOf(output)[1])).toBe("12");
  });

  it("tells of a notebook's parameters", () => {
    const { status, stdout } = papermill("help", [{ source: PARAMETERS, tags: ["parameters"] }], "--help-notebook");
    expect(status).toBe(0);
    expect(stdout).toMatch(/n: number \(default 5\)\s+how many/);
    expect(stdout).toMatch(/who: string \(default "nobody"\)\s+to greet/);
    expect(stdout).toMatch(/options: Options \(default \{ x: \[\] \}\)/);
    expect(stdout).toMatch(/day: string \| null \(default null\)/);
  });

  it("warns of a parameter that the notebook does not have, and of one with the wrong type", () => {
    const cells = [{ source: PARAMETERS, tags: ["parameters"] }];
    expect(papermill("unknown", cells, "-p", "m", "6").stderr).toMatch(/Passed unknown parameter: m/);
    const wrong = papermill("wrong", cells, "-p", "n", "many");
    expect(wrong.status).toBe(1);
    expect(wrong.stderr).toMatch(/The parameter n is a number in the notebook, and "many" is text/);
  });

  it("shows the failed cell's error with the line of the TypeScript source, and goes no further", () => {
    const failing =
      'const fruits: string[] = [];\nfunction pick() {\n  throw new RangeError("no such fruit");\n}\npick();';
    const { status, stderr, output } = papermill("error", ["1", failing, "3"]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/RangeError: no such fruit/);
    expect(stderr).toMatch(/3 \| {3}throw new RangeError/);
    const cells = cellsOf(output);
    const failed = cells.findIndex((cell) => errorsOf(cell).length > 0);
    expect(errorsOf(cells[failed])).toHaveLength(1);
    expect(cells[failed + 1]?.outputs).toEqual([]);
    // papermill marks the place.
    expect(JSON.stringify(cells[0])).toMatch(/An Exception was encountered/);
  });

  it("shows a compile error as such", () => {
    const { status, stderr } = papermill("compile", ['const n: number = "text";']);
    expect(status).toBe(1);
    expect(stderr).toMatch(/TypeScriptError: Type 'string' is not assignable to type 'number'/);
  });

  it("takes process.exit(0) for an early end on purpose, and another code for a failure", () => {
    const early = papermill("exit-0", ["process.exit(0);", '"not reached"']);
    expect(early.status, early.stderr).toBe(0);
    expect(textOf(cellsOf(early.output)[1])).toBe("");
    expect(papermill("exit-3", ["process.exit(3);"]).status).toBe(1);
  });
});
