import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Comms } from "./comms";

/** `pomona/worker`, loaded when a driver comes: most kernels never have one. */
const worker = () => require("pomona/worker") as typeof import("pomona/worker");

/** Of `pomona/worker`, which is not loaded for its name. */
const TARGET: typeof import("pomona/worker").WORKER_TARGET = "pomona.worker";

/** How long the server may take to end this kernel. */
const END_MS = 5000;

/** Lets sessions on other machines run tasks here. @param connectionFile this kernel's */
export function hostTasks(comms: Comms, connectionFile: string): void {
  comms.onComm(TARGET, (comm) => worker().serveWorkers(comm, () => void endKernel(connectionFile)));
}

/** Ends this kernel, whose session is gone. By its server, where that is known: of itself it would be started again. */
async function endKernel(connectionFile: string): Promise<void> {
  const server = serverOf(connectionFile);
  const id = /^kernel-(.+)\.json$/.exec(basename(connectionFile))?.[1];
  if (server && id) {
    const headers = server.token ? { Authorization: `token ${server.token}` } : undefined;
    const signal = AbortSignal.timeout(END_MS);
    await fetch(`${server.url}api/kernels/${id}`, { method: "DELETE", headers, signal }).catch(() => undefined);
  }
  process.kill(process.pid, "SIGTERM");
}

interface Server {
  /** Ends in a slash. */
  readonly url: string;
  readonly token: string;
}

/** What the server that started this kernel tells the programs of its user, beside its kernels' connection files. */
function serverOf(connectionFile: string): Server | undefined {
  const pid = process.env.JPY_PARENT_PID ?? String(process.ppid);
  try {
    const file = join(dirname(connectionFile), `jpserver-${pid}.json`);
    const { url, token } = JSON.parse(readFileSync(file, "utf8")) as Partial<Server>;
    return typeof url === "string" && typeof token === "string" ? { url, token } : undefined;
  } catch {
    return undefined;
  }
}
