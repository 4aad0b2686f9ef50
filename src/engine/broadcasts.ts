import { createHash } from "node:crypto";
import { join } from "node:path";
import { localStorage } from "../storage/local-storage";
import { locationUrl } from "../storage/location";
import type { Spool } from "./spool";

/** Puts bytes where workers read them, under a name made of their content: what is there already is not written again. */
export async function writeBroadcast(bytes: Uint8Array, spool: Spool): Promise<string> {
  const name = `broadcast-${createHash("sha256").update(bytes).digest("hex")}.v8`;
  const url = locationUrl({ scheme: "file", path: join(spool.folder, name) });
  if ((await localStorage.stat(url)) === undefined) await localStorage.writeFile(url, bytes);
  return url;
}
