import { stat } from "node:fs/promises";
import { join } from "node:path";
import { type ShippedFile, sha256Of } from "../data/shipped-file";
import type { Storages } from "../storage";
import { fileUrl } from "../storage/location";
import type { Spool } from "./spool";

/** Puts bytes where workers fetch them, under a name made of their content: what is there already is not written again. */
export async function ship(
  content: Uint8Array | { readonly path: string; readonly sha256: string },
  spool: Spool,
  storages: Storages,
): Promise<ShippedFile> {
  // Workers on this machine read a file where it is.
  if ("path" in content) {
    const { path, sha256 } = content;
    return { url: fileUrl(path), sha256, bytes: (await stat(path)).size };
  }
  const sha256 = sha256Of(content);
  const { storage, url } = storages.at(join(spool.folder, `shipped-${sha256}`));
  if ((await storage.stat(url)) === undefined) await storage.writeFile(url, content);
  return { url, sha256, bytes: content.byteLength };
}
