import { createSocket, type Socket } from "node:dgram";
import { createServer } from "node:net";

/** Below those that systems give to who asks for any port, so that no connection and no server of another test comes by one. */
const [FIRST, COUNT] = [20_000, 12_000];

/** What shows other test files that a port is given away. */
const claims: Socket[] = [];

/**
 * Ports of 127.0.0.1 that nobody listens on, and that no other caller is given while this process lives, also not in another test
 * file: this process holds UDP's port of the same number, which nobody uses.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    const claim = await claimed(port);
    if (claim === undefined) continue;
    if (await isFree(port)) {
      claims.push(claim);
      ports.push(port);
    } else claim.close();
  }
  return ports;
}

function claimed(port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket("udp4").unref();
    socket.once("error", () => {
      socket.close();
      resolve(undefined);
    });
    socket.bind({ port, address: "127.0.0.1", exclusive: true }, () => resolve(socket));
  });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
