/**
 * Small numbers (levels, indices of a dictionary) as Parquet packs them: runs of one number, or of eight at a time by bits.
 * @see https://parquet.apache.org/docs/file-format/data-pages/encodings/ "Run Length Encoding / Bit-Packing Hybrid"
 */

/** How many bits numbers up to `most` take. */
export function bitsOf(most: number): number {
  return 32 - Math.clz32(most);
}

/**
 * Visits numbers run by run until `visit` says that it has enough.
 * @param bytes may end before the numbers do
 * @returns whether it had enough
 */
export function visitRuns(bytes: Uint8Array, width: number, visit: (value: number, times: number) => boolean): boolean {
  const valueBytes = Math.ceil(width / 8);
  for (let at = 0; at < bytes.length; ) {
    let head = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined || shift > 28) return false;
      head += (byte & 127) * 2 ** shift;
      if (byte < 128) break;
    }
    if (head % 2 === 0) {
      if (at + valueBytes > bytes.length) return false;
      let value = 0;
      for (let i = 0; i < valueBytes; i++) value += bytes[at + i]! * 2 ** (8 * i);
      at += valueBytes;
      if (visit(value, head / 2)) return true;
      continue;
    }
    const count = ((head - 1) / 2) * 8;
    const end = at + (count * width) / 8;
    for (let i = 0; i < count; i++) {
      const bit = i * width;
      if (at + Math.ceil((bit + width) / 8) > bytes.length) return false;
      let value = 0;
      for (let b = 0; b < width; b++) value += ((bytes[at + ((bit + b) >> 3)]! >> ((bit + b) & 7)) & 1) * 2 ** b;
      if (visit(value, 1)) return true;
    }
    at = end;
  }
  return false;
}

/** The first numbers; undefined where the bytes end before. */
export function firstNumbers(bytes: Uint8Array, width: number, count: number): Uint32Array | undefined {
  const numbers = new Uint32Array(count);
  let known = 0;
  if (count === 0 || width === 0) return numbers;
  const isAll = visitRuns(bytes, width, (value, times) => {
    numbers.fill(value, known, Math.min(count, known + times));
    known += times;
    return known >= count;
  });
  return isAll ? numbers : undefined;
}

/** The same numbers, packed as runs. */
export function packedRuns(numbers: Uint32Array, width: number): Uint8Array {
  const out: number[] = [];
  for (let at = 0; at < numbers.length; ) {
    const value = numbers[at]!;
    let end = at + 1;
    while (end < numbers.length && numbers[end] === value) end++;
    let head = (end - at) * 2;
    for (; head >= 128; head = Math.floor(head / 128)) out.push((head % 128) | 128);
    out.push(head);
    for (let bits = 0; bits < width; bits += 8) out.push((value >>> bits) & 255);
    at = end;
  }
  return Uint8Array.from(out);
}
