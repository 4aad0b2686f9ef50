import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkOrder } from "../../src/cli/check-order";
import { parseNotebook } from "../../src/cli/notebook-parameters";
import { expectError, workplace } from "./command-line";

const at = workplace();
const NOTEBOOKS = join(__dirname, "..", "..", "notebooks");

/** `3 let x = 1;` ran as In[3], `- x` did not, `? x` has outputs and no number, `3! f()` ended with an error; `#tag` goes before. */
type Saved = string;

interface Case {
  readonly what: string;
  readonly cells: readonly Saved[];
  /** `cell: problem`, the names of cells left out. */
  readonly problems: readonly string[];
  readonly missing?: number;
}

function notebook(
  cells: readonly Saved[],
  metadata: object = { kernelspec: { name: "pomona", language: "typescript" } },
) {
  const made = cells.map((cell, i) => {
    const [, tag, number = "", failed, source = ""] = /^(?:#(\S+) )?(\d+|-|\?)(!?) (.*)$/s.exec(cell) ?? [];
    const output = failed
      ? { output_type: "error", ename: "TypeError", evalue: "no", traceback: [] }
      : { output_type: "stream", name: "stdout", text: "said\n" };
    return {
      cell_type: "code",
      id: `cell-${i}`,
      metadata: tag ? { tags: [tag] } : {},
      execution_count: /\d/.test(number) ? Number(number) : null,
      outputs: number === "-" ? [] : [output],
      source,
    };
  });
  return JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata, cells: made });
}

const check = (cells: readonly Saved[], metadata?: object) =>
  checkOrder(parseNotebook(notebook(cells, metadata), "saved.ipynb"), "saved.ipynb");

const TABLE: readonly Case[] = [
  { what: "in order", cells: ["1 let rate = 2;", "2 rate * 100", "3 rate + 1"], problems: [] },
  { what: "outputs cleared", cells: ["- let rate = 2;", "- rate * 100"], problems: [] },
  { what: "a scratch cell removed", cells: ["1 let rate = 2;", "4 rate * 100", "5 rate"], problems: [], missing: 2 },
  { what: "an unfinished run", cells: ["1 let rate = 2;", "- rate * 100"], problems: [] },
  {
    what: "names used again and again",
    cells: ["1 const rows = [1];", "2 rows", "3 const rows = [2];", "4 rows", "5 let n = 1;", "6 n += 1;"],
    problems: [],
  },
  {
    what: "a function that uses what comes later",
    cells: ["1 const f = () => later;", "2 let later = 1;", "3 f()"],
    problems: [],
  },
  {
    what: "names that every notebook has",
    cells: ["1 session.range(3); col('a'); structuredClone(1); require('fs'); __dirname", "2 const col = 5;", "3 col"],
    problems: [],
  },
  {
    what: "types, ambient names and guards",
    cells: [
      "1 interface Row { a: number }",
      "2 declare const outside: Row; typeof absent; outside",
      "3 let x: Row = { a: 1 };",
    ],
    problems: [],
  },
  {
    what: "imports for later cells",
    cells: ["1 import { join } from 'node:path';", "2 join('a')", "3 import type { ParsedPath } from 'node:path';"],
    problems: [],
  },
  {
    what: "magics",
    cells: ["1 %%info", "2 %%time\nlet t = 1;", "3 %%sql -o kiwis\nSELECT nothing FROM fruits", "4 kiwis; t", "5 t?"],
    problems: [],
  },
  { what: "parameters", cells: ["#parameters 1 let n = 1;", "#injected-parameters 2 n = 5;", "3 n"], problems: [] },
  { what: "a cell that is skipped", cells: ["1 let n = 1;", "#skip-execution - n = 5;", "2 n"], problems: [] },
  { what: "comments", cells: ["1 let n = 1;", "- // nothing", "2 n"], problems: [] },
  {
    what: "an error on purpose, and one at the end",
    cells: ["#raises-exception 1! throw 1;", "2 1", "3! throw 2;"],
    problems: [],
  },
  {
    what: "a cell run again, which others used",
    cells: ["3 let rate = 2;", "2 rate * 100"],
    problems: ["1: ran after 2, which stands below it.", "2: uses rate, which 1 above it has set again since."],
  },
  {
    what: "one that nobody uses",
    cells: ["1 let rate = 2;", "4 rate", "3 rate"],
    problems: ["2: ran after 3, which stands below it."],
  },
  {
    what: "through a function",
    cells: ["4 let rate = 2;", "2 const f = () => rate;", "3 f()"],
    problems: [
      "1: ran after 2, which stands below it.",
      "3: uses rate through f, which 1 above it has set again since.",
    ],
  },
  {
    what: "a value of a cell below",
    cells: ["1 let df = [1];", "4 df", "3 df = [2];"],
    problems: [
      "2: ran after 3, which stands below it.",
      "2: uses df as 3 had set it; from top to bottom it is as 1 sets it.",
    ],
  },
  {
    what: "a removed cell",
    cells: ["1 let a = 1;", "3 a + gone"],
    problems: ["2: uses gone, which no cell declares: its cell was removed, or the name changed."],
    missing: 1,
  },
  {
    what: "a name declared below",
    cells: ["- total;", "- let total = 1;"],
    problems: ["1: uses total, which 2 sets below it."],
  },
  {
    what: "through a function, below",
    cells: ["- const f = () => later;", "- f()", "- let later = 1;"],
    problems: ["2: uses later through f, which 3 sets below it."],
  },
  {
    what: "outputs without a number",
    cells: ["1 let a = 1;", "? a"],
    problems: ["2: has outputs but no number: it was changed after it ran, or did not end."],
  },
  {
    what: "a cell that was left out",
    cells: ["1 let a = 1;", "- a = 2;", "2 a"],
    problems: ["2: has not run, but cells below it have."],
  },
  {
    what: "a text that is none",
    cells: ["1 let a = 1;", "2 let = = 3"],
    problems: ["2: can't be compiled as it stands, line 1: Expression expected."],
  },
  {
    what: "an error in the middle",
    cells: ["1! throw 1;", "2 1"],
    problems: ["1: ended with TypeError, where a run from top to bottom stops; 2 ran after it."],
  },
  {
    what: "two sessions",
    cells: ["1 let a = 1;", "2 a", "3 a", "1 a", "3 a"],
    problems: [
      "4: ran before 3, which stands above it, or after a restart.",
      "5: has the same number as 3: one of them is a copy, or ran before a restart.",
    ],
  },
];

describe("what a saved notebook tells", () => {
  it.each(TABLE)("$what", ({ cells, problems, missing }) => {
    const found = check(cells);
    const plain = (text: string) => text.replace(/cell (\d+)(?: \(In\[\d+\]\))?/g, "$1");
    expect(found.problems.map(({ cell, problem }) => plain(`${cell}: ${problem}`))).toEqual(problems);
    if (missing !== undefined || problems.length === 0) expect(found.missing).toBe(missing ?? 0);
  });
});

describe("pomona run --check-order", () => {
  const run = (cells: readonly Saved[], args: readonly string[] = [], metadata?: object) =>
    at.pomona(["run", at.file("saved.ipynb", notebook(cells, metadata)), "--check-order", ...args]);

  it("says in a line that the outputs can come from a run from top to bottom", async () => {
    expect(await run(["1 let rate = 2;", "3 rate"])).toMatchObject({
      code: 0,
      stdout:
        "The outputs of the 2 cells that ran in saved.ipynb can come from running it from top to bottom (1 more ran that are no more, or ran again). Nothing was executed.\n",
    });
  });

  it("gives a line for each reason why not, and ends with 1", async () => {
    expect(await run(["3 let rate = 2;", "2 rate * gone"])).toMatchObject({
      code: 1,
      stdout: `cell 1 (In[3]) ran after cell 2 (In[2]), which stands below it.
cell 2 (In[2]) uses gone, which no cell declares: its cell was removed, or the name changed.
cell 2 (In[2]) uses rate, which cell 1 (In[3]) above it has set again since.
`,
      stderr: "",
    });
    const { code, stdout } = await run(["2 1", "1 2"], ["--json"]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      isInOrder: false,
      ran: 2,
      problems: [{ cell: 1, count: 2, problem: "ran after cell 2 (In[1]), which stands below it." }],
    });
  });

  it("refuses what it can't read, and what has no meaning beside it", async () => {
    const python = { kernelspec: { name: "python3", language: "python" }, language_info: { name: "python" } };
    expectError(await run(["1 x = 1"], [], python), "NotTypeScriptError", [/is a notebook in python/]);
    expectError(await at.pomona(["run", at.file("a.ipynb", "{"), "--check-order"]), "NotebookFormatError", [
      /not JSON/,
    ]);
    const odd = '{ "nbformat": 4, "cells": [null] }';
    expectError(await at.pomona(["run", at.file("b.ipynb", odd), "--check-order"]), "NotebookFormatError", [
      /nbformat 4/,
    ]);
    expectError(await at.pomona(["run", "none.ipynb", "--check-order"]), "PathNotFoundError", [/none\.ipynb/]);
    expectError(
      await run(["1 1"], ["--html", "-p", "n", "1"]),
      "UsageError",
      [/--parameter, --html has no meaning/],
      2,
    );
  });

  it("takes the project's own notebooks, and one that was executed", async () => {
    for (const name of readdirSync(NOTEBOOKS).filter((each) => each.endsWith(".ipynb")))
      expect(await at.pomona(["run", join(NOTEBOOKS, name), "--check-order"]), name).toMatchObject({ code: 0 });
    const source = at.file(
      "in.ipynb",
      notebook(["#parameters - let n = 1;", "- const twice = () => 2 * n;", "- twice()"]),
    );
    const env = { HOME: process.env.HOME ?? "" };
    expect(await at.pomona(["run", source, "-p", "n", "4", "-o", "out.ipynb", "-q"], { env })).toMatchObject({
      code: 0,
    });
    expect(await at.pomona(["run", "out.ipynb", "--check-order"])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^The outputs of the 4 cells that ran in out\.ipynb can come/),
    });
  });
});
