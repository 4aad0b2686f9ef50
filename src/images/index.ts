import { type DecodeOptions, decodeImage } from "../image/decode";
import { type Resample, resize as resizeImage } from "../image/resize";
import type { RgbImage } from "../image/rgb-image";

export { CorruptImageError, ImageTooLargeError } from "../image/errors";
/** Images as pixels, decoded and resized as Pillow 13 does: for user functions on the workers, and for scripts. */
export type { DecodeOptions, Resample, RgbImage };

/** Options of {@link resize}. */
export interface ResizeOptions {
  /**
   * The filter: one of Pillow's `Image.Resampling`. Keras's `load_img` takes `nearest`.
   * @default "bicubic", as in Pillow's `resize`
   */
  readonly resample?: Resample | undefined;
}

/**
 * Decodes an image file to its pixels, as `PIL.Image.open(file).convert("RGB")` does: alpha is dropped and not blended,
 * colour profiles are ignored, the EXIF orientation is left alone but in TIFF, of several frames or pages the first is
 * taken. JPEG, PNG, GIF, WebP, BMP, TIFF and AVIF are read.
 *
 *     const { width, height, data } = await decode(content);
 *     const [red, green, blue] = data.subarray((y * width + x) * 3);
 *
 * @param bytes the file's content
 * @returns `width`, `height`, and `data`: RGB bytes, row by row from the top, three for each pixel
 * @throws CorruptImageError if the bytes are not a whole image in one of these formats
 * @throws ImageTooLargeError for more pixels than `maxPixels`, before anything is decoded
 * @see https://pillow.readthedocs.io/en/stable/reference/Image.html#PIL.Image.open
 */
export function decode(bytes: Uint8Array, options: DecodeOptions = {}): Promise<RgbImage> {
  return decodeImage(bytes, options);
}

/**
 * An image at another size, bit for bit as Pillow's `image.resize((width, height), resample)`.
 * @param width pixels, from 1 up
 * @param height pixels, from 1 up
 * @throws IllegalArgumentError for a size that is none, or an image whose `data` has another length than its size says
 * @throws ImageTooLargeError where it would take more than 1 GB
 * @see https://pillow.readthedocs.io/en/stable/reference/Image.html#PIL.Image.Image.resize
 */
export function resize(image: RgbImage, width: number, height: number, options: ResizeOptions = {}): RgbImage {
  return resizeImage(image, width, height, options.resample);
}
