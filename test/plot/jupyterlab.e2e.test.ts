import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { syntheticFruit } from "../../src/image/synthetic";
import { imageGrid, scatter2d, screePlot } from "../../src/plot";
import { launchBrowser } from "../support/browser";
import { type RunningLab, startLab } from "../support/jupyter";
import { writeNotebook } from "./notebook-file";

let browser: Browser;
let lab: RunningLab;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "pomona-lab-notebooks-"));
  [browser, lab] = await Promise.all([launchBrowser(), startLab(folder)]);
}, 90_000);
afterAll(async () => {
  await Promise.all([browser?.close(), lab?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

/** Opens a notebook with every address but the server's blocked; a dialog about the kernel is put away. */
async function open(notebook: string): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1300, height: 1700 } });
  await page.route(/.*/, (route) =>
    new URL(route.request().url()).hostname === "127.0.0.1" ? route.continue() : route.abort(),
  );
  await page.goto(lab.urlOf(notebook));
  await page.locator(".jp-Notebook .jp-OutputArea-output").first().waitFor({ timeout: 60_000 });
  return page;
}

describe("a notebook in JupyterLab, which does not trust it", () => {
  it("shows the plots by Plotly's extension, and the images", async () => {
    const label = Array.from({ length: 60 }, (_, i) => `Class ${i % 6}`);
    const x = label.map((_, i) => Math.cos(i));
    const images = await imageGrid([await syntheticFruit("Orange", 0), await syntheticFruit("Pear", 1)]);
    writeNotebook(join(folder, "plots.ipynb"), [images, screePlot([0.7, 0.2, 0.1]), scatter2d({ x, y: x, label })]);

    const page = await open("plots.ipynb");
    await page
      .locator(".jp-OutputArea-output .scatterlayer .point")
      .nth(63)
      .waitFor({ state: "attached", timeout: 60_000 });
    expect(await page.locator(".jp-OutputArea-output.js-plotly-plot").count()).toBe(2);
    expect(await page.locator(".barlayer .point").count()).toBe(3);
    expect(await page.locator(".scatterlayer .point").count()).toBe(3 + 1 + 60);
    const loaded = await page
      .locator(".jp-OutputArea-output td img")
      .evaluateAll((all) => all.map((img) => (img as HTMLImageElement).naturalWidth));
    expect(loaded).toEqual([100, 100]);
    await page.close();
  }, 180_000);
});
