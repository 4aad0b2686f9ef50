import { IllegalArgumentError } from "../errors";
import { bicubicCoefficients } from "./coefficients";
import type { RgbImage } from "./decode";
import { ImageTooLargeError } from "./errors";
import { wasmBase64 } from "./resize.wasm";

/**
 * An image at another size, bit for bit as Pillow's `image.resize((width, height))`: bicubic, with the filter widened
 * when shrinking.
 * @returns RGB bytes, `height` rows of `width` pixels; a fresh array.
 */
export function resize(image: RgbImage, width: number, height: number): Uint8Array {
  checkSize(image, width, height);
  const bytes = width * height * 3;
  return resample(rowsFirst(image, width, height), width, height, bytes, "vertical", (memory, pointer) =>
    new Uint8Array(memory, pointer, bytes).slice(),
  );
}

/**
 * Resizes as {@link resize} and writes each byte v as the float32 `v / 127.5 - 1`, which is what Keras's
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
  resample(rowsFirst(image, width, height), width, height, values * 4, "verticalToSignedUnit", (memory, pointer) =>
    out.set(new Float32Array(memory, pointer, values), offset),
  );
}

/** What resize.as.ts exports. */
interface ResizeModule {
  readonly memory: WebAssembly.Memory;
  allocate(bytes: number): number;
  release(pointer: number): void;
  horizontal(
    source: number,
    sourceStride: number,
    rows: number,
    target: number,
    targetStride: number,
    outWidth: number,
    bounds: number,
    coefficients: number,
    groups: number,
  ): void;
  vertical: VerticalPass;
  verticalToSignedUnit: VerticalPass;
}

type VerticalPass = (
  source: number,
  sourceStride: number,
  target: number,
  rowBytes: number,
  outHeight: number,
  bounds: number,
  coefficients: number,
  groups: number,
) => void;

/** Bytes that the SIMD loads and stores may touch past what they work on. */
const SLACK = 64;

/** Source bytes that are in the module's memory at a time. */
const BAND_BYTES = 1 << 20;

/** The most that one allocation in the module can hold. */
const MAX_BYTES = 2 ** 30 - 2 ** 16;

/** Sizes whose coefficients are kept. */
const CACHED_SIZES = 64;

function resample<T>(
  image: RgbImage,
  width: number,
  height: number,
  outBytes: number,
  pass: "vertical" | "verticalToSignedUnit",
  take: (memory: ArrayBuffer, pointer: number) => T,
): T {
  const stride = width * 3 + SLACK - ((width * 3) % SLACK);
  // The vertical pass reads rows in fours, so up to three past the last one; the horizontal one writes them in fours.
  const middleBytes = (image.height + 8) * stride + SLACK;
  if (Math.max(middleBytes, outBytes) > MAX_BYTES) {
    throw new ImageTooLargeError(
      `Resizing ${image.width} x ${image.height} pixels to ${width} x ${height} would take more than 1 GB of memory.`,
    );
  }
  const wasm = module();
  const x = coefficientsInMemory(image.width, width);
  const y = coefficientsInMemory(image.height, height);
  const middle = buffer("middle", middleBytes);
  horizontalPass(wasm, image, middle, stride, width, x);
  const out = buffer("out", outBytes + 4 * SLACK);
  wasm[pass](middle, stride, out, width * 3, height, y.bounds, y.packed, y.groups);
  const result = take(wasm.memory.buffer, out);
  releaseLarge();
  return result;
}

/**
 * Pillow resamples along x first and rounds to bytes in between; from version 13 on it goes along y first where the
 * image gets wider and less high, which is less work. The order shows in the rounding.
 */
function rowsFirst(image: RgbImage, width: number, height: number): RgbImage {
  if (width <= image.width || height >= image.height) return image;
  return { width: image.width, height, data: resize(image, image.width, height) };
}

/** Copies the source into the module's memory band by band, so that a large image is never there as a whole. */
function horizontalPass(
  wasm: ResizeModule,
  image: RgbImage,
  target: number,
  targetStride: number,
  width: number,
  x: CoefficientsInMemory,
): void {
  const stride = image.width * 3;
  const bandRows = Math.min(image.height, Math.max(4, Math.floor(BAND_BYTES / stride / 4) * 4));
  const source = buffer("source", (bandRows + 4) * stride + x.groups * 12 + SLACK);
  for (let row = 0; row < image.height; row += bandRows) {
    const rows = Math.min(bandRows, image.height - row);
    const bytes = image.data.subarray(row * stride, (row + rows) * stride);
    new Uint8Array(wasm.memory.buffer, source, bytes.length).set(bytes);
    wasm.horizontal(
      source,
      stride,
      rows,
      target + row * targetStride,
      targetStride,
      width,
      x.bounds,
      x.packed,
      x.groups,
    );
  }
}

let instance: ResizeModule | undefined;

function module(): ResizeModule {
  if (!instance) {
    const compiled = new WebAssembly.Module(Buffer.from(wasmBase64, "base64"));
    instance = new WebAssembly.Instance(compiled, {}).exports as unknown as ResizeModule;
  }
  return instance;
}

interface Scratch {
  pointer: number;
  bytes: number;
}

/** Scratch memory that is used again from image to image. */
const buffers = new Map<string, Scratch>();

/** Scratch memory of more than this is given back after the image. */
const KEEP_BYTES = 8 << 20;

function buffer(name: string, bytes: number): number {
  const held = buffers.get(name);
  if (held && held.bytes >= bytes) return held.pointer;
  if (held) module().release(held.pointer);
  const pointer = module().allocate(bytes);
  buffers.set(name, { pointer, bytes });
  return pointer;
}

function releaseLarge(): void {
  for (const [name, held] of buffers) {
    if (held.bytes <= KEEP_BYTES) continue;
    module().release(held.pointer);
    buffers.delete(name);
  }
}

interface CoefficientsInMemory {
  readonly bounds: number;
  readonly packed: number;
  readonly groups: number;
}

/** Least recently used first. */
const cached = new Map<string, CoefficientsInMemory>();

function coefficientsInMemory(inSize: number, outSize: number): CoefficientsInMemory {
  const key = `${inSize}>${outSize}`;
  const held = cached.get(key);
  if (held) {
    cached.delete(key);
    cached.set(key, held);
    return held;
  }
  if (cached.size >= CACHED_SIZES) forgetOldest();
  const wasm = module();
  const { bounds, groups, packed } = bicubicCoefficients(inSize, outSize);
  const pointers = { bounds: wasm.allocate(bounds.byteLength), packed: wasm.allocate(packed.byteLength), groups };
  new Int32Array(wasm.memory.buffer, pointers.bounds, bounds.length).set(bounds);
  new Int16Array(wasm.memory.buffer, pointers.packed, packed.length).set(packed);
  cached.set(key, pointers);
  return pointers;
}

function forgetOldest(): void {
  for (const [key, { bounds, packed }] of cached) {
    module().release(bounds);
    module().release(packed);
    cached.delete(key);
    return;
  }
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
