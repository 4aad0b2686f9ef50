import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { syntheticFruit } from "../../src/image/synthetic";
import { launchBrowser } from "../support/browser";
import { notebookToHtml } from "../support/jupyter";
import { writeOutputs } from "./outputs";

let browser: Browser;
let dir: string;

beforeAll(async () => {
  browser = await launchBrowser();
  dir = mkdtempSync(join(tmpdir(), "pomona-html-"));
}, 600_000);
afterAll(async () => {
  await browser?.close();
  rmSync(dir, { recursive: true, force: true });
});

/** The plots as a fresh process has them: no figure has carried the script yet. */
async function freshPlots() {
  vi.resetModules();
  return import("../../src/plot");
}

type Plots = Awaited<ReturnType<typeof freshPlots>>;

function someFigures({ screePlot, scatter2d }: Plots) {
  const label = Array.from({ length: 300 }, (_, i) => `</script><b>Class ${i % 30}</b>`);
  const x = label.map((_, i) => Math.cos(i % 30) + i / 1e3);
  const y = label.map((_, i) => Math.sin(i % 30) - i / 1e3);
  return {
    scree: screePlot([0.5, 0.3, 0.15, 0.05], { threshold: 0.9 }),
    scatter: scatter2d({ x, y, label, text: label }, { title: "Components 1 and 2" }),
  };
}

/** Opens a page without any network and waits until `figures` of them are drawn. */
async function openOffline(path: string, figures: number): Promise<Page> {
  const context = await browser.newContext({ offline: true, viewport: { width: 1100, height: 1500 } });
  const page = await context.newPage();
  await page.goto(pathToFileURL(path).href);
  const drawn = page.locator(".js-plotly-plot:has(.point)");
  await drawn.nth(figures - 1).waitFor({ timeout: 120_000 });
  expect(await drawn.count()).toBe(figures);
  return page;
}

const count = (page: Page, selector: string) => page.locator(selector).count();

describe("a notebook's HTML export, opened without a network", () => {
  it("shows the plots and the images, with Plotly's script in it once", async () => {
    const plots = await freshPlots();
    const { scree, scatter } = someFigures(plots);
    const images = await plots.imageGrid([await syntheticFruit("Kiwi", 0), await syntheticFruit("Banana", 0)]);
    const notebook = join(dir, "plots.ipynb");
    writeOutputs(notebook, [images, scree, scatter]);
    const html = notebookToHtml(notebook);
    expect(statSync(html).size).toBeLessThan(3_000_000);

    const page = await openOffline(html, 2);
    expect(await count(page, ".barlayer .point")).toBe(4);
    // Four on the line of shares, the mark, and the 300 points.
    expect(await count(page, ".scatterlayer .point")).toBe(305);
    expect(await count(page, ".legend .traces")).toBe(4 + 30);
    expect(await page.locator(".legendtext").last().textContent()).toBe("</script><b>Class 9</b>");
    const loaded = await page
      .locator("td img")
      .evaluateAll((all) => all.map((img) => (img as HTMLImageElement).naturalWidth));
    expect(loaded).toEqual([100, 100]);
    await page.context().close();
  }, 600_000);

  it("shows them where the figure with the script comes last, or was run again", async () => {
    const { scree, scatter } = someFigures(await freshPlots());
    const [first, last] = [join(dir, "first.ipynb"), join(dir, "last.ipynb")];
    writeOutputs(first, [scree, scatter]);
    // The same cells, run again in the other order: the scree plot carries the script as before.
    writeOutputs(last, [scatter, scree]);
    expect(readFileSync(last, "utf8").indexOf("DecompressionStream")).toBeGreaterThan(100_000);
    const page = await openOffline(notebookToHtml(last), 2);
    expect(await count(page, ".scatterlayer .point")).toBe(305);
    await page.context().close();
  }, 600_000);

  it("shows still pictures where scripts do not run", async () => {
    const { scree, scatter } = someFigures(await freshPlots());
    const notebook = join(dir, "still.ipynb");
    writeOutputs(notebook, [scree, scatter]);
    const context = await browser.newContext({ offline: true, javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(pathToFileURL(notebookToHtml(notebook)).href);
    for (const [alt, height] of [
      [scree.summary, 420],
      [scatter.summary, 560],
    ] as const) {
      const box = await page.getByAltText(alt).boundingBox();
      expect(box?.height).toBeGreaterThan(height * 0.7);
    }
    await context.close();
  }, 600_000);

  it("is a page by itself with toHtml", async () => {
    const path = join(dir, "page.html");
    writeFileSync(path, someFigures(await freshPlots()).scatter.toHtml());
    const page = await openOffline(path, 1);
    expect(await count(page, ".scatterlayer .point")).toBe(300);
    await page.context().close();
  }, 600_000);
});
