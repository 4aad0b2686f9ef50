import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { venvProgram } from "./jupyter";

/** The name of the kernelspec that {@link kernelspecFolder} writes. */
export const KERNEL_NAME = "pomona-checkout";

/** A folder for `JUPYTER_PATH`, with a kernelspec of this checkout's kernel, whatever is installed. */
export function kernelspecFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "pomona-kernelspec-"));
  const spec = join(folder, "kernels", KERNEL_NAME);
  mkdirSync(spec, { recursive: true });
  const argv = [process.execPath, join(__dirname, "..", "..", "kernel-ext", "dist", "main.js"), "{connection_file}"];
  const content = { argv, display_name: "Pomona (checkout)", language: "typescript", interrupt_mode: "message" };
  writeFileSync(join(spec, "kernel.json"), JSON.stringify(content));
  return folder;
}

export interface RunningServer {
  readonly baseUrl: string;
  readonly token: string;
  readonly pid: number;
  /** Ends it with SIGKILL: it has no time to end its kernels. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a Jupyter server without JupyterLab, on a free port and over an empty folder. */
export async function startJupyterServer(jupyterPath: string): Promise<RunningServer> {
  const state = mkdtempSync(join(tmpdir(), "pomona-server-"));
  const port = await freePort();
  const token = "pomona-test";
  const server = spawn(
    venvProgram("jupyter"),
    [
      "server",
      "--no-browser",
      "--allow-root",
      "--ip=127.0.0.1",
      `--port=${port}`,
      "--ServerApp.port_retries=0",
      `--IdentityProvider.token=${token}`,
      `--ServerApp.root_dir=${state}`,
    ],
    {
      stdio: ["ignore", "ignore", "pipe"],
      env: {
        ...process.env,
        JUPYTER_PATH: jupyterPath,
        JUPYTER_CONFIG_DIR: join(state, "config"),
        JUPYTER_RUNTIME_DIR: join(state, "run"),
        JUPYTER_DATA_DIR: join(state, "data"),
      },
    },
  );
  let log = "";
  server.stderr.on("data", (chunk: Buffer) => {
    log += chunk.toString();
  });
  const exited = new Promise<void>((resolve) => server.once("exit", () => resolve()));
  const end = (signal: "SIGTERM" | "SIGKILL") => async () => {
    server.kill(signal);
    const timer = setTimeout(() => server.kill("SIGKILL"), 10_000);
    await exited;
    clearTimeout(timer);
    rmSync(state, { recursive: true, force: true });
  };
  const baseUrl = `http://127.0.0.1:${port}/`;
  for (let tries = 0; tries < 240 && server.exitCode === null; tries++) {
    const answer = await fetch(`${baseUrl}api/status?token=${token}`).catch(() => undefined);
    if (answer?.ok) return { baseUrl, token, pid: server.pid as number, kill: end("SIGKILL"), stop: end("SIGTERM") };
    await sleep(250);
  }
  await end("SIGKILL")();
  throw new Error(`The Jupyter server did not answer within a minute:\n${log}`);
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
