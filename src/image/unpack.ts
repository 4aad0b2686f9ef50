import type { RgbImage } from "./rgb-image";

/** Reads `pixels` pixels that begin at `from` in `source`, and writes them as RGB to `target`, from `to` on. */
export type Unpack = (source: Uint8Array, from: number, pixels: number, target: Uint8Array, to: number) => void;

/** A table of RGB colours, three bytes each. What a palette leaves out is black, as in Pillow. */
export type Palette = Uint8Array;

/** Black to white in `2 ** bits` equal steps. */
export function greys(bits: number, inverted = false): Palette {
  const last = 2 ** bits - 1;
  return Uint8Array.from({ length: (last + 1) * 3 }, (_, i) => {
    const level = Math.floor(i / 3);
    return ((inverted ? last - level : level) * 255) / last;
  });
}

/** The palette of colours that follow each other `step` bytes apart, their red, green and blue at these places. */
export function paletteOf(
  bytes: Uint8Array,
  step: number,
  [red, green, blue]: readonly [number, number, number],
): Palette {
  const palette = new Uint8Array(768);
  for (let i = 0; i * step + step <= bytes.length && i < 256; i++) {
    palette[i * 3] = bytes[i * step + red]!;
    palette[i * 3 + 1] = bytes[i * step + green]!;
    palette[i * 3 + 2] = bytes[i * step + blue]!;
  }
  return palette;
}

/** Pixels of 1, 2, 4 or 8 bits, the first in the highest bits of a byte, that count in a palette. */
export function indexed(bits: number, palette: Palette): Unpack {
  const mask = 2 ** bits - 1;
  return (source, from, pixels, target, to) => {
    for (let x = 0; x < pixels; x++) {
      const bit = x * bits;
      const color = ((source[from + (bit >> 3)]! >> (8 - bits - (bit & 7))) & mask) * 3;
      target[to++] = palette[color]!;
      target[to++] = palette[color + 1]!;
      target[to++] = palette[color + 2]!;
    }
  };
}

/** Pixels `step` bytes apart, with one byte of each at these places; of 16-bit samples that is the higher byte. */
export function bytes(step: number, red: number, green = red, blue = red): Unpack {
  return (source, from, pixels, target, to) => {
    for (let x = 0; x < pixels; x++, from += step) {
      target[to++] = source[from + red]!;
      target[to++] = source[from + green]!;
      target[to++] = source[from + blue]!;
    }
  };
}

/** 16-bit grey, `step` bytes apart: Pillow cuts it off at 255, where it takes the higher byte of 16-bit colours. */
export function grey16(bigEndian: boolean, step = 2): Unpack {
  const high = bigEndian ? 0 : 1;
  return (source, from, pixels, target, to) => {
    for (let x = 0; x < pixels; x++, from += step) {
      const value = source[from + high] === 0 ? source[from + 1 - high]! : 255;
      target[to++] = value;
      target[to++] = value;
      target[to++] = value;
    }
  };
}

/** 16 bits with blue in the lowest five, green in the next five or six, red above. */
export function packed16(greenBits: 5 | 6): Unpack {
  const greenMost = 2 ** greenBits - 1;
  return (source, from, pixels, target, to) => {
    for (let x = 0; x < pixels; x++, from += 2) {
      const pixel = source[from]! + source[from + 1]! * 256;
      target[to++] = (((pixel >> (5 + greenBits)) & 31) * 255) / 31;
      target[to++] = (((pixel >> 5) & greenMost) * 255) / greenMost;
      target[to++] = ((pixel & 31) * 255) / 31;
    }
  };
}

/** Inks, `step` bytes apart; each takes its share of what black leaves over. @see cmyk2rgb in Pillow's Convert.c */
export function cmyk(step = 4, place: (ink: number) => number = (ink) => ink): Unpack {
  const [cyan, magenta, yellow, black] = [place(0), place(1), place(2), place(3)];
  return (source, from, pixels, target, to) => {
    for (let x = 0; x < pixels; x++, from += step) {
      const light = 255 - source[from + black]!;
      target[to++] = light - multiplyBytes(source[from + cyan]!, light);
      target[to++] = light - multiplyBytes(source[from + magenta]!, light);
      target[to++] = light - multiplyBytes(source[from + yellow]!, light);
    }
  };
}

/** Colours that were multiplied by their alpha, the fourth sample, which is undone. `place` tells a sample's higher byte. */
export function premultiplied(step: number, place: (sample: number) => number): Unpack {
  const places = [place(0), place(1), place(2)];
  return (source, from, pixels, target, to) => {
    for (let x = 0; x < pixels; x++, from += step) {
      const alpha = source[from + place(3)]!;
      for (const at of places) {
        target[to++] = alpha === 0 ? 0 : Math.min(255, Math.floor((source[from + at]! * 255) / alpha));
      }
    }
  };
}

/** 12-bit grey, two pixels in three bytes, cut off at 255. */
export const grey12: Unpack = (source, from, pixels, target, to) => {
  for (let x = 0; x < pixels; x++) {
    const at = from + (x >> 1) * 3;
    const [low, middle, high] = [source[at]!, source[at + 1]!, source[at + 2] ?? 0];
    const value = x % 2 === 0 ? (low << 4) | (middle >> 4) : ((middle & 15) << 8) | high;
    to = putGrey(target, to, Math.min(255, value));
  }
};

/** Signed numbers of 2 or 4 bytes, cut off at 0 and 255. */
export function signed(sampleBytes: 2 | 4, bigEndian: boolean): Unpack {
  return (source, from, pixels, target, to) => {
    const view = new DataView(source.buffer, source.byteOffset, source.byteLength);
    for (let x = 0; x < pixels; x++, from += sampleBytes) {
      const value = sampleBytes === 2 ? view.getInt16(from, !bigEndian) : view.getInt32(from, !bigEndian);
      to = putGrey(target, to, Math.max(0, Math.min(255, value)));
    }
  };
}

/** Floating point numbers, cut off at 0 and 255, and to whole ones. */
export function float32(bigEndian: boolean): Unpack {
  return (source, from, pixels, target, to) => {
    const view = new DataView(source.buffer, source.byteOffset, source.byteLength);
    for (let x = 0; x < pixels; x++, from += 4) {
      const value = view.getFloat32(from, !bigEndian);
      to = putGrey(target, to, value <= 0 ? 0 : value >= 255 ? 255 : Math.trunc(value));
    }
  };
}

function putGrey(target: Uint8Array, to: number, value: number): number {
  target[to] = value;
  target[to + 1] = value;
  target[to + 2] = value;
  return to + 3;
}

/** a * b / 255, rounded, in integers. @see MULDIV255 in Pillow's ImagingUtils.h */
function multiplyBytes(a: number, b: number): number {
  const product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

/** The image of rows that begin at `from` and are `stride` bytes apart; `upwards` where the first is the lowest. */
export function unpackRows(
  source: Uint8Array,
  from: number,
  stride: number,
  { width, height }: { readonly width: number; readonly height: number },
  unpack: Unpack,
  upwards = false,
): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    unpack(source, from + row * stride, width, data, (upwards ? height - 1 - row : row) * width * 3);
  }
  return { width, height, data };
}
