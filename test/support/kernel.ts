import { type ChildProcess, spawn } from "node:child_process";
import { createHmac, randomUUID } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { Dealer, Request, Subscriber } from "zeromq";

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
      ready(client, options.timeout ?? 30_000),
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
  /** How long the kernel may take to answer, in milliseconds. @default 30000 */
  readonly timeout?: number;
}

export interface RunningKernel extends KernelClient {
  readonly connection: Connection;
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

export interface Connection {
  readonly transport: string;
  readonly ip: string;
  readonly shell_port: number;
  readonly iopub_port: number;
  readonly stdin_port: number;
  readonly control_port: number;
  readonly hb_port: number;
  readonly key: string;
  readonly signature_scheme: string;
}

export type Channel = "shell" | "control" | "stdin" | "iopub";

export interface KernelMessage {
  readonly channel: Channel;
  readonly type: string;
  readonly header: Readonly<Record<string, string>>;
  /** Empty where the message has no parent. */
  readonly parent: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, unknown>>;
  // biome-ignore lint/suspicious/noExplicitAny: what tests look into, whatever it is
  readonly content: any;
  readonly buffers: readonly Buffer[];
  /** What lies before the delimiter: on iopub the topic. */
  readonly idents: readonly string[];
  readonly signature: string;
}

export interface SendOptions {
  /** @default "shell" */
  readonly channel?: "shell" | "control" | "stdin";
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly buffers?: readonly Uint8Array[];
  readonly parent?: Readonly<Record<string, string>>;
  /** How long to wait for the reply, in milliseconds. @default 20000 */
  readonly timeout?: number;
}

export interface ExecuteOptions {
  readonly silent?: boolean;
  readonly store_history?: boolean;
  readonly user_expressions?: Readonly<Record<string, string>>;
  readonly allow_stdin?: boolean;
  readonly stop_on_error?: boolean;
  /** Answers what the code asks for; without it, requests for input stay open. */
  readonly answer?: (prompt: string, password: boolean) => string;
  /** @default 20000 */
  readonly timeout?: number;
}

export interface Execution {
  readonly reply: KernelMessage;
  /** The cell's messages on iopub, in order, without `status` and `execute_input`. */
  readonly outputs: readonly KernelMessage[];
  /** All of them. */
  readonly iopub: readonly KernelMessage[];
  readonly seconds: number;
  /** Of its streams, the text. */
  readonly stdout: string;
  readonly stderr: string;
  /** The `text/plain` of its `execute_result`. */
  readonly result: string | undefined;
}

export interface KernelClient {
  /** The client's session id, with which its messages go out. */
  readonly session: string;
  /** All that came, in order of arrival. */
  readonly received: readonly KernelMessage[];
  /** Sends a message and gives its `msg_id`. */
  send(type: string, content: unknown, options?: SendOptions): string;
  /** Sends a request and waits for its reply. */
  request(type: string, content?: unknown, options?: SendOptions): Promise<KernelMessage>;
  /** Runs a cell to its reply and to idle. */
  execute(code: string, options?: ExecuteOptions): Promise<Execution>;
  /** The same without waiting. */
  start(code: string, options?: ExecuteOptions): { readonly id: string; readonly done: Promise<Execution> };
  /** `interrupt_request` on the control channel. */
  interrupt(): Promise<KernelMessage>;
  /** Sends frames as they are. */
  raw(frames: readonly (string | Uint8Array)[], channel?: "shell" | "control" | "stdin"): void;
  /** The frames of a message, signed, for `raw`. */
  frames(type: string, content: unknown, options?: SendOptions): Buffer[];
  /** The first message for which `predicate` holds, of those that came and those to come. */
  waitFor(
    predicate: (message: KernelMessage) => boolean,
    options?: { readonly timeout?: number },
  ): Promise<KernelMessage>;
  /** Sends a heartbeat and gives the milliseconds until it is back. */
  heartbeat(timeout?: number): Promise<number>;
  close(): void;
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
): Promise<{ readonly connection: Connection; readonly file: string }> {
  const ports = transport === "tcp" ? await freePorts(5) : [1, 2, 3, 4, 5];
  const connection: Connection = {
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

const DELIMITER = "<IDS|MSG>";

/** A client of a kernel that runs. It does not wait for the kernel. */
export function openClient(connection: Connection): KernelClient {
  const session = randomUUID();
  const address = (port: number) =>
    connection.transport === "ipc"
      ? `ipc://${connection.ip}-${port}`
      : `${connection.transport}://${connection.ip}:${port}`;
  const dealer = (port: number) => {
    const socket = new Dealer({ routingId: session, linger: 0, sendHighWaterMark: 0, receiveHighWaterMark: 0 });
    socket.reconnectInterval = 20;
    socket.connect(address(port));
    return socket;
  };
  const sockets = {
    shell: dealer(connection.shell_port),
    control: dealer(connection.control_port),
    stdin: dealer(connection.stdin_port),
  };
  const iopub = new Subscriber({ linger: 0, receiveHighWaterMark: 0 });
  iopub.reconnectInterval = 20;
  iopub.connect(address(connection.iopub_port));
  iopub.subscribe();

  const received: KernelMessage[] = [];
  const listeners = new Set<(message: KernelMessage) => void>();
  const take = (channel: Channel, frames: readonly Buffer[]) => {
    const message = parse(channel, frames, connection.key);
    received.push(message);
    for (const listener of [...listeners]) listener(message);
  };
  for (const channel of ["shell", "control", "stdin"] as const)
    void receiveAll(sockets[channel], (frames) => take(channel, frames));
  void receiveAll(iopub, (frames) => take("iopub", frames));

  const sending = { shell: Promise.resolve(), control: Promise.resolve(), stdin: Promise.resolve() };
  const raw: KernelClient["raw"] = (frames, channel = "shell") => {
    sending[channel] = sending[channel].then(() =>
      sockets[channel].send(frames.map((frame) => (typeof frame === "string" ? Buffer.from(frame) : frame))),
    );
    sending[channel].catch(() => {});
  };

  const frames: KernelClient["frames"] = (type, content, { metadata = {}, buffers = [], parent = {} } = {}) => {
    const header = newHeader(type, session);
    const parts = [header, parent, metadata, content].map((part) => Buffer.from(JSON.stringify(part)));
    return [
      Buffer.from(DELIMITER),
      Buffer.from(sign(connection.key, parts)),
      ...parts,
      ...buffers.map((b) => Buffer.from(b)),
    ];
  };

  const send: KernelClient["send"] = (type, content, options = {}) => {
    const all = frames(type, content, options);
    raw(all, options.channel);
    return (JSON.parse(String(all[2])) as { msg_id: string }).msg_id;
  };

  const waitFor: KernelClient["waitFor"] = (predicate, { timeout = 20_000 } = {}) => {
    const there = received.find(predicate);
    if (there) return Promise.resolve(there);
    return new Promise((resolve, reject) => {
      const listener = (message: KernelMessage) => {
        if (!predicate(message)) return;
        clearTimeout(timer);
        listeners.delete(listener);
        resolve(message);
      };
      const timer = setTimeout(() => {
        listeners.delete(listener);
        const last = received.slice(-8).map(({ channel, type, content }) => `${channel} ${type} ${brief(content)}`);
        reject(new Error(`The kernel did not send it within ${timeout} ms. The last it sent:\n${last.join("\n")}`));
      }, timeout);
      listeners.add(listener);
    });
  };

  const request: KernelClient["request"] = (type, content = {}, options = {}) => {
    const id = send(type, content, options);
    const channel = options.channel ?? "shell";
    return waitFor((message) => message.channel === channel && message.parent.msg_id === id, options);
  };

  const start: KernelClient["start"] = (code, { answer, timeout = 20_000, ...fields } = {}) => {
    const began = performance.now();
    const id = send("execute_request", {
      code,
      silent: false,
      store_history: !fields.silent,
      user_expressions: {},
      allow_stdin: answer !== undefined,
      stop_on_error: true,
      ...fields,
    });
    const mine = ({ parent }: KernelMessage) => parent.msg_id === id;
    const onInput = (message: KernelMessage) => {
      if (!answer || message.type !== "input_request" || !mine(message)) return;
      const value = answer(message.content.prompt, message.content.password);
      send("input_reply", { status: "ok", value }, { channel: "stdin", parent: message.header });
    };
    listeners.add(onInput);
    const finish = async () => {
      const [reply] = await Promise.all([
        waitFor((message) => message.channel === "shell" && mine(message), { timeout }),
        waitFor((message) => mine(message) && isStatus(message, "idle"), { timeout }),
      ]);
      const seconds = (performance.now() - began) / 1000;
      return execution(
        reply,
        received.filter((message) => message.channel === "iopub" && mine(message)),
        seconds,
      );
    };
    return { id, done: finish().finally(() => listeners.delete(onInput)) };
  };

  return {
    session,
    received,
    send,
    request,
    start,
    execute: (code, options) => start(code, options).done,
    interrupt: () => request("interrupt_request", {}, { channel: "control" }),
    raw,
    frames,
    waitFor,
    heartbeat: (timeout = 5_000) => heartbeat(address(connection.hb_port), timeout),
    close: () => {
      for (const socket of [...Object.values(sockets), iopub]) socket.close();
    },
  };
}

/** True for a `status` message with that state. */
export function isStatus(message: KernelMessage, state: "busy" | "idle" | "starting"): boolean {
  return message.type === "status" && message.content.execution_state === state;
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

function execution(reply: KernelMessage, iopub: readonly KernelMessage[], seconds: number): Execution {
  const outputs = iopub.filter(({ type }) => type !== "status" && type !== "execute_input");
  const text = (name: string) =>
    outputs
      .filter(({ type, content }) => type === "stream" && content.name === name)
      .map(({ content }) => content.text as string)
      .join("");
  const result = outputs.find(({ type }) => type === "execute_result")?.content.data["text/plain"] as
    | string
    | undefined;
  return { reply, outputs, iopub, seconds, stdout: text("stdout"), stderr: text("stderr"), result };
}

function newHeader(type: string, session: string): Record<string, string> {
  return {
    msg_id: randomUUID(),
    session,
    username: "tester",
    date: new Date().toISOString(),
    msg_type: type,
    version: "5.4",
  };
}

/** @throws Error where the signature is wrong */
function parse(channel: Channel, frames: readonly Buffer[], key: string): KernelMessage {
  const at = frames.findIndex((frame) => frame.toString("latin1") === DELIMITER);
  const signature = String(frames[at + 1]);
  const parts = frames.slice(at + 2, at + 6);
  if (at < 0 || signature !== sign(key, parts)) throw new Error(`A message on ${channel} is not signed as it should.`);
  const [header, parent, metadata, content] = parts.map((part) => JSON.parse(part.toString()));
  return {
    channel,
    type: header.msg_type,
    header,
    parent: parent ?? {},
    metadata,
    content,
    buffers: frames.slice(at + 6),
    idents: frames.slice(0, at).map(String),
    signature,
  };
}

function sign(key: string, parts: readonly Buffer[]): string {
  if (key === "") return "";
  const hmac = createHmac("sha256", key);
  for (const part of parts) hmac.update(part);
  return hmac.digest("hex");
}

async function receiveAll(socket: Dealer | Subscriber, take: (frames: readonly Buffer[]) => void): Promise<void> {
  try {
    for await (const frames of socket) take(frames);
  } catch (error) {
    if (!socket.closed) throw error;
  }
}

async function heartbeat(address: string, timeout: number): Promise<number> {
  const socket = new Request({ linger: 0, receiveTimeout: timeout });
  socket.connect(address);
  try {
    const began = performance.now();
    await socket.send("ping");
    const [pong] = await socket.receive();
    if (String(pong) !== "ping") throw new Error(`The heartbeat came back as ${pong}.`);
    return performance.now() - began;
  } finally {
    socket.close();
  }
}

function brief(content: unknown): string {
  return JSON.stringify(content).slice(0, 200);
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listening()));
  const ports = servers.map(({ port }) => port);
  for (const { close } of servers) close();
  await sleep(10);
  return ports;
}

function listening(): Promise<{ readonly port: number; readonly close: () => void }> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      if (address && typeof address === "object") resolve({ port: address.port, close: () => void server.close() });
      else reject(new Error("no port"));
    });
  });
}
