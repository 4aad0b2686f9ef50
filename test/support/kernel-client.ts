import { randomUUID } from "node:crypto";
import { performance } from "node:perf_hooks";
import { Dealer, Request, Subscriber } from "zeromq";
import type { ConnectionInfo } from "../../kernel-ext/src/messages";
import { type Channel, framesOf, idOf, isStatus, type KernelMessage, parse } from "./kernel-messages";

export interface SendOptions {
  /** @default "shell" */
  readonly channel?: "shell" | "control" | "stdin";
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly buffers?: readonly Uint8Array[];
  readonly parent?: Readonly<Record<string, string>>;
  /** How long to wait for the reply, in milliseconds. @default 120000 */
  readonly timeout?: number;
}

export interface ExecuteOptions {
  readonly silent?: boolean;
  readonly store_history?: boolean;
  readonly user_expressions?: Readonly<Record<string, string>>;
  readonly allow_stdin?: boolean;
  readonly stop_on_error?: boolean;
  /** Of the request, such as JupyterLab's `{ cellId }`. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Answers what the code asks for; without it, requests for input stay open. */
  readonly answer?: (prompt: string, password: boolean) => string;
  /** @default 120000 */
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
  /** Resolves once the kernel has read all that was sent on shell before. */
  arrived(): Promise<unknown>;
  /** Resolves with what a cell prints first, which says that it has begun. */
  prints(id: string): Promise<KernelMessage>;
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

/** A client of a kernel that runs. It does not wait for the kernel. @param session its identity, where it is to have another client's */
export function openClient(connection: ConnectionInfo, session: string = randomUUID()): KernelClient {
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

  const frames: KernelClient["frames"] = (type, content, { metadata, buffers, parent } = {}) =>
    framesOf({ type, content, metadata, buffers, parent }, session, connection.key);

  const send: KernelClient["send"] = (type, content, options = {}) => {
    const all = frames(type, content, options);
    raw(all, options.channel);
    return idOf(all);
  };

  const waitFor: KernelClient["waitFor"] = (predicate, { timeout = 120_000 } = {}) => {
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

  const start: KernelClient["start"] = (code, { answer, timeout = 120_000, metadata = {}, ...fields } = {}) => {
    const began = performance.now();
    const content = {
      code,
      silent: false,
      store_history: !fields.silent,
      user_expressions: {},
      allow_stdin: answer !== undefined,
      stop_on_error: true,
      ...fields,
    };
    const id = send("execute_request", content, { metadata });
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
    arrived: () => request("kernel_info_request"),
    prints: (id) => waitFor(({ type, parent }) => type === "stream" && parent.msg_id === id),
    interrupt: () => request("interrupt_request", {}, { channel: "control" }),
    raw,
    frames,
    waitFor,
    heartbeat: (timeout = 120_000) => heartbeat(address(connection.hb_port), timeout),
    close: () => {
      for (const socket of [...Object.values(sockets), iopub]) socket.close();
    },
  };
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
