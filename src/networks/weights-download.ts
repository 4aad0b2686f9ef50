import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { PomonaError, throwIfAborted } from "../errors";

export interface DownloadProgress {
  readonly url: string;
  readonly receivedBytes: number;
  /** Undefined where the server does not say. */
  readonly totalBytes: number | undefined;
}

/** Thrown when a download is not, byte for byte, what its publisher states; nothing of it is kept. */
export class WeightsChecksumError extends PomonaError {
  constructor(
    readonly url: string,
    readonly expected: string,
    readonly found: string,
  ) {
    super(`What ${url} sent has the MD5 ${found}, and the published file has ${expected}.`, {
      remedy: "Try again, or give the path of a file that you trust as `weights`.",
      retryable: true,
    });
  }
}

export interface DownloadOptions {
  readonly md5?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
}

/** A server that sends nothing for this long is given up. */
const SILENCE_MS = 30_000;

/**
 * Downloads `url` to `target`, which is there only when the download is whole and its checksum right.
 * @returns why there is no such download; undefined when there is
 * @throws WeightsChecksumError, CancelledError
 */
export async function download(
  url: string,
  target: string,
  { md5, signal, onProgress }: DownloadOptions,
): Promise<{ reason: string; cause?: unknown } | undefined> {
  const partial = `${target}.${process.pid}.partial`;
  await mkdir(dirname(target), { recursive: true });
  const watchdog = watchSilence();
  try {
    const stop = signal ? AbortSignal.any([signal, watchdog.signal]) : watchdog.signal;
    const response = await fetch(url, { signal: stop });
    if (!response.ok || !response.body) return { reason: `HTTP ${response.status} ${response.statusText}`.trim() };
    const totalBytes = Number(response.headers.get("content-length")) || undefined;
    const hash = createHash("md5");
    let receivedBytes = 0;
    const count = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        watchdog.heard();
        hash.update(chunk);
        receivedBytes += chunk.length;
        onProgress?.({ url, receivedBytes, totalBytes });
        done(null, chunk);
      },
    });
    await pipeline(Readable.fromWeb(response.body as never), count, createWriteStream(partial), { signal: stop });
    const found = hash.digest("hex");
    if (md5 && found !== md5) throw new WeightsChecksumError(url, md5, found);
    await rename(partial, target);
    return undefined;
  } catch (error) {
    throwIfAborted(signal);
    if (error instanceof PomonaError) throw error;
    return { reason: reasonOf(error), cause: error };
  } finally {
    watchdog.end();
    await rm(partial, { force: true });
  }
}

function watchSilence() {
  const controller = new AbortController();
  const abort = () => controller.abort(new Error(`nothing came for ${SILENCE_MS / 1000} s`));
  const timer = setTimeout(abort, SILENCE_MS);
  return { signal: controller.signal, heard: () => void timer.refresh(), end: () => clearTimeout(timer) };
}

/** `fetch` says "fetch failed" and hides the reason in its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error && cause.message ? cause.message : error.message;
}
