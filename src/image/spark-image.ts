import { decodeImage } from "./decode";
import { recognize } from "./format";
import { isTransparentGif } from "./gif";
import { readJpegHeader } from "./jpeg-header";
import { libvips } from "./sharp";
import { readTiffDirectory } from "./tiff-directory";
import { tiffLayout } from "./tiff-layout";

/** An image as Spark's image source has it: rows from the top, each pixel's channels in OpenCV's order. */
export interface SparkImage {
  readonly height: number;
  readonly width: number;
  /** 1: grey, 3: blue, green, red, 4: the same and alpha. */
  readonly nChannels: 1 | 3 | 4;
  /** OpenCV's type: CV_8UC1, CV_8UC3 or CV_8UC4. */
  readonly mode: 0 | 16 | 24;
  readonly data: Uint8Array;
}

const MODES = { 1: 0, 3: 16, 4: 24 } as const;

/**
 * Decodes a file as Spark's image source does.
 * @throws CorruptImageError, ImageTooLargeError
 * @see https://spark.apache.org/docs/latest/ml-datasource.html#image-data-source
 */
export async function sparkImage(bytes: Uint8Array, path?: string): Promise<SparkImage> {
  const { width, height, data: rgb } = await decodeImage(bytes, { path });
  const seen = channelsOf(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  const alpha = seen === 4 ? await alphaOf(bytes, width * height) : undefined;
  const nChannels = seen === 4 && !alpha ? 3 : seen;
  const data = new Uint8Array(width * height * nChannels);
  for (let pixel = 0, to = 0; pixel < width * height; pixel++) {
    const from = pixel * 3;
    if (nChannels === 1) {
      data[to++] = rgb[from]!;
      continue;
    }
    data[to++] = rgb[from + 2]!;
    data[to++] = rgb[from + 1]!;
    data[to++] = rgb[from]!;
    if (alpha) data[to++] = alpha[pixel]!;
  }
  return { height, width, nChannels, mode: MODES[nChannels], data };
}

/** How many channels Java's ImageIO sees, by which Spark goes. */
function channelsOf(file: Buffer): 1 | 3 | 4 {
  const recognized = recognize(file);
  if (recognized.kind !== "read") return 3;
  switch (recognized.format) {
    case "JPEG":
      return readJpegHeader(file).components === 1 ? 1 : 3;
    case "PNG": {
      const [bits, colourType] = [file[24], file[25]];
      const transparent = file.subarray(0, file.indexOf("IDAT")).includes("tRNS");
      if (colourType === 4 || (colourType === 0 && (bits === 8 || bits === 16))) return 1;
      if (colourType === 6 || (transparent && colourType !== 0)) return 4;
      return 3;
    }
    case "GIF":
      return isTransparentGif(file) ? 4 : 3;
    case "TIFF": {
      const { bits, extra, photometric } = tiffLayout(readTiffDirectory(file));
      if (bits[0] === 8 && bits.length === 1 && photometric <= 1) return 1;
      return photometric === 2 && extra.some((meaning) => meaning !== 0) ? 4 : 3;
    }
    default:
      return 3;
  }
}

/** None where libvips sees the image at another size, as with a frame beyond its canvas. */
async function alphaOf(bytes: Uint8Array, pixels: number): Promise<Uint8Array | undefined> {
  const sharp = await libvips();
  const { data, info } = await sharp(bytes)
    .ensureAlpha()
    .extractChannel("alpha")
    .raw()
    .toBuffer({ resolveWithObject: true });
  return info.width * info.height === pixels && data.length === pixels ? data : undefined;
}
