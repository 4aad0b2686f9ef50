import { createHash } from "node:crypto";
import { PomonaError } from "../errors";

/**
 * Bytes that workers fetch when they need them, such as a broadcast value, a user's module or a network's weights: a task names
 * them, and stays small whatever they hold. Plain data; what is the same has the same `sha256`, and is sent once.
 */
export type ShippedFile = {
  readonly url: string;
  /** Of the content, in hexadecimal digits. */
  readonly sha256: string;
  /** How many bytes it has. */
  readonly bytes: number;
};

/** What a worker fetched is not what the driver shipped. */
export class ShippedFileError extends PomonaError {}

/** @throws ShippedFileError for other bytes than were shipped */
export function checkShipped(file: ShippedFile, content: Uint8Array): Uint8Array {
  if (content.byteLength === file.bytes && sha256Of(content) === file.sha256) return content;
  throw otherContent(file, content.byteLength);
}

/** The same of a stream, at its end: what was written of it is thrown away then. */
export async function* checkedShipped(
  file: ShippedFile,
  content: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of content) {
    hash.update(chunk);
    bytes += chunk.byteLength;
    yield chunk;
  }
  if (bytes !== file.bytes || hash.digest("hex") !== file.sha256) throw otherContent(file, bytes);
}

function otherContent({ url, bytes }: ShippedFile, found: number): ShippedFileError {
  return new ShippedFileError(`${url} holds ${found} bytes that are not the ${bytes} that were shipped.`, {
    remedy: "Something changed the session's files while it ran, or the disk is full: start the session anew.",
    retryable: true,
  });
}

/** Of bytes, or of a text in UTF-8, in hexadecimal digits. */
export function sha256Of(content: Uint8Array | string): string {
  return createHash("sha256").update(content).digest("hex");
}
