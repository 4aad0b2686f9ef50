import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchBrowser } from "../support/browser";
import type { RunningServer } from "../support/jupyter-server";
import { kernelReady, kernelShown, labCell, openInLab, runLabCell, startLab } from "../support/lab";
import { writeNotebook } from "../support/notebook-file";

const CELLS = [
  'const fruits = session.createDataFrame([{ name: "Apple", grams: 182 }, { name: "Kiwi", grams: 75 }]);\nfruits',
  "const kept = 42;\nkept.toFixd(1)",
  "const half = (n: number) => {\n  if (n > 40) throw new RangeError('too much');\n  return n / 2;\n};\nhalf(41)",
  "await 0;\nfor (;;) {}",
  "kept",
  "",
];

let browser: Browser;
let lab: RunningServer;
let folder: string;
let page: Page;

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "pomona-lab-kernel-")));
  writeNotebook(
    join(folder, "cells.ipynb"),
    CELLS.map((source) => ({ source, tags: ["raises-exception"] })),
  );
  [browser, lab] = await Promise.all([launchBrowser(), startLab(folder)]);
  page = await openInLab(browser, lab, "cells.ipynb", 1500);
  await kernelReady(page);
}, 600_000);
afterAll(async () => {
  await browser?.close();
  await lab?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const cell = (i: number): Locator => labCell(page, i);
const output = (i: number): Locator => cell(i).locator(".jp-OutputArea-output");
const prompt = (i: number): Locator => cell(i).locator(".jp-InputArea-prompt");
const button = (name: string): Locator => page.locator(`.jp-NotebookPanel-toolbar [data-jp-item-name="${name}"]`);

const run = (i: number): Promise<void> => runLabCell(page, i);

describe("in JupyterLab", () => {
  test("a cell's table is shown below it, and its number beside it", async () => {
    await run(0);
    await output(0).locator("table.pomona-table td", { hasText: "Kiwi" }).waitFor({ timeout: 120_000 });
    await expect.poll(() => prompt(0).textContent()).toBe("[1]:");
  });

  test("a compile error is marked in red, with the line", async () => {
    await run(1);
    await output(1).locator("text=Did you mean 'toFixed'?").first().waitFor();
    expect(await output(1).locator("pre").textContent()).toMatch(/> 2 \| kept\.toFixd\(1\)\n\s+\| {6}\^{6}/);
    expect(await output(1).locator(".ansi-red-fg").count()).toBeGreaterThan(0);
  });

  test("a thrown error shows the cell's line", async () => {
    await run(2);
    await output(2).locator("text=too much").first().waitFor();
    expect(await output(2).locator("pre").textContent()).toMatch(/at half \(In\[3\]:2:\d+\)/);
  });

  test("the stop button ends a busy loop, and the variables are kept", async () => {
    await page.keyboard.press("Escape");
    await cell(1).locator(".cm-content").click();
    await page.keyboard.press("Control+A");
    await page.keyboard.insertText("const kept = 42;");
    await run(1);
    await expect.poll(() => prompt(1).textContent()).toBe("[4]:");
    await run(3);
    await expect.poll(() => prompt(3).textContent()).toBe("[*]:");
    await kernelShown(page, "busy");
    await page.waitForTimeout(500);
    await button("interrupt").click();
    await output(3).locator("text=KeyboardInterrupt").first().waitFor({ timeout: 120_000 });
    await run(4);
    await output(4).locator("text=42").waitFor();
  });

  test("Tab opens completions of the session, with their kinds", async () => {
    await cell(5).locator(".cm-content").click();
    await page.keyboard.type("session.cre");
    await page.keyboard.press("Tab");
    const completer = page.locator(".jp-Completer");
    await completer.locator("text=createDataFrame").first().waitFor({ timeout: 120_000 });
    expect(await completer.textContent()).toContain("createOrReplaceTempView");
    await page.keyboard.press("Escape");
  });

  test("Shift-Tab shows a type with its documentation", async () => {
    await page.keyboard.press("Control+A");
    await page.keyboard.type("session");
    await page.keyboard.press("Shift+Tab");
    const tooltip = page.locator(".jp-Tooltip");
    await tooltip.locator("text=const session").first().waitFor({ timeout: 120_000 });
    await page.keyboard.press("Escape");
  });

  test("completion works while a cell runs", async () => {
    await run(3);
    await kernelShown(page, "busy");
    await cell(5).locator(".cm-content").click();
    await page.keyboard.press("Control+A");
    await page.keyboard.type("kept.toFi");
    await page.keyboard.press("Tab");
    const completer = page.locator(".jp-Completer", { hasText: "toFixed" });
    await completer.waitFor({ timeout: 120_000 });
    await page.keyboard.press("Enter");
    await expect.poll(() => cell(5).locator(".cm-content").textContent()).toBe("kept.toFixed");
    await button("interrupt").click();
    await output(3).locator("text=KeyboardInterrupt").first().waitFor({ timeout: 120_000 });
    await kernelShown(page, "idle");
  });

  test("a restart forgets the variables and runs again", async () => {
    await button("restart").click();
    const restarted = page.waitForResponse((answer) => /\/api\/kernels\/.+\/restart/.test(answer.url()));
    await page.locator(".jp-Dialog button.jp-mod-warn, .jp-Dialog button.jp-mod-accept").last().click();
    await restarted;
    await kernelReady(page);
    await run(4);
    await output(4).locator("text=Cannot find name 'kept'.").first().waitFor({ timeout: 120_000 });
    await expect.poll(() => prompt(4).textContent()).toBe("[1]:");
  });

  test("Run All runs every cell that does not fail for good", async () => {
    await cell(3).locator(".cm-content").click();
    await page.keyboard.press("Control+A");
    await page.keyboard.insertText("'no loop'");
    await page.locator(".lm-MenuBar-itemLabel", { hasText: /^Run$/ }).click();
    await page.locator(".lm-Menu-itemLabel", { hasText: /^Run All Cells$/ }).click();
    await output(4).locator("text=42").waitFor({ timeout: 120_000 });
    expect(await output(3).textContent()).toContain("'no loop'");
  });
});
