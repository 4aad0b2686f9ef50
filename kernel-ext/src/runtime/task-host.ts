import { readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { ConnectionInfo } from "../messages";
import type { Comms } from "./comms";
import { leaseOfTasks } from "./worker-session";

/** `pomona/worker`, loaded when a driver comes: most kernels never have one. */
const worker = () => require("pomona/worker") as typeof import("pomona/worker");

/** Of `pomona/worker`, which is not loaded for its name. */
const TARGET: typeof import("pomona/worker").WORKER_TARGET = "pomona.worker";

/** How long the server may take to end this kernel. */
const END_MS = 5000;

/** How long a driver may take at least to speak to the kernel that it has started, on a machine with much to do. */
const FIRST_WORD_MS = 10_000;

/** Lets sessions on other machines run tasks here. @param connectionFile this kernel's */
export function hostTasks(comms: Comms, connectionFile: string): void {
  const end = () => void endKernel(connectionFile);
  const lease = leaseOfTasks();
  // Whoever started it may have been killed before a word.
  const unspoken = lease === undefined ? undefined : setTimeout(end, Math.max(lease, FIRST_WORD_MS)).unref();
  comms.onComm(TARGET, (comm) => {
    clearTimeout(unspoken);
    worker().serveWorkers(comm, end);
  });
}

/**
 * Ends this kernel, whose session is gone. By its server, where that is known; and where it is not or refuses, its server takes it for
 * a kernel that died, and starts it again a few times, each of which ends at once.
 */
async function endKernel(connectionFile: string): Promise<void> {
  markEnded(connectionFile);
  const server = serverOf(connectionFile);
  const id = /^kernel-(.+)\.json$/.exec(basename(connectionFile))?.[1];
  if (server && id) {
    const headers = server.token ? { Authorization: `token ${server.token}` } : undefined;
    const signal = AbortSignal.timeout(END_MS);
    await fetch(`${server.url}api/kernels/${id}`, { method: "DELETE", headers, signal }).catch(() => undefined);
  }
  process.kill(process.pid, "SIGTERM");
}

/** In the connection file, which a kernel that is started again has as it is. */
function markEnded(connectionFile: string): void {
  try {
    const connection = JSON.parse(readFileSync(connectionFile, "utf8")) as ConnectionInfo;
    writeFileSync(connectionFile, JSON.stringify({ ...connection, pomona_ended: true } satisfies ConnectionInfo));
  } catch {
    // Its server has removed the file, and so has done with this kernel.
  }
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
