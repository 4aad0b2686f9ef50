import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import type { ConnectionInfo } from "../../kernel-ext/src/messages";
import { freePorts } from "./free-ports";
import { type KernelClient, openClient } from "./kernel-client";
import { isStatus } from "./kernel-messages";

/**
 * Starts a kernel as Jupyter does and speaks to it with bare Jupyter messages:
 *
 *     const kernel = await startKernel();
 *     const { reply, outputs, stdout } = await kernel.execute("console.log(1); 2");
 *     const run = kernel.start("while (true);");        // without waiting
 *     await kernel.interrupt();
 *     expect((await run.done).reply.content.ename).toBe("KeyboardInterrupt");
 *     await kernel.stop();
 *
 * `startKernel({ kernel: "tslab" })` starts stock tslab instead, as `POMONA_TEST_KERNEL=tslab` does for all tests, to see what
 * it does wrong. A kernel is ended with the test process in any case.
 */
export async function startKernel(options: KernelOptions = {}): Promise<RunningKernel> {
  const folder = mkdtempSync(join(tmpdir(), "pomona-kernel-"));
  const { connection, file } = await newConnectionFile(folder, options);
  const [program, ...args] = [...(options.argv ?? commandOf(options.kernel)), file];
  const child = spawn(program as string, args, {
    cwd: options.cwd ?? folder,
    env: { ...process.env, JPY_PARENT_PID: String(process.pid), ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const printed = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      printed[name] += text;
    });
  }
  const exited = new Promise<number | string>((resolve) =>
    child.once("exit", (code, signal) => resolve(code ?? signal ?? "lost")),
  );
  const killAtExit = () => void child.kill("SIGKILL");
  process.once("exit", killAtExit);
  const clients: KernelClient[] = [];
  const connect = async () => {
    const client = openClient(connection);
    clients.push(client);
    await Promise.race([
      ready(client, options.timeout ?? 120_000),
      exited.then((code) => Promise.reject(new Error(`The kernel ended with ${code}:\n${printed.stderr}`))),
    ]);
    return client;
  };
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const timer = setTimeout(() => child.kill("SIGKILL"), 5_000);
      clients[0]?.send("shutdown_request", { restart: false }, { channel: "control" });
      await exited;
      clearTimeout(timer);
    }
    for (const client of clients) client.close();
    process.off("exit", killAtExit);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const first = await connect();
    return Object.assign(first, { connection, connectionFile: file, process: child, printed, exited, connect, stop });
  } catch (error) {
    child.kill("SIGKILL");
    await stop();
    throw error;
  }
}

export interface KernelOptions {
  /** @default `POMONA_TEST_KERNEL`, or "pomona" */
  readonly kernel?: "pomona" | "tslab";
  /** The command in its place; the connection file's path is appended. */
  readonly argv?: readonly string[];
  /** @default a new folder, which holds the connection file */
  readonly cwd?: string;
  /** Added to this process's own. */
  readonly env?: Readonly<Record<string, string>>;
  /** @default "tcp" */
  readonly transport?: "tcp" | "ipc";
  /** The signing key; empty for none. @default a new one */
  readonly key?: string;
  /** How long the kernel may take to answer, in milliseconds. @default 120000 */
  readonly timeout?: number;
}

export interface RunningKernel extends KernelClient {
  readonly connection: ConnectionInfo;
  readonly connectionFile: string;
  readonly process: ChildProcess;
  /** What the process itself printed: not the cells, whose outputs are messages. */
  readonly printed: { readonly stdout: string; readonly stderr: string };
  /** The exit code, or the name of the signal that ended it. */
  readonly exited: Promise<number | string>;
  /** A further client of the same kernel. */
  connect(): Promise<KernelClient>;
  /** Shuts it down, by force after five seconds. */
  stop(): Promise<void>;
}

const ROOT = join(__dirname, "..", "..");

/** The command that starts a kernel, less the connection file. */
export function commandOf(kernel = process.env.POMONA_TEST_KERNEL ?? "pomona"): readonly string[] {
  if (kernel === "tslab")
    return [process.execPath, join(ROOT, "node_modules", "tslab", "bin", "tslab"), "kernel", "--config-path"];
  const main = join(ROOT, "kernel-ext", "dist", "main.js");
  if (!existsSync(main)) throw new Error(`${main} is missing: run "npm run build" first.`);
  return [process.execPath, main];
}

/** Writes a connection file with free ports into a folder, as Jupyter does before it starts a kernel. */
export async function newConnectionFile(
  folder: string,
  { transport = "tcp", key }: Pick<KernelOptions, "transport" | "key"> = {},
): Promise<{ readonly connection: ConnectionInfo; readonly file: string }> {
  const ports = transport === "tcp" ? await freePorts(5) : [1, 2, 3, 4, 5];
  const connection: ConnectionInfo = {
    transport,
    ip: transport === "tcp" ? "127.0.0.1" : join(folder, "ipc"),
    shell_port: ports[0] as number,
    iopub_port: ports[1] as number,
    stdin_port: ports[2] as number,
    control_port: ports[3] as number,
    hb_port: ports[4] as number,
    key: key ?? randomUUID(),
    signature_scheme: "hmac-sha256",
  };
  const file = join(folder, "connection.json");
  writeFileSync(file, JSON.stringify(connection));
  return { connection, file };
}

/** Waits until the kernel answers and its iopub reaches the client. */
async function ready(client: KernelClient, timeout: number): Promise<void> {
  const end = performance.now() + timeout;
  for (;;) {
    const left = end - performance.now();
    const reply = await client.request("kernel_info_request", {}, { timeout: left });
    const id = reply.parent.msg_id;
    const heard = client.waitFor((m) => isStatus(m, "idle") && m.parent.msg_id === id, { timeout: 200 });
    if (await heard.catch(() => undefined)) return;
    if (performance.now() > end) throw new Error(`Nothing came on iopub within ${timeout} ms.`);
  }
}
