import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A program of the checkout's `.venv`. @throws Error where set-up has not run */
export function venvProgram(name: string): string {
  const path = join(__dirname, "..", "..", ".venv", "bin", name);
  if (!existsSync(path)) throw new Error(`${path} is missing: run "npm run setup" first.`);
  return path;
}

/** Converts a notebook to HTML beside it, as it is, and gives the HTML's path. */
export function notebookToHtml(notebook: string): string {
  execFileSync(venvProgram("jupyter"), ["nbconvert", "--to", "html", notebook], { stdio: "pipe" });
  return notebook.replace(/\.ipynb$/, ".html");
}

export interface RunningLab {
  /** The address of a notebook in this server, with the token. */
  urlOf(notebook: string): string;
  stop(): Promise<void>;
}

/** Starts JupyterLab on a free port over a folder. */
export async function startLab(folder: string): Promise<RunningLab> {
  const port = await freePort();
  const token = "pomona-test";
  const state = mkdtempSync(join(tmpdir(), "pomona-lab-"));
  const options = [
    "--no-browser",
    "--allow-root",
    "--ip=127.0.0.1",
    `--port=${port}`,
    "--ServerApp.port_retries=0",
    `--IdentityProvider.token=${token}`,
    `--ServerApp.root_dir=${folder}`,
  ];
  const env = {
    ...process.env,
    JUPYTER_CONFIG_DIR: join(state, "config"),
    JUPYTER_RUNTIME_DIR: join(state, "run"),
    JUPYTERLAB_SETTINGS_DIR: join(state, "settings"),
    JUPYTERLAB_WORKSPACES_DIR: join(state, "workspaces"),
    JUPYTER_DATA_DIR: join(state, "data"),
  };
  const server = spawn(venvProgram("jupyter"), ["lab", ...options], { env, stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  server.stderr.on("data", (chunk: Buffer) => {
    log += chunk.toString();
  });
  const base = `http://127.0.0.1:${port}`;
  const stop = async () => {
    await ended(server);
    rmSync(state, { recursive: true, force: true });
  };
  for (let tries = 0; tries < 240; tries++) {
    if (server.exitCode !== null) throw new Error(`JupyterLab ended with code ${server.exitCode}:\n${log}`);
    const answer = await fetch(`${base}/api/status?token=${token}`).catch(() => undefined);
    if (answer?.ok)
      return { urlOf: (notebook) => `${base}/lab/tree/${encodeURIComponent(notebook)}?token=${token}&reset`, stop };
    await sleep(250);
  }
  await stop();
  throw new Error(`JupyterLab did not answer within a minute:\n${log}`);
}

async function ended(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null) return;
  const exit = new Promise((resolve) => server.once("exit", resolve));
  server.kill("SIGTERM");
  const timer = setTimeout(() => server.kill("SIGKILL"), 5_000);
  await exit;
  clearTimeout(timer);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        address && typeof address === "object" ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });
}
