import { CorruptImageError } from "./errors";

/** How an image has to be decoded to come out as in Pillow; `jpeg` is a JPEG that is not CMYK. */
export type PixelForm = "jpeg" | "rgb" | "cmyk" | "grey16";

/** What the first bytes of a file tell. */
export interface Inspected {
  readonly form: PixelForm;
  /** The bytes to decode: the file's own, or a copy with its GIF transparency switched off. */
  readonly bytes: Uint8Array;
}

/**
 * Tells the format by its first bytes. The decoder below knows more formats than are read here, SVG among them, so a
 * text file must not get that far.
 * @throws CorruptImageError if it is none of JPEG, PNG, WebP and GIF
 */
export function inspect(bytes: Uint8Array, path: string | undefined): Inspected {
  if (bytes.length === 0) throw new CorruptImageError("the file is empty", path);
  if (startsWith(bytes, [0xff, 0xd8, 0xff])) return { form: jpegComponents(bytes) === 4 ? "cmyk" : "jpeg", bytes };
  if (startsWith(bytes, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])) {
    const [bitDepth, colourType] = [bytes[24], bytes[25]];
    return { form: bitDepth === 16 && colourType === 0 ? "grey16" : "rgb", bytes };
  }
  if (isAscii(bytes, 0, "RIFF") && isAscii(bytes, 8, "WEBP")) return { form: "rgb", bytes };
  if (isAscii(bytes, 0, "GIF8")) return { form: "rgb", bytes: withoutTransparency(bytes) };
  throw new CorruptImageError("it is not a JPEG, PNG, WebP or GIF file", path);
}

function startsWith(bytes: Uint8Array, start: readonly number[]): boolean {
  return start.every((byte, i) => bytes[i] === byte);
}

function isAscii(bytes: Uint8Array, at: number, text: string): boolean {
  return [...text].every((char, i) => bytes[at + i] === char.charCodeAt(0));
}

/** The number of components in a JPEG's frame header; undefined if there is none. */
function jpegComponents(bytes: Uint8Array): number | undefined {
  let at = 2;
  while (at + 9 < bytes.length) {
    if (bytes[at] !== 0xff) return undefined;
    const marker = bytes[at + 1]!;
    if (marker === 0xff) {
      at++; // a fill byte
      continue;
    }
    // SOF0 to SOF15; among them DHT (C4), JPG (C8) and DAC (CC) are something else.
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) return bytes[at + 9];
    at += 2 + bytes[at + 2]! * 256 + bytes[at + 3]!;
  }
  return undefined;
}

/**
 * A GIF whose first frame has no transparent colour: Pillow gives such pixels their palette colour when it drops the
 * alpha, the decoder makes them black. The flag is in the graphic control extension before the first image.
 */
function withoutTransparency(bytes: Uint8Array): Uint8Array {
  const globalTable = bytes[10]! & 0x80 ? 3 * 2 ** ((bytes[10]! & 7) + 1) : 0;
  let at = 13 + globalTable;
  while (at + 7 < bytes.length && bytes[at] === 0x21) {
    if (bytes[at + 1] === 0xf9 && bytes[at + 3]! & 1) {
      const opaque = bytes.slice();
      opaque[at + 3]! &= ~1;
      return opaque;
    }
    at += 2;
    while (at < bytes.length && bytes[at] !== 0) at += 1 + bytes[at]!;
    at++;
  }
  return bytes;
}
