import { join } from "node:path";
import { type ShippedFile, sha256Of } from "../data/shipped-file";
import { localStorage } from "../storage/local-storage";
import { locationUrl } from "../storage/location";
import type { Spool } from "./spool";

/** Puts bytes where workers fetch them, under a name made of their content: what is there already is not written again. */
export async function ship(content: Uint8Array, spool: Spool): Promise<ShippedFile> {
  const sha256 = sha256Of(content);
  const url = locationUrl({ scheme: "file", path: join(spool.folder, `shipped-${sha256}`) });
  if ((await localStorage.stat(url)) === undefined) await localStorage.writeFile(url, content);
  return { url, sha256, bytes: content.byteLength };
}
