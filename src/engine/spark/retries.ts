import { setTimeout as sleep } from "node:timers/promises";
import { Code } from "@connectrpc/connect";
import { PomonaError } from "../../errors";
import { type CallStatus, isOfClass, statusOf } from "./status";

/** Spark's default policy, for what a server answers: fifteen tries, at least ten minutes. */
const MAX_RETRIES = 15;
const FIRST_WAIT_MS = 50;
const MULTIPLIER = 4;
const MAX_WAIT_MS = 60_000;
const JITTER_MS = 500;
const JITTER_FROM_MS = 2000;
/** A server that isn't reached is not burdened: it is tried more often, for as long. */
const MAX_UNREACHED_WAIT_MS = 5000;
const MAX_UNREACHED_MS = 600_000;
/** The most that a server may ask for. */
const MAX_SERVER_WAIT_MS = 600_000;

/** After which the user is to know what is waited for. */
const TOLD_AFTER_MS = 5000;

/** For how long a server that never answered is tried: it is more likely not there than busy. */
const FIRST_CONTACT_MS = 5000;

/** What retries need to know of the channel. */
export interface RetryContext {
  /** True once the server has answered to anything. */
  readonly wasHeard: boolean;
  /** Has the token asked for again. False where none can be had. */
  forgetToken(): boolean;
  /** Told before each wait: what failed, in a line; and once for how long it will be tried, where that takes a while. */
  onRetry(why: string, isLong?: true): void;
}

/** The tries of one call. */
export interface Retries {
  /** Waits before the next try. @throws what was thrown, where another try is of no use, or the last; the signal's reason once it is aborted */
  after(thrown: unknown): Promise<void>;
  /** Something came: what fails from here on is another fault. */
  heard(): void;
}

export function retries(context: RetryContext, signal: AbortSignal | undefined): Retries {
  let begun = Date.now();
  let tries = 0;
  let renewals = 0;
  let isTold = false;
  return {
    async after(thrown) {
      signal?.throwIfAborted();
      const status = statusOf(thrown);
      // Of this side: what made the request failed.
      if (status.cause.cause instanceof PomonaError) throw status.cause.cause;
      if (isRefused(status) && renewals === 0 && context.forgetToken()) {
        renewals++;
        return;
      }
      if (!isRetryable(status)) throw thrown;
      const wait = waitBefore(status, tries);
      const passed = Date.now() - begun + wait;
      if (!context.wasHeard && (isNoServer(status) || passed > FIRST_CONTACT_MS)) throw thrown;
      if (status.isFromServer ? tries >= MAX_RETRIES : passed > MAX_UNREACHED_MS) throw thrown;
      tries++;
      if (passed > TOLD_AFTER_MS && !isTold) {
        isTold = true;
        context.onRetry(`${status.text}; it is tried for ten minutes, until it answers or you interrupt`, true);
      }
      context.onRetry(`${status.text}; trying again in ${(wait / 1000).toFixed(1)} s (${tries})`);
      await sleep(wait, undefined, signal === undefined ? {} : { signal }).catch(() => signal?.throwIfAborted());
    },
    heard() {
      begun = Date.now();
      tries = 0;
      renewals = 0;
      isTold = false;
    },
  };
}

function waitBefore(status: CallStatus, tries: number): number {
  const most = status.isFromServer ? MAX_WAIT_MS : MAX_UNREACHED_WAIT_MS;
  const wait = Math.min(FIRST_WAIT_MS * MULTIPLIER ** tries, most);
  const jitter = wait >= JITTER_FROM_MS ? Math.random() * JITTER_MS : 0;
  return Math.max(wait + jitter, Math.min(status.retryDelayMs ?? 0, MAX_SERVER_WAIT_MS));
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

/** The server ended the one request, and not the connection: Spark 3.5 does so to a message above its limit, without a word of why. */
export function isReset(status: CallStatus): boolean {
  return !status.isFromServer && status.text.includes("CANCEL (0x8)");
}

/** 401, 403 and gRPC's words for them. */
export function isRefused(status: CallStatus): boolean {
  return (
    status.code === Code.Unauthenticated || (status.code === Code.PermissionDenied && status.errorClass === undefined)
  );
}

/** Something listens there that speaks no HTTP/2, or is not who it should be. */
export function isNoServer(status: CallStatus): boolean {
  return /protocol error|ERR_HTTP2_ERROR|wrong version number|closed at once/i.test(status.text) || isUntrusted(status);
}

/** Its certificate is none that this machine trusts for its address, by OpenSSL's words or Node's. */
export function isUntrusted(status: CallStatus): boolean {
  return !status.isFromServer && /certificate|altnames/i.test(status.text);
}
