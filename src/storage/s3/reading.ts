import { throwIfAborted } from "../../errors";
import { mapConcurrently } from "../concurrently";
import { FileChangedError } from "../errors";
import type { Url } from "../location";
import type { Reading } from "../storage";
import { addressOf } from "./address";
import { isBeyondEnd, isConditionFailed, type S3Purpose } from "./failures";
import { payer } from "./parameters";
import type { S3Requests } from "./requests";

/** A large object is read by ranges of this size, so many at a time. */
const RANGE_BYTES = 8 * 1024 * 1024;
const RANGES_AT_ONCE = 4;

/** The first range of a stream, which may be all that its reader wants. */
const FIRST_BYTES = 1024 * 1024;

interface Got {
  readonly bytes: Uint8Array;
  /** Of the whole object, where a range was asked for. */
  readonly total: number;
  readonly etag: string | undefined;
}

/** A whole object. */
export async function readObject(requests: S3Requests, url: Url, reading: Reading = {}): Promise<Uint8Array> {
  return (await get(requests, url, undefined, reading)).bytes;
}

/** The bytes from `start` to before `end`, fewer where the object ends before; several requests at once where they are many. */
export async function readObjectRange(
  requests: S3Requests,
  url: Url,
  [start, end]: readonly [start: number, end: number],
  reading: Reading = {},
): Promise<Uint8Array> {
  if (end <= start) return new Uint8Array();
  if (end - start <= 2 * RANGE_BYTES) return (await get(requests, url, [start, end], reading)).bytes;
  const first = await get(requests, url, [start, start + RANGE_BYTES], reading);
  const last = Math.min(end, first.total);
  const bytes = new Uint8Array(Math.max(first.bytes.length, last - start));
  bytes.set(first.bytes);
  const starts: number[] = [];
  for (let at = start + RANGE_BYTES; at < last; at += RANGE_BYTES) starts.push(at);
  await mapConcurrently(starts, RANGES_AT_ONCE, async (at) => {
    const range = [at, Math.min(at + RANGE_BYTES, last)] as const;
    const piece = await get(requests, url, range, { ...reading, version: first.etag });
    bytes.set(piece.bytes, at - start);
  });
  return bytes;
}

/** A whole object piece by piece, a few ranges ahead of who uses them. Changed meanwhile, it is an error and no mixture. */
export async function* streamObject(
  requests: S3Requests,
  url: Url,
  { signal: outer, version }: Reading = {},
): AsyncGenerator<Uint8Array> {
  const stop = new AbortController();
  const signal = outer ? AbortSignal.any([outer, stop.signal]) : stop.signal;
  const ahead: Promise<Got>[] = [];
  try {
    const first = await get(requests, url, [0, FIRST_BYTES], { signal, version });
    if (first.bytes.length > 0) yield first.bytes;
    const { total, etag } = first;
    for (let at = first.bytes.length; at < total || ahead.length > 0; ) {
      while (at < total && ahead.length < RANGES_AT_ONCE) {
        const next = get(requests, url, [at, Math.min(at + RANGE_BYTES, total)], { signal, version: etag });
        // Thrown where it is awaited; who stops before does not care.
        next.catch(() => {});
        ahead.push(next);
        at += RANGE_BYTES;
      }
      yield (await (ahead.shift() as Promise<Got>)).bytes;
      throwIfAborted(outer);
    }
  } finally {
    stop.abort();
  }
}

/** @param range from the first byte to before the last */
async function get(
  requests: S3Requests,
  url: Url,
  range: readonly [start: number, end: number] | undefined,
  { signal, version }: Reading,
): Promise<Got> {
  const { bucket, key } = addressOf(url);
  const purpose: S3Purpose = { url, bucket, verb: "read", operation: "GetObject" };
  const pass = (error: unknown) =>
    (range !== undefined && isBeyondEnd(error)) || (version !== undefined && isConditionFailed(error));
  try {
    return await requests.send(
      purpose,
      async ({ sendDirectly, settings, abortSignal, alive }) => {
        const input = {
          Bucket: bucket,
          Key: key,
          ...(range ? { Range: `bytes=${range[0]}-${range[1] - 1}` } : {}),
          ...(version === undefined ? {} : { IfMatch: version }),
          ...payer(settings),
        };
        const answer = await sendDirectly({ operation: "GetObject", input }, { abortSignal, alive });
        const { bytes, etag } = answer;
        return { bytes, total: Number(/\/(\d+)$/.exec(answer.range ?? "")?.[1] ?? bytes.length), etag };
      },
      { signal, pass },
    );
  } catch (error) {
    if (range !== undefined && isBeyondEnd(error)) return { bytes: new Uint8Array(), total: 0, etag: undefined };
    if (version !== undefined && isConditionFailed(error)) throw new FileChangedError(url);
    throw error;
  }
}
