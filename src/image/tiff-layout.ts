import { Refusal } from "./refusal";
import type { TiffDirectory } from "./tiff-directory";

/** What a TIFF's tags say of its image. */
export interface TiffLayout {
  readonly width: number;
  readonly height: number;
  readonly bigEndian: boolean;
  readonly compression: number;
  readonly photometric: number;
  /** 1: unsigned, 2: signed, 3: floating point. */
  readonly sampleFormat: number;
  readonly fillOrder: number;
  /** Bits of each sample of a pixel. */
  readonly bits: readonly number[];
  /** The meaning of the samples beyond the colours: 0 none, 1 premultiplied alpha, 2 alpha. */
  readonly extra: readonly number[];
  /** Samples that are stored, which are more than `bits` where some are left out. */
  readonly storedSamples: number;
  /** True where each sample has a plane of its own. */
  readonly planar: boolean;
  readonly predictor: number;
  readonly orientation: number;
  readonly colours: readonly number[] | undefined;
  readonly parts: TiffParts;
}

/** The strips or tiles that the image is cut into. */
export interface TiffParts {
  readonly tiled: boolean;
  readonly width: number;
  readonly height: number;
  readonly offsets: readonly number[];
  readonly byteCounts: readonly number[] | undefined;
}

const TAG = {
  imageWidth: 256,
  imageLength: 257,
  bitsPerSample: 258,
  compression: 259,
  photometric: 262,
  fillOrder: 266,
  stripOffsets: 273,
  orientation: 274,
  samplesPerPixel: 277,
  rowsPerStrip: 278,
  stripByteCounts: 279,
  planar: 284,
  predictor: 317,
  colorMap: 320,
  tileWidth: 322,
  tileLength: 323,
  tileOffsets: 324,
  tileByteCounts: 325,
  extraSamples: 338,
  sampleFormat: 339,
  windowsMediaPhoto: 0xbc01,
} as const;

/** Pillow's table knows no pixels of more samples. */
const MOST_SAMPLES = 6;

/** Reads the layout as Pillow does. @throws Refusal @see TiffImagePlugin.py, `_setup` */
export function tiffLayout({ tags, bigEndian }: TiffDirectory): TiffLayout {
  const all = (tag: number) => tags.get(tag);
  const one = (tag: number, otherwise: number) => tags.get(tag)?.[0] ?? otherwise;
  if (all(TAG.windowsMediaPhoto)) throw new Refusal("it is a Windows Media Photo");
  const width = all(TAG.imageWidth)?.[0];
  const height = all(TAG.imageLength)?.[0];
  if (width === undefined || height === undefined) throw new Refusal("it does not say its size");
  const compression = one(TAG.compression, 1);
  const photometric = compression === 6 ? 6 : one(TAG.photometric, 0);
  const formats = all(TAG.sampleFormat) ?? [1];
  const [sampleFormat = 1] = formats;
  if (formats.some((format) => format !== sampleFormat)) throw new Refusal("its samples have different formats");
  const planar = one(TAG.planar, 1) === 2;
  const storedSamples = one(TAG.samplesPerPixel, compression === 6 ? 3 : 1);
  let bits = all(TAG.bitsPerSample) ?? [1];
  let extra = all(TAG.extraSamples) ?? [];
  let samples = storedSamples;
  if (planar && extra.length > 0 && extra.every((e) => e === 0)) {
    // Extra samples without a meaning are left out where they are stored apart.
    bits = bits.slice(0, -extra.length);
    samples -= extra.length;
    extra = [];
  }
  if (samples > MOST_SAMPLES) throw new Refusal(`it has ${samples} samples a pixel`);
  if (bits.length > samples) bits = bits.slice(0, Math.max(0, samples));
  const [depth = 0] = bits;
  if (bits.length === 1) bits = new Array<number>(samples).fill(depth);
  if (bits.length !== samples || samples < 1) throw new Refusal("its samples and their bits do not agree");
  if (bits.some((b) => b !== depth)) throw new Refusal("its samples have different numbers of bits");
  return {
    width,
    height,
    bigEndian,
    compression,
    photometric,
    sampleFormat,
    fillOrder: one(TAG.fillOrder, 1),
    bits,
    extra,
    storedSamples,
    planar,
    predictor: one(TAG.predictor, 1),
    orientation: one(TAG.orientation, 1),
    colours: all(TAG.colorMap),
    parts: partsOf(tags, width, height),
  };
}

function partsOf(tags: TiffDirectory["tags"], width: number, height: number): TiffParts {
  const strips = tags.get(TAG.stripOffsets);
  if (strips) {
    const rows = tags.get(TAG.rowsPerStrip)?.[0] ?? height;
    return { tiled: false, width, height: rows, offsets: strips, byteCounts: tags.get(TAG.stripByteCounts) };
  }
  const tiles = tags.get(TAG.tileOffsets);
  const tileWidth = tags.get(TAG.tileWidth)?.[0];
  const tileHeight = tags.get(TAG.tileLength)?.[0];
  if (!tiles || !tileWidth || !tileHeight) throw new Refusal("it does not say where its pixels are");
  return {
    tiled: true,
    width: tileWidth,
    height: tileHeight,
    offsets: tiles,
    byteCounts: tags.get(TAG.tileByteCounts) ?? tags.get(TAG.stripByteCounts),
  };
}
