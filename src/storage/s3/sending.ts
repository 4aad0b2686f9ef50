import { Readable } from "node:stream";
import type { PutObjectCommand, UploadPartCommand } from "@aws-sdk/client-s3";

/** What is shorter is one piece. */
const PIECE_BYTES = 256 * 1024;

interface Arguments {
  readonly request: { body?: unknown };
}

/**
 * Has a command's body go up piece by piece, and tells of each that the network has taken: a long upload is not silent. What is signed
 * stays as it is.
 */
export function toldInPieces<Command extends PutObjectCommand | UploadPartCommand>(
  command: Command,
  alive: () => void,
): Command {
  const cutUp = (next: (args: Arguments) => Promise<never>) => (args: Arguments) => {
    const { body } = args.request;
    if (body instanceof Uint8Array && body.length > PIECE_BYTES) args.request.body = Readable.from(pieces(body, alive));
    return next(args);
  };
  // What comes last before the request is sent.
  const { middlewareStack } = command as PutObjectCommand;
  middlewareStack.add(cutUp as never, { step: "deserialize", priority: "low", name: "toldInPieces" });
  return command;
}

function* pieces(body: Uint8Array, alive: () => void): Generator<Uint8Array> {
  for (let at = 0; at < body.length; at += PIECE_BYTES) {
    alive();
    yield body.subarray(at, at + PIECE_BYTES);
  }
}
