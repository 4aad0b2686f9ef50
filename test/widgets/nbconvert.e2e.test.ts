import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchBrowser } from "../support/browser";
import { notebookToHtml, venvProgram } from "../support/jupyter";
import { writeNotebook } from "../support/notebook-file";
import { writeFruits } from "./fruits";

/** Each fails the notebook if it fails. */
const CELLS = [
  `const features = session.read.format("binaryFile").load("images").repartition(4)
  .select(col("path"), mobileNetV2({ weights: "random" })(col("content")).alias("features"));
await features.write.mode("overwrite").parquet("features");
console.log(await session.read.parquet("features").count());`,
  `import { FloatProgress, IntSlider, Output, VBox, interact } from "pomona/widgets";
const bar = new FloatProgress({ max: 1, description: "bar" });
const box = new VBox([bar]);
display(box);
for (let i = 1; i <= 10; i++) bar.value = i / 10;
bar.set({ barStyle: "success" });`,
  `const slider = new IntSlider({ value: 3, max: 10 });
slider.observe(({ old, new: value }) => console.log(old, "to", value), "value");
slider`,
  `slider.value = 8;`,
  `interact(({ n, name }) => { console.log("printed", n); return { "text/html": \`<b>\${name.repeat(n)}</b>\` }; }, { n: [1, 5], name: ["ab", "cd"] });
console.log("below");`,
  `await interact(async ({ n }) => { await new Promise((done) => setTimeout(done, 50)); if (n === 2) throw new RangeError("two is wrong"); }, { n: 2 });
console.log("further below");`,
  `const out = new Output();
display(out);
out.capture(() => { console.log("caught"); display([{ a: 1 }]); });
console.log("not caught");`,
];

interface Notebook {
  readonly cells: readonly { readonly outputs: readonly NotebookOutput[] }[];
  readonly metadata: {
    readonly widgets: Readonly<Record<string, { readonly state: Readonly<Record<string, Model>> }>>;
  };
}
interface NotebookOutput {
  readonly output_type: string;
  readonly text?: string | readonly string[];
  readonly data?: Readonly<Record<string, string | readonly string[]>>;
}
interface Model {
  readonly model_name: string;
  readonly model_module: string;
  readonly state: Readonly<Record<string, unknown>>;
}

let folder: string;
let browser: Browser;
let notebook: Notebook;
let page: Page;

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "pomona-widgets-")));
  await writeFruits(join(folder, "images"), 48);
  writeNotebook(join(folder, "cells.ipynb"), CELLS);
  const args = ["nbconvert", "--to", "notebook", "--execute", "--output", "done.ipynb", join(folder, "cells.ipynb")];
  execFileSync(venvProgram("jupyter"), args, { stdio: "pipe", timeout: 500_000 });
  notebook = JSON.parse(readFileSync(join(folder, "done.ipynb"), "utf8"));
  const html = notebookToHtml(join(folder, "done.ipynb"));
  browser = await launchBrowser();
  const context = await browser.newContext({ offline: true, viewport: { width: 1100, height: 1900 } });
  page = await context.newPage();
  await page.goto(pathToFileURL(html).href);
}, 600_000);
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

const joined = (text: string | readonly string[] | undefined) =>
  typeof text === "string" ? text : (text ?? []).join("");
const printed = (i: number) => notebook.cells[i]?.outputs.map(({ text }) => joined(text)).join("");
const html = (i: number) => notebook.cells[i]?.outputs.map(({ data }) => joined(data?.["text/html"])).join("") ?? "";
const models = (name: string) =>
  Object.values(notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]?.state ?? {})
    .filter((model) => model.model_name === name)
    .map(({ state }) => state);

describe("a notebook executed by nbclient", () => {
  test("keeps the final state of every widget, the closed ones of a job too", () => {
    const jobBar = models("FloatProgressModel").find(({ description }) => description === "");
    expect(jobBar).toMatchObject({ value: 1, max: 1, bar_style: "success" });
    const bar = models("FloatProgressModel").find(({ description }) => description === "bar");
    expect(bar).toMatchObject({ value: 1, bar_style: "success" });
    expect(models("IntSliderModel").find(({ description }) => description === "")).toMatchObject({ value: 8 });
    expect(models("LayoutModel").length).toBeGreaterThan(5);
  });

  test("has a job's final picture below the cell, with no widget in it", () => {
    const job = notebook.cells[0]?.outputs.find(({ data }) => joined(data?.["text/plain"]).includes("tasks"));
    expect(Object.keys(job?.data ?? {}).sort()).toEqual(["text/html", "text/plain"]);
    expect(joined(job?.data?.["text/plain"])).toMatch(/succeeded in .* s\n.*image\.features: 4\/4 tasks, 48\/48 rows/);
    expect(printed(0)).toMatch(/^Session available as .session.\.\n48\n$/);
  });

  test("has the pictures of widgets as they were when their cell ended", () => {
    expect(html(1)).toContain("width:100%;height:100%;background:#43a047");
    expect(html(2)).toContain("left:30%");
  });

  test("has a listener's output in the cell that set the value", () => {
    expect(printed(3)).toBe("3 to 8\n");
  });

  test("has what is captured in the Output's state, and the rest below the cell", () => {
    const all = models("OutputModel") as unknown as readonly { outputs: NotebookOutput[]; msg_id: string }[];
    const [interactive, failed, captured] = ["printed", "RangeError", "caught"].map((text) =>
      all.find(({ outputs }) => joined(outputs[0]?.text).startsWith(text)),
    );
    expect(interactive?.outputs.map(({ text, data }) => text ?? data?.["text/html"])).toEqual([
      "printed 3\n",
      "<b>ababab</b>",
    ]);
    expect(printed(4)).toBe("below\n");
    expect(html(4)).toMatch(/printed 3\n<\/pre>.*<b>ababab<\/b>/);
    expect(html(5)).toContain("RangeError: two is wrong");
    expect(html(6)).toMatch(/caught\n<\/pre>[\s\S]*<table/);
    expect(failed?.outputs.map(({ text }) => text).join("")).toMatch(/^RangeError: two is wrong/);
    expect(printed(5)).toBe("further below\n");
    expect(captured?.outputs.map(({ output_type }) => output_type)).toEqual(["stream", "display_data"]);
    expect(captured?.msg_id).toBe("");
    expect(printed(6)).toBe("not caught\n");
  });
});

describe("its HTML, opened without a network", () => {
  test("shows the job's final picture", async () => {
    const block = page.locator(".jp-Cell").first().locator(".jp-OutputArea-output", { hasText: "succeeded in" });
    await block.waitFor({ timeout: 120_000 });
    expect(await block.textContent()).toMatch(/image\.features\s*100 % · 4\/4 tasks · 48\/48 rows/);
    const bar = block.locator('div[style*="background:#43a047"]');
    expect((await bar.boundingBox())?.width).toBeCloseTo(240, 0);
    if (process.env.POMONA_SCREENSHOTS)
      await page.screenshot({ path: join(process.env.POMONA_SCREENSHOTS, "nbconvert.png") });
  });
});

/** nbclient misses a reply now and then where it answers comm messages meanwhile, and then waits for its whole timeout. */
test("many cells that capture are executed without a wait", { timeout: 600_000 }, () => {
  const capture = `await out.capture(async () => { console.log("x"); await new Promise((done) => setTimeout(done, 3)); console.log("y"); });`;
  const cells = [
    'import { Output } from "pomona/widgets";\nconst out = new Output();\nout',
    ...Array(60).fill(capture),
  ];
  writeNotebook(join(folder, "captures.ipynb"), cells);
  const options = ["--ExecutePreprocessor.timeout=200", "--output", "captured.ipynb", join(folder, "captures.ipynb")];
  execFileSync(venvProgram("jupyter"), ["nbconvert", "--to", "notebook", "--execute", ...options], { stdio: "pipe" });
  const { metadata } = JSON.parse(readFileSync(join(folder, "captured.ipynb"), "utf8")) as Notebook;
  const models = Object.values(metadata.widgets["application/vnd.jupyter.widget-state+json"]?.state ?? {});
  const output = models.find(({ model_name }) => model_name === "OutputModel");
  expect(output?.state.outputs).toEqual([{ output_type: "stream", name: "stdout", text: "x\ny\n".repeat(60) }]);
});
