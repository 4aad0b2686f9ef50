import type { SchemaNode } from "./footer";
import { bitsOf, firstNumbers, packedRuns, visitRuns } from "./levels";
import { pageCodec } from "./page-codecs";
import type { ThriftStruct, ThriftValue } from "./thrift";
import { type ThriftOut, thriftBytes } from "./thrift-write";

/** A column of values, with how they are nested. */
export interface Leaf {
  readonly node: SchemaNode;
  /** The highest levels of repetition and of definition. */
  readonly repetition: number;
  readonly definition: number;
}

/** The columns of values in a schema, depth first. */
export function leavesOf(columns: readonly SchemaNode[], repetition = 0, definition = 0): Leaf[] {
  return columns.flatMap((node) => {
    const levels = [
      repetition + (node.repetition === "repeated" ? 1 : 0),
      definition + (node.repetition === "required" ? 0 : 1),
    ] as const;
    return node.physical === undefined
      ? leavesOf(node.children, ...levels)
      : [{ node, repetition: levels[0], definition: levels[1] }];
  });
}

/** What a page of values says of itself. */
export interface DataPage {
  readonly version: 1 | 2;
  readonly values: number;
  /** Absent where only its levels say it. */
  readonly rows?: number;
  readonly encoding: number;
  /** Bytes of its levels, where these are not packed with the values. */
  readonly repetitionBytes: number;
  readonly definitionBytes: number;
  readonly isPacked: boolean;
  /** Whether its levels are runs, as all but the oldest writers make them. */
  readonly hasRuns: boolean;
}

/** @returns undefined for a page of no values: a dictionary, an index. Field ids are those of parquet.thrift `PageHeader`. */
export function dataPage(header: ThriftStruct, leaf: Leaf): DataPage | undefined {
  const v1 = header.get(5);
  const v2 = header.get(8);
  if (header.get(1) === 0 && v1 instanceof Map) {
    const fields = v1 as ThriftStruct;
    const values = count(fields.get(1));
    return {
      version: 1,
      values,
      ...(leaf.repetition === 0 ? { rows: values } : {}),
      encoding: count(fields.get(2)),
      repetitionBytes: 0,
      definitionBytes: 0,
      isPacked: true,
      hasRuns: (leaf.definition === 0 || fields.get(3) === RLE) && (leaf.repetition === 0 || fields.get(4) === RLE),
    };
  }
  if (header.get(1) === 3 && v2 instanceof Map) {
    const fields = v2 as ThriftStruct;
    return {
      version: 2,
      values: count(fields.get(1)),
      rows: count(fields.get(3)),
      encoding: count(fields.get(4)),
      definitionBytes: count(fields.get(5)),
      repetitionBytes: count(fields.get(6)),
      isPacked: fields.get(7) !== false,
      hasRuns: true,
    };
  }
  return undefined;
}

const RLE = 3;

/** A page, or its start, taken apart. */
export interface OpenedPage {
  readonly repetition: Uint8Array;
  readonly definition: Uint8Array;
  /** As many as there are. */
  readonly values: Uint8Array;
}

/**
 * Takes a page apart.
 * @param body its bytes behind the header, or the first of them
 * @returns `more` where the bytes end before the values; `whole` where it is not known how
 */
export function openedPage(page: DataPage, body: Uint8Array, leaf: Leaf, codec: number): OpenedPage | "more" | "whole" {
  const unpack = pageCodec(codec)?.unpackStart;
  if (!page.hasRuns || (page.isPacked && !unpack)) return "whole";
  try {
    if (page.version === 2) {
      const from = page.repetitionBytes;
      const to = from + page.definitionBytes;
      if (body.length < to) return "more";
      const values = body.subarray(to);
      return {
        repetition: body.subarray(0, from),
        definition: body.subarray(from, to),
        values: page.isPacked ? unpack!(values) : values,
      };
    }
    const plain = unpack!(body);
    let at = 0;
    const section = (level: number): Uint8Array | undefined => {
      if (level === 0) return new Uint8Array();
      if (at + 4 > plain.length) return undefined;
      const end = at + 4 + new DataView(plain.buffer, plain.byteOffset + at).getUint32(0, true);
      if (end > plain.length) return undefined;
      const bytes = plain.subarray(at + 4, end);
      at = end;
      return bytes;
    };
    const repetition = section(leaf.repetition);
    const definition = repetition && section(leaf.definition);
    return definition ? { repetition, definition, values: plain.subarray(at) } : "more";
  } catch {
    // What is wrong with a page its reader says.
    return "whole";
  }
}

/**
 * The values of a page before its row `row`, counted among those that begin in it.
 * @returns undefined where none is that far, with the rows that begin in it
 */
export function valuesBefore(row: number, page: DataPage, { repetition }: OpenedPage, leaf: Leaf) {
  let [rows, values] = [0, 0];
  const isThere = visitRuns(repetition, bitsOf(leaf.repetition), (level, times) => {
    const left = page.values - values;
    if (level === 0 && row - rows < Math.min(times, left)) {
      values += row - rows;
      return true;
    }
    if (level === 0) rows += Math.min(times, left);
    values += Math.min(times, left);
    return false;
  });
  return { rows, values: isThere ? values : undefined };
}

/** A page with the first rows of another one. */
export interface CutPage {
  readonly bytes: Uint8Array;
  readonly values: number;
  /** Its bytes, with the header, before they are packed. */
  readonly uncompressed: number;
}

/** @param values how many of its values are kept @param rows how many of its rows these are */
export function cutPage(
  page: DataPage,
  opened: OpenedPage,
  leaf: Leaf,
  codec: number,
  { values, rows }: { readonly values: number; readonly rows: number },
): CutPage | "more" | "whole" {
  const { repetition: repetitionMost, definition: definitionMost } = leaf;
  const repetition = repetitionMost > 0 ? firstNumbers(opened.repetition, bitsOf(repetitionMost), values) : undefined;
  const definition = definitionMost > 0 ? firstNumbers(opened.definition, bitsOf(definitionMost), values) : undefined;
  if ((repetitionMost > 0 && !repetition) || (definitionMost > 0 && !definition)) return "whole";
  const present = definition ? definition.reduce((n, level) => n + (level === definitionMost ? 1 : 0), 0) : values;
  const kept = firstValues(opened.values, present, page.encoding, leaf.node);
  if (typeof kept === "string") return kept;

  const packed = pageCodec(codec)!.pack;
  const levels = [
    repetition && packedRuns(repetition, bitsOf(repetitionMost)),
    definition && packedRuns(definition, bitsOf(definitionMost)),
  ];
  if (page.version === 1) {
    const plain = Buffer.concat([...levels.flatMap((bytes) => (bytes ? [lengthOf(bytes), bytes] : [])), kept]);
    const body = packed(plain);
    const header = pageHeader(plain.length, body.length, [
      5,
      struct([
        [1, i32(values)],
        [2, i32(page.encoding)],
        [3, i32(RLE)],
        [4, i32(RLE)],
      ]),
    ]);
    const bytes = Buffer.concat([header, body]);
    return { bytes, values, uncompressed: header.length + plain.length };
  }
  const [repetitionBytes = new Uint8Array(), definitionBytes = new Uint8Array()] = levels;
  const levelBytes = repetitionBytes.length + definitionBytes.length;
  const body = page.isPacked ? packed(kept) : kept;
  const header = pageHeader(levelBytes + kept.length, levelBytes + body.length, [
    8,
    struct([
      [1, i32(values)],
      [2, i32(values - present)],
      [3, i32(rows)],
      [4, i32(page.encoding)],
      [5, i32(definitionBytes.length)],
      [6, i32(repetitionBytes.length)],
      [7, { type: "bool", value: page.isPacked }],
    ]),
  ]);
  const bytes = Buffer.concat([header, repetitionBytes, definitionBytes, body]);
  return { bytes, values, uncompressed: header.length + levelBytes + kept.length };
}

/** The bytes of the first values: those that lie one behind the other, and those of a dictionary. */
function firstValues(bytes: Uint8Array, count: number, encoding: number, { physical, length }: SchemaNode) {
  switch (encoding) {
    case 0: {
      const end = plainEnd(bytes, count, physical, length);
      return end === undefined ? "whole" : end > bytes.length ? "more" : bytes.subarray(0, end);
    }
    case 2:
    case 8: {
      const width = bytes[0];
      if (count === 0) return Uint8Array.of(width ?? 0);
      if (width === undefined) return "more";
      if (width > 31) return "whole";
      const indices = firstNumbers(bytes.subarray(1), width, count);
      return indices ? Buffer.concat([Uint8Array.of(width), packedRuns(indices, width)]) : "more";
    }
    default:
      return "whole";
  }
}

function plainEnd(bytes: Uint8Array, count: number, physical: SchemaNode["physical"], length: number) {
  switch (physical) {
    case "BOOLEAN":
      return Math.ceil(count / 8);
    case "INT32":
    case "FLOAT":
      return 4 * count;
    case "INT64":
    case "DOUBLE":
      return 8 * count;
    case "INT96":
      return 12 * count;
    case "FIXED_LEN_BYTE_ARRAY":
      return length * count;
    case "BYTE_ARRAY": {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      let at = 0;
      for (let i = 0; i < count; i++) {
        if (at + 4 > bytes.length) return Number.POSITIVE_INFINITY;
        at += 4 + view.getUint32(at, true);
      }
      return at;
    }
    default:
      return undefined;
  }
}

function pageHeader(plain: number, packed: number, [id, fields]: readonly [5 | 8, ThriftOut]): Uint8Array {
  return thriftBytes(
    struct([
      [1, i32(id === 5 ? 0 : 3)],
      [2, i32(plain)],
      [3, i32(packed)],
      [id, fields],
    ]),
  );
}

function lengthOf(bytes: Uint8Array): Uint8Array {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return length;
}

function count(value: ThriftValue | undefined): number {
  return typeof value === "number" && value > 0 ? value : 0;
}

function i32(value: number): ThriftOut {
  return { type: "i32", value };
}

function struct(fields: Extract<ThriftOut, { type: "struct" }>["fields"]): Extract<ThriftOut, { type: "struct" }> {
  return { type: "struct", fields };
}
