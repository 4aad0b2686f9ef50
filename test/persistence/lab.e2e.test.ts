import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { launchBrowser } from "../support/browser";
import { freePorts } from "../support/free-ports";
import { type Gate, newGate, tickingCell } from "../support/gate";
import type { RunningServer } from "../support/jupyter-server";
import { kernelReady, labCell, openInLab, runLabCell, startLab } from "../support/lab";
import { startFaultProxy } from "../support/s3-fault-proxy";
import { s3Errors } from "../support/s3-faults";
import { contentsOf, notebookOf, notebooksEnv } from "../support/s3-notebooks";
import { type S3Server, startS3 } from "../support/s3-server";

const BUCKET = "lab-notebooks";
const KEY = `${BUCKET}/jupyter/ann/plan.ipynb`;

let s3: S3Server;
let browser: Browser;
const running: RunningServer[] = [];

beforeAll(async () => {
  s3 = await startS3({ buckets: [BUCKET] });
  await s3.put(KEY, contentOf("from EMR"));
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  await Promise.all(running.map((server) => server.stop()));
  await s3?.stop();
});

/** The notebook, with a code cell so that JupyterLab shows one. */
function contentOf(text: string): string {
  const { content } = notebookOf(text) as { content: { cells: object[] } };
  const code = { cell_type: "code", id: "two", metadata: {}, source: "1", outputs: [], execution_count: null };
  return JSON.stringify({ ...content, cells: [...content.cells, code] });
}

async function start(endpoint = s3.endpoint): Promise<RunningServer> {
  const folder = mkdtempSync(join(tmpdir(), "pomona-lab-s3-"));
  const server = await startLab(folder, notebooksEnv(s3, { bucket: BUCKET, endpoint }));
  running.push(server);
  return server;
}

/** `pomona lab --s3-conf`, as users have it, on a folder that is empty. */
async function startByCommand(endpoint: string): Promise<RunningServer> {
  const folder = mkdtempSync(join(tmpdir(), "pomona-lab-s3-"));
  const [port] = await freePorts(1);
  const token = "pomona-test";
  const {
    POMONA_S3_CONF: conf = "",
    POMONA_S3_USER: _,
    PYTHONPATH: __,
    ...env
  } = notebooksEnv(s3, { bucket: BUCKET, endpoint });
  const main = join(__dirname, "..", "..", "dist", "cli", "main.js");
  const options = ["--s3-conf", conf, "--s3-user", "ann", "--no-browser", "--allow-root", "--port", `${port}`];
  const rest = ["--", "--ip=127.0.0.1", `--IdentityProvider.token=${token}`, "--expose-app-in-browser"];
  const variables = { ...process.env, ...env, HOME: folder, JUPYTER_CONFIG_PATH: "" };
  const child = spawn(process.execPath, [main, "lab", folder, ...options, ...rest], {
    stdio: "ignore",
    env: variables,
    detached: true,
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  // A Jupyter that is stopped while it answers which formats it exports does not end by itself.
  const end = async () => {
    child.kill("SIGTERM");
    const timer = setTimeout(() => process.kill(-(child.pid as number), "SIGKILL"), 10_000);
    await exited;
    clearTimeout(timer);
  };
  const server = { baseUrl: `http://127.0.0.1:${port}/`, token, pid: child.pid as number, kill: end, stop: end };
  running.push(server);
  const url = `${server.baseUrl}api/status?token=${token}`;
  await expect
    .poll(() =>
      fetch(url).then(
        ({ ok }) => ok,
        () => false,
      ),
    )
    .toBe(true);
  return server;
}

async function type(page: Page, text: string): Promise<void> {
  await labCell(page, 0).locator(".cm-content").click();
  await page.keyboard.press("Control+End");
  await page.keyboard.type(text);
}

/** A notebook whose first cell goes on behind its second line once there is a file. */
function longContent(note: string, gate: Gate): string {
  const code = (id: string, source: string) => ({
    cell_type: "code",
    id,
    metadata: {},
    source,
    outputs: [],
    execution_count: null,
  });
  const kernelspec = { name: "pomona", display_name: "TypeScript (Pomona)", language: "typescript" };
  return JSON.stringify({
    nbformat: 4,
    nbformat_minor: 5,
    metadata: { kernelspec },
    cells: [code("one", tickingCell(5, gate)), code("two", note)],
  });
}

const save = (page: Page) => page.keyboard.press("Control+s");
const stored = async () => (await s3.request({ key: KEY })).text();
const dialog = (page: Page, text: string) => page.locator(".jp-Dialog", { hasText: text });

it("saves and opens notebooks in S3, asks whose version to keep, and loses nothing with the server", async () => {
  const proxy = await startFaultProxy(s3.endpoint);
  const lab = await start(proxy.endpoint);
  const page = await openInLab(browser, lab, "plan.ipynb");
  /** JupyterLab ends a save by a checkpoint, and takes no other save before. */
  const toItsEnd = async (saving: () => Promise<void>) => {
    const copies = () => proxy.counts().CopyObject ?? 0;
    const before = copies();
    await saving();
    await expect.poll(copies).toBeGreaterThan(before);
  };
  // Not the kernel: this is about the file.
  const select = page.locator(".jp-Dialog", { hasText: "Select Kernel" });
  await select.getByRole("button", { name: "No Kernel" }).click();
  await expect.poll(() => s3.keys(BUCKET)).toContain("jupyter/ann/.ipynb_checkpoints/plan-checkpoint.ipynb");
  await type(page, " + 1");
  await toItsEnd(() => save(page));
  await expect.poll(stored).toContain("1 + 1");
  // Its own second save is no conflict, within one second of the first too.
  await type(page, " + 2");
  await toItsEnd(() => save(page));
  await expect.poll(stored).toContain("1 + 1 + 2");
  expect(await page.locator(".jp-Dialog").count()).toBe(0);

  await s3.put(KEY, contentOf("somebody else's"));
  await type(page, " + 3");
  await save(page);
  await dialog(page, "has changed on disk").waitFor();
  expect(await stored()).toContain("somebody else's");
  await toItsEnd(() => dialog(page, "has changed on disk").getByRole("button", { name: "Overwrite" }).click());
  await expect.poll(stored).toContain("1 + 1 + 2 + 3");

  // Somebody who saves between JupyterLab's look and its save is not overwritten either.
  proxy.fault({
    operation: "PutObject",
    key: /plan\.ipynb$/,
    times: 1,
    before: () => s3.put(KEY, contentOf("in between")),
    fault: s3Errors.slowDown,
  });
  await type(page, " + 4");
  await save(page);
  await dialog(page, "was saved by somebody else").waitFor();
  expect(await stored()).toContain("in between");
  await dialog(page, "was saved by somebody else").getByRole("button").last().click();
  await save(page);
  await toItsEnd(() => dialog(page, "has changed on disk").getByRole("button", { name: "Revert" }).click());
  await page.locator(".jp-Notebook", { hasText: "in between" }).waitFor();

  // What S3 refuses is said in the browser.
  proxy.reset();
  proxy.fault({ operation: "PutObject", fault: s3Errors.accessDenied });
  await type(page, " + 5");
  await save(page);
  await dialog(page, "needs s3:PutObject").waitFor();
  await dialog(page, "needs s3:PutObject").getByRole("button").last().click();
  proxy.reset();

  // Killed in mid-save: what was acknowledged is there on a new server with an empty folder.
  await toItsEnd(() => save(page));
  await expect.poll(stored).toContain("1 + 5");
  proxy.fault({ operation: "PutObject", key: /plan\.ipynb$/, fault: { kind: "stall" } });
  await type(page, " + 6");
  await save(page);
  await expect.poll(() => proxy.requests.filter(({ fault }) => fault === "stall").length).toBeGreaterThan(0);
  await lab.kill();
  await page.close();
  await proxy.stop();
  expect(await stored()).toContain("1 + 5");
  expect(await stored()).not.toContain("+ 6");

  const between = await startFaultProxy(s3.endpoint);
  const next = await startByCommand(between.endpoint);
  expect(await contentsOf(next).list()).toEqual(["plan.ipynb"]);
  const again = await openInLab(browser, next, "plan.ipynb");
  await expect.poll(() => labCell(again, 0).locator(".cm-content").textContent()).toContain("1 + 5");
  await again.close();

  // What a cell shows whose page is closed is in S3 and in the page that comes, and so is what somebody else saves at the same moment.
  const key = `${BUCKET}/jupyter/ann/long.ipynb`;
  const gate = newGate();
  await s3.put(key, longContent("// mine", gate));
  const left = await openInLab(browser, next, "long.ipynb");
  await kernelReady(left);
  await runLabCell(left, 0);
  await labCell(left, 0).locator(".jp-OutputArea-output", { hasText: "tick 2" }).waitFor();
  await left.context().close();
  const met = between.fault({
    operation: "PutObject",
    key: /long\.ipynb$/,
    times: 1,
    before: () => s3.put(key, longContent("// theirs", gate)),
    fault: s3Errors.slowDown,
  });
  gate.open();
  await expect.poll(async () => (await s3.request({ key })).text()).toMatch(/tick 5[\s\S]*\/\/ theirs/);
  expect(met()).toBe(1);
  const come = await openInLab(browser, next, "long.ipynb");
  await expect.poll(() => labCell(come, 0).locator(".jp-InputArea-prompt").textContent()).toBe("[1]:");
  expect(await labCell(come, 0).locator(".jp-OutputArea-output").allInnerTexts()).toEqual([
    [1, 2, 3, 4, 5].map((i) => `tick ${i}\n`).join(""),
  ]);
  await come.context().close();
  await between.stop();
}, 600_000);
