import { mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { expect, it } from "vitest";
import { writeNotebook } from "../support/notebook-file";
import { until, workplace } from "./command-line";

const at = workplace();

it("opens JupyterLab on a folder, with the kernel in it, and ends on Ctrl-C", async () => {
  mkdirSync(at.path("mine"));
  writeNotebook(at.path("mine", "one.ipynb"), ["1"]);
  const port = await freePort();
  const options = ["--no-browser", "--allow-root", "--port", String(port)];
  const lab = at.start(["lab", "mine", ...options, "--", "--IdentityProvider.token=secret"], {
    env: { PATH: "/nowhere" },
  });
  let log = "";
  lab.process.stderr?.on("data", (text: string) => {
    log += text;
  });
  await until(() => log.includes(`http://localhost:${port}/lab`), "the address");
  const get = async (path: string) =>
    (await fetch(`http://127.0.0.1:${port}/api/${path}`, { headers: { Authorization: "token secret" } })).json();
  expect(await get("contents")).toMatchObject({ content: [{ name: "one.ipynb" }] });
  expect(await get("kernelspecs")).toHaveProperty("kernelspecs.pomona.spec.display_name", "TypeScript (Pomona)");
  // Else JupyterLab asks whether to fetch news: at "none", its own default.
  const plugin = encodeURIComponent("@jupyterlab/apputils-extension:notification");
  const settings = await fetch(`http://127.0.0.1:${port}/lab/api/settings/${plugin}`, {
    headers: { Authorization: "token secret" },
  });
  expect(await settings.json()).toHaveProperty("schema.properties.fetchNews.default", "false");
  lab.process.kill("SIGINT");
  const { code } = await lab.ended;
  expect(code).toBe(0);
  await expect(fetch(`http://127.0.0.1:${port}/api`)).rejects.toThrow();
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
