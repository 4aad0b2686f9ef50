import { execFileSync } from "node:child_process";
import { beforeAll, describe, expect, it } from "vitest";
import { injectedByPomona, parametersNotebook, readInjected } from "../cli/injected";
import { PARAMETER_CASES } from "../cli/parameter-table";
import { venvProgram } from "../support/jupyter";

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
  const lines = jobs.map(({ cell, name, text = "", raw = false, python }) =>
    JSON.stringify({ notebook: parametersNotebook(cell), name, text, raw, ...(python ? { python } : {}) }),
  );
  const printed = execFileSync(venvProgram("python"), ["-c", PREPARE], { input: lines.join("\n"), encoding: "utf8" });
  return printed
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Prepared);
}

describe("papermill and pomona run agree on a parameter", () => {
  let prepared: Prepared[];
  beforeAll(() => {
    prepared = prepare(PARAMETER_CASES);
  });

  it.each(PARAMETER_CASES.map((row, i) => ({ ...row, i })))("$cell: $name $text", (row) => {
    const result = prepared[row.i]!;
    if (row.error) {
      expect(result).toHaveProperty("error", expect.stringMatching(row.error));
      expect(result).toHaveProperty("error", expect.stringMatching(/^PapermillException/));
      return;
    }
    if ("error" in result) throw new Error(result.error);
    expect(result.warnings).toEqual([]);
    expect(readInjected(result.source)).toStrictEqual({ declares: row.declares ?? row.name, value: row.value });
    expect(readInjected(result.source)).toStrictEqual(
      readInjected(injectedByPomona(row.cell, row.name, row.text, row.raw)),
    );
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
