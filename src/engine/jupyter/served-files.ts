import { PassThrough } from "node:stream";
import { CancelledError } from "../../errors";
import { type FileStatus, StorageAccessError, StorageError, type Url, urlOf } from "../../storage";
import { localStorage } from "../../storage/local-storage";
import { isInside, parentOf } from "../../storage/location";
import type { ObservedRead } from "../../storage/observed-reads";
import { type Answered, PIECE_BYTES } from "../../worker/file-messages";
import type { FromHost } from "../../worker/host-messages";
import type { Task } from "../../worker/task";
import { remoteError } from "../../worker/task-errors";
import type { Travel, TravelKind } from "./travel";

/** Files of this machine for workers on machines that don't see them: those that their tasks name, and no others. */
export interface ServedFiles {
  /** The session's files between stages, all of which are for its workers; undefined before there are any. */
  spool: Url | undefined;
  /** Lets a job's tasks read what its plan was found to read. */
  mayRead(jobId: string, reads: readonly ObservedRead[]): void;
  jobEnded(jobId: string): void;
  /** Serves a machine, for as long as it is connected. @param endpoint its name */
  serverFor(endpoint: string): FileServer;
}

export interface FileServer {
  /**
   * Serves the task that runs on a slot, until the function that it returns is called: what was not written whole by then is gone
   * when its promise settles.
   */
  open(slot: number, task: Task): () => Promise<void>;
  /** Answers a message, whose slot is undefined where the machine itself reads what is shipped. */
  answer(message: FileMessage, piece: Uint8Array | undefined): Promise<Answered>;
}

export type FileMessage = Pick<Extract<FromHost, { type: "files" }>, "slot" | "request" | "waited" | "moved">;

/** A file that a worker writes, piece by piece. */
interface Upload {
  write(at: number, piece: Uint8Array): Promise<void>;
  finish(): Promise<number>;
  discard(): Promise<void>;
}

/** A task that runs, with what it writes. */
interface Attempt {
  readonly task: Task;
  readonly uploads: Map<string, Upload>;
}

export function servedFiles(travel: Travel): ServedFiles {
  const reads = new Map<string, readonly ObservedRead[]>();
  /** The files of those, found when a worker first asks. */
  const files = new Map<string, ReadonlySet<Url>>();

  const filesOf = (jobId: string): ReadonlySet<Url> => {
    const known = files.get(jobId) ?? filesIn(reads.get(jobId) ?? []);
    files.set(jobId, known);
    return known;
  };

  /** What a file is to a task; undefined where it is nothing of its. */
  const kindOf = (url: Url, task: Task | undefined): TravelKind | undefined => {
    if (served.spool !== undefined && isInside(url, served.spool)) return task ? "spool" : "shipped";
    if (!task) return undefined;
    return task.input.files.some((file) => file.url === url) || filesOf(task.jobId).has(url) ? "input" : undefined;
  };

  const served: ServedFiles = {
    spool: undefined,
    mayRead: (jobId, found) => void reads.set(jobId, found),
    jobEnded(jobId) {
      reads.delete(jobId);
      files.delete(jobId);
      travel.jobEnded(jobId);
    },
    serverFor: (endpoint) => serverFor(endpoint, kindOf, travel),
  };
  return served;
}

function serverFor(
  endpoint: string,
  kindOf: (url: Url, task: Task | undefined) => TravelKind | undefined,
  travel: Travel,
): FileServer {
  const attempts = new Map<number, Attempt>();

  async function answer(
    { slot, request, ...line }: FileMessage,
    piece: Uint8Array = new Uint8Array(),
  ): Promise<{ readonly status: FileStatus | "folder" | null; readonly piece?: Uint8Array }> {
    const attempt = slot === undefined ? undefined : attempts.get(slot);
    const jobId = attempt?.task.jobId;
    switch (request.op) {
      case "stat":
      case "read": {
        // As text two URLs may differ that mean the same file.
        const url = urlOf(request.url);
        const kind = kindOf(url, attempt?.task);
        if (kind === undefined) throw notServed(url, endpoint);
        const status = await localStorage.stat(url);
        if (request.op === "stat") return { status: status ?? null };
        if (status === undefined || status === "folder") await localStorage.readFile(url);
        const end = Math.min(request.end, request.start + PIECE_BYTES);
        const bytes = await localStorage.readRange(url, request.start, end);
        travel.sent({ endpoint, kind, url, jobId, line, bytes: bytes.byteLength });
        return { status: status as FileStatus, piece: bytes };
      }
      case "write": {
        const { url } = request;
        if (attempt?.task.output.url !== url) throw notServed(url, endpoint);
        const upload = attempt.uploads.get(request.upload) ?? uploadTo(url);
        attempt.uploads.set(request.upload, upload);
        await upload.write(request.at, piece);
        const { publishedAt } = attempt.task.output;
        const kind = publishedAt === undefined ? "spool" : "output";
        travel.received({ endpoint, kind, url: parentOf(publishedAt ?? url), jobId, line, bytes: piece.byteLength });
        return { status: null };
      }
      case "finish": {
        // A file without a byte has no piece.
        if (attempt?.task.output.url !== request.url) throw notServed(request.url, endpoint);
        const upload = attempt.uploads.get(request.upload) ?? uploadTo(request.url);
        attempt.uploads.set(request.upload, upload);
        await upload.finish();
        attempt.uploads.delete(request.upload);
        return { status: null };
      }
      case "discard":
        await attempt?.uploads.get(request.upload)?.discard();
        attempt?.uploads.delete(request.upload);
        return { status: null };
    }
  }

  return {
    open(slot, task) {
      const attempt: Attempt = { task, uploads: new Map() };
      attempts.set(slot, attempt);
      return async () => {
        if (attempts.get(slot) === attempt) attempts.delete(slot);
        await Promise.all([...attempt.uploads.values()].map((upload) => upload.discard()));
      };
    },
    async answer(message, piece) {
      const { request } = message;
      try {
        const { status, piece: read } = await answer(message, piece);
        return { answer: { status }, piece: read };
      } catch (error) {
        const url = "url" in request ? request.url : "";
        return { answer: { failed: { ...remoteError(error), url } } };
      }
    },
  };
}

function uploadTo(url: Url): Upload {
  const stream = new PassThrough({ highWaterMark: PIECE_BYTES });
  // Who reads it is told; that it is discarded before is no fault.
  stream.on("error", () => undefined);
  const written = localStorage.writeStream(url, stream);
  // Who waits for room is not left waiting.
  written.catch(() => stream.destroy());
  let received = 0;
  return {
    async write(at, piece) {
      if (at !== received) throw new StorageError(`A piece of ${url} was lost on the way.`, url, { retryable: true });
      received += piece.byteLength;
      const error = await new Promise<unknown>((taken) => stream.write(piece, taken));
      if (error) await written;
    },
    finish() {
      stream.end();
      return written;
    },
    async discard() {
      stream.destroy(new CancelledError(`${url} is not needed.`));
      await written.catch(() => undefined);
    },
  };
}

function filesIn(reads: readonly ObservedRead[]): ReadonlySet<Url> {
  return new Set(reads.flatMap((read) => (read.kind === "files" ? read.files.map(({ url }) => url) : [])));
}

function notServed(url: string, endpoint: string): StorageAccessError {
  return new StorageAccessError(`${endpoint} may not have ${url}: it is no file of the task that runs there.`, url, {
    remedy: "Read files through the session, such as by session.read, or put them where that machine sees them.",
  });
}
