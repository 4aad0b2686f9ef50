import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeSyntheticFruits } from "../../src/image/synthetic";
import { launchBrowser } from "../support/browser";
import { venvProgram } from "../support/jupyter";
import { writeNotebook } from "../support/notebook-file";

const CLI = join(__dirname, "..", "..", "dist", "cli", "main.js");
const WORKFLOW = join(__dirname, "..", "..", "notebooks", "workflow.ipynb");

let folder: string;
beforeAll(() => {
  venvProgram("jupyter");
  folder = mkdtempSync(join(tmpdir(), "workflow-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Cell {
  readonly cell_type: string;
  readonly metadata: { readonly tags?: readonly string[] };
  readonly source: string | string[];
  readonly outputs?: readonly {
    readonly output_type: string;
    readonly name?: string;
    readonly text?: string | string[];
  }[];
}

const cellsOf = (path: string) => (JSON.parse(readFileSync(path, "utf8")) as { cells: Cell[] }).cells;
const printed = (cells: readonly Cell[]) =>
  cells
    .flatMap((cell) => cell.outputs ?? [])
    .map((output) => [output.text ?? ""].flat().join(""))
    .join("\n");

describe("the workflow notebook", () => {
  let executed: string;

  beforeAll(async () => {
    const images = join(folder, "images");
    await writeSyntheticFruits(images, { perClass: 4 });
    executed = join(folder, "workflow.ipynb");
    const parameters = { images, output: join(folder, "out"), n: "48", k: "10", weights: "random", master: "local[2]" };
    const pairs = Object.entries(parameters).flatMap(([name, value]) => ["-p", name, value]);
    execFileSync(process.execPath, [CLI, "run", WORKFLOW, ...pairs, "-o", executed, "--html"], { stdio: "pipe" });
  });

  it("runs from the first cell to the last, with the parameters given", () => {
    const cells = cellsOf(executed);
    expect(cells.some((cell) => cell.metadata.tags?.includes("injected-parameters"))).toBe(true);
    const text = printed(cells);
    expect(text).toMatch(/48 images of 16 classes/);
    expect(text).toMatch(/features: array \(nullable = true\)/);
    expect(text).toMatch(/10 components of 1280 values/);
    expect(text).toMatch(/Features: valid/);
    expect(text).toMatch(/Results: valid/);
    expect(cells.flatMap((cell) => cell.outputs ?? []).filter((o) => o.output_type === "error")).toEqual([]);
    expect(cells.flatMap((cell) => cell.outputs ?? []).filter((o) => o.name === "stderr")).toEqual([]);
  });

  it("left data that the command line finds valid", () => {
    const args = ["validate", join(folder, "out", "Results"), "--rows", "48", "--dimension", "10", "--json"];
    expect(JSON.parse(execFileSync(process.execPath, [CLI, ...args], { encoding: "utf8" }))).toMatchObject({
      ok: true,
    });
  });

  it("shows its plots, pictures, tables and progress in a browser without a network", async () => {
    const browser = await launchBrowser();
    try {
      const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
      await page.route("**", (route) => (route.request().url().startsWith("file:") ? route.continue() : route.abort()));
      await page.goto(`file://${executed.replace(/\.ipynb$/, ".html")}`);
      await page.waitForSelector(".js-plotly-plot .scatterlayer .point");
      expect(await page.locator(".js-plotly-plot:visible").count()).toBe(2);
      expect(await page.locator(".js-plotly-plot .scatterlayer .points path.point").count()).toBeGreaterThanOrEqual(48);
      const pictures = await page.evaluate(
        () => [...document.querySelectorAll("img")].filter((img) => img.naturalWidth > 0 && img.offsetWidth > 0).length,
      );
      expect(pictures).toBeGreaterThanOrEqual(12);
      await expect.poll(() => page.getByText("image.features", { exact: true }).isVisible()).toBe(true);
      expect(await page.getByText("48/48 rows").first().isVisible()).toBe(true);
    } finally {
      await browser.close();
    }
  });
});

describe("pomona run", () => {
  const notebook = (source: string) => {
    const path = join(folder, "bad.ipynb");
    writeNotebook(path, [{ source: 'let who = "nobody";', tags: ["parameters"] }, source]);
    return path;
  };
  const run = (...args: string[]) => spawnSync(process.execPath, [CLI, "run", ...args], { encoding: "utf8" });

  it("fails with the cell's error, and keeps the notebook up to it", () => {
    const out = join(folder, "failed.ipynb");
    const { status, stderr } = run(
      notebook('console.log("hello " + who); throw new RangeError("no such fruit");'),
      "-p",
      "who",
      'O\'Brien "x"',
      "-o",
      out,
    );
    expect(status).toBe(1);
    expect(stderr).toMatch(/NotebookFailedError/);
    expect(stderr).toMatch(/no such fruit/);
    expect(printed(cellsOf(out))).toMatch(/hello O'Brien "x"/);
  });

  it("names what is wrong with its arguments", () => {
    expect(run(join(folder, "none.ipynb")).stderr).toMatch(/PathNotFoundError/);
    expect(run(notebook("1"), "-p", "not a name", "1").stderr).toMatch(/UsageError: "not a name"/);
    const path = join(folder, "text.ipynb");
    writeFileSync(path, "no notebook");
    expect(run(path)).toMatchObject({ status: 1, stderr: expect.stringMatching(/NotebookFormatError/) });
  });
});
