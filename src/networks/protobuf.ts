/** Writes Protocol Buffers, the few kinds of fields that ONNX needs. @see https://protobuf.dev/programming-guides/encoding/ */

/** An encoded field, as pieces that are joined once at the end, so that large tensors are copied once. */
export type Field = readonly Uint8Array[];

const VARINT = 0;
const LENGTH_DELIMITED = 2;

/** A whole number that is not negative, or a small negative one (written as 64-bit two's complement). */
export function integer(field: number, value: number): Field {
  return [tag(field, VARINT), varint(value < 0 ? BigInt.asUintN(64, BigInt(value)) : BigInt(value))];
}

export function text(field: number, value: string): Field {
  return bytes(field, new TextEncoder().encode(value));
}

export function bytes(field: number, value: Uint8Array): Field {
  return [tag(field, LENGTH_DELIMITED), varint(BigInt(value.length)), value];
}

/** A message within a message. */
export function message(field: number, fields: readonly Field[]): Field {
  const parts = fields.flat();
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return [tag(field, LENGTH_DELIMITED), varint(BigInt(length)), ...parts];
}

/** The message that nothing encloses. */
export function encode(fields: readonly Field[]): Uint8Array {
  return new Uint8Array(Buffer.concat(fields.flat()));
}

function tag(field: number, wireType: number): Uint8Array {
  return varint(BigInt(field * 8 + wireType));
}

function varint(value: bigint): Uint8Array {
  const out: number[] = [];
  let rest = value;
  while (rest > 127n) {
    out.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  out.push(Number(rest));
  return Uint8Array.from(out);
}
