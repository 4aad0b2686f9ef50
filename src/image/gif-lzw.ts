import { Refusal } from "./refusal";
import type { Palette } from "./unpack";

/** The first image of a GIF and what is needed to decode it. */
export interface GifFrame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly interlaced: boolean;
  /** Bits of the smallest codes. */
  readonly bits: number;
  /** Where the blocks of codes begin. */
  readonly at: number;
  /** None where it is no more than the greys in order. */
  readonly palette: Palette | undefined;
  readonly transparent: number | undefined;
}

/** Codes have at most 12 bits. */
const TABLE = 4096;

/** Pillow reads a file so many bytes at a time, and gives up where it finds no more. */
const READ_BYTES = 65536;

/** Interlaced rows: where each pass begins, and its step. */
const PASSES = [
  [0, 8],
  [4, 8],
  [2, 4],
  [1, 2],
] as const;

/**
 * The colour numbers of a GIF's image, row by row. What Pillow takes is taken: the end of codes is only waited out where
 * pixels are missing, and data behind the last pixel is not looked at.
 * @see ImagingGifDecode in Pillow's src/libImaging/GifDecode.c
 */
export function decodeGifPixels(file: Uint8Array, frame: GifFrame): Uint8Array {
  const { width, height, bits } = frame;
  if (bits > 12) throw new Refusal(`its codes have ${bits} bits`);
  const codes = readCodes(file, frame.at);
  const pixels = new Uint8Array(width * height);
  const rows = rowStarts(width, height, frame.interlaced);
  const clear = 1 << bits;
  const link = new Uint16Array(TABLE);
  const last = new Uint8Array(TABLE);
  const string = new Uint8Array(TABLE + 1);
  let next = clear + 2;
  let size = bits + 1;
  let fresh = true;
  let previous = 0;
  let firstOfPrevious = 0;
  let row = 0;
  let x = 0;
  for (;;) {
    const code = codes.next(size);
    if (code === clear) {
      next = clear + 2;
      size = bits + 1;
      fresh = true;
      continue;
    }
    if (code === clear + 1) {
      codes.endOfCodes();
      continue;
    }
    let from = string.length;
    if (fresh) {
      if (code > clear) throw new Refusal("its image data is damaged");
      string[--from] = code;
      previous = code;
      firstOfPrevious = code;
      fresh = false;
    } else {
      if (code > next) throw new Refusal("its image data is damaged");
      let c = code;
      if (code === next) {
        string[--from] = firstOfPrevious;
        c = previous;
      }
      while (c >= clear) {
        if (from <= 1 || c >= TABLE) throw new Refusal("its image data is damaged");
        string[--from] = last[c]!;
        c = link[c]!;
      }
      firstOfPrevious = c;
      string[--from] = c;
      if (next < TABLE) {
        last[next] = c;
        link[next] = previous;
        if (next === (1 << size) - 1 && size < 12) size++;
        next++;
      }
      previous = code;
    }
    for (; from < string.length; from++) {
      pixels[rows[row]! + x] = string[from]!;
      if (++x < width) continue;
      x = 0;
      if (++row === height) return pixels;
    }
  }
}

/** Where each row of the data goes in the image. */
function rowStarts(width: number, height: number, interlaced: boolean): Uint32Array {
  const rows = Uint32Array.from({ length: height }, (_, y) => y * width);
  if (!interlaced) return rows;
  let at = 0;
  for (const [start, step] of PASSES) for (let y = start; y < height; y += step) rows[at++] = y * width;
  return rows;
}

/** Reads codes out of the blocks that begin at `at`. */
function readCodes(file: Uint8Array, at: number) {
  const start = at;
  let read = Math.min(file.length, start + READ_BYTES);
  let block = 0;
  let buffer = 0;
  let held = 0;
  const more = () => {
    if (read === file.length) throw new Refusal("its image data is cut short");
    read = Math.min(file.length, read + READ_BYTES);
  };
  return {
    next(size: number): number {
      while (held < size) {
        if (block > 0) {
          buffer |= file[at++]! << held;
          held += 8;
          block--;
          continue;
        }
        // A block is begun only when it is there as a whole.
        while (at >= read || at + file[at]! + 1 > read) more();
        block = file[at++]!;
      }
      const code = buffer & ((1 << size) - 1);
      buffer >>>= size;
      held -= size;
      return code;
    },
    /** Pillow takes the end of codes for the end of what it was given, and goes on with what it reads next. */
    endOfCodes: more,
  };
}
