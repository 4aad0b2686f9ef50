import { join } from "node:path";
import { type ShippedFile, sha256Of } from "../data/shipped-file";
import type { Storages } from "../storage";
import type { Spool } from "./spool";

/** Puts bytes where workers fetch them, under a name made of their content: what is there already is not written again. */
export async function ship(content: Uint8Array, spool: Spool, storages: Storages): Promise<ShippedFile> {
  const sha256 = sha256Of(content);
  const { storage, url } = storages.at(join(spool.folder, `shipped-${sha256}`));
  if ((await storage.stat(url)) === undefined) await storage.writeFile(url, content);
  return { url, sha256, bytes: content.byteLength };
}
