import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cacheFolder } from "../kernel/cache-folder";
import type { Url } from "../storage";

/** What sessions know of a server that shows runs. Its token is not among that. */
interface KnownServer {
  /** The folder of logs that it shows. */
  readonly folder: string;
  readonly port: number;
  readonly pid: number;
}

function noteFile(): string {
  return join(cacheFolder(), "history-server.json");
}

/** Lets the sessions of this user know a server. @returns a function that takes it back */
export function announceServer(server: { readonly folder: Url; readonly port: number }): () => void {
  const known: KnownServer = { ...server, pid: process.pid };
  try {
    mkdirSync(dirname(noteFile()), { recursive: true });
    writeFileSync(noteFile(), JSON.stringify(known), { mode: 0o600 });
  } catch {
    // Its own link works all the same.
    return () => {};
  }
  return () => {
    if (knownServer()?.pid === process.pid) rmSync(noteFile(), { force: true });
  };
}

/** Where a browser sees a run, if a server shows its folder; the token is asked for there once. */
export function pageOfRun(folder: Url, id: string): string | undefined {
  const known = knownServer();
  return known?.folder === folder ? `http://127.0.0.1:${known.port}/run/${encodeURIComponent(id)}` : undefined;
}

function knownServer(): KnownServer | undefined {
  try {
    const known = JSON.parse(readFileSync(noteFile(), "utf8")) as Partial<KnownServer>;
    const { folder, port, pid } = known;
    if (typeof folder !== "string" || typeof port !== "number" || typeof pid !== "number") return undefined;
    process.kill(pid, 0);
    return { folder, port, pid };
  } catch {
    return undefined;
  }
}
