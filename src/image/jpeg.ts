import { wasmBase64 } from "./jpeg.wasm";
import { checkMarkersBehind, readJpegHeader } from "./jpeg-header";
import { checkSize } from "./refusal";
import type { RgbImage } from "./rgb-image";
import { decodeBySharp, inksBySharp } from "./sharp";
import { cmyk, unpackRows } from "./unpack";

/**
 * Images up to this many pixels are decoded here. Beyond it the general decoder's start, half a millisecond, is nothing
 * against its faster inner loops, and it works on another thread.
 */
const MOST_PIXELS = 1 << 18;

/** A JPEG's pixels, as Pillow gives them. @throws Refusal */
export async function decodeJpeg(file: Buffer, maxPixels: number): Promise<RgbImage> {
  const header = readJpegHeader(file);
  checkSize(header.width, header.height, maxPixels);
  const simple = header.components === 4 ? undefined : decodeSimpleJpeg(file, maxPixels);
  if (simple) return simple;
  checkMarkersBehind(file, header);
  if (header.components !== 4) return decodeBySharp(file, maxPixels);
  const inks = await inksBySharp(file, maxPixels);
  // Both take every file to be Adobe's, whose inks are inverted, and libvips has turned them around.
  return unpackRows(inks, 0, header.width * 4, header, cmyk());
}

/**
 * Decodes a small JPEG of the common kind (sequential, grey or YCbCr) to the same bytes as libjpeg-turbo, without the
 * threads and pipelines of the general decoder, which for 100 x 100 pixels take longer than the decoding.
 * @returns undefined for any other JPEG and for data with anything irregular: the general decoder says what it is
 */
export function decodeSimpleJpeg(bytes: Uint8Array, maxPixels: number): RgbImage | undefined {
  const wasm = module();
  const source = wasm.allocate(bytes.length);
  new Uint8Array(wasm.memory.buffer, source, bytes.length).set(bytes);
  const pixels = wasm.decode(source, bytes.length, Math.min(maxPixels, MOST_PIXELS));
  wasm.release(source);
  if (pixels === 0) return undefined;
  const [width, height] = [wasm.width(), wasm.height()];
  const data = new Uint8Array(wasm.memory.buffer, pixels, width * height * 3).slice();
  wasm.release(pixels);
  return { width, height, data };
}

/** What jpeg.as.ts exports. */
interface JpegModule {
  readonly memory: WebAssembly.Memory;
  allocate(bytes: number): number;
  release(pointer: number): void;
  decode(source: number, length: number, maxPixels: number): number;
  width(): number;
  height(): number;
}

let instance: JpegModule | undefined;

function module(): JpegModule {
  if (!instance) {
    const compiled = new WebAssembly.Module(Buffer.from(wasmBase64, "base64"));
    instance = new WebAssembly.Instance(compiled, {}).exports as unknown as JpegModule;
  }
  return instance;
}
