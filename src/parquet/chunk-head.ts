import { cutPage, dataPage, type Leaf, openedPage, valuesBefore } from "./page-cut";
import type { ChunkHead, ChunkInfo } from "./slice";
import { readThriftStruct, type ThriftStruct, type ThriftValue } from "./thrift";

/** What is read along behind a page's end, for the next one's header and what may be all of it. */
const AHEAD_BYTES = 64 * 1024;

/** How much more of a page is asked for where its start was too short. */
const GROWTH = 4;

/**
 * The pages of a chunk in which its first rows are.
 * @param rows at least so many; where `isExact` so many and no more, of a column of lists
 * @param start the chunk's first bytes
 * @param more gives its bytes up to a place, those that are there included
 * @returns undefined where the chunk has to be taken as it is
 */
export async function chunkHead(
  chunk: ChunkInfo,
  leaf: Leaf,
  { rows, isExact }: { readonly rows: number; readonly isExact: boolean },
  start: Uint8Array,
  more: (to: number) => Promise<Uint8Array>,
): Promise<ChunkHead | undefined> {
  const codec = Number(chunk.meta.get(4) ?? 0);
  let have = start;
  const reach = async (to: number) => {
    if (to > have.length) have = await more(Math.min(to, chunk.length));
  };
  const grow = (from: number, most: number) =>
    reach(Math.min(most, from + Math.max(AHEAD_BYTES, GROWTH * (have.length - from))));
  let [at, seen, values, uncompressed] = [0, 0, 0, 0];
  /** Whether the last of the rows is known to end here. */
  let isWhole = false;

  while (at < chunk.length && (seen < rows || !isWhole)) {
    const header = headerAt(have, at);
    if (!header) {
      if (have.length >= chunk.length) return undefined;
      await grow(at, chunk.length);
      continue;
    }
    const body = at + header.bytes.length;
    const end = body + size(header.get(3));
    if (end > chunk.length) return undefined;
    const pageBytes = header.bytes.length + size(header.get(2));
    const page = dataPage(header, leaf);
    if (!page) {
      if (end > have.length) await reach(end + AHEAD_BYTES);
      [at, uncompressed] = [end, uncompressed + pageBytes];
      continue;
    }
    const wanted = rows - seen;
    const isHere = end <= have.length;
    /** Takes the page as it is. @param begun rows that begin in it, as far as they are wanted */
    const take = async (begun: number, isEnd: boolean) => {
      if (!isHere) await reach(isEnd ? end : end + AHEAD_BYTES);
      [at, seen, isWhole] = [end, seen + begun, isEnd];
      [values, uncompressed] = [values + page.values, uncompressed + pageBytes];
    };
    if (page.rows !== undefined && (page.rows < wanted || (isHere && !isExact) || page.rows === wanted)) {
      await take(page.rows, page.rows >= wanted);
      continue;
    }
    const opened = openedPage(page, have.subarray(body, Math.min(end, have.length)), leaf, codec);
    if (opened === "more" && !isHere) {
      await grow(body, end);
      continue;
    }
    if (typeof opened === "string") {
      if (page.rows === undefined || isExact) return undefined;
      await take(page.rows, true);
      continue;
    }
    // A row may go on in the next page: only where a further one begins it is known to be whole.
    const before =
      leaf.repetition === 0 ? { rows: page.values, values: wanted } : valuesBefore(wanted, page, opened, leaf);
    if (before.values === 0) break;
    const cut =
      before.values === undefined || (isHere && !isExact)
        ? "whole"
        : cutPage(page, opened, leaf, codec, { values: before.values, rows: wanted });
    if (cut === "more" && !isHere) {
      await grow(body, end);
      continue;
    }
    if (typeof cut === "string") {
      if (isExact && before.values !== undefined) return undefined;
      await take(
        before.values === undefined ? before.rows : wanted,
        page.rows !== undefined || before.values !== undefined,
      );
      continue;
    }
    return {
      bytes: Buffer.concat([have.subarray(0, at), cut.bytes]),
      values: values + cut.values,
      uncompressed: uncompressed + cut.uncompressed,
    };
  }
  return seen < rows ? undefined : { bytes: have.subarray(0, at), values, uncompressed };
}

/** A page's header; undefined where the bytes end before. */
function headerAt(bytes: Uint8Array, at: number): ThriftStruct | undefined {
  try {
    return readThriftStruct(bytes.subarray(at));
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function size(value: ThriftValue | undefined): number {
  return typeof value === "number" && value > 0 ? value : 0;
}
