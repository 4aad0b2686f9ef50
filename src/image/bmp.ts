import { checkSize, Refusal } from "./refusal";
import type { RgbImage } from "./rgb-image";
import { bytes, greys, indexed, packed16, paletteOf, type Unpack, unpackRows } from "./unpack";

/**
 * A Windows or OS/2 bitmap's pixels, as Pillow gives them.
 * @see Pillow's BmpImagePlugin.py
 */
export function decodeBmp(file: Buffer, maxPixels: number): RgbImage {
  const header = readHeader(file, 14, file.readUInt32LE(10));
  return decodeBitmap(file, header, maxPixels);
}

/** A bitmap without the file header, as it stands in resources and on the clipboard. */
export function decodeDib(file: Buffer, maxPixels: number): RgbImage {
  return decodeBitmap(file, readHeader(file, 0, 0), maxPixels);
}

interface Header {
  readonly width: number;
  readonly height: number;
  readonly bits: number;
  readonly compression: number;
  /** Colours in the palette. */
  readonly colours: number;
  /** Bytes of each. */
  readonly colourBytes: number;
  /** Red, green, blue, alpha: the bits of a pixel that are theirs. */
  readonly masks: readonly [number, number, number, number];
  readonly upwards: boolean;
  /** Where the header and its masks end. */
  readonly end: number;
  /** Where the pixels begin; 0 for behind the palette. */
  readonly offset: number;
}

const RLE8 = 1;
const RLE4 = 2;
const BITFIELDS = 3;

function readHeader(file: Buffer, at: number, offset: number): Header {
  if (file.length < at + 4) throw new Refusal("it ends within its header");
  const size = file.readUInt32LE(at);
  if (![12, 40, 52, 56, 64, 108, 124].includes(size)) throw new Refusal(`its header has ${size} bytes`);
  if (file.length < at + size) throw new Refusal("it ends within its header");
  const data = file.subarray(at + 4, at + size);
  const end = at + size;
  if (size === 12) {
    const [width, height, , bits] = [0, 2, 4, 6].map((i) => data.readUInt16LE(i)) as [number, number, number, number];
    const colours = 2 ** bits;
    const behind = offset === 14 + size && bits <= 8 ? offset + colours * 3 : offset;
    return {
      width,
      height,
      bits,
      compression: 0,
      colours,
      colourBytes: 3,
      masks: [0, 0, 0, 0],
      upwards: true,
      end,
      offset: behind,
    };
  }
  const upwards = data[7] !== 0xff;
  const bits = data.readUInt16LE(10);
  const compression = data.readUInt32LE(12);
  const colours = data.readUInt32LE(28) || 2 ** (bits % 32);
  const { masks, after } = compression === BITFIELDS ? readMasks(file, data, end) : NO_MASKS(end);
  return {
    width: data.readUInt32LE(0),
    height: upwards ? data.readUInt32LE(4) : 2 ** 32 - data.readUInt32LE(4),
    bits,
    compression,
    colours,
    colourBytes: 4,
    masks,
    upwards,
    end: after,
    offset: offset === 14 + size && bits <= 8 ? offset + 4 * colours : offset,
  };
}

interface Masks {
  readonly masks: Header["masks"];
  readonly after: number;
}

const NO_MASKS = (after: number): Masks => ({ masks: [0, 0, 0, 0], after });

/** Headers from 52 bytes on hold the masks; behind a shorter one there are three. */
function readMasks(file: Buffer, data: Buffer, end: number): Masks {
  const inHeader = data.length >= 48;
  if (!inHeader && file.length < end + 12) throw new Refusal("it ends within its header");
  const mask = (i: number) => (inHeader ? data.readUInt32LE(36 + i * 4) : file.readUInt32LE(end + i * 4));
  const alpha = data.length >= 52 ? mask(3) : 0;
  return { masks: [mask(0), mask(1), mask(2), alpha], after: inHeader ? end : end + 12 };
}

function decodeBitmap(file: Buffer, header: Header, maxPixels: number): RgbImage {
  const { width, height, bits, compression, upwards } = header;
  const form = pixelForm(file, header);
  checkSize(width, height, maxPixels);
  const from = header.offset || form.end;
  if (compression === RLE8 || compression === RLE4) {
    const pixels = unpackRuns(file.subarray(from), from, width, height, compression === RLE4);
    return unpackRows(pixels, 0, width, header, form.unpackRuns, upwards);
  }
  const stride = Math.floor((width * bits + 31) / 8) & ~3;
  const rowBytes = Math.ceil((width * form.bits) / 8);
  if (stride < rowBytes) throw new Refusal(`its ${bits} bits are too few for its palette of greys`);
  if (from + stride * (height - 1) + rowBytes > file.length) throw new Refusal("its image data is cut short");
  return unpackRows(file, from, stride, header, form.unpack, upwards);
}

interface PixelForm {
  readonly unpack: Unpack;
  /** For pixels that were run-length encoded: one byte each. */
  readonly unpackRuns: Unpack;
  /** Bits of a pixel, as they are read. */
  readonly bits: number;
  /** Where the palette ends. */
  readonly end: number;
}

function pixelForm(file: Buffer, header: Header): PixelForm {
  const { bits, compression, end } = header;
  if (![1, 4, 8, 16, 24, 32].includes(bits)) throw new Refusal(`it has ${bits} bits a pixel`);
  if (compression > BITFIELDS) throw new Refusal(`its compression is ${compression}`);
  if (bits <= 8 && compression !== BITFIELDS) return paletteForm(file, header);
  if (compression === RLE8 || compression === RLE4)
    throw new Refusal(`it is run-length encoded with ${bits} bits a pixel`);
  const unpack = compression === BITFIELDS ? masked(bits, header.masks) : plain(bits);
  return { unpack, unpackRuns: unpack, bits, end };
}

function plain(bits: number): Unpack {
  return bits === 16 ? packed16(5) : bytes(bits / 8, 2, 1, 0);
}

/** The layouts that Pillow knows, by the masks of red, green, blue and, with 32 bits, alpha. */
const LAYOUTS: Readonly<Record<string, Unpack>> = {
  "32 ff0000 ff00 ff 0": bytes(4, 2, 1, 0),
  "32 ff000000 ff0000 ff00 0": bytes(4, 3, 2, 1),
  "32 ff000000 ff00 ff 0": bytes(4, 3, 1, 0),
  "32 ff000000 ff0000 ff00 ff": bytes(4, 3, 2, 1),
  "32 ff ff00 ff0000 ff000000": bytes(4, 0, 1, 2),
  "32 ff0000 ff00 ff ff000000": bytes(4, 2, 1, 0),
  "32 ff000000 ff00 ff ff0000": bytes(4, 3, 1, 0),
  "32 0 0 0 0": bytes(4, 2, 1, 0),
  "24 ff0000 ff00 ff": bytes(3, 2, 1, 0),
  "16 f800 7e0 1f": packed16(6),
  "16 7c00 3e0 1f": packed16(5),
};

function masked(bits: number, masks: Header["masks"]): Unpack {
  const key = [bits, ...(bits === 32 ? masks : masks.slice(0, 3)).map((mask) => mask.toString(16))].join(" ");
  const layout = LAYOUTS[key];
  if (!layout) throw new Refusal(`its pixels are laid out in an unknown way (${key})`);
  return layout;
}

/** A palette of nothing but greys in order is left out by Pillow: the pixels are the levels then, of one bit or of eight. */
function paletteForm(file: Buffer, { bits, colours, colourBytes, end }: Header): PixelForm {
  if (colours > 65536) throw new Refusal(`its palette has ${colours} colours`);
  const palette = file.subarray(end, end + colours * colourBytes);
  const after = Math.min(file.length, end + colours * colourBytes);
  const level = (i: number) => (colours === 2 ? i * 255 : i);
  let isGrey = true;
  for (let i = 0; i < colours && isGrey; i++) {
    const at = i * colourBytes;
    // Levels beyond a byte can't be compared: Pillow takes their remainder.
    isGrey = at + 3 <= palette.length && [0, 1, 2].every((c) => palette[at + c] === (level(i) & 255));
  }
  if (isGrey && colours <= 2) {
    return { unpack: indexed(1, greys(1)), unpackRuns: nonZeroIsWhite, bits: 1, end: after };
  }
  if (isGrey) return { unpack: bytes(1, 0), unpackRuns: bytes(1, 0), bits: 8, end: after };
  if (palette.length >= 257 * colourBytes) throw new Refusal("its palette has more than 256 colours");
  const table = paletteOf(palette, colourBytes, [2, 1, 0]);
  return { unpack: indexed(bits, table), unpackRuns: indexed(8, table), bits, end: after };
}

const nonZeroIsWhite: Unpack = (source, from, pixels, target, to) => {
  for (let x = 0; x < pixels; x++, to += 3) target.fill(source[from + x] === 0 ? 0 : 255, to, to + 3);
};

/**
 * Run-length encoded pixels, one byte each, as Pillow undoes them: what is missing at the end of a row is colour 0, and
 * what is missing at the end of the image is an error.
 * @see BmpRleDecoder in Pillow's BmpImagePlugin.py
 */
function unpackRuns(data: Uint8Array, offset: number, width: number, height: number, rle4: boolean): Uint8Array {
  const pixels = new Uint8Array(width * height);
  let written = 0;
  let x = 0;
  let at = 0;
  while (written < pixels.length && at + 1 < data.length) {
    const count = data[at++]!;
    const value = data[at++]!;
    if (count > 0) {
      const run = Math.min(count, Math.max(0, width - x));
      for (let i = 0; i < run; i++) {
        if (written < pixels.length) pixels[written] = rle4 ? (i % 2 === 0 ? value >> 4 : value & 15) : value;
        written++;
      }
      x += run;
    } else if (value === 0) {
      written = Math.ceil(written / width) * width;
      x = 0;
    } else if (value === 1) {
      break;
    } else if (value === 2) {
      if (at + 2 > data.length) break;
      written += Math.min(pixels.length - written, data[at]! + data[at + 1]! * width);
      at += 2;
      x = written % width;
    } else {
      const wanted = Math.min(pixels.length - written, value);
      const byteCount = rle4 ? Math.ceil(wanted / 2) : wanted;
      const found = Math.min(byteCount, data.length - at);
      const taken = rle4 ? Math.min(wanted, found * 2) : found;
      for (let i = 0; i < taken; i++) {
        const byte = data[at + (rle4 ? i >> 1 : i)]!;
        pixels[written++] = rle4 ? (i % 2 === 0 ? byte >> 4 : byte & 15) : byte;
      }
      at += found;
      if (found < byteCount || written === pixels.length) break;
      x += value;
      // Runs are aligned to words of the file.
      if ((offset + at) % 2 !== 0) at++;
    }
  }
  if (written < pixels.length) throw new Refusal("its image data is cut short");
  return pixels;
}
