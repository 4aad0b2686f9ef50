import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** Ports of 127.0.0.1 that nobody listens on. */
export async function freePorts(count: number): Promise<number[]> {
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
