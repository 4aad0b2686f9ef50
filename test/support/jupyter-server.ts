import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePorts } from "./free-ports";
import { venvProgram } from "./jupyter";

export interface RunningServer {
  /** Ends in a slash. */
  readonly baseUrl: string;
  readonly token: string;
  readonly pid: number;
  /** Ends it with SIGKILL: it has no time to end its kernels. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

export interface ServerOptions {
  /** @default "server", which is without JupyterLab */
  readonly app?: "server" | "lab";
  /** @default one that is free */
  readonly port?: number | undefined;
  /** @default "pomona-test" */
  readonly token?: string;
  /** The folder that it shows. @default an empty one */
  readonly folder?: string;
  /** Where it looks for kernels first. @default what is installed alone */
  readonly jupyterPath?: string | undefined;
  readonly options?: readonly string[];
  /** Variables beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** What `mount` is told for this server alone, which sees other files then than this process, as another machine does. */
  readonly mounts?: readonly (readonly string[])[];
}

/** Starts a Jupyter server on a free port, with settings of its own. */
export async function startJupyterServer(wanted: ServerOptions = {}): Promise<RunningServer> {
  for (;;) {
    try {
      return await startOnce(wanted);
    } catch (error) {
      // Another process was faster at a port that was free.
      if (!String(error).includes("is already in use")) throw error;
    }
  }
}

async function startOnce({
  app = "server",
  folder,
  jupyterPath,
  port,
  token = "pomona-test",
  options = [],
  env = {},
  mounts = [],
}: ServerOptions): Promise<RunningServer> {
  const args = (port: number, state: string) => [
    app,
    "--no-browser",
    "--allow-root",
    "--ip=127.0.0.1",
    `--port=${port}`,
    "--ServerApp.port_retries=0",
    `--IdentityProvider.token=${token}`,
    `--ServerApp.root_dir=${folder ?? state}`,
    ...options,
  ];
  return start({ command: venvProgram("jupyter"), args, answers: "api/status", token, port, jupyterPath, env, mounts });
}

/** Servers that have kernels and nothing else, as Python's modules are called. */
export type Gateway = "kernel_gateway" | "enterprise_gateway";

/** Starts a gateway on a free port. @param python the interpreter of its own environment */
export async function startGateway(
  gateway: Gateway,
  python: string,
  { jupyterPath, mounts }: Pick<ServerOptions, "jupyterPath" | "mounts">,
): Promise<RunningServer> {
  const token = "pomona-test";
  const [app, listing] =
    gateway === "kernel_gateway"
      ? ["KernelGatewayApp", "JupyterWebsocketPersonality"]
      : ["EnterpriseGatewayApp", "EnterpriseGatewayApp"];
  const args = (port: number) => [
    "-m",
    gateway,
    `--${app}.ip=127.0.0.1`,
    `--${app}.port=${port}`,
    `--${app}.port_retries=0`,
    `--${app}.auth_token=${token}`,
    `--${listing}.list_kernels=True`,
  ];
  return start({ command: python, args, answers: "api", token, jupyterPath, mounts });
}

interface Launch extends Pick<ServerOptions, "port" | "jupyterPath" | "env" | "mounts"> {
  readonly command: string;
  /** @param state a folder of its own */
  readonly args: (port: number, state: string) => readonly string[];
  /** What it answers once it is there. */
  readonly answers: string;
  readonly token: string;
}

async function start({
  command,
  args,
  answers,
  token,
  jupyterPath,
  mounts = [],
  ...more
}: Launch): Promise<RunningServer> {
  const state = mkdtempSync(join(tmpdir(), "pomona-server-"));
  const port = more.port ?? (await freePorts(1))[0]!;
  const env = {
    ...process.env,
    ...(jupyterPath === undefined ? {} : { JUPYTER_PATH: jupyterPath }),
    JUPYTER_CONFIG_DIR: join(state, "config"),
    JUPYTER_RUNTIME_DIR: join(state, "run"),
    JUPYTER_DATA_DIR: join(state, "data"),
    JUPYTERLAB_SETTINGS_DIR: join(state, "settings"),
    JUPYTERLAB_WORKSPACES_DIR: join(state, "workspaces"),
    ...more.env,
  };
  const [program = "", ...words] = withMounts([command, ...args(port, state)], mounts);
  const server = spawn(program, words, { env, stdio: ["ignore", "ignore", "pipe"] });
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
  for (let tries = 0; tries < 1000 && server.exitCode === null; tries++) {
    const answer = await fetch(`${baseUrl}${answers}?token=${token}`).catch(() => undefined);
    if (answer?.ok) return { baseUrl, token, pid: server.pid as number, kill: end("SIGKILL"), stop: end("SIGTERM") };
    await sleep(250);
  }
  const code = server.exitCode;
  await end("SIGKILL")();
  const what = code === null ? "did not answer within four minutes" : `ended with code ${code}`;
  throw new Error(`${command} ${what}:\n${log}`);
}

/** A command in a space of mounts of its own, which a user who is not root has by being root in a space of users. */
function withMounts(command: readonly string[], mounts: readonly (readonly string[])[]): readonly string[] {
  if (mounts.length === 0) return command;
  const word = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  const lines = mounts.map((words) => `mount ${words.map(word).join(" ")}`);
  const script = [...lines, `exec ${command.map(word).join(" ")}`].join(" && ");
  return ["unshare", process.getuid?.() === 0 ? "-m" : "-rm", "sh", "-c", script];
}

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
