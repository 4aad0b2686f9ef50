import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseNotebook, withParameters } from "../../src/cli/notebook-parameters";
import { writeSyntheticFruits } from "../../src/image/synthetic";
import { venvProgram } from "../support/jupyter";
import { type S3Server, startS3 } from "../support/s3-server";
import { cellsOf, errorsOf, pythonModule } from "./notebooks";

const NOTEBOOKS = join(__dirname, "..", "..", "notebooks");
/** They need a cluster, and have tests of their own with one. */
const ELSEWHERE = ["several-machines.ipynb", "the-same-on-spark.ipynb"];
const names = readdirSync(NOTEBOOKS).filter((name) => name.endsWith(".ipynb") && !ELSEWHERE.includes(name));

let folder: string;
let small: Readonly<Record<string, string>>;
let s3: S3Server;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "pomona-notebooks-"));
  // Beside what they import from `./lib`.
  cpSync(NOTEBOOKS, join(folder, "notebooks"), { recursive: true });
  const images = join(folder, "images");
  await writeSyntheticFruits(images, { perClass: 4 });
  s3 = await startS3({ buckets: ["pomona"] });
  for (const image of readdirSync(images, { recursive: true, encoding: "utf8" }))
    if (image.endsWith(".jpg")) await s3.put(`pomona/Test/${image}`, readFileSync(join(images, image)));
  const { endpoint, accessKey, secretKey } = s3;
  small = {
    endpoint,
    accessKey,
    secretKey,
    images,
    output: join(folder, "out"),
    n: "48",
    k: "10",
    weights: "random",
    master: "local[2]",
  };
});
afterAll(async () => {
  await s3.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The parameters that a notebook has, with values that make it quick. */
function parametersOf(path: string): [string, string][] {
  const cell = cellsOf(path).find(({ metadata }) => metadata.tags?.includes("parameters"));
  const source = [cell?.source ?? ""].flat().join("");
  return Object.entries(small).filter(([name]) => new RegExp(`^let ${name}\\b`, "m").test(source));
}

/** Errors, warnings and cells that did not run. */
const unexpected = (path: string) =>
  cellsOf(path)
    .filter(({ cell_type, metadata }) => cell_type === "code" && !metadata.tags?.includes("raises-exception"))
    .flatMap((cell) => [
      ...errorsOf(cell),
      ...cell.outputs.filter(({ name }) => name === "stderr").map(({ text }) => [text].flat().join("")),
      ...(typeof cell.execution_count === "number" ? [] : [`not run: ${cell.source}`]),
    ]);

describe.each(names)("%s", (name) => {
  const path = () => join(folder, "notebooks", name);

  it("runs by papermill", () => {
    const output = path().replace(".ipynb", "-papermill.ipynb");
    const given = parametersOf(path()).flatMap(([parameter, value]) => ["-p", parameter, value]);
    const cwd = join(folder, "notebooks");
    const { status, stderr } = pythonModule("papermill", [path(), output, ...given], cwd);
    expect(status, stderr.slice(-2000)).toBe(0);
    expect(stderr).not.toMatch(/unknown parameter/i);
    expect(unexpected(output)).toEqual([]);
  }, 600_000);

  it("runs by nbconvert", () => {
    const notebook = parseNotebook(readFileSync(path(), "utf8"), name);
    const typed = parametersOf(path()).map(([parameter, value]) => `${parameter}=${value}`);
    const input = path().replace(".ipynb", "-input.ipynb");
    writeFileSync(input, JSON.stringify(withParameters(notebook, { typed, raw: [] }, venvProgram("python"))));
    const { status, stderr } = pythonModule("nbconvert", ["--to", "notebook", "--execute", "--inplace", input]);
    expect(status, stderr.slice(-2000)).toBe(0);
    expect(unexpected(input)).toEqual([]);
    expect(cellsOf(input).some(({ outputs }) => outputs?.length > 0)).toBe(true);
  }, 600_000);
});
