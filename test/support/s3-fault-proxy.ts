import { createServer, type IncomingMessage, request as requestTo, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { S3Fault } from "./s3-faults";
import { type S3Request, s3Request } from "./s3-requests";

/** Which requests meet a fault. */
export interface S3Rule {
  /** One or more operations. @default all */
  readonly operation?: string | readonly string[];
  /** What the key must match. @default all */
  readonly key?: RegExp;
  /** What else must hold. */
  readonly when?: (request: S3Request) => boolean;
  /** The first ones that pass unharmed. @default 0 */
  readonly skip?: number;
  /** How many meet it. @default all */
  readonly times?: number;
  /** What is done first, while the request waits. */
  readonly before?: () => Promise<unknown>;
  /** @default none: the request goes on as it is */
  readonly fault?: S3Fault;
}

/** Stands between a client and an S3 server, counts what goes through, and does what it was told to it. */
export interface S3FaultProxy {
  readonly endpoint: string;
  /** What came since the last `reset`, in that order. */
  readonly requests: readonly S3Request[];
  /** Adds a rule; the first that fits a request counts. Returns how many requests it has met. */
  fault(rule: S3Rule): () => number;
  /** Forgets rules and requests. */
  reset(): void;
  /** How often each operation was asked. */
  counts(): Record<string, number>;
  /** Bytes of answers' bodies that the client was sent. @param operation only its */
  received(operation?: string): number;
  stop(): Promise<void>;
}

/**
 * Starts the proxy on a free port. The server gets every request as it is, with the Host that the client signed.
 * @param endpoint the server's
 */
export async function startFaultProxy(endpoint: string): Promise<S3FaultProxy> {
  const upstream = new URL(endpoint);
  const sockets = new Set<Socket>();
  const requests: S3Request[] = [];
  let rules: { readonly rule: S3Rule; seen: number; met: number }[] = [];

  function ruleFor(request: S3Request): S3Rule | undefined {
    for (const entry of rules) {
      const { operation, key, when, skip = 0, times = Number.POSITIVE_INFINITY } = entry.rule;
      if (operation !== undefined && ![operation].flat().includes(request.operation)) continue;
      if (key !== undefined && !key.test(request.key)) continue;
      if (when !== undefined && !when(request)) continue;
      if (entry.met >= times || entry.seen++ < skip) continue;
      entry.met++;
      return entry.rule;
    }
    return undefined;
  }

  const server = createServer((incoming, response) => {
    const request = s3Request(incoming);
    requests.push(request);
    const { before, fault } = ruleFor(request) ?? {};
    if (fault) request.fault = fault.kind;
    const exchange = { incoming, response, request, upstream };
    const served = before ? before().then(() => serve(exchange, fault)) : serve(exchange, fault);
    served.catch(() => incoming.socket.destroy());
  });
  // A connection may lie idle for as long as a test takes.
  server.keepAliveTimeout = 600_000;
  server.requestTimeout = 0;
  server.on("connection", (socket) => {
    sockets.add(socket);
    // One for each request that comes by it.
    socket.setMaxListeners(0);
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    fault(rule) {
      const entry = { rule, seen: 0, met: 0 };
      rules.push(entry);
      return () => entry.met;
    },
    reset() {
      rules = [];
      requests.length = 0;
    },
    counts() {
      const counted: Record<string, number> = {};
      for (const { operation } of requests) counted[operation] = (counted[operation] ?? 0) + 1;
      return counted;
    },
    received: (operation) =>
      requests
        .filter((request) => operation === undefined || request.operation === operation)
        .reduce((sum, { received }) => sum + received, 0),
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Exchange {
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
  readonly request: S3Request;
  readonly upstream: URL;
}

async function serve(exchange: Exchange, fault: S3Fault | undefined): Promise<void> {
  const { incoming, response, request } = exchange;
  incoming.on("data", (chunk: Buffer) => {
    request.sent += chunk.length;
  });
  if (fault?.kind === "resetUpload") return resetUpload(exchange, fault.bytes);
  if (fault?.kind === "drop" && !fault.after) return void incoming.socket.destroy();
  if (fault?.kind === "answer" && !fault.after) {
    // What is sent is read first: an answer in the middle of it may be lost with the connection.
    await ended(incoming.resume());
    return answer(exchange, fault);
  }
  if (fault?.kind === "stall" && fault.bytes === undefined) return void incoming.resume();
  const answered = await passedOn(exchange);
  if (fault?.kind === "drop") {
    await ended(answered.resume());
    return void incoming.socket.destroy();
  }
  if (fault?.kind === "answer") {
    await ended(answered.resume());
    return answer(exchange, fault);
  }
  if (fault?.kind === "slow") await sleep(fault.milliseconds);
  if (fault?.kind === "hideMissing" && answered.statusCode === 404) {
    await ended(answered.resume());
    return answer(exchange, { status: 403, ...deniedBody(request.method) });
  }
  const headers = fault?.kind === "checksum" ? withWrongChecksum(answered.rawHeaders) : answered.rawHeaders;
  request.status = answered.statusCode ?? 0;
  response.writeHead(request.status, answered.statusMessage, headers);
  await passBody(exchange, answered, fault);
}

/** Passes a request on, header for header, and gives the server's answer. */
function passedOn({ incoming, response, upstream }: Exchange): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = upstream;
    const options = { hostname, port, method: incoming.method, path: incoming.url, agent: false } as const;
    const onward = requestTo({ ...options, headers: incoming.rawHeaders as unknown as Record<string, string> });
    onward.once("error", reject);
    onward.once("response", resolve);
    incoming.pipe(onward);
    // A client that gives up lets the server know.
    response.once("close", () => onward.destroy());
  });
}

/** Sends the answer's body on, as far and as whole as the fault lets it. */
async function passBody({ incoming, response, request }: Exchange, body: AsyncIterable<Buffer>, fault?: S3Fault) {
  const closed = once(response, "close");
  const limit = fault && "bytes" in fault ? (fault.bytes ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
  for await (const chunk of body) {
    const passed = Buffer.from(chunk.subarray(0, Math.max(limit - request.received, 0)));
    if (fault?.kind === "changed" && request.received === 0 && passed.length > 0) passed[0] = (passed[0] as number) ^ 1;
    request.received += passed.length;
    if (passed.length > 0 && !response.write(passed)) await Promise.race([drained(response), closed]);
    if (response.destroyed) return;
    if (request.received < limit) continue;
    // What was written must be out before the end of the connection.
    response.flushHeaders();
    await sleep(20);
    if (fault?.kind === "reset") incoming.socket.resetAndDestroy();
    if (fault?.kind === "cut") incoming.socket.destroySoon();
    if (fault?.kind !== "stall") return;
    await once(incoming.socket, "close");
    return;
  }
  response.end();
}

function resetUpload({ incoming, request }: Exchange, bytes: number): void {
  const check = () => {
    if (request.sent >= bytes) incoming.socket.resetAndDestroy();
  };
  incoming.on("data", check);
  incoming.once("end", () => incoming.socket.resetAndDestroy());
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function answer({ response, request }: Exchange, { status, body, headers }: Answer): void {
  request.status = status;
  // An answer to HEAD has no body: all that it can say are status and headers.
  const shown = request.method === "HEAD" ? "" : body;
  request.received = Buffer.byteLength(shown);
  response.writeHead(status, { ...headers, "content-length": request.received });
  response.end(shown);
}

const deniedBody = (method: string) => ({
  headers: { "content-type": "application/xml" },
  body: method === "HEAD" ? "" : "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>",
});

/** The first character of each checksum's value is another. */
function withWrongChecksum(raw: readonly string[]): string[] {
  return raw.map((text, i) => {
    const isValue = i % 2 === 1 && /^x-amz-checksum-(?!type)/i.test(raw[i - 1] as string);
    return isValue ? `${text.startsWith("A") ? "B" : "A"}${text.slice(1)}` : text;
  });
}

/** @returns when it may be written to again; a listener is left where it is closed before */
async function drained(response: ServerResponse): Promise<void> {
  await once(response, "drain");
}

async function ended(stream: IncomingMessage): Promise<void> {
  if (!stream.readableEnded) await Promise.race([once(stream, "end"), once(stream, "close")]);
}

function once(emitter: NodeJS.EventEmitter, event: string): Promise<void> {
  return new Promise((resolve) => {
    emitter.once(event, () => resolve());
  });
}
