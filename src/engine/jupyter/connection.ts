import { randomUUID } from "node:crypto";
import type { Socket } from "node:net";
import type WebSocket from "ws";
import { throwIfAborted } from "../../errors";
import { VERSION } from "../../version";
import { type FromHost, type HostHello, type ToHost, WORKER_TARGET } from "../../worker/host-messages";
import type { WorkerLoss } from "../scheduler/errors";
import type { EndpointSettings } from "./endpoint-settings";
import { EndpointAccessError, EndpointKernelError, EndpointUnreachableError, EndpointVersionError } from "./errors";
import { endKernel, startKernel } from "./kernels";
import { authorization, connectionError, failureOf } from "./rest";

/** The way to a kernel that runs tasks on another machine. */
export interface HostConnection {
  readonly hello: HostHello;
  /** @param piece bytes that go with it */
  send(message: ToHost, piece?: Uint8Array): void;
  /** Takes what the host says. */
  onMessage: ((message: FromHost, piece: Uint8Array | undefined) => void) | undefined;
  /** Resolves, once, when it is lost or closed. */
  readonly lost: Promise<HostLoss>;
  /** Keeps this process from ending, until the function that it returns is called: what runs there does, what waits does not. */
  hold(): () => void;
  /** Ends the kernel. */
  close(): Promise<void>;
}

export interface HostLoss {
  /** In a few words. */
  readonly why: string;
  readonly loss: Exclude<WorkerLoss, "thread">;
}

/** How long a kernel may take from its start to its first word, on a machine with much to do. */
const HELLO_MILLISECONDS = 60_000;

/** How often the driver looks whether something came, and in how many looks something must have. */
const LOOK_MILLISECONDS = 1000;
const MOST_SILENT_LOOKS = 15;

/** The newer of the two forms of messages on a Jupyter server's socket. @see https://jupyter-server.readthedocs.io/en/latest/developers/websocket-protocols.html */
const PROTOCOL = "v1.kernel.websocket.jupyter.org";

/** What is asked of the socket's messages here. */
interface KernelMessage {
  readonly channel: string;
  readonly header: { readonly msg_type: string };
  readonly content: Readonly<Record<string, unknown>>;
  readonly buffers?: readonly DataView[];
}

/**
 * Starts a kernel behind an endpoint and connects to it; where that fails no kernel is left.
 * @param start what the host is told first
 * @throws EndpointError, CancelledError
 */
export async function connectHost(
  endpoint: EndpointSettings,
  start: Extract<ToHost, { type: "start" }>,
  signal: AbortSignal,
): Promise<HostConnection> {
  throwIfAborted(signal);
  const id = await startKernel(endpoint, start.leaseMilliseconds, signal);
  try {
    return await connectKernel(endpoint, id, start, signal);
  } catch (error) {
    await endKernel(endpoint, id).catch(() => undefined);
    throw error;
  }
}

function notOurs(name: string): EndpointKernelError {
  return new EndpointKernelError(name, "its kernel runs no tasks: it is none of Pomona, or of an older version.", {
    remedy: `Install Pomona ${VERSION} there and its kernel (pomona kernel install).`,
  });
}

/*
 * Of JupyterLab's services this takes what reads and writes messages. Its KernelConnection keeps promises of its own that are
 * rejected where a kernel dies, and nobody can await them: such a rejection ends a program. And it makes a lost socket whole again,
 * which would lose messages in silence: here a socket that is lost is a lost worker, and what ran there runs elsewhere.
 */
async function connectKernel(
  endpoint: EndpointSettings,
  kernelId: string,
  start: Extract<ToHost, { type: "start" }>,
  signal: AbortSignal,
): Promise<HostConnection> {
  const { serialize, deserialize } = await import("@jupyterlab/services/lib/kernel/serialize");
  const { name } = endpoint;
  const session = randomUUID();
  const commId = randomUUID();
  const address = `${endpoint.url.replace(/^http/, "ws")}/api/kernels/${kernelId}/channels?session_id=${session}`;
  const { web, socket } = await openSocket(endpoint, address, signal);

  const shell = (type: "comm_open" | "comm_msg", content: object, piece?: Uint8Array) => {
    if (web.readyState !== web.OPEN) return;
    const header = {
      msg_id: randomUUID(),
      session,
      username: "pomona",
      date: new Date().toISOString(),
      msg_type: type,
      version: "5.3",
    };
    // Of a view all that lies under it would be sent.
    const buffers = piece === undefined ? [] : [isExact(piece) ? piece : piece.slice()];
    const message = { channel: "shell", header, parent_header: {}, metadata: {}, content, buffers };
    web.send(serialize(message as unknown as Parameters<typeof serialize>[0], web.protocol));
  };

  let holds = 0;
  let closed: Promise<void> | undefined;
  let silentLooks = 0;
  let looks: NodeJS.Timeout | undefined;
  let fail: (error: Error) => void = () => {};
  let tellLost: (lost: HostLoss) => void = () => {};
  const lost = new Promise<HostLoss>((resolve) => {
    tellLost = resolve;
  });
  const lose = (why: string, loss: HostLoss["loss"] = "connection") => {
    clearInterval(looks);
    tellLost({ why, loss });
    fail(new EndpointUnreachableError(name, why));
    web.terminate();
  };

  let greet: (hello: HostHello) => void = () => {};
  const greeting = new Promise<HostHello>((resolve, reject) => {
    greet = resolve;
    fail = reject;
  });
  // It may be lost later, when nobody waits for the greeting.
  greeting.catch(() => undefined);
  const onAbort = () => fail(signal.reason);
  const late = setTimeout(() => {
    fail(
      new EndpointKernelError(name, `its kernel says nothing within ${HELLO_MILLISECONDS / 1000} s.`, {
        retryable: true,
      }),
    );
  }, HELLO_MILLISECONDS);

  const connection: Omit<HostConnection, "hello"> & { hello?: HostHello } = {
    onMessage: undefined,
    send: (message, piece) => shell("comm_msg", { comm_id: commId, data: message }, piece),
    lost,
    hold() {
      if (++holds === 1) socket?.ref();
      return () => {
        if (--holds === 0) socket?.unref();
      };
    },
    close() {
      clearInterval(looks);
      tellLost({ why: "it was closed", loss: "connection" });
      // Told, the server writes nothing more to it, which it would complain of in its log.
      web.close();
      closed ??= endKernel(endpoint, kernelId).finally(() => web.terminate());
      return closed;
    },
  };

  const onComm = (message: FromHost, piece: DataView | undefined) => {
    if (message.type === "hello") greet(message.hello);
    else connection.onMessage?.(message, piece && new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength));
  };
  web.on("message", (data, isBinary) => {
    silentLooks = 0;
    // Most servers hold back a small message until the one before is acknowledged, which takes 40 ms where nothing goes the other way.
    web.pong();
    const received = isBinary ? (data as ArrayBuffer) : data.toString();
    const { header, content, buffers } = deserialize(received as ArrayBuffer, web.protocol) as unknown as KernelMessage;
    if (
      header.msg_type === "status" &&
      ["restarting", "autorestarting", "dead"].includes(String(content.execution_state))
    )
      return lose("its kernel ended", "kernel");
    if (content.comm_id !== commId) return;
    if (header.msg_type === "comm_msg") onComm(content.data as FromHost, buffers?.[0]);
    if (header.msg_type === "comm_close") fail(notOurs(name));
  });
  web.on("error", (error) => lose(failureOf(error)));
  web.on("close", (code) => lose(`the connection was closed (${code})`));
  signal.addEventListener("abort", onAbort, { once: true });
  shell("comm_open", { comm_id: commId, target_name: WORKER_TARGET, data: { version: VERSION } });

  try {
    throwIfAborted(signal);
    const hello = await greeting;
    if (hello.version !== VERSION) throw new EndpointVersionError(name, hello.version, VERSION);
    connection.send(start);
    looks = setInterval(() => {
      // Looks are counted, not time: where this process stood still, what came meanwhile is heard first.
      if (++silentLooks > MOST_SILENT_LOOKS) return lose(`nothing was heard of it for ${MOST_SILENT_LOOKS} s`);
      connection.send({ type: "alive" });
    }, LOOK_MILLISECONDS);
    looks.unref();
    socket?.unref();
    return Object.assign(connection, { hello });
  } catch (error) {
    lose("it was given up");
    throw error;
  } finally {
    clearTimeout(late);
    signal.removeEventListener("abort", onAbort);
  }
}

function isExact({ buffer, byteLength }: Uint8Array): boolean {
  return buffer.byteLength === byteLength;
}

/** Opens a socket to a kernel. @throws EndpointError, CancelledError */
async function openSocket(
  endpoint: EndpointSettings,
  address: string,
  signal: AbortSignal,
  protocols: readonly string[] = [PROTOCOL],
): Promise<{ readonly web: WebSocket; readonly socket: Socket | undefined }> {
  const { WebSocket: Sockets } = await import("ws");
  const { name } = endpoint;
  const web: WebSocket = new Sockets(address, [...protocols], {
    headers: authorization(endpoint),
    handshakeTimeout: 30_000,
    perMessageDeflate: false,
  });
  web.binaryType = "arraybuffer";
  let socket: Socket | undefined;
  let isOlder = false;
  let onAbort = () => {};
  try {
    await new Promise<void>((resolve, reject) => {
      onAbort = () => reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      web.on("upgrade", (response) => {
        socket = response.socket;
      });
      web.on("unexpected-response", (_request, { statusCode = 0 }) =>
        reject(
          statusCode === 401 || statusCode === 403
            ? new EndpointAccessError(name, statusCode, endpoint.tokenFrom)
            : new EndpointUnreachableError(name, `HTTP ${statusCode} for its kernel's socket`),
        ),
      );
      web.on("error", (error) => {
        // A server from before 2022 knows one form of messages alone, and names none.
        isOlder = protocols.length > 0 && error.message === "Server sent no subprotocol";
        reject(connectionError(name, error));
      });
      web.on("open", resolve);
    });
  } catch (error) {
    web.terminate();
    if (isOlder) return openSocket(endpoint, address, signal, []);
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
  return { web, socket };
}
