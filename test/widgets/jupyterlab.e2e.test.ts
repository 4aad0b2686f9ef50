import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchBrowser } from "../support/browser";
import type { RunningServer } from "../support/jupyter-server";
import { kernelReady, labCell, openInLab, runLabCell, startLab } from "../support/lab";
import { writeNotebook } from "../support/notebook-file";
import { writeFruits } from "./fruits";

const CELLS = [
  `import { Button, Checkbox, Dropdown, FloatProgress, HBox, IntSlider, Output, Tab, Text, VBox, interact } from "pomona/widgets";
const slider = new IntSlider({ value: 3, max: 10, description: "n" });
const double = new IntSlider({ value: 6, max: 20, description: "double", disabled: true });
slider.observe(({ new: value }) => {
  double.value = 2 * value;
  console.log("now", value);
}, "value");
new VBox([slider, double])`,
  `const out = new Output();
let clicks = 0;
const button = new Button({ description: "Click", buttonStyle: "success", icon: "play" });
button.onClick(() => out.capture(() => console.log("click", ++clicks)));
const failing = new Button({ description: "Fail", buttonStyle: "danger" });
failing.onClick(() => { throw new RangeError("it failed"); });
new VBox([new HBox([button, failing]), out])`,
  `interact(({ n, name, loud }) => {
  console.log("printed", n);
  return { "text/html": \`<b class="result">\${(loud ? name.toUpperCase() : name).repeat(n)}</b>\` };
}, { n: [1, 5], name: ["ab", "cd"], loud: false });`,
  `const dropdown = new Dropdown({ options: [["one", 1], ["two", 2]], description: "size" });
const field = new Text({ placeholder: "type here" });
const said = new Output();
field.onSubmit(() => said.capture(() => console.log("said", field.value, dropdown.value)));
const tabs = new Tab([new VBox([dropdown, field, said]), new Checkbox({ description: "check" })], { titles: ["Choice", "Check"] });
tabs`,
  `const features = session.read.format("binaryFile").load("images").repartition(8)
  .select(col("path"), mobileNetV2({ weights: "random" })(col("content")).alias("features"));
await features.write.mode("overwrite").parquet("features");`,
  `[slider.value, clicks, dropdown.value, tabs.selectedIndex].join(" ")`,
];

let browser: Browser;
let lab: RunningServer;
let folder: string;
let page: Page;

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "pomona-lab-widgets-")));
  writeNotebook(join(folder, "widgets.ipynb"), CELLS);
  await writeFruits(join(folder, "images"), 400);
  [browser, lab] = await Promise.all([launchBrowser(), startLab(folder)]);
  page = await openInLab(browser, lab, "widgets.ipynb", 2200);
  await kernelReady(page);
}, 600_000);
afterAll(async () => {
  await browser?.close();
  await lab?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const outputs = (i: number): Locator => labCell(page, i).locator(".jp-Cell-outputArea");
const handle = (i: number, n = 0): Locator => outputs(i).locator(".noUi-handle").nth(n);
const readout = (i: number, n = 0): Locator => outputs(i).locator(".widget-readout").nth(n);

const run = (i: number): Promise<void> => runLabCell(page, i);

/** Moves a slider's handle by keys, as a user does. */
async function press(slider: Locator, key: string, times: number): Promise<void> {
  await slider.focus();
  for (let n = 0; n < times; n++) await page.keyboard.press(key);
}

async function shot(name: string): Promise<void> {
  const to = process.env.POMONA_SCREENSHOTS;
  if (to) await page.screenshot({ path: join(to, `${name}.png`) });
}

const soon = { timeout: 120_000, interval: 100 };

describe("widgets in JupyterLab", () => {
  test("a slider drives a function, which moves another and prints below its cell", async () => {
    await run(0);
    await handle(0).waitFor({ timeout: 120_000 });
    await press(handle(0), "ArrowRight", 2);
    await expect.poll(() => readout(0, 1).textContent(), soon).toBe("10");
    await expect.poll(() => outputs(0).textContent(), soon).toContain("now 5");
  });

  test("a button's click runs its listener; its error appears below the cell", async () => {
    await run(1);
    await outputs(1).locator("button", { hasText: "Click" }).click({ timeout: 120_000 });
    await outputs(1).locator("button", { hasText: "Click" }).click();
    await expect.poll(() => outputs(1).locator(".jp-OutputArea").textContent(), soon).toBe("click 1\nclick 2\n");
    await outputs(1).locator("button", { hasText: "Fail" }).click();
    await expect.poll(() => outputs(1).textContent(), soon).toMatch(/Button\.onClick failed:\s*RangeError: it failed/);
  });

  test("interact shows what the function prints and returns, for each change", async () => {
    await run(2);
    const result = outputs(2).locator("b.result");
    await expect.poll(() => result.textContent(), soon).toBe("ababab");
    await press(handle(2), "ArrowLeft", 1);
    await expect.poll(() => result.textContent(), soon).toBe("abab");
    await outputs(2).locator("select").selectOption("cd");
    await expect.poll(() => result.textContent(), soon).toBe("cdcd");
    await outputs(2).locator('input[type="checkbox"]').check();
    await expect.poll(() => result.textContent(), soon).toBe("CDCD");
    const area = outputs(2).locator(".jp-OutputArea");
    await expect.poll(() => area.textContent(), soon).toBe("printed 2\nCDCD");
  });

  test("a dropdown, a field and tabs tell what the user did", async () => {
    await run(3);
    await outputs(3).locator("select").selectOption("two", { timeout: 120_000 });
    await outputs(3).locator('input[type="text"]').fill("hello");
    await page.keyboard.press("Enter");
    await outputs(3).getByText("said hello 2").waitFor({ timeout: 120_000 });
    await outputs(3).locator(".lm-TabBar-tab", { hasText: "Check" }).click();
    await expect.poll(() => outputs(3).locator(".widget-checkbox").isVisible(), soon).toBe(true);
    await shot("lab-widgets");
  });

  test("a job's progress moves, and its final picture stays", async () => {
    // Noted by the page itself, which sees each: who looks now and then may miss them.
    await outputs(4).evaluate((area) => {
      const widths = new Set<string>();
      const look = () => {
        for (const bar of area.querySelectorAll<HTMLElement>(".progress-bar")) widths.add(bar.style.width);
      };
      new MutationObserver(look).observe(area, { attributes: true, childList: true, subtree: true });
      Object.assign(globalThis, { widths });
    });
    await run(4);
    const widths = () => (globalThis as unknown as { widths: Set<string> }).widths.size > 2;
    await page.waitForFunction(widths, undefined, { timeout: 120_000 });
    await shot("lab-progress-running");
    // The widgets change one by one, before a picture takes their place.
    await expect
      .poll(() => outputs(4).textContent(), soon)
      .toMatch(/image\.features\s*100 % · 8\/8 tasks · 400\/400 rows/);
    await expect.poll(() => outputs(4).locator(".progress-bar").count(), soon).toBe(0);
    await shot("lab-progress-done");
  });

  test("a reload of the page brings all widgets back, and they work", async () => {
    await page.keyboard.press("Control+S");
    await expect.poll(() => readFileSync(join(folder, "widgets.ipynb"), "utf8"), soon).toContain("succeeded in");
    await expect.poll(() => page.locator(".jp-mod-dirty").count(), soon).toBe(0);
    await page.reload();
    await labCell(page, 5).waitFor({ timeout: 120_000 });
    await kernelReady(page);
    await handle(0).waitFor({ timeout: 120_000 });
    await expect.poll(() => readout(0).textContent(), soon).toBe("5");
    await expect.poll(() => readout(0, 1).textContent(), soon).toBe("10");
    await expect.poll(() => outputs(2).locator("b.result").textContent(), soon).toBe("CDCD");
    await expect.poll(() => outputs(3).locator(".widget-checkbox").isVisible(), soon).toBe(true);
    await expect.poll(() => outputs(4).textContent(), soon).toContain("succeeded in");
    await shot("lab-reloaded");

    await press(handle(0), "ArrowRight", 1);
    await expect.poll(() => readout(0, 1).textContent(), soon).toBe("12");
    await press(handle(2), "ArrowRight", 1);
    await expect.poll(() => outputs(2).locator("b.result").textContent(), soon).toBe("CDCDCD");
    await outputs(1).locator("button", { hasText: "Click" }).click();
    await expect.poll(() => outputs(1).textContent(), soon).toContain("click 3");
    await run(5);
    await expect.poll(() => outputs(5).textContent(), soon).toContain("6 3 2 1");
    await shot("lab-reloaded-used");
  });
});
