import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { notebookFolder } from "../frame/tslab-notebook";
import { venvProgram } from "../support/jupyter";

interface Output {
  readonly output_type: string;
  readonly text?: string;
  readonly data?: Record<string, string>;
}

/** Executes cells in the kernel that set-up installs, with nbconvert, and gives each cell's outputs. */
function execute(cells: readonly string[], files: Record<string, string>): Output[][] {
  const folder = notebookFolder();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(resolve(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const notebook = {
    cells: cells.map((source, i) => ({
      cell_type: "code",
      id: `c${i}`,
      source,
      metadata: { tags: ["raises-exception"] },
      outputs: [],
      execution_count: null,
    })),
    metadata: { kernelspec: { name: "pomona", display_name: "TypeScript (Pomona)", language: "typescript" } },
    nbformat: 4,
    nbformat_minor: 5,
  };
  const path = join(folder, "in.ipynb");
  writeFileSync(path, JSON.stringify(notebook));
  execFileSync(venvProgram("jupyter"), ["nbconvert", "--to", "notebook", "--execute", "--output", "out.ipynb", path], {
    stdio: "pipe",
  });
  const { cells: done } = JSON.parse(readFileSync(join(folder, "out.ipynb"), "utf8")) as {
    cells: {
      outputs: (Omit<Output, "text" | "data"> & { text?: string | string[]; data?: Record<string, unknown> })[];
    }[];
  };
  const flat = (value: unknown) => (Array.isArray(value) ? value.join("") : String(value));
  return done.map(({ outputs }) =>
    outputs.map(({ output_type, text, data }) => ({
      output_type,
      ...(text === undefined ? {} : { text: flat(text) }),
      ...(data ? { data: Object.fromEntries(Object.entries(data).map(([type, value]) => [type, flat(value)])) } : {}),
    })),
  );
}

const CELLS = [
  `const dist = process.env.POMONA_HOME + "/dist";
const { udf } = require(dist + "/frame/user-function"); const { showNotebookProgress } = require(dist + "/progress/notebook"); const { display, inNotebook } = require(dist + "/notebook/display");
const lut = { Apple: 2 }; const say = (error: any) => console.log(error.name + ": " + error.message);`,
  `try { udf((label: string) => lut[label as "Apple"], { returns: "double" }); } catch (error) { say(error); }`,
  `import { mean } from "./lib/stats";
const scored = udf((label: string) => mean([lut[label as "Apple"], 4]), { returns: "double", broadcast: { lut: lut }, imports: ["./lib/stats"] })("label");
console.log(scored.expression.fn.imports[0].names);`,
  `console.log(inNotebook()); display({ "text/html": "<b>shown</b>", "text/plain": "shown" });`,
  `let tell: any; showNotebookProgress({ subscribe: (listener: any) => { tell = listener; return () => {}; } });
const at = () => ({ time: Date.now(), jobId: "j", stageId: 0 }); const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));
tell({ type: "jobStarted", ...at(), description: "featurize" }); tell({ type: "stageStarted", ...at(), name: "image.features", tasks: 1, resumedTasks: 0, rows: 5000 });
for (let i = 1; i <= 5000; i++) { tell({ type: "taskProgress", ...at(), partition: 0, attempt: 0, worker: "w", rows: i }); if (i % 1000 === 0) await pause(300); }
tell({ type: "stageEnded", ...at(), status: "succeeded", rows: 5000, seconds: 1.5 }); tell({ type: "jobEnded", ...at(), status: "succeeded", seconds: 1.5 });`,
];

describe("in stock tslab's kernel", () => {
  let outputs: Output[][];
  beforeAll(() => {
    outputs = execute(CELLS, {
      "lib/stats.ts": "export const mean = (xs: number[]) => xs.reduce((a, b) => a + b, 0) / xs.length;\n",
    });
  });

  test("a captured variable is named at once", () => {
    expect(outputs[1]![0]!.text).toContain(
      "CapturedVariableError: The function `<lambda>` uses `lut`, which is not part of it",
    );
    expect(outputs[1]![0]!.text).not.toContain("exports");
  });

  test("broadcast values and imports of the cell are taken", () => {
    expect(outputs[2]!.map(({ text }) => text)).toEqual(["{ stats_1: '*' }\n"]);
  });

  test("display reaches the notebook through the kernel's own tslab", () => {
    expect(outputs[3]!.find(({ output_type }) => output_type === "display_data")!.data).toEqual({
      "text/html": "<b>shown</b>",
      "text/plain": "shown",
    });
    expect(outputs[3]!.find(({ output_type }) => output_type === "stream")!.text).toBe("true\n");
  });

  test("a job leaves one block with its final state", () => {
    const blocks = outputs[4]!.filter(({ output_type }) => output_type === "display_data");
    expect(blocks).toHaveLength(1);
    expect(blocks[0]!.data!["text/plain"]).toBe(
      "featurize: succeeded in 1.5 s\n  image.features: 0/1 task, 5,000/5,000 rows, 3,333 rows/s, 1.5 s",
    );
    expect(blocks[0]!.data!["text/html"]).toContain("width:100%");
  });
});
