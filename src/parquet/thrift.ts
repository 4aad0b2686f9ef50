/** A value of Thrift's compact protocol; a struct's fields by their ids. Numbers are those a double holds exactly. */
export type ThriftValue = boolean | number | Uint8Array | ThriftStruct | readonly ThriftValue[];
export interface ThriftStruct extends ReadonlyMap<number, ThriftValue> {
  /** The struct as it was written, which may be copied as it is into another list. */
  readonly bytes: Uint8Array;
}

class Fields extends Map<number, ThriftValue> implements ThriftStruct {
  bytes: Uint8Array = new Uint8Array();
}

/** Deeper than any Parquet footer; a damaged one must not end in a full stack. */
const MOST_DEPTH = 32;

/**
 * Reads one struct in Thrift's compact protocol, whatever its fields mean.
 * @throws RangeError where the bytes are none
 * @see https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
 */
export function readThriftStruct(bytes: Uint8Array): ThriftStruct {
  let position = 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return struct(0);

  function byte(): number {
    const value = bytes[position++];
    if (value === undefined) throw new RangeError("the footer ends too early");
    return value;
  }

  function varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const next = byte();
      value += (next & 127) * scale;
      if (next < 128) return value;
      if (scale > 2 ** 63) throw new RangeError("a number in the footer is too long");
    }
  }

  /** Zigzag: 0, -1, 1, -2, ... */
  function integer(): number {
    const value = varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  function binary(): Uint8Array {
    const length = varint();
    if (length > bytes.length - position) throw new RangeError("a text in the footer is too long");
    position += length;
    return bytes.subarray(position - length, position);
  }

  function list(depth: number): ThriftValue[] {
    const head = byte();
    const size = head >> 4 === 15 ? varint() : head >> 4;
    if (size > bytes.length - position) throw new RangeError("a list in the footer is too long");
    return Array.from({ length: size }, () => value(head & 15, depth, true));
  }

  function value(type: number, depth: number, inList: boolean): ThriftValue {
    switch (type) {
      case 1:
      case 2:
        return inList ? byte() === 1 : type === 1;
      case 3:
        return (byte() << 24) >> 24;
      case 4:
      case 5:
      case 6:
        return integer();
      case 7:
        position += 8;
        return view.getFloat64(position - 8, true);
      case 8:
        return binary();
      case 9:
      case 10:
        return list(depth + 1);
      case 12:
        return struct(depth + 1);
      default:
        throw new RangeError(`the footer holds a value of type ${type}`);
    }
  }

  function struct(depth: number): ThriftStruct {
    if (depth > MOST_DEPTH) throw new RangeError("the footer is nested too deep");
    const fields = new Fields();
    const start = position;
    let id = 0;
    for (;;) {
      const head = byte();
      if (head === 0) {
        fields.bytes = bytes.subarray(start, position);
        return fields;
      }
      id = head >> 4 === 0 ? integer() : id + (head >> 4);
      fields.set(id, value(head & 15, depth, false));
    }
  }
}
