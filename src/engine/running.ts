import { CancelledError, throwIfAborted } from "../errors";
import { SessionStoppedError } from "./errors";

/** The work of an engine that `interrupt` and `close` end. */
export interface Running {
  /** Runs work with a signal of its own, which the caller's, `interrupt` and `close` abort. @throws SessionStoppedError after `close` */
  tracked<T>(signal: AbortSignal | undefined, run: (signal: AbortSignal) => Promise<T>, of?: unknown): Promise<T>;
  /** The same for work that others do piece by piece: until `end` is called. */
  begun(signal: AbortSignal | undefined, of?: unknown): { readonly signal: AbortSignal; readonly end: () => void };
  /** Ends all work in a `CancelledError`, and waits until it has ended. */
  interrupt(): Promise<void>;
  /** Ends all work, and lets none begin. False where that was done before. */
  close(): boolean;
  readonly isClosed: boolean;
}

export function running(): Running {
  /** What runs, with what it is of: that is kept meanwhile, and what it has shipped with it. */
  const all = new Map<AbortController, { readonly ended: Promise<void>; readonly of: unknown }>();
  let closed = false;
  const begun: Running["begun"] = (signal, of) => {
    throwIfAborted(signal);
    if (closed) throw new SessionStoppedError();
    const abort = new AbortController();
    const onAbort = () => abort.abort(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    let tellEnded = () => {};
    const ended = new Promise<void>((resolve) => {
      tellEnded = resolve;
    });
    all.set(abort, { ended, of });
    const end = () => {
      all.delete(abort);
      signal?.removeEventListener("abort", onAbort);
      tellEnded();
    };
    return { signal: abort.signal, end };
  };
  return {
    get isClosed() {
      return closed;
    },
    begun,
    async tracked(signal, run, of) {
      const work = begun(signal, of);
      try {
        return await run(work.signal);
      } finally {
        work.end();
      }
    },
    async interrupt() {
      for (const abort of all.keys()) abort.abort(new CancelledError("Interrupted."));
      await Promise.all([...all.values()].map(({ ended }) => ended));
    },
    close() {
      if (closed) return false;
      closed = true;
      for (const abort of all.keys()) abort.abort(new SessionStoppedError());
      return true;
    },
  };
}
