import { chmodSync, mkdirSync } from "node:fs";
import { expect, it } from "vitest";
import { launchBrowser } from "../support/browser";
import { freePorts } from "../support/free-ports";
import { writeNotebook } from "../support/notebook-file";
import { isAlive } from "../support/processes";
import { until, workplace } from "./command-line";

const at = workplace();

/** A server with a kernel in a process group of its own, both of which take no signal that can be refused. */
const STUBBORN = `#!/usr/bin/env node
const { spawn } = require("node:child_process");
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => console.log("refused", signal));
setInterval(() => {}, 1000);
if (process.argv[2] === "kernel") console.log("pids", process.ppid, process.pid);
else spawn(process.execPath, [__filename, "kernel"], { detached: true, stdio: "inherit" });
`;

/** `pomona lab` with it, and the processes that it has started. */
async function startStubborn() {
  const python = at.file("stubborn/bin/python", STUBBORN);
  chmodSync(python, 0o755);
  const env = { POMONA_VENV: at.path("stubborn") };
  const lab = at.start(["lab", "mine", "--no-browser", "--allow-root"], { env });
  let log = "";
  lab.process.stdout?.on("data", (text: string) => {
    log += text;
  });
  await until(() => /pids \d+ \d+/.test(log), "the kernel of a stubborn server");
  return { ...lab, log: () => log, pids: log.match(/\d+/g)?.map(Number) ?? [] };
}

it("opens JupyterLab on a folder, with the kernel in it, and ends on Ctrl-C", async () => {
  mkdirSync(at.path("mine"));
  writeNotebook(at.path("mine", "one.ipynb"), ["1"]);
  // One that does not end by itself, and is waited for a while.
  const stubborn = await startStubborn();
  stubborn.process.kill("SIGINT");
  const [port] = await freePorts(1);
  const options = ["--no-browser", "--allow-root", "--port", String(port)];
  const lab = at.start(
    ["lab", "mine", ...options, "--", "--IdentityProvider.token=secret", "--expose-app-in-browser"],
    {
      env: { PATH: "/nowhere" },
    },
  );
  let log = "";
  lab.process.stderr?.on("data", (text: string) => {
    log += text;
  });
  await until(() => log.includes(`http://localhost:${port}/lab`), "the address");
  const get = async (path: string) =>
    (await fetch(`http://127.0.0.1:${port}/api/${path}`, { headers: { Authorization: "token secret" } })).json();
  // The address is told a moment before the server listens there.
  await expect.poll(() => get("contents").catch(() => undefined)).toMatchObject({ content: [{ name: "one.ipynb" }] });
  const kernels = await get("kernelspecs");
  expect(kernels).toMatchObject({ default: "pomona" });
  expect(kernels).toHaveProperty("kernelspecs.pomona.spec.display_name", "TypeScript (Pomona)");
  // Else JupyterLab asks whether to fetch news: at "none", its own default.
  const plugin = encodeURIComponent("@jupyterlab/apputils-extension:notification");
  const settings = await fetch(`http://127.0.0.1:${port}/lab/api/settings/${plugin}`, {
    headers: { Authorization: "token secret" },
  });
  expect(await settings.json()).toHaveProperty("schema.properties.fetchNews.default", "false");
  // A new notebook has the kernel without a question.
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${port}/lab?token=secret&reset`);
    await page.locator(".jp-LauncherCard").first().waitFor({ timeout: 120_000 });
    // What File > New > Notebook does, whose menus close by themselves while the page is being put together.
    await page.evaluate("jupyterapp.restored.then(() => void jupyterapp.commands.execute('notebook:create-new'))");
    const kernel = page.locator(".jp-NotebookPanel-toolbar .jp-KernelName");
    await expect.poll(() => kernel.textContent(), { timeout: 120_000 }).toBe("TypeScript (Pomona)");
    expect(await page.locator(".jp-Dialog").count()).toBe(0);
  } finally {
    await browser.close();
  }
  lab.process.kill("SIGINT");
  const { code } = await lab.ended;
  expect(code).toBe(0);
  await expect(fetch(`http://127.0.0.1:${port}/api`)).rejects.toThrow();

  const hurried = await startStubborn();
  hurried.process.kill("SIGINT");
  await until(() => hurried.log().includes("refused SIGTERM"), "that its server is asked to end");
  expect(hurried.pids.filter(isAlive).length).toBe(2);
  hurried.process.kill("SIGINT");
  expect((await hurried.ended).code).toBe(130);
  await until(() => !hurried.pids.some(isAlive), "the end of its server and kernel");
  const { code: stopped, stderr } = await stubborn.ended;
  expect([stopped, stderr]).toEqual([0, expect.stringContaining("Ctrl-C ends it at once")]);
  await until(() => !stubborn.pids.some(isAlive), "the end of its server and kernel");
});
