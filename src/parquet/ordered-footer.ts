import { footerOfBytes } from "./footer";
import { readThriftStruct, type ThriftStruct } from "./thrift";

/** FileMetaData.key_value_metadata. @see https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift */
const KEY_VALUES = 5;

/**
 * A Parquet file's bytes with its metadata's keys in order. The writer keeps them in a hash map, whose order depends on what its thread has
 * written before; in order, the same rows are the same bytes whoever writes them.
 */
export async function* withOrderedFooter(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let last: Uint8Array | undefined;
  for await (const chunk of chunks) {
    if (last) yield last;
    last = chunk;
  }
  // The writer gives the footer in one piece, with what else was left.
  if (last) yield orderFooter(last);
}

/** Moves the pairs about, in place: they take the same room in any order. @param tail a file's last bytes, with the whole footer */
function orderFooter(tail: Uint8Array): Uint8Array {
  const { length } = footerOfBytes(tail, "what is written", Number.POSITIVE_INFINITY);
  const start = tail.length - 8 - length;
  const pairs = (readThriftStruct(tail.subarray(start, start + length)).get(KEY_VALUES) ??
    []) as readonly ThriftStruct[];
  const [first] = pairs;
  if (!first) return tail;
  const key = (pair: ThriftStruct) => Buffer.from(pair.get(1) as Uint8Array);
  const ordered = [...pairs].sort((a, b) => key(a).compare(key(b))).map(({ bytes }) => bytes);
  tail.set(Buffer.concat(ordered), first.bytes.byteOffset - tail.byteOffset);
  return tail;
}
