import { setTimeout as sleep } from "node:timers/promises";
import { Code } from "@connectrpc/connect";
import { type CallStatus, isOfClass, statusOf } from "./status";

/** Spark's default policy: fifteen tries, at least ten minutes. */
const MAX_RETRIES = 15;
const FIRST_WAIT_MS = 50;
const MULTIPLIER = 4;
const MAX_WAIT_MS = 60_000;
const JITTER_MS = 500;
const JITTER_FROM_MS = 2000;
/** The most that a server may ask for. */
const MAX_SERVER_WAIT_MS = 600_000;

/** For how long a server that never answered is tried: it is more likely not there than busy. */
const FIRST_CONTACT_MS = 5000;

/** What retries need to know of the channel. */
export interface RetryContext {
  /** True once the server has answered to anything. */
  readonly wasHeard: boolean;
  /** Has the token asked for again. False where none can be had. */
  forgetToken(): boolean;
  /** Told before each wait: what failed, in a line. */
  onRetry(why: string): void;
}

/** The tries of one call. */
export interface Retries {
  /** Waits before the next try. @throws what was thrown, where another try is of no use, or the last; the signal's reason once it is aborted */
  after(thrown: unknown): Promise<void>;
  /** Something came: what fails from here on is another fault. */
  heard(): void;
}

export function retries(context: RetryContext, signal: AbortSignal | undefined): Retries {
  const begun = Date.now();
  let tries = 0;
  let renewals = 0;
  let next = FIRST_WAIT_MS;
  return {
    async after(thrown) {
      signal?.throwIfAborted();
      const status = statusOf(thrown);
      if (isRefused(status) && renewals === 0 && context.forgetToken()) {
        renewals++;
        return;
      }
      const jitter = next >= JITTER_FROM_MS ? Math.random() * JITTER_MS : 0;
      const wait = Math.max(next + jitter, Math.min(status.retryDelayMs ?? 0, MAX_SERVER_WAIT_MS));
      const isInTime = context.wasHeard || (Date.now() - begun + wait < FIRST_CONTACT_MS && !isNoServer(status));
      if (!isRetryable(status) || tries >= MAX_RETRIES || !isInTime) throw thrown;
      tries++;
      next = Math.min(next * MULTIPLIER, MAX_WAIT_MS);
      context.onRetry(`${status.text}; try ${tries} of ${MAX_RETRIES} in ${(wait / 1000).toFixed(1)} s`);
      await sleep(wait, undefined, signal === undefined ? {} : { signal }).catch(() => signal?.throwIfAborted());
    },
    heard() {
      tries = 0;
      renewals = 0;
      next = FIRST_WAIT_MS;
    },
  };
}

/** `call` until it succeeds, or fails in a way that another try doesn't mend. The call must do no harm twice. */
export async function retried<T>(
  context: RetryContext,
  signal: AbortSignal | undefined,
  call: () => Promise<T>,
): Promise<T> {
  const tries = retries(context, signal);
  for (;;) {
    try {
      return await call();
    } catch (thrown) {
      await tries.after(thrown);
    }
  }
}

function isRetryable(status: CallStatus): boolean {
  if (status.code === Code.Unavailable || status.retryDelayMs !== undefined) return true;
  if (status.isFromServer) return status.code === Code.Internal && isOfClass(status, "INVALID_CURSOR.DISCONNECTED");
  return isBroken(status);
}

/** The connection broke, and the server may not know. */
export function isBroken(status: CallStatus): boolean {
  if (status.isFromServer || status.httpStatus !== undefined) return false;
  if (status.code === Code.Aborted || status.code === Code.Canceled) return true;
  return (
    status.code === Code.Internal &&
    /http\/2|http2|missing|premature|protocol error|session|stream|ended/i.test(status.text)
  );
}

/** 401, 403 and gRPC's words for them. */
export function isRefused(status: CallStatus): boolean {
  return (
    status.code === Code.Unauthenticated || (status.code === Code.PermissionDenied && status.errorClass === undefined)
  );
}

/** Something listens there that speaks no HTTP/2. */
export function isNoServer(status: CallStatus): boolean {
  return /protocol error|ERR_HTTP2_ERROR|wrong version number|closed at once/i.test(status.text);
}
