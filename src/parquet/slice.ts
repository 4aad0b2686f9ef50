import { open } from "node:fs/promises";
import type { ParquetFooter, SchemaNode } from "./footer";
import { type Leaf, leavesOf } from "./page-cut";
import { readThriftStruct, type ThriftStruct, type ThriftValue } from "./thrift";
import { type ThriftOut, thriftBytes } from "./thrift-write";

/**
 * Some columns and row groups of a Parquet file as a file of their own: the column chunks byte for byte, one behind the other,
 * and a footer that knows of nothing else. Whoever reads it needs no more than these bytes of the whole, and can't reach others.
 */
export interface ParquetSlice {
  /** Which bytes of the whole go where, by ascending places in both. */
  readonly pieces: readonly Piece[];
  /** What is no part of the whole as it is: starts of chunks whose last page was cut. */
  readonly heads: readonly { readonly bytes: Uint8Array; readonly to: number }[];
  /** What follows them to the end: the footer. */
  readonly tail: Uint8Array;
  /** Bytes. */
  readonly size: number;
  readonly rows: number;
}

export interface Piece {
  /** The first byte in the whole file. */
  readonly from: number;
  readonly length: number;
  /** The first byte in the slice. */
  readonly to: number;
}

/** A row group's place and what is known of its columns. */
export interface RowGroupInfo {
  readonly rows: number;
  /** One for each leaf of the schema, depth first. */
  readonly chunks: readonly ChunkInfo[];
}

export interface ChunkInfo {
  /** Where its pages begin, the dictionary's too. */
  readonly start: number;
  readonly length: number;
  readonly uncompressed: number;
  readonly values: number;
  readonly meta: ThriftStruct;
}

/** The start of a column chunk: whole pages as they are, and the start of the last one as a page of its own. */
export interface ChunkHead {
  readonly bytes: Uint8Array;
  readonly values: number;
  /** Bytes of all pages with their headers, before they are packed. */
  readonly uncompressed: number;
}

/** The first rows of a row group, by its leaves: of one that is not here the whole chunk is needed. */
export interface GroupHead {
  readonly rows: number;
  readonly chunks: ReadonlyMap<number, ChunkHead>;
}

/** A footer, looked at for slices. */
export interface SliceableFooter {
  readonly groups: readonly RowGroupInfo[];
  /** Of each top-level column, its leaves: from the first to before the second. */
  readonly leaves: readonly (readonly [number, number])[];
  /** One for each leaf. */
  readonly leafNodes: readonly Leaf[];
  /**
   * @param columns positions of top-level columns, ascending
   * @param groups positions of row groups, ascending
   * @param heads row groups of which the first rows are enough
   */
  slice(columns: readonly number[], groups: readonly number[], heads?: ReadonlyMap<number, GroupHead>): ParquetSlice;
}

const MAGIC = new TextEncoder().encode("PAR1");

const known = new WeakMap<ParquetFooter, { readonly size: number; readonly found: SliceableFooter | undefined }>();

/**
 * Looks at a footer for slices.
 * @param size of the file
 * @returns undefined where the file's parts are not where a footer usually says: it is read whole
 */
export function sliceable(footer: ParquetFooter, size: number): SliceableFooter | undefined {
  const before = known.get(footer);
  if (before?.size === size) return before.found;
  const found = lookedAt(footer, size);
  known.set(footer, { size, found });
  return found;
}

function lookedAt(footer: ParquetFooter, size: number): SliceableFooter | undefined {
  const file = readThriftStruct(footer.bytes);
  const schema = structs(file.get(2));
  const [root] = schema;
  const leaves: (readonly [number, number])[] = [];
  const elements: (readonly [number, number])[] = [];
  let [leaf, element] = [0, 1];
  for (const column of footer.columns) {
    const [leafCount, elementCount] = sizeOf(column);
    leaves.push([leaf, leaf + leafCount]);
    elements.push([element, element + elementCount]);
    leaf += leafCount;
    element += elementCount;
  }
  if (!root || element !== schema.length) return undefined;
  const padding = lacksDictionaryHeader(footer.createdBy) ? DICTIONARY_HEADER_BYTES : 0;
  const dataEnd = size - footer.length - 8;
  const groups: RowGroupInfo[] = [];
  for (const [i, group] of structs(file.get(4)).entries()) {
    const chunks: ChunkInfo[] = [];
    for (const chunk of structs(group.get(1))) {
      const meta = chunk.get(3);
      // A chunk that lies in another file.
      if (chunk.has(1) || !(meta instanceof Map)) return undefined;
      const info = chunkOf(meta as ThriftStruct, padding, dataEnd);
      if (!info) return undefined;
      chunks.push(info);
    }
    if (chunks.length !== leaf) return undefined;
    groups.push({ rows: footer.rowGroups[i] ?? 0, chunks });
  }
  const orders = structs(file.get(7));

  return {
    groups,
    leaves,
    leafNodes: leavesOf(footer.columns),
    slice(columns, groupsWanted, groupHeads) {
      const leafIds = columns.flatMap((column) => range(leaves[column]));
      const pieces: Piece[] = [];
      const heads: { readonly bytes: Uint8Array; readonly to: number }[] = [];
      let to = MAGIC.length;
      const rowsOf = (id: number) => groupHeads?.get(id)?.rows ?? groups[id]!.rows;
      const rowGroups = groupsWanted.map((id): ThriftOut => {
        const { chunks } = groups[id]!;
        const written = leafIds.map((i) => {
          const chunk = chunks[i]!;
          const head = groupHeads?.get(id)?.chunks.get(i);
          if (head) heads.push({ bytes: head.bytes, to });
          else pieces.push({ from: chunk.start, length: chunk.length, to });
          const moved = chunkStruct(chunk, to, head);
          to += head?.bytes.length ?? chunk.length;
          return moved;
        });
        const uncompressed = leafIds.map((i) => (groupHeads?.get(id)?.chunks.get(i) ?? chunks[i]!).uncompressed);
        return struct([
          [1, list("struct", written)],
          [2, i64(uncompressed.reduce((sum, bytes) => sum + bytes, 0))],
          [3, i64(rowsOf(id))],
        ]);
      });
      const rows = groupsWanted.reduce((sum, id) => sum + rowsOf(id), 0);
      const kept = columns.flatMap((column) => range(elements[column]).map((i) => schema[i]!));
      const rootOut = struct([
        [4, { type: "binary", value: root.get(4) instanceof Uint8Array ? (root.get(4) as Uint8Array) : MAGIC }],
        [5, { type: "i32", value: columns.length }],
      ]);
      const createdBy = file.get(6);
      const footerOut = thriftBytes(
        struct([
          [1, { type: "i32", value: Number(file.get(1) ?? 1) }],
          [2, list("struct", [rootOut, ...kept.map(written)])],
          [3, i64(rows)],
          [4, list("struct", rowGroups)],
          ...(createdBy instanceof Uint8Array ? [[6, { type: "binary", value: createdBy }] as const] : []),
          ...(orders.length === leaf
            ? [
                [
                  7,
                  list(
                    "struct",
                    leafIds.map((i) => written(orders[i]!)),
                  ),
                ] as const,
              ]
            : []),
        ]),
      );
      const tail = new Uint8Array(footerOut.length + 8);
      tail.set(footerOut);
      new DataView(tail.buffer).setUint32(footerOut.length, footerOut.length, true);
      tail.set(MAGIC, footerOut.length + 4);
      return { pieces, heads, tail, size: to + tail.length, rows };
    },
  };
}

/** Writes a slice to a new file of this machine. @param fill writes its pieces: bytes, and their place */
export async function writeSlice(
  path: string,
  slice: ParquetSlice,
  fill: (write: (bytes: Uint8Array, to: number) => Promise<void>) => Promise<void>,
): Promise<void> {
  const file = await open(path, "wx");
  const write = async (bytes: Uint8Array, to: number) => {
    for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at, bytes.length - at, to + at)).bytesWritten;
  };
  try {
    await write(MAGIC, 0);
    for (const { bytes, to } of slice.heads) await write(bytes, to);
    await fill(write);
    await write(slice.tail, slice.size - slice.tail.length);
  } finally {
    await file.close();
  }
}

/** A slice in memory, whose pieces are yet to be filled in. */
export function sliceBytes(slice: ParquetSlice): Uint8Array {
  const whole = new Uint8Array(slice.size);
  whole.set(MAGIC);
  for (const { bytes, to } of slice.heads) whole.set(bytes, to);
  whole.set(slice.tail, slice.size - slice.tail.length);
  return whole;
}

/** parquet-mr before 1.2.9 left the header of the dictionary out of a chunk's length. @see https://issues.apache.org/jira/browse/PARQUET-816 */
function lacksDictionaryHeader(createdBy: string): boolean {
  if (!createdBy.startsWith("parquet-mr")) return false;
  const [, major, minor, patch] = /version (\d+)\.(\d+)\.(\d+)/.exec(createdBy) ?? [];
  if (major === undefined) return true;
  return Number(major) * 1e6 + Number(minor) * 1e3 + Number(patch) < 1_002_009;
}

/** As parquet-cpp does. */
const DICTIONARY_HEADER_BYTES = 100;

function chunkOf(meta: ThriftStruct, padding: number, dataEnd: number): ChunkInfo | undefined {
  const data = meta.get(9);
  const dictionary = meta.get(11);
  const length = meta.get(7);
  if (typeof data !== "number" || typeof length !== "number") return undefined;
  // Some writers say 0 where there is none.
  const start = typeof dictionary === "number" && dictionary > 0 && dictionary < data ? dictionary : data;
  const end = Math.min(start + length + padding, dataEnd);
  if (start < MAGIC.length || length <= 0 || start + length > dataEnd || data >= end) return undefined;
  return { start, length: end - start, uncompressed: number(meta.get(6)), values: number(meta.get(5)), meta };
}

/** A chunk's entry in the footer, moved; without what lies outside of it: indexes, Bloom filters. */
function chunkStruct({ meta, start }: ChunkInfo, to: number, head?: ChunkHead): ThriftOut {
  const by = to - start;
  const fields: (readonly [number, ThriftOut])[] = [];
  for (const [id, value] of [...meta].sort(([a], [b]) => a - b)) {
    switch (id) {
      case 1:
      case 4:
        fields.push([id, { type: "i32", value: number(value) }]);
        break;
      case 2:
        fields.push([
          id,
          list(
            "i32",
            (value as readonly ThriftValue[]).map((v) => ({ type: "i32", value: number(v) })),
          ),
        ]);
        break;
      case 3: {
        const names = value as readonly Uint8Array[];
        fields.push([
          id,
          list(
            "binary",
            names.map((name) => ({ type: "binary", value: name })),
          ),
        ]);
        break;
      }
      case 5:
        fields.push([id, i64(head?.values ?? number(value))]);
        break;
      case 6:
        fields.push([id, i64(head?.uncompressed ?? number(value))]);
        break;
      case 7:
        fields.push([id, i64(head?.bytes.length ?? number(value))]);
        break;
      case 9:
        fields.push([id, i64(number(value) + by)]);
        break;
      case 11:
        if (number(value) === start) fields.push([id, i64(to)]);
        break;
      // How many are null, and how many pages there are, is said of all.
      case 12:
        if (!head) fields.push([id, written(value as ThriftStruct)]);
        break;
      case 13:
        if (!head) fields.push([id, list("struct", structs(value).map(written))]);
        break;
    }
  }
  return struct([
    [2, i64(to)],
    [3, struct(fields)],
  ]);
}

/** Leaves, and elements of the schema, of a column. */
function sizeOf(node: SchemaNode): readonly [leaves: number, elements: number] {
  if (node.physical !== undefined) return [1, 1];
  let [leaves, elements] = [0, 1];
  for (const child of node.children) {
    const [l, e] = sizeOf(child);
    leaves += l;
    elements += e;
  }
  return [leaves, elements];
}

function range([from, to]: readonly [number, number] = [0, 0]): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

function structs(value: ThriftValue | undefined): ThriftStruct[] {
  return Array.isArray(value) ? (value.filter((item) => item instanceof Map) as unknown as ThriftStruct[]) : [];
}

function number(value: ThriftValue | undefined): number {
  return typeof value === "number" ? value : 0;
}

function i64(value: number): ThriftOut {
  return { type: "i64", value };
}

function list(of: Extract<ThriftOut, { type: "list" }>["of"], items: readonly ThriftOut[]): ThriftOut {
  return { type: "list", of, items };
}

function struct(fields: Extract<ThriftOut, { type: "struct" }>["fields"]): Extract<ThriftOut, { type: "struct" }> {
  return { type: "struct", fields };
}

function written({ bytes }: ThriftStruct): ThriftOut {
  return { type: "written", bytes };
}
