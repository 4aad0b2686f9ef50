import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { launchBrowser } from "../support/browser";
import { freePorts } from "../support/free-ports";
import { venvProgram } from "../support/jupyter";
import { kernelReady, labCell, openInLab, runLabCell } from "../support/lab";
import { writeNotebook } from "../support/notebook-file";

/** It goes on behind its second line when the test says so, by a file. */
const TICKS = `import { existsSync, rmSync } from "node:fs";
rmSync("go", { force: true });
for (let i = 1; i <= 6; i++) {
  console.log("tick", i);
  while (i === 2 && !existsSync("go")) await new Promise((r) => setTimeout(r, 20));
  await new Promise((r) => setTimeout(r, 100));
}
"end"`;
const JOB = `const slow = udf((n: number) => { const end = Date.now() + 400; while (Date.now() < end); return n + 1; }, { returns: "int" });
const numbers = session.createDataFrame(Array.from({ length: 16 }, (_, n) => ({ n }))).repartition(4);
(await numbers.select(slow(col("n")).alias("m")).collect()).length`;
const ASK = 'const name = prompt("name?");\nconsole.log("hello", name);';
const FAIL = "throw new RangeError('too much');";

const BEGUN = "tick 1\ntick 2\n";
const TOLD = "tick 1\ntick 2\ntick 3\ntick 4\ntick 5\ntick 6\n";
/** The session's table and line, which its first use shows, the job's block in its last state, and the value. */
const JOB_SHOWS = [
  expect.stringContaining("local["),
  "Session available as 'session'.\n",
  expect.stringMatching(/succeeded in/),
  "16",
];
const soon = { timeout: 120_000, interval: 200 };

let browser: Browser;
let folder: string;
let notebook: string;
let lab: { readonly process: ChildProcess; readonly baseUrl: string; readonly token: string };

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "pomona-outlive-")));
  notebook = writeNotebook(join(folder, "long.ipynb"), [TICKS, JOB, ASK, { source: FAIL, tags: ["raises-exception"] }]);
  [browser, lab] = await Promise.all([launchBrowser(), startLab()]);
}, 600_000);
afterAll(async () => {
  await browser?.close();
  if (lab) await end();
  rmSync(folder, { recursive: true, force: true });
});

/** `pomona lab`, as users have it. */
async function startLab(): Promise<typeof lab> {
  const [port] = await freePorts(1);
  const token = "secret";
  const main = join(__dirname, "..", "..", "dist", "cli", "main.js");
  const options = ["--no-browser", "--allow-root", "--port", String(port), "--"];
  const rest = ["--ip=127.0.0.1", `--IdentityProvider.token=${token}`, "--expose-app-in-browser"];
  const child = spawn(process.execPath, [main, "lab", folder, ...options, ...rest], {
    stdio: "ignore",
    env: { ...process.env, HOME: folder, XDG_DATA_HOME: "" },
  });
  const baseUrl = `http://127.0.0.1:${port}/`;
  await vi.waitFor(async () => {
    if (!(await fetch(`${baseUrl}api/status?token=${token}`)).ok) throw new Error("JupyterLab is not there yet");
  }, soon);
  return { process: child, baseUrl, token };
}

async function end(): Promise<void> {
  if (lab.process.exitCode !== null || lab.process.signalCode !== null) return;
  const ended = new Promise((resolve) => lab.process.once("exit", resolve));
  lab.process.kill("SIGTERM");
  await ended;
}

const open = (baseUrl = lab.baseUrl): Promise<Page> =>
  openInLab(browser, { ...lab, baseUrl, pid: 0, kill: async () => {}, stop: async () => {} }, "long.ipynb");

/** A network between pages and the server, which can be lost: whatever is on its way then is, too. */
async function startNetwork() {
  const sockets = new Set<Socket>();
  let isLost = false;
  const server = createServer((page) => {
    if (isLost) return page.destroy();
    const upstream = connect(Number(new URL(lab.baseUrl).port), "127.0.0.1");
    page.pipe(upstream).pipe(page);
    for (const socket of [page, upstream]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        page.destroy();
        upstream.destroy();
      });
    }
  });
  const [port] = await freePorts(1);
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const lose = () => {
    isLost = true;
    for (const socket of sockets) socket.destroy();
  };
  return {
    baseUrl: `http://127.0.0.1:${port}/`,
    lose,
    restore: () => {
      isLost = false;
    },
    stop: () => {
      lose();
      server.close();
    },
  };
}
/** Lets the cell that ticks go on. */
const go = () => writeFileSync(join(folder, "go"), "");
/** What is shown below a cell, each output as text. */
const shown = (page: Page, i: number): Promise<string[]> =>
  labCell(page, i).locator(".jp-OutputArea-output").allInnerTexts();
const number = (page: Page, i: number): Promise<string | null> =>
  labCell(page, i).locator(".jp-InputArea-prompt").textContent();

interface SavedCell {
  readonly execution_count: number | null;
  readonly outputs: readonly {
    readonly output_type: string;
    readonly text?: string | readonly string[];
    readonly data?: Readonly<Record<string, string | readonly string[]>>;
    readonly ename?: string;
  }[];
}
const saved = (i: number): SavedCell =>
  (JSON.parse(readFileSync(notebook, "utf8")) as { cells: SavedCell[] }).cells[i] as SavedCell;
const joined = (text: string | readonly string[] | undefined): string => [text ?? []].flat().join("");
const savedText = (i: number): string[] =>
  saved(i).outputs.map(({ text, data, ename }) => joined(text ?? data?.["text/html"] ?? data?.["text/plain"] ?? ename));

test("outputs are bounded, displays are shown anew in place, and saves of pages count", () => {
  const script = join(__dirname, "outlive.py");
  const sources = join(__dirname, "..", "..", "kernel-ext", "python", "src");
  const told = execFileSync(venvProgram("python"), [script], { env: { ...process.env, PYTHONPATH: sources } });
  expect(told.toString().trim().split("\n").at(-1)).toBe("all held");
});

describe("a cell whose page is gone", () => {
  let first: Page;
  let second: Page;

  test("runs on in the same page loaded again, and in another browser's", async () => {
    first = await open();
    await kernelReady(first);
    // JupyterLab notes the kernel's language in a new notebook: until one page has saved that, each has something to save.
    await labCell(first, 0).locator(".cm-content").click();
    await first.keyboard.press("Control+S");
    await expect.poll(() => readFileSync(notebook, "utf8").includes('"language_info"'), soon).toBe(true);
    await first.locator(".lm-MenuBar-itemLabel", { hasText: /^Run$/ }).click();
    await first.locator(".lm-Menu-itemLabel", { hasText: /^Run All Cells$/ }).click();
    await expect.poll(() => shown(first, 0), soon).toEqual([BEGUN]);
    await first.reload();
    await labCell(first, 0).waitFor({ timeout: 120_000 });
    second = await open();
    for (const page of [first, second]) {
      await expect.poll(() => shown(page, 0), soon).toEqual([BEGUN]);
      await expect.poll(() => number(page, 2), soon).toBe("[*]:");
    }
  });

  test("has its whole output in the notebook's file, with the last state of a job's progress, though no page is open", async () => {
    await first.context().close();
    await second.context().close();
    go();
    await expect.poll(() => saved(1).execution_count, soon).toBe(2);
    expect(savedText(0)).toEqual([TOLD, "'end'"]);
    expect(saved(0).execution_count).toBe(1);
    expect(savedText(1)).toEqual(JOB_SHOWS);
  });

  test("asks for input in the page that comes, which shows all once, has nothing to save and may save", async () => {
    const page = await open();
    await expect.poll(() => shown(page, 0), soon).toEqual([TOLD, "'end'"]);
    await expect.poll(() => shown(page, 1), soon).toEqual(JOB_SHOWS);
    const field = labCell(page, 2).locator("input.jp-Stdin-input");
    await field.waitFor({ timeout: 120_000 });
    await field.fill("Ann");
    await field.press("Enter");
    await expect.poll(() => shown(page, 2), soon).toEqual([expect.stringMatching(/name\?\s+Ann/), "hello Ann\n"]);
    await expect.poll(() => shown(page, 3), soon).toEqual([expect.stringContaining("RangeError: too much")]);
    await expect.poll(() => savedText(3), soon).toEqual(["RangeError"]);
    expect(await Promise.all([0, 1, 2, 3].map((i) => number(page, i)))).toEqual(["[1]:", "[2]:", "[3]:", "[4]:"]);
    // The page is told after the file is written.
    await expect.poll(() => page.locator(".jp-mod-dirty").count(), soon).toBe(0);
    // A save of the page on top of the server's is no conflict, and takes nothing away.
    const before = [0, 1, 2, 3].map(savedText);
    await labCell(page, 3).locator(".cm-content").click();
    await page.keyboard.press("End");
    await page.keyboard.type(" //");
    await page.keyboard.press("Control+S");
    await expect.poll(() => readFileSync(notebook, "utf8").includes("'too much'); //"), soon).toBe(true);
    expect(await page.locator(".jp-Dialog").count()).toBe(0);
    expect([0, 1, 2, 3].map(savedText)).toEqual(before);
    await page.context().close();
  });

  test("is whole in the page that ran it and in another one, though both lost their network when it ended", async () => {
    const network = await startNetwork();
    try {
      const [page, other] = await Promise.all([open(network.baseUrl), open(network.baseUrl)]);
      await kernelReady(page);
      await runLabCell(page, 0);
      for (const one of [page, other]) await expect.poll(() => shown(one, 0), soon).toEqual([BEGUN]);
      network.lose();
      go();
      await expect.poll(() => saved(0).execution_count, soon).toBe(5);
      network.restore();
      for (const one of [page, other]) {
        await expect.poll(() => number(one, 0), soon).toBe("[5]:");
        await expect.poll(() => shown(one, 0), soon).toEqual([TOLD, "'end'"]);
      }
      // JupyterLab says that there was no network.
      await page.addLocatorHandler(page.locator(".jp-Dialog"), (dialog) => dialog.getByRole("button").last().click());
      await runLabCell(page, 0);
      await expect.poll(() => shown(page, 0), soon).toEqual([BEGUN]);
      await Promise.all([page.context().close(), other.context().close()]);
    } finally {
      network.stop();
    }
  });

  test("has what it showed in the file when the server is asked to end, and says that it did not come to its end", async () => {
    await end();
    expect(savedText(0)).toEqual([BEGUN, "[The kernel ended or was restarted while this cell ran]\n"]);
    expect(saved(0).execution_count).toBe(6);
  });
});
