import { Refusal } from "./refusal";
import type { TiffLayout } from "./tiff-layout";
import {
  bytes,
  cmyk,
  float32,
  grey12,
  grey16,
  greys,
  indexed,
  type Palette,
  premultiplied,
  signed,
  type Unpack,
} from "./unpack";

/**
 * How the pixels of a TIFF become RGB: Pillow's table of what it reads, by byte order, photometric interpretation,
 * sample format, fill order, bits and extra samples; anything else is refused, as there.
 * @param bigEndian the order of the samples' bytes as they are decoded
 * @see OPEN_INFO in Pillow's TiffImagePlugin.py
 */
export function tiffUnpack(layout: TiffLayout, bigEndian: boolean): Unpack {
  const { photometric, sampleFormat, bits, extra } = layout;
  const depth = bits[0]!;
  const isByte = depth === 8 && sampleFormat === 1;
  if (layout.fillOrder === 2 && !takesReversedBits(layout)) throw unknown(layout);
  switch (photometric) {
    case 0:
    case 1:
      return grey(layout, bigEndian);
    case 2:
      return rgb(layout, bigEndian);
    case 3:
      if (sampleFormat !== 1) break;
      if (bits.length === 1 && extra.length === 0 && [1, 2, 4, 8].includes(depth))
        return indexed(depth, colourMap(layout));
      if (bits.length === 2 && isByte && (extra[0] === 0 || extra[0] === 2)) {
        const first = indexed(8, colourMap(layout));
        return (source, from, pixels, target, to) => {
          for (let x = 0; x < pixels; x++) first(source, from + x * 2, 1, target, to + x * 3);
        };
      }
      break;
    case 5:
      if (isByte && bits.length === 4 + extra.length && extra.length <= 2 && extra.every((e) => e === 0)) {
        return cmyk(bits.length);
      }
      if (depth === 16 && sampleFormat === 1 && bits.length === 4 && extra.length === 0) {
        const high = bigEndian ? 0 : 1;
        return cmyk(8, (ink) => ink * 2 + high);
      }
      break;
    case 6:
      if (isByte && bits.length === 1 && extra.length === 0) return bytes(1, 0);
      if (isByte && bits.length === 3 && extra.length === 0) return bytes(3, 0, 1, 2);
      break;
    case 8:
      throw new Refusal("it is a TIFF in the colour space L*a*b*, which is not read");
  }
  throw unknown(layout);
}

/** Bits may be in reversed order only in these. */
function takesReversedBits({ photometric, bits, extra, sampleFormat, bigEndian }: TiffLayout): boolean {
  if (sampleFormat !== 1 || extra.length > 0) return false;
  if (photometric === 2) return bits.length === 3 && bits[0] === 8;
  if (bits.length !== 1 || photometric > 3) return false;
  return bits[0]! <= 8 || (bits[0] === 16 && photometric === 1 && !bigEndian);
}

function grey(layout: TiffLayout, bigEndian: boolean): Unpack {
  const { photometric, sampleFormat, bits, extra } = layout;
  const depth = bits[0]!;
  if (bits.length === 2) {
    // Of premultiplied grey Pillow has no RGB, and says so.
    const known = photometric === 1 && sampleFormat === 1 && depth === 8 && (extra[0] === 0 || extra[0] === 2);
    if (known) return bytes(2, 0);
    throw unknown(layout);
  }
  if (bits.length !== 1 || extra.length > 0) throw unknown(layout);
  switch (`${sampleFormat}/${depth}`) {
    case "1/1":
    case "1/2":
    case "1/4":
    case "1/8":
      return indexed(depth, greys(depth, photometric === 0));
    case "2/8":
      if (photometric === 1) return bytes(1, 0);
      break;
    case "1/12":
      if (photometric === 1 && !layout.bigEndian) return grey12;
      break;
    case "1/16":
      // White is not made black where it is 0, as little as in Pillow.
      if (photometric === 1 || !layout.bigEndian) return grey16(bigEndian);
      break;
    case "2/16":
      if (photometric === 1) return signed(2, bigEndian);
      break;
    case "1/32":
      if (photometric === 1 && !layout.bigEndian) return signed(4, bigEndian);
      break;
    case "2/32":
      if (photometric === 1) return signed(4, bigEndian);
      break;
    case "3/32":
      return float32(bigEndian);
  }
  throw unknown(layout);
}

function rgb(layout: TiffLayout, bigEndian: boolean): Unpack {
  const { sampleFormat, bits, extra } = layout;
  const depth = bits[0]!;
  const samples = bits.length;
  const [first, ...others] = extra;
  if (sampleFormat !== 1 || others.some((e) => e !== 0)) throw unknown(layout);
  const unnamed = extra.length === 0 && samples === 4;
  const matches = samples === 3 + extra.length || unnamed;
  const step = samples * (depth / 8);
  const high = depth === 16 && !bigEndian ? 1 : 0;
  const plain = bytes(step, high, step / samples + high, (2 * step) / samples + high);
  if (depth === 8 && matches && samples <= 6) {
    if (first === undefined || first === 0 || first === 2 || (first === 999 && samples === 4)) return plain;
    if (first === 1) return premultiplied(samples, (sample) => sample);
  }
  if (depth === 16 && matches && samples <= 4) {
    if (first === undefined || first === 0 || first === 2) return plain;
    if (first === 1) return premultiplied(step, (sample) => sample * 2 + high);
  }
  throw unknown(layout);
}

/** The colour map has all reds, then all greens, then all blues, of 16 bits each. */
function colourMap({ colours }: TiffLayout): Palette {
  if (!colours) throw new Refusal("it has no palette");
  const palette = new Uint8Array(768);
  const count = Math.floor(colours.length / 3);
  if (count > 256) throw new Refusal("its palette has more than 256 colours");
  for (let i = 0; i < count; i++) {
    for (let c = 0; c < 3; c++) palette[i * 3 + c] = Math.floor(colours[c * count + i]! / 256);
  }
  return palette;
}

function unknown({ photometric, sampleFormat, bits, extra, fillOrder }: TiffLayout): Refusal {
  return new Refusal(
    `its pixels are of an unknown form: photometric interpretation ${photometric}, sample format ${sampleFormat}, ` +
      `bits ${bits.join(", ")}, extra samples ${extra.join(", ") || "none"}, fill order ${fillOrder}`,
  );
}
