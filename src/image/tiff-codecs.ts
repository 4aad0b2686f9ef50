import { inflate } from "./inflate";
import { Refusal } from "./refusal";

/** Undoes a strip's or tile's compression. @throws Refusal where it has fewer bytes than it must */
export type TiffCodec = (data: Uint8Array, bytes: number) => Uint8Array | Promise<Uint8Array>;

/** The codecs that are undone here, by their number. */
export const TIFF_CODECS: Readonly<Record<number, TiffCodec>> = {
  5: unpackLzw,
  8: unpackDeflate,
  32773: unpackBits,
  32946: unpackDeflate,
};

/** Names of codecs, for messages. */
export const TIFF_CODEC_NAMES: Readonly<Record<number, string>> = {
  2: "CCITT (modified Huffman)",
  3: "CCITT group 3",
  4: "CCITT group 4",
  6: "old-style JPEG",
  32766: "NeXT",
  32771: "CCITT (word-aligned)",
  32809: "ThunderScan",
  32908: "Pixar film",
  32909: "Pixar log",
  34676: "SGI log",
  34677: "SGI log 24",
  34925: "LZMA",
  50000: "Zstandard",
  50001: "WebP",
};

async function unpackDeflate(data: Uint8Array, bytes: number): Promise<Uint8Array> {
  return whole(await inflate([data], bytes), bytes);
}

function unpackBits(data: Uint8Array, bytes: number): Uint8Array {
  const out = new Uint8Array(bytes);
  let to = 0;
  for (let at = 0; at < data.length && to < bytes; ) {
    const count = data[at++]!;
    if (count < 128) {
      const end = Math.min(at + count + 1, data.length);
      const run = data.subarray(at, Math.min(end, at + bytes - to));
      out.set(run, to);
      to += run.length;
      at += count + 1;
    } else if (count > 128) {
      if (at >= data.length) break;
      const end = Math.min(bytes, to + 257 - count);
      out.fill(data[at++]!, to, end);
      to = end;
    }
  }
  if (to < bytes) throw short();
  return out;
}

const CLEAR = 256;
const END = 257;
const MOST_CODES = 4096;

/** LZW with the highest bit first and the change of width one code early, as Adobe's TIFF 6 has it. */
function unpackLzw(data: Uint8Array, bytes: number): Uint8Array {
  if (data[0] === 0 && (data[1] ?? 0) & 1) throw new Refusal("its LZW compression is of the kind before TIFF 6");
  const out = new Uint8Array(bytes);
  // A string is where it was first written: its place and length in the output.
  const places = new Uint32Array(MOST_CODES);
  const lengths = new Uint16Array(MOST_CODES);
  let next = 258;
  let width = 9;
  let previous: { readonly place: number; readonly length: number } | undefined;
  let buffer = 0;
  let held = 0;
  let at = 0;
  let to = 0;
  while (to < bytes) {
    for (; held < width && at < data.length; held += 8) buffer = ((buffer << 8) | data[at++]!) & 0xffffff;
    if (held < width) throw short();
    const code = (buffer >> (held - width)) & ((1 << width) - 1);
    held -= width;
    if (code === END) break;
    if (code === CLEAR) {
      next = 258;
      width = 9;
      previous = undefined;
      continue;
    }
    const place = to;
    if (code < CLEAR) out[to++] = code;
    else {
      // The next code is the string before and its own first byte, which is where that string ends in the output.
      if (!previous || code > next) throw new Refusal("its LZW compression is damaged");
      const from = code < next ? places[code]! : previous.place;
      const length = code < next ? lengths[code]! : previous.length + 1;
      for (let i = 0; i < length && to < bytes; i++) out[to++] = out[from + i]!;
    }
    if (previous && next < MOST_CODES - 1) {
      places[next] = previous.place;
      lengths[next] = previous.length + 1;
      next++;
      if (next >= (1 << width) - 1 && width < 12) width++;
    }
    previous = { place, length: to - place };
  }
  if (to < bytes) throw short();
  return out;
}

function whole(out: Uint8Array, bytes: number): Uint8Array {
  if (out.length < bytes) throw short();
  return out;
}

function short(): Refusal {
  return new Refusal("its image data is cut short");
}

/** Turns the bytes of each sample around, in place. */
export function swapBytes(data: Uint8Array, sampleBytes: number): void {
  for (let at = 0; at + sampleBytes <= data.length; at += sampleBytes) data.subarray(at, at + sampleBytes).reverse();
}

/** Turns the bits of each byte around: fill order 2. */
export function reverseBits(data: Uint8Array): Uint8Array {
  return data.map((byte) => {
    let reversed = 0;
    for (let bit = 0; bit < 8; bit++) reversed |= ((byte >> bit) & 1) << (7 - bit);
    return reversed;
  });
}

/** Undoes horizontal differences, in place: samples of 8, 16 or 32 bits, little-endian, row by row. */
export function undoDifferences(data: Uint8Array, rowBytes: number, samples: number, bits: number): void {
  const step = samples * (bits / 8);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  for (let row = 0; row + rowBytes <= data.length; row += rowBytes) {
    for (let at = row + step; at < row + rowBytes; at += bits / 8) {
      if (bits === 8) data[at]! += data[at - step]!;
      else if (bits === 16) view.setUint16(at, view.getUint16(at, true) + view.getUint16(at - step, true), true);
      else view.setUint32(at, view.getUint32(at, true) + view.getUint32(at - step, true), true);
    }
  }
}
