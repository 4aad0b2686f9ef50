import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UsageError } from "../../src/cli/command";
import { JupyterMissingError } from "../../src/cli/jupyter-paths";
import { venvProgram } from "../support/jupyter";
import { injectedByPomona, parametersNotebook, readInjected } from "./injected";
import { PARAMETER_CASES } from "./parameter-table";

/** The same parameters through papermill, all in one process; a line of JSON each. */
const PREPARE = `
import json, logging, os, sys, tempfile
import papermill
from papermill.cli import _resolve_type
logging.disable(logging.INFO)
warnings = []
handler = logging.Handler()
handler.emit = lambda record: warnings.append(record.getMessage())
logging.getLogger("papermill").addHandler(handler)
with tempfile.TemporaryDirectory() as folder:
    for line in sys.stdin:
        job = json.loads(line)
        path = os.path.join(folder, "in.ipynb")
        with open(path, "w") as file:
            json.dump(job["notebook"], file)
        if job.get("inspect"):
            print(json.dumps(list(papermill.inspect_notebook(path).values())))
            continue
        value = job["text"] if job["raw"] else _resolve_type(job["text"])
        try:
            # Beyond what its command line can give, and what it can write into a notebook's metadata.
            if "python" in job:
                source = papermill.translators.translate_parameters("pomona", "typescript", {job["name"]: eval(job["python"])}, "Parameters")
                print(json.dumps({"source": source, "warnings": []}))
                continue
            done = papermill.execute_notebook(path, os.path.join(folder, "out.ipynb"), {job["name"]: value}, prepare_only=True)
            print(json.dumps({"source": done.cells[1].source, "warnings": warnings}))
        except Exception as error:
            print(json.dumps({"error": f"{type(error).__name__}: {error}"}))
        warnings.clear()
`;

interface Job {
  readonly cell: string;
  readonly name: string;
  readonly text?: string;
  readonly raw?: boolean;
  readonly python?: string;
}

type Prepared = { readonly source: string; readonly warnings: readonly string[] } | { readonly error: string };

function prepare(jobs: readonly Job[]): Prepared[] {
  const input = jobs.map(({ cell, name, text = "", raw = false, python }) => ({
    ...{ notebook: parametersNotebook(cell), name, text, raw },
    ...(python ? { python } : {}),
  }));
  return byPapermill(input) as Prepared[];
}

function byPapermill(jobs: readonly object[]): unknown[] {
  const input = jobs.map((job) => JSON.stringify(job)).join("\n");
  const printed = execFileSync(venvProgram("python"), ["-c", PREPARE], { input, encoding: "utf8" });
  return printed
    .trim()
    .split("\n")
    .map((line): unknown => JSON.parse(line));
}

describe("papermill and pomona run agree on a parameter", () => {
  let prepared: Prepared[];
  beforeAll(() => {
    prepared = prepare(PARAMETER_CASES);
  });

  it.each(PARAMETER_CASES.map((row, i) => ({ ...row, i })))("$cell: $name $text", (row) => {
    const result = prepared[row.i]!;
    const given = [`${row.name}=${row.text}`];
    const byPomona = () => injectedByPomona(row.cell, row.raw ? { raw: given } : { typed: given });
    if (row.error) {
      expect(byPomona).toThrow(row.error);
      expect(byPomona).toThrow(UsageError);
      expect(result).toHaveProperty("error", expect.stringMatching(row.error));
      expect(result).toHaveProperty("error", expect.stringMatching(/^PapermillException/));
      return;
    }
    if ("error" in result) throw new Error(result.error);
    expect(result.warnings).toEqual([]);
    expect(readInjected(result.source)).toStrictEqual({ declares: row.declares ?? row.name, value: row.value });
    expect(`${byPomona()}\n`).toBe(result.source);
  });
});

describe("the declarations of a parameters cell", () => {
  it("have type, default and the comment beside them", () => {
    const cell = `// The folder of the images,
// one folder a class.
let images: string = "a;b"; // beside
/* How many. */
const n = 300
let opts: { k: number } = {
  k: 5, // components
};

let a = 1, b: Map<string, number> = new Map([["x", 1]]); /* two
 * of them */
var done = false
let later: string;
if (a < 1) { let inner = 2; }
let { c, d } = { c: 1, d: 2 };`;
    const [declared] = byPapermill([{ notebook: parametersNotebook(cell), inspect: true }]);
    expect(declared).toEqual([
      { name: "images", inferred_type_name: "string", default: '"a;b"', help: "beside" },
      { name: "n", inferred_type_name: "number", default: "300", help: "How many." },
      { name: "opts", inferred_type_name: "{ k: number }", default: "{ k: 5, }", help: "" },
      { name: "a", inferred_type_name: "number", default: "1", help: "two of them" },
      {
        name: "b",
        inferred_type_name: "Map<string, number>",
        default: 'new Map([["x", 1]])',
        help: "two of them",
      },
      { name: "done", inferred_type_name: "boolean", default: "false", help: "" },
      { name: "later", inferred_type_name: "string", default: "undefined", help: "" },
    ]);
    expect(() => injectedByPomona(cell, { raw: ["inner=x"] })).toThrow(/It has images, n, opts, a, b, done, later\./);
  });
});

describe("pomona run's parameters", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "pomona-parameters-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("are, where a name is given twice, the last", () => {
    const given = { typed: ["n=1", "m=2", "n=3"], raw: ["m=4"] };
    expect(injectedByPomona("let n = 0, m;", given)).toBe('// Parameters\nlet n = 3;\nlet m = "4";');
  });

  it("may be long", () => {
    const text = "ä\u0001".repeat(600_000);
    expect(injectedByPomona("let s = '';", { typed: [`s=${text}`] })).toBe(
      `// Parameters\nlet s = ${JSON.stringify(text)};`,
    );
  });

  it("need a Python without any package", () => {
    const venv = join(folder, "bare");
    execFileSync(venvProgram("python"), ["-m", "venv", "--without-pip", venv]);
    const python = join(venv, "bin", "python");
    expect(injectedByPomona("let n: number = 5;", { typed: ["n=6"] }, python)).toBe(
      "// Parameters\nlet n: number = 6;",
    );
  });

  it("say so where the Python cannot read them", () => {
    const python = join(folder, "python");
    writeFileSync(python, "#!/bin/sh\necho SyntaxError: too old >&2\nexit 1\n", { mode: 0o755 });
    const inject = (program: string) => () => injectedByPomona("let n = 5;", { typed: ["n=6"] }, program);
    expect(inject(python)).toThrow(JupyterMissingError);
    expect(inject(python)).toThrow(
      /python could not read the notebook's parameters:\nSyntaxError: too old\nPOMONA_VENV/,
    );
    expect(inject(join(folder, "none"))).toThrow(/none could not read the notebook's parameters:\n.*ENOENT/);
  });
});

describe("papermill's own kinds of values", () => {
  const CASES: readonly [string, unknown][] = [
    ["None", null],
    ["[None, True, 1, 2.5, 'x', {'a': [1]}]", [null, true, 1, 2.5, "x", { a: [1] }]],
    ["(1, 2)", [1, 2]],
    ["{3, 1, 2}", [1, 2, 3]],
    ["{'a b': 1, 2: 'two', True: 'yes', '__proto__': 0}", JSON.parse('{"a b":1,"2":"two","true":"yes","__proto__":0}')],
    ["__import__('datetime').date(2026, 11, 21)", "2026-11-21"],
    [
      "__import__('datetime').datetime(2026, 11, 21, 9, 5, tzinfo=__import__('datetime').timezone.utc)",
      "2026-11-21T09:05:00+00:00",
    ],
    ["__import__('pathlib').Path('/data/Ä b')", "/data/Ä b"],
    ["'\\ud800'", "\ud800"],
    ["2**64", 2n ** 64n],
    ["-(2**53)", -(2n ** 53n)],
    ["float('nan')", Number.NaN],
    ["-0.0", -0],
    ["1e22", 1e22],
    ["5e-324", 5e-324],
  ];
  let prepared: Prepared[];
  beforeAll(() => {
    const jobs = [...CASES.map(([python]) => python), "object()", "1j"];
    prepared = prepare(jobs.map((python) => ({ cell: "let x: unknown = 1;", name: "x", python })));
  });

  it.each(CASES.map(([python, value], i) => ({ python, value, i })))("$python", ({ value, i }) => {
    const result = prepared[i]!;
    if ("error" in result) throw new Error(result.error);
    expect(readInjected(result.source).value).toStrictEqual(value);
  });

  it("refuses what has no counterpart", () => {
    expect(prepared.at(-2)).toHaveProperty("error", expect.stringMatching(/type object has no counterpart/));
    expect(prepared.at(-1)).toHaveProperty("error", expect.stringMatching(/type complex has no counterpart/));
  });
});

it("warns of a parameter that the cell does not declare, and sets it all the same", () => {
  const [result] = prepare([{ cell: "let n = 5;", name: "m", text: "6" }]);
  expect(result).toMatchObject({ warnings: ["Passed unknown parameter: m"], source: "// Parameters\nlet m = 6;\n" });
});
