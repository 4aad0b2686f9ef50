import type { default as Sharp, SharpOptions } from "sharp";
import { OptionalPackageError } from "../errors";
import { Refusal } from "./refusal";
import type { RgbImage } from "./rgb-image";

let loaded: Promise<typeof Sharp> | undefined;

/** Loaded when an image asks for it: it takes a worker's start 60 ms, and most JPEG files do without. */
export async function libvips(): Promise<typeof Sharp> {
  loaded ??= import("sharp").then(
    ({ default: sharp }) => {
      // One image is one small job and there is a worker thread per core: threads inside libvips would only get in the way.
      sharp.concurrency(1);
      sharp.cache(false);
      return sharp;
    },
    (cause: unknown) => {
      // It has native parts, which a machine of another kind than the driver's may lack.
      throw new OptionalPackageError("sharp@0.35.5", "Reading this image", { cause });
    },
  );
  return loaded;
}

/**
 * Pillow stops at data that ends early, reads over what libjpeg only warns of, and knows nothing of colour management.
 * Decoding from memory at once is quicker than by strips.
 */
const OPTIONS: SharpOptions = { failOn: "error", ignoreIcc: true, sequentialRead: false };

/** Decodes what libvips decodes as Pillow does. @throws Refusal */
export function decodeBySharp(file: Buffer, maxPixels: number): Promise<RgbImage> {
  return refusing(async () => {
    // No colour space is asked for: sharp's default is sRGB, and each further operation costs time for every image.
    const sharp = await libvips();
    const image = sharp(file, { ...OPTIONS, limitInputPixels: maxPixels })
      .removeAlpha()
      .raw();
    const { data, info } = await image.toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, data: info.channels === 1 ? greyToRgb(data) : data };
  });
}

/** The four inks of an image, as they are stored. @throws Refusal */
export function inksBySharp(file: Buffer, maxPixels: number): Promise<Uint8Array> {
  return refusing(async () => {
    const sharp = await libvips();
    return sharp(file, { ...OPTIONS, limitInputPixels: maxPixels })
      .pipelineColourspace("cmyk")
      .toColourspace("cmyk")
      .raw()
      .toBuffer();
  });
}

/** An image's size from its header. @throws Refusal */
export function sizeBySharp(file: Buffer): Promise<{ readonly width: number; readonly height: number }> {
  return refusing(async () => {
    const sharp = await libvips();
    return sharp(file, { ...OPTIONS, limitInputPixels: false }).metadata();
  });
}

async function refusing<T>(decode: () => Promise<T>): Promise<T> {
  try {
    return await decode();
  } catch (error) {
    if (error instanceof OptionalPackageError) throw error;
    throw new Refusal(error instanceof Error ? error.message : String(error));
  }
}

export function greyToRgb(grey: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(grey.length * 3);
  grey.forEach((value, i) => void rgb.fill(value, i * 3, i * 3 + 3));
  return rgb;
}
