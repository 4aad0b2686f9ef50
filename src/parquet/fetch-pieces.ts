import { throwIfAborted } from "../errors";
import type { Place, Reading } from "../storage";
import { type ByteBudget, byteBudget } from "../storage/byte-budget";
import { CorruptParquetError } from "./errors";
import type { Piece } from "./slice";

/**
 * Bytes between two pieces that are read along rather than asked for apart: more where there would be very many requests, up to
 * Hadoop's `fs.s3a.vectored.read.min.seek.size`.
 */
const GAP_BYTES = [16 * 1024, 128 * 1024] as const;

/** Beyond so many requests a wider gap is tried. */
const FEW_REQUESTS = 256;

/** Most bytes of one request; more go side by side. */
const REQUEST_BYTES = 8 * 1024 * 1024;

/** What is on its way at once, of one file or of all that share a budget. */
export function fetchBudget(): ByteBudget {
  return byteBudget(64 * 1024 * 1024, 32);
}

interface Request {
  readonly start: number;
  end: number;
  readonly pieces: Piece[];
}

/**
 * Reads pieces of a file in few requests.
 * @param budget shared by files that are read together
 * @param take gets the bytes, in any order, and the place in the slice where they go; a long piece comes in parts
 */
export async function fetchPieces(
  { storage, url }: Place,
  pieces: readonly Piece[],
  take: (bytes: Uint8Array, to: number) => Promise<void> | void,
  reading?: Reading,
  budget: ByteBudget = fetchBudget(),
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
    await Promise.all(
      requestsOf(pieces).map((request) => budget.use(request.end - request.start, () => fetched(request))),
    );
  } catch (error) {
    // The other requests' answers are of no use.
    stop.abort(error);
    throw error;
  }
}

function requestsOf(pieces: readonly Piece[]): Request[] {
  const sorted = [...pieces].sort((a, b) => a.from - b.from);
  let requests: Request[] = [];
  for (const gap of GAP_BYTES) {
    requests = joined(sorted, gap);
    if (requests.length <= FEW_REQUESTS) break;
  }
  return requests;
}

function joined(sorted: readonly Piece[], gap: number): Request[] {
  const requests: Request[] = [];
  for (const piece of sorted) {
    for (let start = piece.from; start < piece.from + piece.length; ) {
      const last = requests.at(-1);
      const joins = last && start - last.end <= gap && last.end - last.start < REQUEST_BYTES;
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
