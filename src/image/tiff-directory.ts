import { Refusal } from "./refusal";

/** The first directory of a TIFF file: what its tags say. */
export interface TiffDirectory {
  readonly bigEndian: boolean;
  /** The numbers of each tag that has whole numbers. */
  readonly tags: ReadonlyMap<number, readonly number[]>;
}

/** Bytes of one value of each type; those that are left out are of no interest here, or unknown. */
const TYPE_BYTES: Readonly<Record<number, number>> = {
  1: 1,
  3: 2,
  4: 4,
  6: 1,
  7: 1,
  8: 2,
  9: 4,
  13: 4,
  16: 8,
  17: 8,
  18: 8,
};

/**
 * Reads the first directory of a TIFF or BigTIFF file. Tags of texts and fractions are passed over.
 * @throws Refusal where there is none, or where a tag points beyond the file
 */
export function readTiffDirectory(file: Buffer): TiffDirectory {
  const bigEndian = file[0] === 0x4d;
  const isBig = file[2] === 43 || file[3] === 43;
  const read = (at: number, bytes: number): number => {
    if (at + bytes > file.length) throw new Refusal("it ends within its directory");
    if (bytes === 8) return Number(bigEndian ? file.readBigUInt64BE(at) : file.readBigUInt64LE(at));
    return bigEndian ? file.readUIntBE(at, bytes) : file.readUIntLE(at, bytes);
  };
  const wide = isBig ? 8 : 4;
  const start = read(isBig ? 8 : 4, wide);
  if (start === 0) throw new Refusal("it has no image");
  const count = read(start, isBig ? 8 : 2);
  const entryBytes = isBig ? 20 : 12;
  const tags = new Map<number, readonly number[]>();
  for (let i = 0; i < count; i++) {
    const at = start + (isBig ? 8 : 2) + i * entryBytes;
    // Pillow takes the tags that are there of a directory that is cut short.
    if (at + entryBytes > file.length) break;
    const tag = read(at, 2);
    const size = TYPE_BYTES[read(at + 2, 2)];
    const values = read(at + 4, wide);
    if (size === undefined || tags.has(tag) || values === 0) continue;
    const inline = values * size <= wide;
    if (values * size > file.length) continue;
    const from = inline ? at + 4 + wide : read(at + 4 + wide, wide);
    if (from + values * size > file.length) throw new Refusal("a tag points beyond its end");
    tags.set(
      tag,
      Array.from({ length: values }, (_, n) => read(from + n * size, size)),
    );
  }
  return { bigEndian, tags };
}
