import { checkSize, Refusal } from "./refusal";
import type { RgbImage } from "./rgb-image";
import { decodeBySharp, sizeBySharp } from "./sharp";

/**
 * An AVIF's pixels, not turned or mirrored, as Pillow leaves them. Colours may be some levels off: libheif, which decodes
 * here, makes RGB in another way than Pillow's libavif.
 */
export async function decodeAvif(file: Buffer, maxPixels: number): Promise<RgbImage> {
  const upright = withoutTransforms(file);
  const { width, height } = await sizeBySharp(upright).catch((error: Error) => {
    throw new Refusal(`it is an AVIF of a kind that is not read, such as a sequence: ${error.message}`);
  });
  checkSize(width, height, maxPixels);
  return decodeBySharp(upright, maxPixels);
}

/** A copy in which each rotation is one by nothing, and each mirroring too. @see ISO/IEC 23008-12, 6.5.10 and 6.5.12 */
function withoutTransforms(file: Buffer): Buffer {
  const copy = Buffer.from(file);
  const meta = boxes(copy, 0, copy.length).find(({ type }) => type === "meta");
  if (!meta) throw new Refusal("it is an AVIF sequence without a still image, which is not read");
  // `meta` begins with a version and flags.
  for (const properties of inside(copy, { ...meta, from: meta.from + 4 }, "iprp")) {
    for (const container of inside(copy, properties, "ipco")) {
      for (const { type, from, to } of boxes(copy, container.from, container.to)) {
        if (type === "clap") throw new Refusal("it is an AVIF with a crop, which is not read");
        if ((type !== "irot" && type !== "imir") || to - from < 1) continue;
        copy.write("irot", from - 4, "latin1");
        copy[from] = 0;
      }
    }
  }
  return copy;
}

interface Box {
  readonly type: string;
  /** Where its content begins and ends. */
  readonly from: number;
  readonly to: number;
}

function inside(file: Buffer, parent: Box, type: string): Box[] {
  return boxes(file, parent.from, parent.to).filter((box) => box.type === type);
}

function boxes(file: Buffer, from: number, to: number): Box[] {
  const found: Box[] = [];
  for (let at = from; at + 8 <= to; ) {
    const size = file.readUInt32BE(at) || to - at;
    const wide = size === 1 && at + 16 <= to;
    const end = at + (wide ? Number(file.readBigUInt64BE(at + 8)) : size);
    if (end <= at + 7 || end > to) break;
    found.push({ type: file.toString("latin1", at + 4, at + 8), from: at + (wide ? 16 : 8), to: end });
    at = end;
  }
  return found;
}
