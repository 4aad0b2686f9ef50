import { inflate } from "./inflate";
import { type PngHeader, readPngChunks } from "./png-chunks";
import { checkSize, Refusal } from "./refusal";
import type { RgbImage } from "./rgb-image";
import { bytes, grey16, greys, indexed, paletteOf, type Unpack } from "./unpack";

/**
 * A PNG's pixels, of an animation those of its first frame, as Pillow gives them: chunk by chunk, with its rules of what
 * is damaged and what will do.
 * @see https://www.w3.org/TR/png-3/ and Pillow's PngImagePlugin.py and ZipDecode.c
 */
export async function decodePng(file: Buffer, maxPixels: number): Promise<RgbImage> {
  const header = readPngChunks(file);
  const { width, height } = header;
  const form = pixelForm(header);
  checkSize(width, height, maxPixels);
  const [left, top, frameWidth, frameHeight] = header.frame ?? [0, 0, width, height];
  if (frameWidth < 1 || frameHeight < 1) throw new Refusal("its first frame has no pixels");
  const passes = passesOf(frameWidth, frameHeight, header.interlaced, form.bits);
  const wanted = passes.reduce((sum, pass) => sum + pass.rows * (pass.rowBytes + 1), 0);
  const rows = await inflate(header.data, wanted);
  checkWhole(rows.length, passes);
  if (header.endsWithin && header.data.length > 1) await checkNeeded(header.data, wanted);

  const data = new Uint8Array(width * height * 3);
  if (form.background && (header.frame || rows.length < wanted)) fill(data, form.background);
  const pixels = new Uint8Array(frameWidth * 3);
  let at = 0;
  for (const pass of passes) {
    let previous = -1;
    for (let row = 0; row < pass.rows && at < rows.length; row++) {
      unfilter(rows, at, pass.rowBytes, form.pixelBytes, previous);
      const y = top + pass.firstRow + row * pass.rowStep;
      if (pass.columnStep === 1) form.unpack(rows, at + 1, pass.columns, data, (y * width + left) * 3);
      else {
        form.unpack(rows, at + 1, pass.columns, pixels, 0);
        for (let x = 0; x < pass.columns; x++) {
          const to = (y * width + left + pass.firstColumn + x * pass.columnStep) * 3;
          data[to] = pixels[x * 3]!;
          data[to + 1] = pixels[x * 3 + 1]!;
          data[to + 2] = pixels[x * 3 + 2]!;
        }
      }
      previous = at;
      at += pass.rowBytes + 1;
    }
  }
  return { width, height, data };
}

interface PixelForm {
  readonly unpack: Unpack;
  readonly bits: number;
  readonly pixelBytes: number;
  /** What a pixel without data is: a palette's first colour; black otherwise. */
  readonly background?: Uint8Array;
}

function pixelForm({ bitDepth, colourType, palette }: PngHeader): PixelForm {
  const form = (bits: number, unpack: Unpack): PixelForm => ({ unpack, bits, pixelBytes: Math.ceil(bits / 8) });
  switch (`${colourType}/${bitDepth}`) {
    case "0/1":
    case "0/2":
    case "0/4":
      return form(bitDepth, indexed(bitDepth, greys(bitDepth)));
    case "0/8":
      return form(8, bytes(1, 0));
    case "0/16":
      return form(16, grey16(true));
    case "2/8":
      return form(24, bytes(3, 0, 1, 2));
    case "2/16":
      return form(48, bytes(6, 0, 2, 4));
    case "3/1":
    case "3/2":
    case "3/4":
    case "3/8": {
      if (palette && palette.length >= 257 * 3) throw new Refusal("its palette has more than 256 colours");
      const colours = paletteOf(palette ?? new Uint8Array(), 3, [0, 1, 2]);
      return { ...form(bitDepth, indexed(bitDepth, colours)), background: colours };
    }
    case "4/8":
      return form(16, bytes(2, 0));
    case "4/16":
      return form(32, bytes(4, 0));
    case "6/8":
      return form(32, bytes(4, 0, 1, 2));
    case "6/16":
      return form(64, bytes(8, 0, 2, 4));
    default:
      throw new Refusal(`its colour type is ${colourType} with ${bitDepth} bits`);
  }
}

function fill(data: Uint8Array, [red = 0, green = 0, blue = 0]: Uint8Array): void {
  for (let i = 0; i < data.length; i += 3) {
    data[i] = red;
    data[i + 1] = green;
    data[i + 2] = blue;
  }
}

interface Pass {
  readonly firstRow: number;
  readonly rowStep: number;
  readonly rows: number;
  readonly firstColumn: number;
  readonly columnStep: number;
  readonly columns: number;
  readonly rowBytes: number;
}

/** Adam7: first row, row step, first column, column step of each pass. */
const ADAM7 = [
  [0, 8, 0, 8],
  [0, 8, 4, 8],
  [4, 8, 0, 4],
  [0, 4, 2, 4],
  [2, 4, 0, 2],
  [0, 2, 1, 2],
  [1, 2, 0, 1],
] as const;

function passesOf(width: number, height: number, interlaced: boolean, bits: number): Pass[] {
  const steps = interlaced ? ADAM7 : ([[0, 1, 0, 1]] as const);
  return steps
    .map(([firstRow, rowStep, firstColumn, columnStep]) => {
      const columns = Math.ceil((width - firstColumn) / columnStep);
      const rows = Math.ceil((height - firstRow) / rowStep);
      const rowBytes = Math.ceil((columns * bits) / 8);
      return { firstRow, rowStep, rows, firstColumn, columnStep, columns, rowBytes };
    })
    .filter(({ rows, columns }) => rows > 0 && columns > 0);
}

/** A stream may end after any row, and Pillow leaves the rest black; within a row it waits for more and finds none. */
function checkWhole(length: number, passes: readonly Pass[]): void {
  let left = length;
  for (const { rows, rowBytes } of passes) {
    const whole = Math.min(rows, Math.floor(left / (rowBytes + 1)));
    left -= whole * (rowBytes + 1);
    if (whole < rows) break;
  }
  if (left > 0 || length === 0) throw new Refusal("its image data is cut short");
}

/** Pillow skips a chunk that it no longer needs, and so minds that the file ends within it. */
async function checkNeeded(data: readonly Uint8Array[], wanted: number): Promise<void> {
  const length = await inflate(data.slice(0, -1), wanted).then(
    (rows) => rows.length,
    () => 0,
  );
  if (length === wanted) throw new Refusal("it ends within a chunk");
}

/** Undoes a row's filter in place. `at` and `previous` are where the rows' filter bytes are; `previous` is -1 in a first row. */
function unfilter(rows: Uint8Array, at: number, rowBytes: number, pixelBytes: number, previous: number): void {
  const first = at + 1;
  const end = first + rowBytes;
  const up = previous - at;
  switch (rows[at]) {
    case 0:
      return;
    case 1:
      for (let i = first + pixelBytes; i < end; i++) rows[i]! += rows[i - pixelBytes]!;
      return;
    case 2:
      if (previous >= 0) for (let i = first; i < end; i++) rows[i]! += rows[i + up]!;
      return;
    case 3:
      for (let i = first; i < end; i++) {
        const left = i - pixelBytes >= first ? rows[i - pixelBytes]! : 0;
        const above = previous >= 0 ? rows[i + up]! : 0;
        rows[i]! += (left + above) >> 1;
      }
      return;
    case 4:
      paeth(rows, first, end, pixelBytes, previous >= 0 ? up : undefined);
      return;
    default:
      throw new Refusal(`a row has the unknown filter ${rows[at]}`);
  }
}

function paeth(rows: Uint8Array, first: number, end: number, pixelBytes: number, up: number | undefined): void {
  const start = Math.min(end, first + pixelBytes);
  if (up === undefined) {
    for (let i = start; i < end; i++) rows[i]! += rows[i - pixelBytes]!;
    return;
  }
  for (let i = first; i < start; i++) rows[i]! += rows[i + up]!;
  for (let i = start; i < end; i++) {
    const a = rows[i - pixelBytes]!;
    const b = rows[i + up]!;
    const c = rows[i + up - pixelBytes]!;
    const pa = Math.abs(b - c);
    const pb = Math.abs(a - c);
    const pc = Math.abs(a + b - 2 * c);
    rows[i]! += pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
  }
}
