import { createInflate } from "node:zlib";
import { Refusal } from "./refusal";

/**
 * The first `bytes` bytes of a zlib stream, or fewer where it ends before; what follows them is not looked at.
 * @throws Refusal where the stream is damaged, its checksum is wrong, or it is cut short
 */
export function inflate(parts: readonly Uint8Array[], bytes: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    // One output buffer for all: zlib then stops where Pillow stops, and says what Pillow would hear.
    const stream = createInflate({ chunkSize: Math.max(64, bytes) });
    const chunks: Uint8Array[] = [];
    let length = 0;
    const done = () => {
      resolve(chunks.length === 1 ? chunks[0]!.subarray(0, bytes) : Buffer.concat(chunks).subarray(0, bytes));
      stream.destroy();
    };
    stream.on("data", (chunk: Uint8Array) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= bytes) done();
    });
    stream.on("end", done);
    stream.on("error", (error) => reject(new Refusal(`its compressed data is damaged: ${error.message}`)));
    stream.end(parts.length === 1 ? parts[0] : Buffer.concat(parts));
  });
}
