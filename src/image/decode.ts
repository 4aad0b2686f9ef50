import { OptionalPackageError } from "../errors";
import { decodeAvif } from "./avif";
import { decodeBmp, decodeDib } from "./bmp";
import { CorruptImageError, ImageTooLargeError } from "./errors";
import { READ_FORMATS, recognize } from "./format";
import { decodeGif } from "./gif";
import { decodeJpeg } from "./jpeg";
import { decodePng } from "./png";
import { checkSize, Refusal, TooManyPixels } from "./refusal";
import type { RgbImage } from "./rgb-image";
import { decodeBySharp } from "./sharp";
import { decodeTiff } from "./tiff";
import { webpSize } from "./webp-size";

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

/**
 * Decodes an image file to what `PIL.Image.open(file).convert("RGB")` gives: alpha is dropped and not blended, embedded
 * colour profiles and the EXIF orientation are ignored, of several frames or pages the first is taken, and what Pillow
 * refuses as damaged is refused.
 * @throws CorruptImageError if the bytes are not a whole image in one of the formats that are read
 * @throws ImageTooLargeError from the header alone, before anything is decoded
 */
export async function decodeImage(bytes: Uint8Array, options: DecodeOptions = {}): Promise<RgbImage> {
  const { path, maxPixels = MAX_PIXELS } = options;
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    return await decodeBytes(file, maxPixels);
  } catch (error) {
    if (error instanceof OptionalPackageError) throw error;
    if (error instanceof TooManyPixels) throw tooLarge(error, maxPixels, path);
    // A decoder that reads past the end of a damaged file says so in its own words.
    const reason = error instanceof Error ? error.message : String(error);
    throw new CorruptImageError(reason.trim().replace(/\s*\n\s*/g, "; "), path, error);
  }
}

async function decodeBytes(file: Buffer, maxPixels: number): Promise<RgbImage> {
  if (file.length === 0) throw new Refusal("the file is empty");
  const recognized = recognize(file);
  switch (recognized.kind) {
    case "unknown":
      throw new Refusal(`it is not an image in a format that is read: ${READ_FORMATS}`);
    case "other":
      throw new Refusal(`it is in the format ${recognized.name}, which is not read; those that are: ${READ_FORMATS}`);
    case "read":
      break;
  }
  switch (recognized.format) {
    case "JPEG":
      return decodeJpeg(file, maxPixels);
    case "PNG":
      return decodePng(file, maxPixels);
    case "GIF":
      return decodeGif(file, maxPixels);
    case "BMP":
      return decodeBmp(file, maxPixels);
    case "DIB":
      return decodeDib(file, maxPixels);
    case "WebP": {
      const size = webpSize(file);
      if (size) checkSize(size.width, size.height, maxPixels);
      return decodeBySharp(file, maxPixels);
    }
    case "TIFF":
      return decodeTiff(file, maxPixels);
    case "AVIF":
      return decodeAvif(file, maxPixels);
  }
}

function tooLarge({ width, height }: TooManyPixels, maxPixels: number, path: string | undefined): ImageTooLargeError {
  const limit = maxPixels.toLocaleString("en-US");
  return new ImageTooLargeError(`An image of ${width} x ${height} pixels is over the limit of ${limit} pixels.`, path);
}
