import type { Place, Reading } from "../storage";
import type { ByteBudget } from "../storage/byte-budget";
import { chunkHead } from "./chunk-head";
import { fetchPieces } from "./fetch-pieces";
import type { ChunkHead, ChunkInfo, GroupHead, SliceableFooter } from "./slice";

/** A row group of fewer bytes comes as a whole, with one request or two. */
const SMALL_BYTES = 512 * 1024;

/** What is asked for of a chunk at least: the page or two in which the first rows are, or enough of a large one. */
const LEAST_BYTES = 64 * 1024;

/** Most that is kept in memory. */
const MOST_BYTES = 64 * 1024 * 1024;

/** Pages of a group are about as many bytes for a row; some have more. */
const MARGIN = 1.25;

export interface HeadWanted {
  readonly group: number;
  /** Positions of top-level columns. */
  readonly columns: readonly number[];
  readonly rows: number;
}

/** Fetches the pages in which a row group's first rows are. */
export async function groupHead(
  place: Place,
  { groups, leaves: leavesOf, leafNodes }: SliceableFooter,
  { group, columns, rows }: HeadWanted,
  reading: Reading,
  budget: ByteBudget,
): Promise<GroupHead | undefined> {
  const { chunks, rows: of } = groups[group]!;
  const leaves = leavesIn(columns, leavesOf);
  const wanted = leaves.map((leaf) => chunks[leaf]!);
  const bytes = headBytes(wanted, rows, of);
  if (!bytes) return undefined;
  let to = 0;
  const pieces = bytes.map((length, i) => {
    const piece = { from: wanted[i]!.start, length, to };
    to += length;
    return piece;
  });
  const starts = new Uint8Array(to);
  await fetchPieces(place, pieces, (part, at) => starts.set(part, at), reading, budget);
  const headOf = async (leaf: number, isExact: boolean) => {
    const chunk = wanted[leaves.indexOf(leaf)]!;
    const piece = pieces[leaves.indexOf(leaf)]!;
    let have = starts.subarray(piece.to, piece.to + piece.length);
    const more = async (end: number) => {
      const longer = new Uint8Array(end);
      longer.set(have);
      const rest = { from: chunk.start + have.length, length: end - have.length, to: have.length };
      await fetchPieces(place, [rest], (part, at) => longer.set(part, at), reading, budget);
      have = longer;
      return longer;
    };
    return chunkHead(chunk, leafNodes[leaf]!, { rows, isExact }, have, more);
  };
  const found = await Promise.all(
    columns.map((column) => columnHeads(leavesIn([column], leavesOf), leafNodes, headOf)),
  );
  return { rows, chunks: new Map(found.flat()) };
}

/**
 * The heads of a column's chunks; none where one of them has to be taken as it is and they have to go together: DuckDB reads as
 * many values of each part of a list.
 */
export async function columnHeads(
  leaves: readonly number[],
  leafNodes: SliceableFooter["leafNodes"],
  headOf: (leaf: number, isExact: boolean) => Promise<ChunkHead | undefined>,
): Promise<(readonly [leaf: number, head: ChunkHead])[]> {
  const isExact = leaves.length > 1 && leaves.some((leaf) => leafNodes[leaf]!.repetition > 0);
  const heads = await Promise.all(leaves.map((leaf) => headOf(leaf, isExact)));
  if (isExact && heads.includes(undefined)) return [];
  return heads.flatMap((head, i) => (head ? [[leaves[i]!, head] as const] : []));
}

function leavesIn(columns: readonly number[], leaves: SliceableFooter["leaves"]): number[] {
  return columns.flatMap((column) => {
    const [from, to] = leaves[column]!;
    return Array.from({ length: to - from }, (_, i) => from + i);
  });
}

/** What {@link groupHead} would ask for, without any data. */
export function plannedHead(
  { groups, leaves: leavesOf }: SliceableFooter,
  { group, columns, rows }: HeadWanted,
): GroupHead | undefined {
  const { chunks, rows: of } = groups[group]!;
  const leaves = leavesIn(columns, leavesOf);
  const wanted = leaves.map((leaf) => chunks[leaf]!);
  const bytes = headBytes(wanted, rows, of);
  if (!bytes) return undefined;
  const planned = bytes.map((length, i) => {
    const { values, uncompressed } = wanted[i]!;
    return [leaves[i]!, { bytes: new Uint8Array(length), values, uncompressed }] as const;
  });
  return { rows, chunks: new Map(planned) };
}

/**
 * How many bytes of each chunk are asked for at first.
 * @param chunks those that are needed @param rows needed of how many
 * @returns undefined where it is not worth it to look at pages
 */
function headBytes(chunks: readonly ChunkInfo[], rows: number, of: number): readonly number[] | undefined {
  const first = chunks.map(({ length }) =>
    Math.min(length, Math.max(LEAST_BYTES, Math.ceil((length * rows * MARGIN) / of))),
  );
  const [needed, all] = [sum(first), sum(chunks.map(({ length }) => length))];
  return rows < of && all > SMALL_BYTES && needed <= all / 2 && needed <= MOST_BYTES ? first : undefined;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}
