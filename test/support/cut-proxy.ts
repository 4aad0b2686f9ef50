import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A network between a client and a server that can be cut: what is sent then waits, and nobody is told. */
export interface CutProxy {
  /** `http://127.0.0.1:port/`. */
  readonly baseUrl: string;
  /** Bytes that came to the server. */
  readonly sent: number;
  cut(): void;
  restore(): void;
  /** Ends every connection there is; new ones are taken. */
  drop(): void;
  /** Does so by itself whenever so many more bytes came from the server. */
  dropEvery(bytes: number): void;
  stop(): Promise<void>;
}

/** @param target the server's address */
export async function cutProxy(target: string): Promise<CutProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let isCut = false;
  let sent = 0;
  let dropsEvery = Number.POSITIVE_INFINITY;
  let received = 0;
  const drop = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const join = (from: Socket, to: Socket) => {
    sockets.add(from);
    from.on("data", (chunk) => void to.write(chunk));
    from.on("error", () => undefined);
    from.on("close", () => {
      sockets.delete(from);
      if (!isCut) to.destroy();
    });
    if (isCut) from.pause();
  };
  const server = createServer((client) => {
    const there = connect(Number(port), hostname);
    client.on("data", (chunk) => {
      sent += chunk.byteLength;
    });
    join(client, there);
    join(there, client);
    there.on("data", (chunk) => {
      received += chunk.byteLength;
      if (received < dropsEvery) return;
      received = 0;
      drop();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    get sent() {
      return sent;
    },
    cut() {
      isCut = true;
      for (const socket of sockets) socket.pause();
    },
    restore() {
      isCut = false;
      for (const socket of sockets) socket.resume();
    },
    drop,
    dropEvery(bytes) {
      dropsEvery = bytes;
      received = 0;
    },
    stop: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
