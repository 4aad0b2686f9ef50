/** The formats that are read, by what their files begin with. */
export type ImageFormat = "BMP" | "DIB" | "GIF" | "JPEG" | "PNG" | "TIFF" | "WebP" | "AVIF";

/** What a file is: read here, another kind of image by name, or unknown. */
export type Recognized =
  | { readonly kind: "read"; readonly format: ImageFormat }
  | { readonly kind: "other"; readonly name: string }
  | { readonly kind: "unknown" };

/** The names of the formats that are read, for messages. */
export const READ_FORMATS = "JPEG, PNG, GIF, WebP, BMP, TIFF and AVIF";

/** The endings of names of files in these formats, as `pomona featurize` takes them, without regard to case. */
export const IMAGE_EXTENSIONS = [
  "jpg",
  "jpeg",
  "jpe",
  "jfif",
  "png",
  "apng",
  "gif",
  "webp",
  "bmp",
  "dib",
  "tif",
  "tiff",
  "avif",
] as const;

/** A format's name, where in a file its texts stand, and the texts, one of which is there. */
type Signature<Name> = readonly [Name, at: number, ...texts: string[]];

const READ: readonly Signature<ImageFormat>[] = [
  ["BMP", 0, "BM"],
  ["GIF", 0, "GIF87a", "GIF89a"],
  ["JPEG", 0, "\xff\xd8\xff"],
  ["PNG", 0, "\x89PNG\r\n\x1a\n"],
  ["TIFF", 0, "MM\0*", "II*\0", "MM*\0", "II\0*", "MM\0+", "II+\0"],
  ["WebP", 8, "WEBPVP8 ", "WEBPVP8X", "WEBPVP8L"],
  ["AVIF", 4, "ftypavif", "ftypavis", "ftypmif1", "ftypmsf1"],
  ["DIB", 0, ...[12, 40, 52, 56, 64, 108, 124].map((size) => `${String.fromCharCode(size)}\0\0\0`)],
];

const OTHER: readonly Signature<string>[] = [
  ["HEIC", 4, "ftypheic", "ftypheix", "ftyphevc", "ftypheim", "ftypheis"],
  ["JPEG 2000", 0, "\xff\x4f\xff\x51", "\0\0\0\x0cjP  \r\n\x87\n"],
  ["JPEG XL", 0, "\xff\x0a", "\0\0\0\x0cJXL "],
  ["SVG", 0, "<svg"],
  ["XML", 0, "<?xml", "<!"],
  ["Netpbm", 0, ..."1234567Ffy".split("").map((kind) => `P${kind}`)],
  ["Photoshop", 0, "8BPS"],
  ["QOI", 0, "qoif"],
  ["DDS", 0, "DDS "],
  ["ICO", 0, "\0\0\x01\0"],
  ["CUR", 0, "\0\0\x02\0"],
  ["ICNS", 0, "icns"],
  ["SGI", 0, "\x01\xda"],
  ["PCX", 0, "\n\0", "\n\x02", "\n\x03", "\n\x05"],
  ["EPS", 0, "%!PS", "\xc5\xd0\xd3\xc6"],
  ["PDF", 0, "%PDF"],
  ["FITS", 0, "SIMPLE"],
  ["XPM", 0, "/* XPM */"],
  ["Sun raster", 0, "\x59\xa6\x6a\x95"],
  ["BLP", 0, "BLP1", "BLP2"],
];

/** Tells the format by a file's first bytes: its name is not looked at. */
export function recognize(file: Buffer): Recognized {
  const start = file.toString("latin1", 0, 32);
  const matches = ([, at, ...texts]: Signature<string>) => texts.some((text) => start.startsWith(text, at));
  const format = READ.find(matches)?.[0];
  if (format) return { kind: "read", format };
  const name = OTHER.find(matches)?.[0];
  return name === undefined ? { kind: "unknown" } : { kind: "other", name };
}
