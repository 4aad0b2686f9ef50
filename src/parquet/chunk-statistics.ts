import type { SchemaNode } from "./footer";
import type { ChunkInfo } from "./slice";
import type { ThriftStruct } from "./thrift";

/** What a footer says of a column chunk's values. Absent where it says nothing that can be relied on. */
export interface ChunkStatistics {
  readonly values: number;
  readonly nulls?: number;
  /** None is less: a whole number (days and microseconds too), a floating one, or a string's bytes. NaN is left out of it. */
  readonly least?: StatisticsValue;
  /** None is more. */
  readonly most?: StatisticsValue;
}

export type StatisticsValue = bigint | number | Uint8Array;

/**
 * The statistics of a chunk of a column without parts.
 * @see https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift `Statistics`
 */
export function chunkStatistics({ meta, values }: ChunkInfo, node: SchemaNode): ChunkStatistics {
  const found = meta.get(12);
  if (!(found instanceof Map)) return { values };
  const statistics = found as ThriftStruct;
  const nulls = statistics.get(3);
  const bytes = (id: number) => {
    const value = statistics.get(id);
    return value instanceof Uint8Array ? value : undefined;
  };
  // The older pair was written in an order of bytes that is none for strings.
  const isText = node.physical === "BYTE_ARRAY";
  const least = decoded(bytes(6) ?? (isText ? undefined : bytes(2)), node);
  const most = decoded(bytes(5) ?? (isText ? undefined : bytes(1)), node);
  return {
    values,
    ...(typeof nulls === "number" ? { nulls } : {}),
    ...(least === undefined ? {} : { least }),
    ...(most === undefined ? {} : { most }),
  };
}

function decoded(bytes: Uint8Array | undefined, { physical }: SchemaNode): StatisticsValue | undefined {
  if (!bytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (physical) {
    case "INT32":
      return bytes.length === 4 ? BigInt(view.getInt32(0, true)) : undefined;
    case "INT64":
      return bytes.length === 8 ? view.getBigInt64(0, true) : undefined;
    case "FLOAT":
      return bytes.length === 4 ? number(view.getFloat32(0, true)) : undefined;
    case "DOUBLE":
      return bytes.length === 8 ? number(view.getFloat64(0, true)) : undefined;
    case "BYTE_ARRAY":
      return bytes;
    default:
      return undefined;
  }
}

function number(value: number): number | undefined {
  return Number.isNaN(value) ? undefined : value;
}
