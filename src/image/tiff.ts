import { orient } from "./orientation";
import { checkSize, Refusal } from "./refusal";
import type { RgbImage } from "./rgb-image";
import { decodeBySharp, inksBySharp } from "./sharp";
import { reverseBits, swapBytes, TIFF_CODEC_NAMES, TIFF_CODECS, undoDifferences } from "./tiff-codecs";
import { readTiffDirectory } from "./tiff-directory";
import { tiffUnpack } from "./tiff-form";
import { type TiffLayout, tiffLayout } from "./tiff-layout";
import { cmyk, unpackRows } from "./unpack";

/**
 * The first page of a TIFF as Pillow gives it, turned as its orientation says: Pillow does so for TIFF, and for no other format.
 * @see https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf and Pillow's TiffImagePlugin.py
 */
export async function decodeTiff(file: Buffer, maxPixels: number): Promise<RgbImage> {
  const layout = tiffLayout(readTiffDirectory(file));
  const unpack = tiffUnpack(layout, layout.bigEndian && !isSwapped(layout));
  checkSize(layout.width, layout.height, maxPixels);
  return orient(await pixels(), layout.orientation);

  async function pixels(): Promise<RgbImage> {
    switch (layout.compression) {
      case 1:
        return unpackRows(rawRows(file, layout), 0, rowBytesOf(layout), layout, unpack);
      case 2:
      case 3:
      case 4:
        return decodeBySharp(file, maxPixels);
      case 7:
        if (layout.photometric !== 5) return decodeBySharp(file, maxPixels);
        return unpackRows(await inksBySharp(file, maxPixels), 0, layout.width * 4, layout, cmyk());
      default:
        return unpackRows(await decodedRows(file, layout), 0, rowBytesOf(layout), layout, unpack);
    }
  }
}

/** libtiff hands over samples of 16 and 32 bits in the machine's order; Pillow overlooks it where they are signed or floats. */
function isSwapped({ compression, sampleFormat, bits }: TiffLayout): boolean {
  return compression !== 1 && sampleFormat === 1 && bits[0] === 16;
}

function rowBytesOf({ width, bits }: TiffLayout): number {
  return Math.ceil((width * bits.length * bits[0]!) / 8);
}

/** A part of the image, strip or tile, and which plane it is of. */
interface Place {
  readonly x: number;
  readonly y: number;
  readonly plane: number;
  readonly columns: number;
  readonly rows: number;
}

/** Rows of pixels, all samples of a pixel together, out of what is not compressed. */
function rawRows(file: Buffer, layout: TiffLayout): Uint8Array {
  const { parts, planar, width, height, bits } = layout;
  if (layout.photometric === 6 && bits.length === 3) throw ycbcr();
  if (planar && bits.length > 1 && bits[0] !== 8) throw new Refusal("it has planes of 16 bits without compression");
  const rows = new Uint8Array(rowBytesOf(layout) * height);
  const source = layout.fillOrder === 2 ? reverseBits(file) : file;
  const whole = parts.width === width && parts.height === height && !planar;
  const offsets = whole ? parts.offsets.slice(-1) : parts.offsets;
  let [x, y, plane] = [0, 0, 0];
  for (const offset of offsets) {
    const columns = Math.min(parts.width, width - x);
    const partRows = Math.min(parts.height, height - y);
    if (plane >= (planar ? bits.length : 1)) throw new Refusal("it has more strips than the image");
    const sampleBits = planar ? bits[0]! : bits.length * bits[0]!;
    const partBytes = Math.ceil((columns * sampleBits) / 8);
    const stride = columns < parts.width ? Math.floor((parts.width * sampleBits) / 8) : partBytes;
    if (offset + stride * (partRows - 1) + partBytes > file.length) throw new Refusal("its image data is cut short");
    put(rows, layout, { x, y, plane, columns, rows: partRows }, source.subarray(offset), stride);
    x += parts.width;
    if (x < width) continue;
    [x, y] = [0, y + parts.height];
    if (y >= height) [y, plane] = [0, plane + 1];
  }
  return rows;
}

/** The same of what is compressed. */
async function decodedRows(file: Buffer, layout: TiffLayout): Promise<Uint8Array> {
  const { parts, planar, width, height, bits, predictor, compression } = layout;
  const codec = TIFF_CODECS[compression];
  if (!codec) {
    const name = TIFF_CODEC_NAMES[compression] ?? `number ${compression}`;
    throw new Refusal(`it is a TIFF with the compression ${name}, which is not read`);
  }
  if (layout.photometric === 6) throw ycbcr();
  const depth = bits[0]!;
  const differences = compression !== 32773 && predictor !== 1;
  if (differences && (predictor !== 2 || ![8, 16, 32].includes(depth))) {
    throw new Refusal(`it is a TIFF with the predictor ${predictor} on ${depth} bits, which is not read`);
  }
  const rows = new Uint8Array(rowBytesOf(layout) * height);
  const across = Math.ceil(width / parts.width);
  const down = Math.ceil(height / parts.height);
  const planes = planar ? bits.length : 1;
  // Samples that are left out are stored all the same where they are not stored apart.
  const samples = planar ? 1 : layout.storedSamples;
  if (!planar && samples !== bits.length) throw new Refusal("its samples and their bits do not agree");
  for (let part = 0; part < across * down * planes; part++) {
    const place = placeOf(part, across, down, layout);
    const partColumns = parts.tiled ? parts.width : width;
    const partRows = parts.tiled ? parts.height : place.rows;
    const partBytes = Math.ceil((partColumns * samples * depth) / 8);
    const data = await codec(stored(file, layout, part), partBytes * partRows);
    if (layout.bigEndian && (depth === 16 || depth === 32)) swapBytes(data, depth / 8);
    if (differences) undoDifferences(data, partBytes, samples, depth);
    put(rows, layout, place, data, partBytes);
  }
  return rows;
}

function placeOf(part: number, across: number, down: number, { parts, width, height }: TiffLayout): Place {
  const [x, y] = [(part % across) * parts.width, (Math.floor(part / across) % down) * parts.height];
  const plane = Math.floor(part / (across * down));
  return { x, y, plane, columns: Math.min(parts.width, width - x), rows: Math.min(parts.height, height - y) };
}

/** A part's bytes as they are in the file. */
function stored(file: Buffer, { parts, fillOrder }: TiffLayout, part: number): Uint8Array {
  const offset = parts.offsets[part];
  const count = parts.byteCounts?.[part] ?? (parts.byteCounts ? undefined : file.length - (offset ?? 0));
  if (offset === undefined || count === undefined || offset + count > file.length) {
    throw new Refusal("its image data is cut short");
  }
  const data = file.subarray(offset, offset + count);
  return fillOrder === 2 ? reverseBits(data) : data;
}

/** Copies a part to where it belongs; a plane's samples go between those of the others. */
function put(rows: Uint8Array, layout: TiffLayout, place: Place, source: Uint8Array, stride: number): void {
  const { bits, planar } = layout;
  const depth = bits[0]!;
  const rowBytes = rowBytesOf(layout);
  if (!planar || bits.length === 1) {
    const pixelBits = bits.length * depth;
    const bytes = Math.ceil((place.columns * pixelBits) / 8);
    for (let row = 0; row < place.rows; row++) {
      const to = (place.y + row) * rowBytes + (place.x * pixelBits) / 8;
      rows.set(source.subarray(row * stride, row * stride + bytes), to);
    }
    return;
  }
  const sampleBytes = depth / 8;
  for (let row = 0; row < place.rows; row++) {
    for (let x = 0; x < place.columns; x++) {
      const to = (place.y + row) * rowBytes + ((place.x + x) * bits.length + place.plane) * sampleBytes;
      for (let i = 0; i < sampleBytes; i++) rows[to + i] = source[row * stride + x * sampleBytes + i]!;
    }
  }
}

function ycbcr(): Refusal {
  return new Refusal("it is a TIFF in the colour space YCbCr without JPEG compression, which is not read");
}
