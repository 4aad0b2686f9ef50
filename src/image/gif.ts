import { decodeGifPixels, type GifFrame } from "./gif-lzw";
import { checkSize, Refusal } from "./refusal";
import type { RgbImage } from "./rgb-image";
import { greys, type Palette, paletteOf } from "./unpack";

/**
 * A GIF's first frame on its canvas, as Pillow gives it: what the frame leaves free has the transparent colour, or the
 * palette's first one; a canvas that is too small grows.
 * @see https://www.w3.org/Graphics/GIF/spec-gif89a.txt and Pillow's GifImagePlugin.py
 */
export function decodeGif(file: Buffer, maxPixels: number): RgbImage {
  const frame = readFirstFrame(file);
  const width = Math.max(file.readUInt16LE(6), frame.left + frame.width);
  const height = Math.max(file.readUInt16LE(8), frame.top + frame.height);
  checkSize(width, height, maxPixels);
  if (frame.width < 1 || frame.height < 1) throw new Refusal("its first frame has no pixels");
  const pixels = decodeGifPixels(file, frame);
  const colours = frame.palette ?? greys(8);
  const data = new Uint8Array(width * height * 3);
  const background = (frame.transparent ?? 0) * 3;
  for (let y = 0, to = 0; y < height; y++) {
    const row = (y - frame.top) * frame.width;
    const inside = y >= frame.top && y < frame.top + frame.height;
    for (let x = 0; x < width; x++) {
      const column = x - frame.left;
      const from = inside && column >= 0 && column < frame.width ? pixels[row + column]! * 3 : background;
      data[to++] = colours[from]!;
      data[to++] = colours[from + 1]!;
      data[to++] = colours[from + 2]!;
    }
  }
  return { width, height, data };
}

/** True where the first frame has a transparent colour. */
export function isTransparentGif(file: Buffer): boolean {
  return readFirstFrame(file).transparent !== undefined;
}

function readFirstFrame(file: Buffer): GifFrame {
  if (file.length < 13) throw new Refusal("it ends within its header");
  const flags = file[10]!;
  let at = 13;
  let global: Palette | undefined;
  if (flags & 0x80) {
    const length = 3 << ((flags & 7) + 1);
    global = coloursOf(file.subarray(at, at + length));
    at += length;
  }
  let transparent: number | undefined;
  for (;;) {
    const kind = file[at++];
    if (kind === undefined || kind === 0x3b) throw new Refusal("it has no image");
    if (kind === 0x21) {
      const label = file[at++];
      if (label === undefined) throw new Refusal("it ends within an extension");
      if (label === 0xf9) transparent = transparentColour(file, at) ?? transparent;
      // A first block of no bytes ends the extension, and Pillow looks for one more end all the same, but after a comment.
      const empty = !file[at];
      at = afterBlocks(file, at);
      if (empty && label !== 0xfe) at = afterBlocks(file, at);
    } else if (kind === 0x2c) {
      return frameAt(file, at, global, transparent);
    }
  }
}

function transparentColour(file: Buffer, at: number): number | undefined {
  const length = Math.min(file[at] ?? 0, file.length - at - 1);
  if (length <= 0) return undefined;
  if (length < 3) throw new Refusal("its graphic control extension is too short");
  if (!(file[at + 1]! & 1)) return undefined;
  if (length < 4) throw new Refusal("its graphic control extension is too short");
  return file[at + 4];
}

function afterBlocks(file: Buffer, at: number): number {
  while (file[at]) at += 1 + file[at]!;
  return at + 1;
}

function frameAt(file: Buffer, at: number, global: Palette | undefined, transparent: number | undefined): GifFrame {
  if (at + 9 > file.length) throw new Refusal("it ends within its image's header");
  const [left, top, width, height] = [0, 2, 4, 6].map((offset) => file.readUInt16LE(at + offset)) as [
    number,
    number,
    number,
    number,
  ];
  const flags = file[at + 8]!;
  let palette = global;
  let data = at + 9;
  if (flags & 0x80) {
    const length = 3 << ((flags & 7) + 1);
    // Pillow takes the frame to be grey then, and its grey values for places in the canvas's palette all the same.
    palette = coloursOf(file.subarray(data, data + length)) ?? global;
    data += length;
  }
  const bits = file[data];
  if (bits === undefined) throw new Refusal("it ends before its image data");
  return { left, top, width, height, interlaced: (flags & 0x40) !== 0, bits, at: data + 1, palette, transparent };
}

/** A palette of nothing but the greys in order is none to Pillow: the greys go on to the 256th then. */
function coloursOf(bytes: Uint8Array): Palette | undefined {
  return bytes.some((value, i) => value !== Math.floor(i / 3)) ? paletteOf(bytes, 3, [0, 1, 2]) : undefined;
}
