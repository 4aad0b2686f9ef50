import { createServer, type Server } from "node:net";
import { UsageError } from "./command";

/** Ports of 127.0.0.1 that nobody listens on; looked for together, so that they differ. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  try {
    return await Promise.all(servers.map((server) => listen(server, "127.0.0.1", 0)));
  } finally {
    for (const server of servers) server.close();
  }
}

/** @throws UsageError where nobody can listen there */
export async function refuseTaken(ip: string, port: number, remedy: string): Promise<void> {
  const server = createServer();
  try {
    await listen(server, ip, port);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const taken =
      code === "EADDRINUSE" ? `Port ${port} is taken.` : `Nothing can listen at ${ip}, port ${port}: ${code}.`;
    throw new UsageError(taken, { cause, remedy });
  }
  await new Promise((done) => server.close(done));
}

/** @returns the port */
function listen(server: Server, ip: string, port: number): Promise<number> {
  return new Promise((done, fail) => {
    server.once("error", fail).listen(port, ip, () => {
      const address = server.address();
      done(typeof address === "object" && address ? address.port : port);
    });
  });
}
