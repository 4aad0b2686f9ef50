import type { Place, Reading } from "../storage";
import { CorruptParquetError, EncryptedParquetError } from "./errors";
import { readThriftStruct, type ThriftStruct, type ThriftValue } from "./thrift";

/** What a Parquet file says of itself, from its footer alone. */
export interface ParquetFooter {
  readonly rows: number;
  /** Rows of each row group. */
  readonly rowGroups: readonly number[];
  readonly metadata: ReadonlyMap<string, string>;
  readonly createdBy: string;
  /** The top-level columns. */
  readonly columns: readonly SchemaNode[];
  /** How values are packed, over all column chunks. */
  readonly codecs: ReadonlySet<string>;
  readonly encodings: ReadonlySet<string>;
  /** Bytes of the footer itself. */
  readonly length: number;
  /** The footer as it was written, for who makes another one of it. */
  readonly bytes: Uint8Array;
}

/** A column or a group of them, as in Parquet's own schema. */
export interface SchemaNode {
  readonly name: string;
  readonly repetition: "required" | "optional" | "repeated";
  /** Absent for a group. */
  readonly physical?: PhysicalType;
  /** Bytes of a FIXED_LEN_BYTE_ARRAY. */
  readonly length: number;
  readonly logical?: LogicalType;
  readonly children: readonly SchemaNode[];
}

const PHYSICAL = [
  "BOOLEAN",
  "INT32",
  "INT64",
  "INT96",
  "FLOAT",
  "DOUBLE",
  "BYTE_ARRAY",
  "FIXED_LEN_BYTE_ARRAY",
] as const;
export type PhysicalType = (typeof PHYSICAL)[number];

export type TimeUnit = "MILLIS" | "MICROS" | "NANOS";

/** What values mean; the older annotations are told in the newer ones' words. */
export type LogicalType =
  | {
      readonly kind:
        | "STRING"
        | "MAP"
        | "LIST"
        | "ENUM"
        | "DATE"
        | "NULL"
        | "JSON"
        | "BSON"
        | "UUID"
        | "FLOAT16"
        | "INTERVAL";
    }
  | { readonly kind: "DECIMAL"; readonly precision: number; readonly scale: number }
  | { readonly kind: "TIME" | "TIMESTAMP"; readonly utc: boolean; readonly unit: TimeUnit }
  | { readonly kind: "INTEGER"; readonly bits: number; readonly signed: boolean }
  /** A type younger than this reader, such as VARIANT. */
  | { readonly kind: "OTHER"; readonly name: string };

/** A footer of this size or less comes with the first read. */
const TAIL_BYTES = 64 * 1024;

const text = new TextDecoder();

/**
 * Reads a file's footer, by this package's own reader: no damage can do more than raise an error.
 * @param size as a listing has it; absent: it is looked up
 * @throws CorruptParquetError @throws EncryptedParquetError
 */
export async function readParquetFooter(
  { storage, url }: Place,
  size?: number,
  reading?: Reading,
): Promise<ParquetFooter> {
  const status = size ?? (await storage.stat(url));
  const bytes = typeof status === "number" ? status : status === undefined || status === "folder" ? 0 : status.size;
  // An empty file is what a full disk or a killed copy leaves.
  if (status !== undefined && bytes === 0) throw new CorruptParquetError(url, "the file is empty");
  const tail = await storage.readRange(url, Math.max(0, bytes - TAIL_BYTES), bytes, reading);
  const needed = footerIn(tail, bytes, url);
  if (typeof needed !== "number") return needed;
  const head = await storage.readRange(url, bytes - needed, bytes - tail.length, reading);
  return footerOfBytes(Buffer.concat([head, tail]), url, bytes);
}

/**
 * The footer of a file whose bytes, or whose last ones with the whole footer, are at hand.
 * @throws CorruptParquetError @throws EncryptedParquetError
 */
export function footerOfBytes(tail: Uint8Array, url: string, size = tail.length): ParquetFooter {
  if (size === 0) throw new CorruptParquetError(url, "the file is empty");
  const footer = footerIn(tail, size, url);
  // The file became shorter while it was read.
  if (typeof footer === "number") throw new CorruptParquetError(url, "it is cut short");
  return footer;
}

/** The footer in a file's last bytes; how many are needed, where these are too few. */
function footerIn(tail: Uint8Array, size: number, url: string): ParquetFooter | number {
  const mark = text.decode(tail.subarray(-4));
  if (mark === "PARE") throw new EncryptedParquetError(url);
  if (mark !== "PAR1" || size < 12) throw new CorruptParquetError(url, "it does not end as a Parquet file does");
  const length = new DataView(tail.buffer, tail.byteOffset + tail.length - 8).getUint32(0, true);
  if (length + 12 > size) throw new CorruptParquetError(url, "its footer is longer than the file");
  if (length + 8 > tail.length) return length + 8;
  try {
    // A copy: what came with the footer goes.
    const bytes = tail.slice(tail.length - 8 - length, tail.length - 8);
    return parseFooter(readThriftStruct(bytes), url, bytes);
  } catch (error) {
    throw error instanceof RangeError ? new CorruptParquetError(url, error) : error;
  }
}

/** Field ids are those of parquet.thrift. @see https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift */
function parseFooter(file: ThriftStruct, url: string, bytes: Uint8Array): ParquetFooter {
  if (file.has(8)) throw new EncryptedParquetError(url);
  const groups = structs(file.get(4));
  const codecs = new Set<string>();
  const encodings = new Set<string>();
  for (const chunk of groups.flatMap((group) => structs(group.get(1)))) {
    if (chunk.has(8)) throw new EncryptedParquetError(url);
    const meta = struct(chunk.get(3));
    codecs.add(named(CODECS, meta.get(4)));
    for (const encoding of list(meta.get(2))) encodings.add(named(ENCODINGS, encoding));
  }
  const rowGroups = groups.map((group) => count(group.get(3)));
  const rows = rowGroups.reduce((sum, n) => sum + n, 0);
  const said = count(file.get(3));
  // parquet-rs 0.3 wrote 0 for the whole file. Spark goes by the groups too.
  if (said !== rows && said !== 0) throw new RangeError("its row groups do not add up to its rows");
  return {
    rows,
    rowGroups,
    metadata: new Map(structs(file.get(5)).map((pair) => [string(pair.get(1)), string(pair.get(2))])),
    createdBy: string(file.get(6)),
    columns: schemaTree(structs(file.get(2))),
    codecs,
    encodings,
    length: bytes.length,
    bytes,
  };
}

/** Parquet lists its schema depth first, each group with the number of its children. */
function schemaTree(elements: readonly ThriftStruct[]): readonly SchemaNode[] {
  let next = 0;
  const read = (depth: number): SchemaNode => {
    const element = elements[next++];
    if (element === undefined || depth > 100) throw new RangeError("its schema is cut short");
    // The root is a group, though segmentio's parquet-go gives it a type.
    const type = depth === 0 ? undefined : element.get(1);
    const children = typeof type === "number" ? 0 : count(element.get(5) ?? 0);
    return {
      name: string(element.get(4)),
      repetition: (["required", "optional", "repeated"] as const)[Number(element.get(3) ?? 0)] ?? "required",
      ...(typeof type === "number" ? { physical: physical(type) } : {}),
      length: Number(element.get(2) ?? 0),
      ...logicalPart(element),
      children: Array.from({ length: Math.min(children, elements.length) }, () => read(depth + 1)),
    };
  };
  const root = read(0);
  if (next !== elements.length) throw new RangeError("its schema has columns that belong nowhere");
  return root.children;
}

function physical(type: number): PhysicalType {
  const found = PHYSICAL[type];
  if (found === undefined) throw new RangeError(`its schema has a column of type ${type}`);
  return found;
}

function logicalPart(element: ThriftStruct): { readonly logical?: LogicalType } {
  const logical =
    element.get(10) instanceof Map ? logicalType(element.get(10) as ThriftStruct) : convertedType(element);
  return logical ? { logical } : {};
}

function logicalType(union: ThriftStruct): LogicalType | undefined {
  const [id, value] = [...union][0] ?? [];
  if (id === undefined || !(value instanceof Map)) return undefined;
  const fields = value as ThriftStruct;
  switch (id) {
    case 5:
      return { kind: "DECIMAL", scale: Number(fields.get(1)), precision: Number(fields.get(2)) };
    case 7:
    case 8: {
      const unit =
        (["MILLIS", "MICROS", "NANOS"] as const)[([...struct(fields.get(2)).keys()][0] ?? 1) - 1] ?? "MILLIS";
      return { kind: id === 7 ? "TIME" : "TIMESTAMP", utc: fields.get(1) === true, unit };
    }
    case 10:
      return { kind: "INTEGER", bits: Number(fields.get(1)), signed: fields.get(2) === true };
    default: {
      const kind = LOGICAL[id];
      return kind ? { kind } : { kind: "OTHER", name: YOUNGER[id] ?? `logical type ${id}` };
    }
  }
}

const LOGICAL = {
  1: "STRING",
  2: "MAP",
  3: "LIST",
  4: "ENUM",
  6: "DATE",
  11: "NULL",
  12: "JSON",
  13: "BSON",
  14: "UUID",
  15: "FLOAT16",
} as Readonly<Record<number, Exclude<LogicalType["kind"], "DECIMAL" | "TIME" | "TIMESTAMP" | "INTEGER" | "OTHER">>>;

const YOUNGER: Readonly<Record<number, string>> = { 16: "VARIANT", 17: "GEOMETRY", 18: "GEOGRAPHY" };

function convertedType(element: ThriftStruct): LogicalType | undefined {
  const converted = element.get(6);
  if (typeof converted !== "number") return undefined;
  if (converted >= 11 && converted <= 18) {
    return { kind: "INTEGER", bits: 8 << ((converted - 11) % 4), signed: converted >= 15 };
  }
  if (converted === 5) {
    return { kind: "DECIMAL", scale: Number(element.get(7) ?? 0), precision: Number(element.get(8) ?? 0) };
  }
  const simple = (["STRING", "MAP", "MAP", "LIST", "ENUM"] as const)[converted];
  if (simple) return { kind: simple };
  switch (converted) {
    case 6:
      return { kind: "DATE" };
    case 7:
    case 8:
      return { kind: "TIME", utc: true, unit: converted === 7 ? "MILLIS" : "MICROS" };
    case 9:
    case 10:
      return { kind: "TIMESTAMP", utc: true, unit: converted === 9 ? "MILLIS" : "MICROS" };
    case 19:
      return { kind: "JSON" };
    case 20:
      return { kind: "BSON" };
    case 21:
      return { kind: "INTERVAL" };
    default:
      return undefined;
  }
}

const CODECS = ["UNCOMPRESSED", "SNAPPY", "GZIP", "LZO", "BROTLI", "LZ4", "ZSTD", "LZ4_RAW"];
const ENCODINGS = [
  "PLAIN",
  "",
  "PLAIN_DICTIONARY",
  "RLE",
  "BIT_PACKED",
  "DELTA_BINARY_PACKED",
  "DELTA_LENGTH_BYTE_ARRAY",
  "DELTA_BYTE_ARRAY",
  "RLE_DICTIONARY",
  "BYTE_STREAM_SPLIT",
];

function named(names: readonly string[], value: ThriftValue | undefined): string {
  return names[Number(value)] || `number ${String(value)}`;
}

function struct(value: ThriftValue | undefined): ThriftStruct {
  if (value instanceof Map) return value as ThriftStruct;
  throw new RangeError("its footer lacks a part");
}

function list(value: ThriftValue | undefined): readonly ThriftValue[] {
  return Array.isArray(value) ? (value as readonly ThriftValue[]) : [];
}

function structs(value: ThriftValue | undefined): ThriftStruct[] {
  return list(value).map(struct);
}

function string(value: ThriftValue | undefined): string {
  return value instanceof Uint8Array ? text.decode(value) : "";
}

function count(value: ThriftValue | undefined): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new RangeError("its footer has a count that is none");
}
