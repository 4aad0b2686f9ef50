import type { Url } from "./location";

/** A request that is tried again. */
export interface StorageRetry {
  readonly url: Url;
  /** Such as `GetObject`. */
  readonly operation: string;
  /** Why, in a few words without anything secret. */
  readonly why: string;
  /** The first repetition is 1. */
  readonly retry: number;
  /** Milliseconds until then. */
  readonly delay: number;
}

export type RetryListener = (retry: StorageRetry) => void;
