import { throwIfAborted } from "../errors";
import type { Place, Reading } from "../storage";
import { mapConcurrently } from "../storage/concurrently";
import { CorruptParquetError } from "./errors";
import type { Piece } from "./slice";

/** Bytes between two pieces that are read along rather than asked for apart: Hadoop's `fs.s3a.vectored.read.min.seek.size`. */
const GAP_BYTES = 128 * 1024;

/** Most bytes of one request; more go side by side. */
const REQUEST_BYTES = 8 * 1024 * 1024;

/** Requests at once, and so 64 MiB on their way. */
const REQUESTS_AT_ONCE = 8;

interface Request {
  readonly start: number;
  end: number;
  readonly pieces: Piece[];
}

/**
 * Reads pieces of a file in few requests.
 * @param take gets the bytes, in any order, and the place in the slice where they go; a long piece comes in parts
 */
export async function fetchPieces(
  { storage, url }: Place,
  pieces: readonly Piece[],
  take: (bytes: Uint8Array, to: number) => Promise<void> | void,
  reading?: Reading,
): Promise<void> {
  const stop = new AbortController();
  const signal = reading?.signal ? AbortSignal.any([reading.signal, stop.signal]) : stop.signal;
  const fetched = async ({ start, end, pieces }: Request) => {
    throwIfAborted(reading?.signal);
    signal.throwIfAborted();
    const bytes = await storage.readRange(url, start, end, { ...reading, signal });
    if (bytes.length !== end - start) throw new CorruptParquetError(url, "it is cut short");
    for (const piece of pieces) {
      const from = Math.max(piece.from, start);
      const to = Math.min(piece.from + piece.length, end);
      await take(bytes.subarray(from - start, to - start), piece.to + from - piece.from);
    }
  };
  try {
    await mapConcurrently(requestsOf(pieces), REQUESTS_AT_ONCE, fetched);
  } catch (error) {
    // The other requests' answers are of no use.
    stop.abort(error);
    throw error;
  }
}

function requestsOf(pieces: readonly Piece[]): Request[] {
  const requests: Request[] = [];
  const sorted = [...pieces].sort((a, b) => a.from - b.from);
  for (const piece of sorted) {
    for (let start = piece.from; start < piece.from + piece.length; ) {
      const last = requests.at(-1);
      const joins = last && start - last.end <= GAP_BYTES && last.end - last.start < REQUEST_BYTES;
      const end = Math.min(piece.from + piece.length, (joins ? last.start : start) + REQUEST_BYTES);
      if (joins && end > start) {
        last.end = Math.max(last.end, end);
        last.pieces.push(piece);
        start = end;
      } else {
        const until = Math.min(piece.from + piece.length, start + REQUEST_BYTES);
        requests.push({ start, end: until, pieces: [piece] });
        start = until;
      }
    }
  }
  return requests;
}
