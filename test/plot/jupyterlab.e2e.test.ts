import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { syntheticFruit } from "../../src/image/synthetic";
import { imageGrid, scatter2d, screePlot } from "../../src/plot";
import { launchBrowser } from "../support/browser";
import type { RunningServer } from "../support/jupyter-server";
import { openInLab, startLab } from "../support/lab";
import { writeOutputs } from "./outputs";

let browser: Browser;
let lab: RunningServer;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "pomona-lab-notebooks-"));
  [browser, lab] = await Promise.all([launchBrowser(), startLab(folder)]);
}, 600_000);
afterAll(async () => {
  await Promise.all([browser?.close(), lab?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

describe("a notebook in JupyterLab, which does not trust it", () => {
  it("shows the plots by Plotly's extension, and the images", async () => {
    const label = Array.from({ length: 60 }, (_, i) => `Class ${i % 6}`);
    const x = label.map((_, i) => Math.cos(i));
    const images = await imageGrid([await syntheticFruit("Orange", 0), await syntheticFruit("Pear", 1)]);
    writeOutputs(join(folder, "plots.ipynb"), [images, screePlot([0.7, 0.2, 0.1]), scatter2d({ x, y: x, label })]);

    const page = await openInLab(browser, lab, "plots.ipynb");
    await page
      .locator(".jp-OutputArea-output .scatterlayer .point")
      .nth(63)
      .waitFor({ state: "attached", timeout: 120_000 });
    expect(await page.locator(".jp-OutputArea-output.js-plotly-plot").count()).toBe(2);
    expect(await page.locator(".barlayer .point").count()).toBe(3);
    expect(await page.locator(".scatterlayer .point").count()).toBe(3 + 1 + 60);
    const loaded = await page
      .locator(".jp-OutputArea-output td img")
      .evaluateAll((all) => all.map((img) => (img as HTMLImageElement).naturalWidth));
    expect(loaded).toEqual([100, 100]);
    await page.close();
  }, 600_000);
});
