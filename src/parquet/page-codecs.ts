import * as zlib from "node:zlib";

/** How a page's bytes are packed, for who has only the first of them. */
export interface PageCodec {
  /** What the first bytes of a page hold, as far as they go. @throws where they are none */
  unpackStart(bytes: Uint8Array): Uint8Array;
  pack(bytes: Uint8Array): Uint8Array;
}

/** Most bytes that are made of a page's start. */
const MOST_BYTES = 32 * 1024 * 1024;

const { Z_SYNC_FLUSH, BROTLI_OPERATION_FLUSH, BROTLI_PARAM_QUALITY } = zlib.constants;

/** By the numbers of parquet.thrift `CompressionCodec`; of those that are not here a page is taken as a whole. */
const CODECS: Readonly<Record<number, PageCodec>> = {
  0: { unpackStart: (bytes) => bytes, pack: (bytes) => bytes },
  1: { unpackStart: snappyStart, pack: asSnappy },
  2: {
    unpackStart: (bytes) => zlib.gunzipSync(bytes, { finishFlush: Z_SYNC_FLUSH, maxOutputLength: MOST_BYTES }),
    pack: (bytes) => zlib.gzipSync(bytes),
  },
  4: {
    unpackStart: (bytes) =>
      zlib.brotliDecompressSync(bytes, { finishFlush: BROTLI_OPERATION_FLUSH, maxOutputLength: MOST_BYTES }),
    pack: (bytes) => zlib.brotliCompressSync(bytes, { params: { [BROTLI_PARAM_QUALITY]: 1 } }),
  },
  ...zstd(),
};

export function pageCodec(codec: number): PageCodec | undefined {
  return CODECS[codec];
}

/** Node has zstd from 22.15 on. */
function zstd(): Readonly<Record<number, PageCodec>> {
  const { zstdCompressSync, zstdDecompressSync, constants } = zlib as typeof zlib & Partial<Zstd>;
  if (!zstdCompressSync || !zstdDecompressSync) return {};
  const { ZSTD_e_flush: finishFlush = 1 } = constants as { readonly ZSTD_e_flush?: number };
  return {
    6: {
      unpackStart: (bytes) => zstdDecompressSync(bytes, { finishFlush, maxOutputLength: MOST_BYTES }),
      pack: (bytes) => zstdCompressSync(bytes),
    },
  };
}

interface Zstd {
  zstdCompressSync(bytes: Uint8Array): Uint8Array;
  zstdDecompressSync(bytes: Uint8Array, options: { finishFlush: number; maxOutputLength: number }): Uint8Array;
}

/** @see https://github.com/google/snappy/blob/main/format_description.txt */
function snappyStart(bytes: Uint8Array): Uint8Array {
  let at = 0;
  let size = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    if (byte === undefined) return new Uint8Array();
    size += (byte & 127) * 2 ** shift;
    if (byte < 128) break;
  }
  const out = new Uint8Array(Math.min(size, MOST_BYTES));
  let made = 0;
  const little = (from: number, count: number) => {
    let value = 0;
    for (let i = 0; i < count; i++) value += (bytes[from + i] ?? 0) * 2 ** (8 * i);
    return value;
  };
  while (at < bytes.length && made < out.length) {
    const tag = bytes[at]!;
    const kind = tag & 3;
    if (kind === 0) {
      const short = tag >> 2;
      const extra = short < 60 ? 0 : short - 59;
      if (at + 1 + extra > bytes.length) break;
      const length = (extra === 0 ? short : little(at + 1, extra)) + 1;
      at += 1 + extra;
      const there = bytes.subarray(at, Math.min(at + length, bytes.length, at + out.length - made));
      out.set(there, made);
      made += there.length;
      at += length;
      continue;
    }
    const extra = kind === 3 ? 4 : kind;
    if (at + 1 + extra > bytes.length) break;
    const length = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
    const back = kind === 1 ? ((tag >> 5) << 8) + bytes[at + 1]! : little(at + 1, extra);
    if (back === 0 || back > made) throw new RangeError("a page is no Snappy");
    at += 1 + extra;
    // What is copied may be what the copy itself makes.
    for (const end = Math.min(made + length, out.length); made < end; made++) out[made] = out[made - back]!;
  }
  return out.subarray(0, made);
}

/** Snappy that saves nothing. */
function asSnappy(bytes: Uint8Array): Uint8Array {
  const out: Uint8Array[] = [];
  const head: number[] = [];
  let size = bytes.length;
  for (; size >= 128; size = Math.floor(size / 128)) head.push((size % 128) | 128);
  out.push(Uint8Array.from([...head, size]));
  for (let at = 0; at < bytes.length; at += 65_536) {
    const literal = bytes.subarray(at, at + 65_536);
    const last = literal.length - 1;
    out.push(Uint8Array.of(61 << 2, last & 255, last >> 8), literal);
  }
  return Buffer.concat(out);
}
