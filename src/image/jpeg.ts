import type { Codec } from "@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs";
import { checkMarkersBehind, type JpegHeader, readJpegHeader } from "./jpeg-header";
import { checkSize } from "./refusal";
import type { RgbImage } from "./rgb-image";
import { decodeBySharp, greyToRgb, inksBySharp } from "./sharp";
import { cmyk, unpackRows } from "./unpack";

/**
 * Images up to this many pixels and bytes are decoded by libjpeg-turbo in WebAssembly. Beyond it the general decoder's
 * start, a millisecond, is nothing against its faster inner loops; only lossless images it can't read.
 */
const MOST_PIXELS = 1 << 18;
const MOST_BYTES = 1 << 23;
const LOSSLESS = 3;

/** A JPEG's pixels, as Pillow gives them. @throws Refusal */
export async function decodeJpeg(file: Buffer, maxPixels: number): Promise<RgbImage> {
  const header = readJpegHeader(file);
  checkSize(header.width, header.height, maxPixels);
  const regular = await decodeRegularJpeg(file, header);
  if (regular) return regular;
  checkMarkersBehind(file, header);
  if (header.components !== 4) return decodeBySharp(file, maxPixels);
  const inks = await inksBySharp(file, maxPixels);
  // Both take every file to be Adobe's, whose inks are inverted, and libvips has turned them around.
  return unpackRows(inks, 0, header.width * 4, header, cmyk());
}

/**
 * Decodes a small or lossless JPEG, grey or colour, by libjpeg-turbo, without the threads and pipelines of the general
 * decoder, which for 100 x 100 pixels take longer than the decoding. Where coefficients of damaged data overflow, the
 * pixels are those of a processor without vector instructions.
 * @returns undefined for any other JPEG and for data that libjpeg warns of: the general decoder says what it is
 */
export async function decodeRegularJpeg(file: Uint8Array, header: JpegHeader): Promise<RgbImage | undefined> {
  const { width, height, components, frame: kind } = header;
  const small = width * height <= MOST_PIXELS && file.length <= MOST_BYTES;
  if (components === 4 || !(small || kind === LOSSLESS)) return undefined;
  const { JPEGDecoder } = await codec();
  // Its memory only grows: one that decodes something large is not kept.
  if (!small) loaded = undefined;
  const decoder = new JPEGDecoder();
  try {
    decoder.getEncodedBuffer(file.length).set(file);
    decoder.readHeader();
    const frame = decoder.getFrameInfo();
    // What was checked is the size in our header.
    const expected = frame.width === width && frame.height === height;
    if (expected) decoder.decode();
    const pixels = decoder.getDecodedBuffer();
    const data = frame.componentCount === 1 ? greyToRgb(pixels) : pixels.slice();
    decoder.delete();
    return expected ? { width, height, data } : undefined;
  } catch (error) {
    // A number is an exception of C++. Any other is a fault that the module does not come back from.
    if (typeof error === "number") decoder.delete();
    else loaded = undefined;
    return undefined;
  }
}

let loaded: Promise<Codec> | undefined;

function codec(): Promise<Codec> {
  loaded ??= import("@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs").then(({ default: start }) => start());
  return loaded;
}
