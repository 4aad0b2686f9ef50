import { Refusal } from "./refusal";

/** What a JPEG says before its first scan. */
export interface JpegHeader {
  readonly width: number;
  readonly height: number;
  /** 1: grey, 3: colour, 4: inks. */
  readonly components: 1 | 3 | 4;
  /** The kind of its frame, 0 to 15: 0 baseline, 2 progressive, 3 lossless, 9 and 10 arithmetic. */
  readonly frame: number;
  /** Pixels that are coded together: so many wide and high. */
  readonly unit: readonly [number, number];
  /** Units between two restart markers; 0 for no such markers. */
  readonly restartInterval: number;
  /** Where the data of the first scan begins. */
  readonly scanAt: number;
}

/**
 * Reads a JPEG's markers as Pillow does, up to the first scan.
 * @throws Refusal where Pillow refuses it
 * @see JpegImagePlugin.py, `_open`
 */
export function readJpegHeader(file: Buffer): JpegHeader {
  let restartInterval = 0;
  let frame: Omit<JpegHeader, "scanAt" | "restartInterval"> | undefined;
  let at = 2;
  for (;;) {
    at = file.indexOf(0xff, at);
    if (at < 0 || at + 1 >= file.length) throw new Refusal("it ends before its first scan");
    const marker = file[at + 1]!;
    if (marker === 0xff) {
      at++; // a fill byte
      continue;
    }
    at += 2;
    // Escaped data and markers that stand alone.
    if (marker === 0 || (marker >= 0xd0 && marker <= 0xd9) || marker === 0xc8 || (marker >= 0xf0 && marker < 0xfe)) {
      continue;
    }
    if (marker < 0xc0) throw new Refusal("it is damaged: a marker is unknown");
    if (at + 2 > file.length) throw new Refusal("it ends within a marker");
    const length = Math.max(0, file.readUInt16BE(at) - 2);
    const data = file.subarray(at + 2, at + 2 + length);
    if (data.length < length) throw new Refusal("it ends within a marker");
    at += 2 + length;
    if (marker === 0xda) break;
    if (marker === 0xdb) checkQuantizers(data);
    if (marker === 0xdd && length >= 2) restartInterval = data.readUInt16BE(0);
    if (isFrame(marker)) frame = frameOf(marker, data);
  }
  if (!frame) throw new Refusal("it has no frame");
  return { ...frame, restartInterval, scanAt: at };
}

/**
 * libjpeg reads on to the end of the image, and gives up at a marker that it does not know; libvips stops at the last row.
 * @throws Refusal for such a marker, unless a restart is due behind it, at which libjpeg passes over it
 */
export function checkMarkersBehind(file: Buffer, { width, height, unit, restartInterval, scanAt }: JpegHeader): void {
  const units = Math.ceil(width / unit[0]) * Math.ceil(height / unit[1]);
  let restarts = restartInterval === 0 ? 0 : Math.ceil(units / restartInterval) - 1;
  for (let at = file.indexOf(0xff, scanAt); at >= 0 && at + 1 < file.length; at = file.indexOf(0xff, at)) {
    const marker = file[at + 1]!;
    at += marker === 0xff ? 1 : 2;
    if (marker === 0xd9) return;
    if (marker >= 0xd0 && marker <= 0xd7) restarts--;
    const known =
      marker <= 1 || marker === 0xff || marker === 0xfe || (marker >= 0xc0 && marker < 0xf0 && marker !== 0xc8);
    if (!known && restarts <= 0)
      throw new Refusal(`it has the unknown marker ${marker.toString(16)} behind its pixels`);
  }
}

/** SOF0 to SOF15 and DHP; among them DHT (C4), JPG (C8) and DAC (CC) are something else. */
function isFrame(marker: number): boolean {
  return (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xcc) || marker === 0xde;
}

function frameOf(marker: number, data: Buffer): Omit<JpegHeader, "scanAt" | "restartInterval"> {
  if (data.length < 6 || (data.length - 6) % 3 !== 0) throw new Refusal("its frame is too short");
  if (data[0] !== 8) throw new Refusal(`it has ${data[0]} bits a sample instead of 8`);
  const components = data[5]!;
  if (components !== 1 && components !== 3 && components !== 4) throw new Refusal(`it has ${components} components`);
  const samplings = Array.from({ length: Math.floor((data.length - 6) / 3) }, (_, i) => data[7 + i * 3]!);
  const most = (shift: number) => Math.max(1, ...samplings.map((sampling) => (sampling >> shift) & 15));
  const unit: JpegHeader["unit"] = components === 1 ? [8, 8] : [8 * most(4), 8 * most(0)];
  return { width: data.readUInt16BE(3), height: data.readUInt16BE(1), components, frame: marker - 0xc0, unit };
}

function checkQuantizers(data: Buffer): void {
  for (let at = 0; at < data.length; ) {
    const length = data[at]! < 16 ? 65 : 129;
    if (at + length > data.length) throw new Refusal("a quantization table is cut short");
    at += length;
  }
}
