import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { parseNotebook, withParameters } from "../../src/cli/notebook-parameters";
import { cellsOf, errorsOf, textOf } from "../cli/notebooks";
import { venvProgram } from "../support/jupyter";
import { KERNEL_NAME, kernelspecFolder } from "../support/jupyter-server";
import { sparkServer } from "../support/spark";

const NOTEBOOK = join(__dirname, "..", "..", "notebooks", "the-same-on-spark.ipynb");

const folder = mkdtempSync(join(tmpdir(), "pomona-same-"));
const jupyterPath = kernelspecFolder();
afterAll(() => {
  for (const each of [folder, jupyterPath]) rmSync(each, { recursive: true, force: true });
});

it("gives on Spark what it gives on threads, and tells what it runs on", async () => {
  const { url, version, pages } = await sparkServer("local");
  const notebook = parseNotebook(readFileSync(NOTEBOOK, "utf8"), NOTEBOOK);
  const typed = [`master=${url}`, `output=${join(folder, "out")}`, "weights=random"];
  const path = join(folder, "the-same-on-spark.ipynb");
  writeFileSync(path, JSON.stringify(withParameters(notebook, { typed, raw: [] }, venvProgram("python"))));
  const to = ["nbconvert", "--to", "notebook", "--execute", "--inplace", path];
  execFileSync(venvProgram("jupyter"), [...to, `--ExecutePreprocessor.kernel_name=${KERNEL_NAME}`], {
    stdio: "pipe",
    env: { ...process.env, JUPYTER_PATH: jupyterPath, POMONA_CACHE_DIR: join(folder, "cache") },
  });
  const cells = cellsOf(path);
  expect(cells.flatMap(errorsOf)).toEqual([]);
  expect(cells.flatMap(({ outputs }) => outputs ?? []).filter(({ name }) => name === "stderr")).toEqual([]);
  const cellWith = (text: string) => textOf(cells.find(({ source }) => [source].flat().join("").includes(text)));

  const table = cellWith("await Session.builder()");
  expect(table).toMatch(/^ID +(local|app)-\d+/m);
  expect(table).toMatch(new RegExp(`^Spark +${version.replaceAll(".", "[.]")}$`, "m"));
  expect(table).toMatch(/^Executors +1 \(2 tasks at once\)$/m);
  expect(table).toContain(`UI           ${pages.ui}`);
  expect(cellWith("const network =")).toMatch(/image\.features \(stage \d+\): (\d+)\/\1 tasks?, [\d.]+ rows\/s/);
  expect(cellWith("const network =")).toContain("64 rows in 4 files, written by Spark");
  expect(cellWith("aggregate(features")).toMatch(/\|Apple Green\| +4\| *\d+\.\d+\|/);
  const info = cellWith("%%info");
  expect(info).toMatch(/Executors, with the tasks of all sessions\n.*\n +\S+:\d+ +ready +2 +\d+ +[1-9]\d* +\d+/);
  expect(info).toMatch(/write parquet .*: succeeded, .* rows/);
  const [onSpark, onThreads] = [...cellWith("checksum").matchAll(/ 64 +│ (\d+\.\d+)/g)].map(([, sum]) => Number(sum));
  expect(Math.abs((onSpark ?? Number.NaN) / (onThreads ?? Number.NaN) - 1)).toBeLessThan(1e-9);
});
