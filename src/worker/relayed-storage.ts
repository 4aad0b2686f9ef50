import { randomUUID } from "node:crypto";
import { CancelledError, throwIfAborted } from "../errors";
import {
  DiskFullError,
  FileChangedError,
  type FileStatus,
  PathNotFoundError,
  type Reading,
  type Storage,
  StorageAccessError,
  StorageError,
  type Url,
} from "../storage";
import { mapConcurrently } from "../storage/concurrently";
import { renamedDrafts } from "../storage/drafts";
import { localStorage } from "../storage/local-storage";
import { type Answered, type AskFiles, type FileAnswer, PIECE_BYTES } from "./file-messages";

/** Pieces of one file that are asked for, or sent, before the first of them is answered. */
const PIECES_AT_ONCE = 4;

/**
 * The `file:` URLs of a driver on another machine. A file that is here too is read here; any other one by asking the driver for
 * it. What is written goes to the driver, as drafts that it publishes.
 */
export function relayedStorage(ask: AskFiles): Storage {
  const storage: Storage = {
    locks: "lease",
    wholeBytes: PIECE_BYTES,
    filesAtOnce: 64,
    drafts: renamedDrafts(() => ({ ...storage, rename: refused("rename") })),
    stat: async (url) => (await asked(ask({ op: "stat", url }))).status ?? undefined,
    async readFile(url, reading = {}) {
      const seen = await ifSeenHere(url, reading, () => localStorage.readFile(url, reading));
      return seen ?? fetched(url, 0, Number.POSITIVE_INFINITY, reading);
    },
    async readRange(url, start, end, reading = {}) {
      if (end <= start) return new Uint8Array();
      const seen = await ifSeenHere(url, reading, () => localStorage.readRange(url, start, end, reading));
      return seen ?? fetched(url, start, end, reading);
    },
    async *readStream(url, reading = {}) {
      const first = await pieceOf(url, 0, PIECE_BYTES, reading);
      yield first.bytes;
      const { size } = first.status;
      for (let at = first.bytes.byteLength; at < size; at += PIECES_AT_ONCE * PIECE_BYTES) {
        const some = new Uint8Array(Math.min(PIECES_AT_ONCE * PIECE_BYTES, size - at));
        await readPieces(url, at, some, at, reading, first.status);
        yield some;
      }
    },
    async writeFile(url, data) {
      const bytes = typeof data === "string" ? Buffer.from(data) : data;
      await storage.writeStream(url, only(bytes));
    },
    async writeStream(url, chunks, signal) {
      const upload = randomUUID();
      const sent: Promise<unknown>[] = [];
      let at = 0;
      try {
        for await (const piece of pieces(chunks)) {
          throwIfAborted(signal);
          sent.push(asked(ask({ op: "write", upload, url, at }, piece)));
          sent.at(-1)!.catch(() => undefined);
          at += piece.byteLength;
          if (sent.length >= PIECES_AT_ONCE) await sent.shift();
        }
        await Promise.all(sent);
        await asked(ask({ op: "finish", upload, url }));
      } catch (error) {
        void ask({ op: "discard", upload });
        throw error;
      }
      return at;
    },
    list: refused("list"),
    children: refused("list"),
    resolve: refused("resolve"),
    createFile: refused("create"),
    renewFile: refused("renew"),
    copyFile: refused("copy"),
    remove: refused("remove"),
    removeEmptyFolder: refused("remove"),
  };

  /** What this machine reads of a file that is the same one by rsync's rule: its size and the time of its last change. */
  async function ifSeenHere(
    url: Url,
    { listed, version }: Reading,
    read: () => Promise<Uint8Array>,
  ): Promise<Uint8Array | undefined> {
    const here = await localStorage.stat(url).catch(() => undefined);
    if (here === undefined || here === "folder") return undefined;
    if (version === undefined || here.version !== version) {
      const there = listed ?? (await storage.stat(url));
      if (there === undefined || there === "folder") return undefined;
      if (here.size !== there.size || here.modifiedAt !== there.modifiedAt) return undefined;
    }
    // What may not be read here may be there.
    return read().catch(() => undefined);
  }

  /** The bytes from `start` to before `end`, or to the file's end, by the driver. */
  async function fetched(url: Url, start: number, end: number, reading: Reading): Promise<Uint8Array> {
    const { listed = { size: PIECE_BYTES } } = reading;
    const first = await pieceOf(
      url,
      start,
      Math.min(end, start + Math.min(Math.max(listed.size, 1), PIECE_BYTES)),
      reading,
    );
    const bytes = Math.min(end, Math.max(first.status.size, start)) - start;
    if (bytes <= first.bytes.byteLength) return first.bytes;
    const whole = new Uint8Array(bytes);
    whole.set(first.bytes);
    await readPieces(url, start + first.bytes.byteLength, whole, start, reading, first.status);
    return whole;
  }

  async function pieceOf(url: Url, start: number, end: number, { signal }: Reading) {
    throwIfAborted(signal);
    const { status, piece } = await untilAborted(asked(ask({ op: "read", url, start, end })), signal);
    return { bytes: piece ?? new Uint8Array(), status: status as FileStatus };
  }

  /** Reads on into `target`, whose first byte is the file's byte `base`, up to its end. */
  async function readPieces(
    url: Url,
    from: number,
    target: Uint8Array,
    base: number,
    reading: Reading,
    known: FileStatus,
  ): Promise<void> {
    const end = base + target.byteLength;
    const starts = Array.from({ length: Math.ceil((end - from) / PIECE_BYTES) }, (_, i) => from + i * PIECE_BYTES);
    await mapConcurrently(starts, PIECES_AT_ONCE, async (start) => {
      const { bytes, status } = await pieceOf(url, start, Math.min(start + PIECE_BYTES, end), reading);
      const isSame = status.size === known.size && status.modifiedAt === known.modifiedAt;
      if (!isSame || bytes.byteLength < Math.min(start + PIECE_BYTES, end) - start) throw new FileChangedError(url);
      target.set(bytes, start - base);
    });
  }
  return storage;
}

async function asked(answering: Promise<Answered>) {
  const { answer, piece } = await answering;
  if ("failed" in answer) throw errorOf(answer.failed);
  return { status: answer.status, piece };
}

/** A driver's error, as if it had come about here. */
function errorOf({ name, message, url, retryable }: Extract<FileAnswer, { failed: unknown }>["failed"]): Error {
  const kinds = { PathNotFoundError, StorageAccessError, DiskFullError } as const;
  if (name === "CancelledError") return new CancelledError(message);
  const Kind = kinds[name as keyof typeof kinds] ?? StorageError;
  return new Kind(message, url, { retryable });
}

/** Small chunks together and large ones cut: each has PIECE_BYTES, but for the last. */
async function* pieces(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let piece = new Uint8Array(PIECE_BYTES);
  let filled = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.byteLength; ) {
      const some = chunk.subarray(at, at + PIECE_BYTES - filled);
      piece.set(some, filled);
      filled += some.byteLength;
      at += some.byteLength;
      if (filled < PIECE_BYTES) continue;
      yield piece;
      piece = new Uint8Array(PIECE_BYTES);
      filled = 0;
    }
  }
  if (filled > 0) yield piece.slice(0, filled);
}

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** What only a driver does. */
function refused(verb: string) {
  return (url: Url): never => {
    throw new StorageError(`A worker on another machine does not ${verb} files of its driver's, such as ${url}.`, url);
  };
}

/** Waits for an answer for as long as the task is wanted. */
function untilAborted<T>(answer: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return answer;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(new CancelledError("Cancelled.", { cause: signal.reason }));
    signal.addEventListener("abort", onAbort, { once: true });
    void answer.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
