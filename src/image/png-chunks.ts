import { crc32, inflateSync } from "node:zlib";
import { Refusal } from "./refusal";

/** What has to be known of a PNG before its pixels can be read. */
export interface PngHeader {
  readonly width: number;
  readonly height: number;
  readonly bitDepth: number;
  readonly colourType: number;
  readonly interlaced: boolean;
  readonly palette: Uint8Array | undefined;
  /** Where the first frame of an animation lies: left, top, width, height. */
  readonly frame: readonly [number, number, number, number] | undefined;
  /** The compressed pixels, chunk by chunk. */
  readonly data: readonly Uint8Array[];
  /** True where the file ends within the last of these chunks. */
  readonly endsWithin: boolean;
}

interface Chunk {
  readonly name: string;
  /** Where its data begins. */
  readonly at: number;
  readonly length: number;
}

/** Chunks that Pillow knows, and the fewest bytes it takes them with. */
const LEAST_LENGTHS: Readonly<Record<string, number>> = { gAMA: 4, cHRM: 32, sRGB: 1, pHYs: 9, acTL: 8, fcTL: 26 };

/** Most bytes that a compressed text or profile may have: Pillow's `MAX_TEXT_CHUNK`. */
const MAX_TEXT = 1024 * 1024;

/** Most bytes of all texts together: Pillow's `MAX_TEXT_MEMORY`. */
const MAX_TEXTS = 64 * MAX_TEXT;

/** The state that chunks leave behind. */
interface State {
  header: Pick<PngHeader, "width" | "height" | "bitDepth" | "colourType" | "interlaced"> | undefined;
  palette: Uint8Array | undefined;
  frame: PngHeader["frame"];
  /** Frames of the animation, by its acTL. */
  frames: number | undefined;
  sequence: number | undefined;
  texts: number;
}

/**
 * Reads a PNG's chunks as Pillow does: checksums are looked at up to the image data and not after; a chunk that Pillow
 * gives a meaning must have its length; and what is behind the image data must be whole, as far as it is there.
 * @see PngImagePlugin.py, `_open`, `load_read` and `load_end`
 */
export function readPngChunks(file: Buffer): PngHeader {
  const state: State = {
    header: undefined,
    palette: undefined,
    frame: undefined,
    frames: undefined,
    sequence: undefined,
    texts: 0,
  };
  let chunk = chunkAt(file, 8);
  while (chunk.name !== "IDAT" && chunk.name !== "fdAT" && chunk.name !== "IEND") {
    take(state, chunk.name, dataOf(file, chunk));
    const end = chunk.at + chunk.length;
    if (end + 4 > file.length) throw new Refusal(`the checksum of ${chunk.name} is missing`);
    if (crc32(file.subarray(chunk.at - 4, end)) !== file.readUInt32BE(end)) {
      throw new Refusal(`the checksum of ${chunk.name} is wrong`);
    }
    chunk = chunkAt(file, end + 4);
  }
  const { header } = state;
  if (!header) throw new Refusal("it has no IHDR");
  if (chunk.name === "IEND") throw new Refusal("it has no image data");
  const { palette, frame } = state;
  return { ...header, palette, frame, ...imageData(file, chunk, state) };
}

/** The data of the chunks that hold the image; then a look at the chunks behind it, which may make Pillow refuse. */
function imageData(file: Buffer, first: Chunk, state: State): Pick<PngHeader, "data" | "endsWithin"> {
  const data: Uint8Array[] = [];
  let end = 0;
  let chunk: Chunk | undefined = first;
  while (chunk && (chunk.name === "IDAT" || chunk.name === "DDAT" || chunk.name === "fdAT")) {
    const skipped = chunk.name === "fdAT" ? frameSequence(file, chunk, state) : 0;
    end = chunk.at + chunk.length;
    data.push(file.subarray(chunk.at + skipped, end));
    chunk = nextChunk(file, chunk);
  }
  // Without a frame of its own the image is one before the animation.
  const animated = state.frames !== undefined && (state.frames > 1 || !state.frame);
  while (chunk && chunk.name !== "IEND" && !(chunk.name === "fcTL" && animated)) {
    const content = dataOf(file, chunk);
    if (chunk.name !== "IDAT" && chunk.name !== "fdAT") take(state, chunk.name, content);
    chunk = nextChunk(file, chunk);
  }
  return { data, endsWithin: end > file.length };
}

function nextChunk(file: Buffer, chunk: Chunk): Chunk | undefined {
  const at = chunk.at + chunk.length + 4;
  return at + 8 <= file.length && isName(file, at + 4) ? chunkAt(file, at) : undefined;
}

function chunkAt(file: Buffer, at: number): Chunk {
  if (at + 8 > file.length) throw new Refusal("it ends before its image data");
  if (!isName(file, at + 4)) throw new Refusal("it is damaged: a chunk has no name");
  return { name: file.toString("latin1", at + 4, at + 8), at: at + 8, length: file.readUInt32BE(at) };
}

function isName(file: Buffer, at: number): boolean {
  return /^\w{4}$/.test(file.toString("latin1", at, at + 4));
}

function dataOf(file: Buffer, { name, at, length }: Chunk): Buffer {
  if (at + length > file.length) throw new Refusal(`it ends within ${name}`);
  return file.subarray(at, at + length);
}

function take(state: State, name: string, data: Buffer): void {
  const least = LEAST_LENGTHS[name] ?? 0;
  if (data.length < least) throw new Refusal(`its ${name} has ${data.length} bytes instead of ${least}`);
  switch (name) {
    case "IHDR":
      if (data.length < 13) throw new Refusal("its IHDR is too short");
      if (data[11] !== 0) throw new Refusal(`its filter method is ${data[11]}`);
      state.header = {
        width: data.readUInt32BE(0),
        height: data.readUInt32BE(4),
        bitDepth: data[8]!,
        colourType: data[9]!,
        interlaced: data[12] !== 0,
      };
      return;
    case "PLTE":
      if (state.header?.colourType === 3) state.palette = data;
      return;
    case "tRNS": {
      const wanted = { 0: 2, 2: 6 }[state.header?.colourType ?? 3] ?? 0;
      if (data.length < wanted) throw new Refusal("its tRNS is too short");
      return;
    }
    case "acTL": {
      const frames = data.readUInt32BE(0);
      const valid = state.frames === undefined && frames > 0 && frames <= 0x80000000;
      if (valid || state.frames !== undefined) state.frames = valid ? frames : undefined;
      return;
    }
    case "fcTL":
      state.frame = frameOf(state, data);
      return;
    case "iCCP":
    case "tEXt":
    case "zTXt":
    case "iTXt":
      state.texts += textLength(name, data);
      if (state.texts > MAX_TEXTS) throw new Refusal(`its texts take more than ${MAX_TEXTS} bytes`);
      return;
  }
}

function frameOf(state: State, data: Buffer): PngHeader["frame"] {
  nextInSequence(state, data.readUInt32BE(0));
  const [width, height, left, top] = [4, 8, 12, 16].map((at) => data.readUInt32BE(at)) as [
    number,
    number,
    number,
    number,
  ];
  if (left + width > (state.header?.width ?? 0) || top + height > (state.header?.height ?? 0)) {
    throw new Refusal("a frame of its animation is outside the image");
  }
  return [left, top, width, height];
}

/** An fdAT begins with its number. @returns the bytes that are not pixels */
function frameSequence(file: Buffer, chunk: Chunk, state: State): number {
  const data = file.subarray(chunk.at, chunk.at + chunk.length);
  if (data.length < 4) throw new Refusal("its fdAT is too short");
  if (state.sequence === undefined) throw new Refusal("the frames of its animation are out of order");
  nextInSequence(state, data.readUInt32BE(0));
  return 4;
}

function nextInSequence(state: State, sequence: number): void {
  if (sequence !== (state.sequence ?? -1) + 1) throw new Refusal("the frames of its animation are out of order");
  state.sequence = sequence;
}

/** How long a text is when it is decompressed; a profile counts nothing, but must not be too long either. */
function textLength(name: string, data: Buffer): number {
  const end = data.indexOf(0);
  if (name === "tEXt") return end <= 0 ? 0 : data.length - end - 1;
  if (name === "iCCP") {
    const at = end < 0 ? 0 : end + 1;
    if (at >= data.length || data[at] !== 0) throw new Refusal("its colour profile is damaged");
    inflatedText(data.subarray((end < 0 ? -1 : end) + 2));
    return 0;
  }
  if (name === "zTXt") {
    const text = end < 0 ? Buffer.alloc(0) : data.subarray(end + 1);
    if (text.length > 0 && text[0] !== 0) throw new Refusal("a text has an unknown compression");
    return inflatedText(text.subarray(1)) ?? 0;
  }
  return internationalTextLength(data, end);
}

function internationalTextLength(data: Buffer, end: number): number {
  if (end < 0 || data.length < end + 3) return 0;
  const language = data.indexOf(0, end + 3);
  const translated = language < 0 ? -1 : data.indexOf(0, language + 1);
  if (translated < 0) return 0;
  const text = data.subarray(translated + 1);
  if (data[end + 1] === 0) return text.length;
  return data[end + 2] === 0 ? (inflatedText(text) ?? 0) : 0;
}

function inflatedText(compressed: Buffer): number | undefined {
  try {
    return inflateSync(compressed, { maxOutputLength: MAX_TEXT }).length;
  } catch (error) {
    if ((error as { code?: unknown }).code === "ERR_BUFFER_TOO_LARGE") {
      throw new Refusal(`a text or profile takes more than ${MAX_TEXT} bytes`);
    }
    return undefined;
  }
}
