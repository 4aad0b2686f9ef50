import sharp, { type Sharp, type SharpOptions } from "sharp";
import { CorruptImageError, ImageTooLargeError } from "./errors";
import { inspect, type PixelForm } from "./header";
import { decodeSimpleJpeg } from "./jpeg";

/** An image as RGB bytes: `height` rows of `width` pixels of three bytes, back to back. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

export interface DecodeOptions {
  /** The image's path or URL, for error messages. */
  readonly path?: string | undefined;
  /**
   * Most pixels an image may have.
   * @default 178,956,970, where Pillow raises DecompressionBombError
   */
  readonly maxPixels?: number | undefined;
}

/** Twice Pillow's `Image.MAX_IMAGE_PIXELS`: above it Pillow refuses an image. */
export const MAX_PIXELS = 178_956_970;

// One image is one small job and there is a worker thread per core: threads inside libvips would only get in the way.
sharp.concurrency(1);
sharp.cache(false);

/**
 * Decodes a JPEG, PNG, WebP or GIF (its first frame) to what `PIL.Image.open(file).convert("RGB")` gives: alpha is
 * dropped and not blended, embedded colour profiles and the EXIF orientation are ignored, 16 bits are cut as Pillow cuts them.
 * @throws CorruptImageError if the bytes are not a whole image in one of these formats
 * @throws ImageTooLargeError from the header alone, before anything is decoded
 */
export async function decodeImage(bytes: Uint8Array, options: DecodeOptions = {}): Promise<RgbImage> {
  const { path, maxPixels = MAX_PIXELS } = options;
  const header = inspect(bytes, path);
  const quick = header.form === "jpeg" ? decodeSimpleJpeg(bytes, maxPixels) : undefined;
  if (quick) return quick;
  const input = { ...SHARP_OPTIONS, limitInputPixels: maxPixels };
  try {
    return await decodeAs(header.form, sharp(header.bytes, input));
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).trim().replace(/\s*\n\s*/g, "; ");
    if (reason.includes("exceeds pixel limit")) throw await tooLarge(header.bytes, maxPixels, path);
    throw new CorruptImageError(reason, path, error);
  }
}

/**
 * Pillow stops at data that ends early, reads over what libjpeg only warns of, and knows nothing of colour management.
 * Decoding from memory at once is quicker than by strips.
 */
const SHARP_OPTIONS: SharpOptions = { failOn: "error", ignoreIcc: true, sequentialRead: false };

async function decodeAs(form: PixelForm, image: Sharp): Promise<RgbImage> {
  switch (form) {
    case "jpeg":
    case "rgb": {
      // No colour space is asked for: sharp's default is sRGB, and each further operation costs time for every image.
      const { data, info } = await image.removeAlpha().raw().toBuffer({ resolveWithObject: true });
      return { width: info.width, height: info.height, data };
    }
    case "cmyk": {
      const pipeline = image.pipelineColourspace("cmyk").toColourspace("cmyk").raw();
      const { data, info } = await pipeline.toBuffer({ resolveWithObject: true });
      return { width: info.width, height: info.height, data: rgbFromCmyk(data) };
    }
    case "grey16": {
      const pipeline = image.removeAlpha().toColourspace("grey16").raw({ depth: "ushort" });
      const { data, info } = await pipeline.toBuffer({ resolveWithObject: true });
      const values = new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2);
      return { width: info.width, height: info.height, data: rgbFromGrey16(values) };
    }
  }
}

/** Pillow's conversion: each ink takes its share of what black leaves over. @see cmyk2rgb in Pillow's Convert.c */
function rgbFromCmyk(cmyk: Uint8Array): Uint8Array {
  const rgb = new Uint8Array((cmyk.length / 4) * 3);
  for (let from = 0, to = 0; from < cmyk.length; from += 4, to += 3) {
    const light = 255 - cmyk[from + 3]!;
    for (let ink = 0; ink < 3; ink++) rgb[to + ink] = light - multiplyBytes(cmyk[from + ink]!, light);
  }
  return rgb;
}

/** a * b / 255, rounded, in integers. @see MULDIV255 in Pillow's ImagingUtils.h */
function multiplyBytes(a: number, b: number): number {
  const product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

/** Pillow keeps 16-bit grey as "I;16" and clips it to 8 bits, where it cuts 16-bit colours down to their high byte. */
function rgbFromGrey16(grey: Uint16Array): Uint8Array {
  const rgb = new Uint8Array(grey.length * 3);
  grey.forEach((value, i) => void rgb.fill(Math.min(value, 255), i * 3, i * 3 + 3));
  return rgb;
}

async function tooLarge(bytes: Uint8Array, maxPixels: number, path: string | undefined): Promise<ImageTooLargeError> {
  const { width, height } = await sharp(bytes, { limitInputPixels: false }).metadata();
  const limit = maxPixels.toLocaleString("en-US");
  return new ImageTooLargeError(`An image of ${width} x ${height} pixels is over the limit of ${limit} pixels.`, path);
}
