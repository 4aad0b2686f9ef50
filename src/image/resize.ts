import { IllegalArgumentError } from "../errors";
import type { Filter } from "./coefficients";
import { ImageTooLargeError } from "./errors";
import {
  buffer,
  coefficientsInMemory,
  MAX_BYTES,
  type Pointers,
  releaseLarge,
  resizeModule,
  SLACK,
} from "./resize-memory";
import type { RgbImage } from "./rgb-image";

/** The filters of Pillow's `Image.Resampling`. */
export type Resample = Filter | "nearest";

/**
 * An image at another size, bit for bit as Pillow 13's `image.resize((width, height), resample)`: the filter is widened
 * when shrinking, and the pass along y comes first where the height shrinks by more than twice what the width does.
 * @returns a new image, also where the size stays the same.
 */
export function resize(image: RgbImage, width: number, height: number, resample: Resample = "bicubic"): RgbImage {
  checkSize(image, width, height);
  if (width === image.width && height === image.height) return { width, height, data: image.data.slice() };
  if (resample === "nearest") return { width, height, data: nearest(image, width, height) };
  const bytes = width * height * 3;
  const data = passes(image, width, height, resample, bytes, "vertical", (memory, pointer) =>
    new Uint8Array(memory, pointer, bytes).slice(),
  );
  return { width, height, data };
}

/**
 * Resizes as {@link resize}, bicubic, and writes each byte v as the float32 `v / 127.5 - 1`, which is what Keras's
 * `preprocess_input` of mode "tf" computes, to `out` from `offset` on: `height` x `width` x 3 values.
 */
export function resizeToSignedUnit(
  image: RgbImage,
  width: number,
  height: number,
  out: Float32Array,
  offset: number,
): void {
  checkSize(image, width, height);
  const values = width * height * 3;
  if (offset < 0 || offset + values > out.length) {
    throw new IllegalArgumentError(`${values} values do not fit at ${offset} into an array of ${out.length}.`);
  }
  passes(image, width, height, "bicubic", values * 4, "verticalToSignedUnit", (memory, pointer) =>
    out.set(new Float32Array(memory, pointer, values), offset),
  );
}

/** Source bytes that are in the module's memory at a time. */
const BAND_BYTES = 1 << 20;

/** Both passes; `last` names the one along y, which is also what writes the result. A pass at its own size changes nothing. */
function passes<T>(
  image: RgbImage,
  width: number,
  height: number,
  filter: Filter,
  outBytes: number,
  last: "vertical" | "verticalToSignedUnit",
  take: (memory: ArrayBuffer, pointer: number) => T,
): T {
  const first = isRowsFirst(image, width, height) ? verticalPass(image, height, filter) : image;
  const stride = width * 3 + SLACK - ((width * 3) % SLACK);
  // The vertical pass reads rows in fours, so up to three past the last one; the horizontal one writes them in fours.
  const middleBytes = (first.height + 8) * stride + SLACK;
  if (Math.max(middleBytes, outBytes) > MAX_BYTES) throw tooMuchMemory(image, width, height);
  const x = coefficientsInMemory(filter, first.width, width);
  const y = coefficientsInMemory(filter, first.height, height);
  const middle = buffer("middle", middleBytes);
  horizontalPass(first, middle, stride, width, x);
  const out = buffer("out", outBytes + 4 * SLACK);
  const wasm = resizeModule();
  wasm[last](middle, stride, out, width * 3, height, y.bounds, y.packed, y.groups);
  const result = take(wasm.memory.buffer, out);
  releaseLarge();
  return result;
}

/**
 * The order of the passes shows in the rounding between them. Pillow 13 chooses it by how many pixels either side loses;
 * before, it always began with x.
 * @see ImagingResampleInner in Pillow 13's src/libImaging/Resample.c
 */
function isRowsFirst(image: RgbImage, width: number, height: number): boolean {
  const lost = image.height - height;
  return lost > 0 && lost > (image.width - width) * 2;
}

/** Copies the source into the module's memory band by band, so that a large image is never there as a whole. */
function horizontalPass(image: RgbImage, target: number, targetStride: number, width: number, x: Pointers): void {
  const wasm = resizeModule();
  const stride = image.width * 3;
  const bandRows = Math.min(image.height, Math.max(4, Math.floor(BAND_BYTES / stride / 4) * 4));
  const source = buffer("source", (bandRows + 4) * stride + x.groups * 12 + SLACK);
  for (let row = 0; row < image.height; row += bandRows) {
    const rows = Math.min(bandRows, image.height - row);
    const bytes = image.data.subarray(row * stride, (row + rows) * stride);
    new Uint8Array(wasm.memory.buffer, source, bytes.length).set(bytes);
    const to = target + row * targetStride;
    wasm.horizontal(source, stride, rows, to, targetStride, width, x.bounds, x.packed, x.groups);
  }
}

/** The image at another height, band by band of its output's rows. */
function verticalPass(image: RgbImage, height: number, filter: Filter): RgbImage {
  const wasm = resizeModule();
  const y = coefficientsInMemory(filter, image.height, height);
  const stride = image.width * 3;
  const data = new Uint8Array(stride * height);
  // Neighbouring output rows share source rows, so a band has some of them.
  const bandRows = Math.max(1, Math.floor((4 * BAND_BYTES) / ((stride * image.height) / height)));
  for (let row = 0; row < height; row += bandRows) {
    const rows = Math.min(bandRows, height - row);
    const from = y.firsts[row]!;
    const to = Math.min(image.height, y.firsts[row + rows - 1]! + y.groups * 4);
    const bytes = image.data.subarray(from * stride, to * stride);
    const sourceBytes = bytes.length + 4 * stride + SLACK;
    if (sourceBytes > MAX_BYTES) throw tooMuchMemory(image, image.width, height);
    const source = buffer("source", sourceBytes);
    const out = buffer("out", rows * stride + 4 * SLACK);
    new Uint8Array(wasm.memory.buffer, source, bytes.length).set(bytes);
    // The bounds count from the image's first row.
    const start = source - from * stride;
    wasm.vertical(start, stride, out, stride, rows, y.bounds + row * 4, y.packed + row * y.groups * 16, y.groups);
    data.set(new Uint8Array(wasm.memory.buffer, out, rows * stride), row * stride);
  }
  return { width: image.width, height, data };
}

/** @see ImagingScaleAffine in Pillow's src/libImaging/Geometry.c */
function nearest(image: RgbImage, width: number, height: number): Uint8Array {
  const columns = nearestSources(image.width, width);
  const rows = nearestSources(image.height, height);
  const data = new Uint8Array(width * height * 3);
  let at = 0;
  for (const row of rows) {
    for (const column of columns) {
      const from = (row * image.width + column) * 3;
      data[at++] = image.data[from]!;
      data[at++] = image.data[from + 1]!;
      data[at++] = image.data[from + 2]!;
    }
  }
  return data;
}

/** Pillow adds the step up instead of multiplying it, which shows in the rounding. */
function nearestSources(inSize: number, outSize: number): Int32Array {
  const step = inSize / outSize;
  let at = step * 0.5;
  return Int32Array.from({ length: outSize }, () => {
    const source = Math.trunc(at);
    at += step;
    return source;
  });
}

function tooMuchMemory(image: RgbImage, width: number, height: number): ImageTooLargeError {
  return new ImageTooLargeError(
    `Resizing ${image.width} x ${image.height} pixels to ${width} x ${height} would take more than 1 GB of memory.`,
  );
}

function checkSize(image: RgbImage, width: number, height: number): void {
  for (const [name, value] of Object.entries({ width, height })) {
    if (!Number.isInteger(value) || value < 1) {
      throw new IllegalArgumentError(`${name} must be a whole number of pixels from 1 up, not ${value}.`);
    }
  }
  if (image.data.length !== image.width * image.height * 3) {
    throw new IllegalArgumentError(
      `An RGB image of ${image.width} x ${image.height} has ${image.width * image.height * 3} bytes, not ${image.data.length}.`,
    );
  }
}
