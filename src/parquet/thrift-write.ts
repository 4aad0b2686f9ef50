/**
 * Values in Thrift's compact protocol, of the types that a Parquet file's footer and pages have. A struct's fields come by ascending ids.
 * @see https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
 */
export type ThriftOut =
  | { readonly type: "i32" | "i64"; readonly value: number }
  | { readonly type: "binary"; readonly value: Uint8Array }
  /** In a struct only. */
  | { readonly type: "bool"; readonly value: boolean }
  | {
      readonly type: "list";
      readonly of: Exclude<ThriftOut["type"], "list" | "bool">;
      readonly items: readonly ThriftOut[];
    }
  | { readonly type: "struct"; readonly fields: readonly (readonly [id: number, value: ThriftOut])[] }
  /** A struct that is written already. */
  | { readonly type: "written"; readonly bytes: Uint8Array };

const TYPES: Readonly<Record<ThriftOut["type"], number>> = {
  i32: 5,
  i64: 6,
  binary: 8,
  bool: 1,
  list: 9,
  struct: 12,
  written: 12,
};

/** The bytes of a struct. */
export function thriftBytes(value: Extract<ThriftOut, { type: "struct" }>): Uint8Array {
  const out: (Uint8Array | number)[] = [];
  write(value, out);
  const size = out.reduce<number>((sum, part) => sum + (typeof part === "number" ? 1 : part.length), 0);
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of out) {
    if (typeof part === "number") bytes[at++] = part;
    else {
      bytes.set(part, at);
      at += part.length;
    }
  }
  return bytes;
}

function write(value: ThriftOut, out: (Uint8Array | number)[]): void {
  switch (value.type) {
    case "i32":
    case "i64":
      // Zigzag.
      varint(value.value >= 0 ? value.value * 2 : -value.value * 2 - 1, out);
      break;
    case "bool":
      break;
    case "binary":
      varint(value.value.length, out);
      out.push(value.value);
      break;
    case "list": {
      const { items } = value;
      out.push((Math.min(items.length, 15) << 4) | TYPES[value.of]);
      if (items.length >= 15) varint(items.length, out);
      for (const item of items) write(item, out);
      break;
    }
    case "struct": {
      let last = 0;
      for (const [id, field] of value.fields) {
        // No struct of a footer has a gap of more than 15 ids.
        // The type is the value.
        const type = field.type === "bool" && !field.value ? 2 : TYPES[field.type];
        out.push(((id - last) << 4) | type);
        write(field, out);
        last = id;
      }
      out.push(0);
      break;
    }
    case "written":
      out.push(value.bytes);
      break;
  }
}

function varint(value: number, out: (Uint8Array | number)[]): void {
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) out.push((rest % 128) | 128);
  out.push(rest);
}
