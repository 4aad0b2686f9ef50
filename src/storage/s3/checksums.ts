import { createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { crc32 } from "node:zlib";

/** As S3 writes it. */
export function crc32Of(bytes: Uint8Array): string {
  const four = Buffer.allocUnsafe(4);
  four.writeUInt32BE(crc32(bytes));
  return four.toString("base64");
}

/** @throws where an answer has a checksum that is not its content's; that of an upload's parts together can't be told from the content */
export async function verify(headers: IncomingHttpHeaders, bytes: Uint8Array): Promise<void> {
  for (const [name, checksumOf] of Object.entries(CHECKSUMS)) {
    const told = headers[`x-amz-checksum-${name}`];
    if (typeof told !== "string" || /-\d+$/.test(told)) continue;
    const found = await checksumOf(bytes);
    if (found !== told) throw new Error(`Checksum mismatch: expected "${found}" but received "${told}"`);
    return;
  }
}

const hashOf = (name: string) => (bytes: Uint8Array) => createHash(name).update(bytes).digest("base64");

const CHECKSUMS: Readonly<Record<string, (bytes: Uint8Array) => string | Promise<string>>> = {
  crc32: crc32Of,
  sha256: hashOf("sha256"),
  sha1: hashOf("sha1"),
  crc32c: async (bytes) => digestOf(new (await import("@aws-sdk/checksums/crc")).Crc32c(), bytes),
  crc64nvme: async (bytes) => digestOf(new (await import("@aws-sdk/checksums/crc")).Crc64Nvme(), bytes),
};

async function digestOf(
  checksum: { update(bytes: Uint8Array): void; digest(): Promise<Uint8Array> },
  bytes: Uint8Array,
): Promise<string> {
  checksum.update(bytes);
  return Buffer.from(await checksum.digest()).toString("base64");
}
