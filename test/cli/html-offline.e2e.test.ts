import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser } from "../support/browser";
import { writeNotebook } from "../support/notebook-file";
import { workplace } from "./command-line";
import { cellsOf, pythonModule } from "./notebooks";

const at = workplace();
let browser: Browser;
let folder: string;
beforeAll(async () => {
  browser = await launchBrowser();
  folder = mkdtempSync(join(tmpdir(), "pomona-html-"));
});
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

const CELLS = [
  `import { FloatProgress, HBox, HTML } from "pomona/widgets";
import { scatter2d } from "pomona/plot";
const bar = new FloatProgress({ value: 0, max: 1, description: "Work:" });
const box = new HBox([bar, new HTML({ value: "<b id='said'>half</b>" })]);
display(box);
for (let i = 1; i <= 4; i++) bar.value = i / 4;`,
  'scatter2d({ x: [1, 2, 3], y: [1, 4, 9], label: ["a", "b", "a"], text: ["p", "q", "r"] }, { title: "Squares" })',
  'display({ "text/markdown": "## A heading", "text/plain": "heading" });',
  'display({ "image/svg+xml": "<svg xmlns=\\"http://www.w3.org/2000/svg\\" width=\\"20\\" height=\\"20\\"><rect width=\\"20\\" height=\\"20\\"/></svg>", "text/plain": "a square" });',
];

/** Opens a page without any network, and checks what it shows. */
async function expectShown(html: string) {
  const context = await browser.newContext({ offline: true });
  const page = await context.newPage();
  await page.goto(pathToFileURL(html).href);
  await page.locator(".js-plotly-plot .scatterlayer .point").nth(2).waitFor({ timeout: 120_000 });
  expect(await page.locator("#said:visible").count()).toBe(1);
  expect(await page.getByText("Work:").first().isVisible()).toBe(true);
  expect(await page.getByRole("heading", { name: "A heading" }).isVisible()).toBe(true);
  expect(await page.locator(".jp-OutputArea-output img, .jp-OutputArea-output svg rect").count()).toBeGreaterThan(0);
  // What would wait for a script from elsewhere.
  expect(await page.locator('script[type="application/vnd.jupyter.widget-view+json"]').count()).toBe(0);
  await context.close();
}

describe("the HTML copy of a notebook, without a network, shows widgets, plots and pictures", () => {
  it("made by pomona run --html, and by plain nbconvert", async () => {
    const executed = join(folder, "executed.ipynb");
    const args = ["run", writeNotebook(join(folder, "shown.ipynb"), CELLS), "-o", executed, "--html", "--quiet"];
    const outcome = await at.pomona(args, { env: { HOME: process.env.HOME ?? "" } });
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(JSON.stringify(cellsOf(executed)[0]?.outputs)).toContain("application/vnd.jupyter.widget-view+json");
    await expectShown(executed.replace(".ipynb", ".html"));

    const plain = pythonModule("nbconvert", ["--to", "html", "--output", "plain.html", executed]);
    expect(plain.status, plain.stderr).toBe(0);
    await expectShown(join(folder, "plain.html"));
  });
});
