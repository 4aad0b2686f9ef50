import {
  type ClientHttp2Stream,
  connect,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo } from "node:net";

/** An HTTP/2 proxy in front of a server, which lets through what has the right token, and answers all else as it was told to. */
export interface TokenProxy {
  readonly port: number;
  /** What the `authorization` header must be. */
  accepts: string;
  /** The headers of requests that came, the last ones last. */
  readonly seen: readonly IncomingHttpHeaders[];
  /** Connections that were made to it. */
  readonly connections: number;
  stop(): Promise<void>;
}

/** How a request without the right token is answered: gRPC's status 16, or an HTTP status. */
export type Refusal = "grpc" | 401 | 403;

export async function tokenProxy(target: string, accepts: string, refusal: Refusal): Promise<TokenProxy> {
  const there = connect(target);
  there.on("error", () => undefined);
  const seen: IncomingHttpHeaders[] = [];
  let connections = 0;
  const server = createServer();
  const sessions = new Set<{ destroy(): void }>();
  server.on("session", (session) => {
    connections++;
    sessions.add(session);
  });
  server.on("stream", (stream: ServerHttp2Stream, headers) => {
    seen.push(headers);
    stream.on("error", () => undefined);
    if (headers.authorization !== proxy.accepts) return refuse(stream, refusal);
    const { ":authority": _, ":scheme": __, ...rest } = headers;
    forward(stream, there.request(rest));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const proxy: TokenProxy = {
    accepts,
    port: (server.address() as AddressInfo).port,
    seen,
    get connections() {
      return connections;
    },
    stop: () =>
      new Promise<void>((resolve) => {
        for (const session of sessions) session.destroy();
        there.destroy();
        server.close(() => resolve());
      }),
  };
  return proxy;
}

function refuse(stream: ServerHttp2Stream, refusal: Refusal): void {
  const status =
    refusal === "grpc"
      ? { ":status": 200, "content-type": "application/grpc", "grpc-status": "16", "grpc-message": "token expired" }
      : { ":status": refusal, "content-type": "text/html" };
  stream.respond(status, { endStream: true });
}

function forward(stream: ServerHttp2Stream, request: ClientHttp2Stream): void {
  let trailers = {};
  request.on("error", () => stream.destroy());
  request.on("trailers", (headers) => {
    trailers = headers;
  });
  request.on("response", (headers, flags) => {
    // Status and trailers in one.
    const endStream = (flags & 1) === 1;
    stream.respond(headers, endStream ? { endStream } : { waitForTrailers: true });
    if (!endStream) {
      stream.on("wantTrailers", () => stream.sendTrailers(trailers));
      request.pipe(stream);
    }
  });
  stream.on("aborted", () => request.close(8));
  stream.pipe(request);
}
