import { coefficients, type Filter } from "./coefficients";
import { wasmBase64 } from "./resize.wasm";

/** Bytes that the SIMD loads and stores may touch past what they work on. */
export const SLACK = 64;

/** The most that one allocation in the module can hold. */
export const MAX_BYTES = 2 ** 30 - 2 ** 16;

/** What resize.as.ts exports. */
export interface ResizeModule {
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

let instance: ResizeModule | undefined;

export function resizeModule(): ResizeModule {
  if (!instance) {
    const compiled = new WebAssembly.Module(Buffer.from(wasmBase64, "base64"));
    instance = new WebAssembly.Instance(compiled, {}).exports as unknown as ResizeModule;
  }
  return instance;
}

/** Scratch memory that is used again from image to image. */
const buffers = new Map<string, { readonly pointer: number; readonly bytes: number }>();

/** Scratch memory of more than this is given back after the image. */
const KEEP_BYTES = 8 << 20;

export function buffer(name: "source" | "middle" | "out", bytes: number): number {
  const held = buffers.get(name);
  if (held && held.bytes >= bytes) return held.pointer;
  if (held) resizeModule().release(held.pointer);
  const pointer = resizeModule().allocate(bytes);
  buffers.set(name, { pointer, bytes });
  return pointer;
}

export function releaseLarge(): void {
  for (const [name, held] of buffers) {
    if (held.bytes <= KEEP_BYTES) continue;
    resizeModule().release(held.pointer);
    buffers.delete(name);
  }
}

/** One axis's coefficients, in the module's memory. */
export interface Pointers {
  readonly bounds: number;
  readonly packed: number;
  readonly groups: number;
  /** What `bounds` points to. */
  readonly firsts: Int32Array;
}

/** Coefficients that are kept, least recently used first. */
const cached = new Map<string, Pointers>();

const CACHED_SIZES = 64;

export function coefficientsInMemory(filter: Filter, inSize: number, outSize: number): Pointers {
  const key = `${filter} ${inSize}>${outSize}`;
  const held = cached.get(key);
  if (held) {
    cached.delete(key);
    cached.set(key, held);
    return held;
  }
  if (cached.size >= CACHED_SIZES) forgetOldest();
  const wasm = resizeModule();
  const { bounds, groups, packed } = coefficients(filter, inSize, outSize);
  const pointers = {
    bounds: wasm.allocate(bounds.byteLength),
    packed: wasm.allocate(packed.byteLength),
    groups,
    firsts: bounds,
  };
  new Int32Array(wasm.memory.buffer, pointers.bounds, bounds.length).set(bounds);
  new Int16Array(wasm.memory.buffer, pointers.packed, packed.length).set(packed);
  cached.set(key, pointers);
  return pointers;
}

function forgetOldest(): void {
  for (const [key, { bounds, packed }] of cached) {
    resizeModule().release(bounds);
    resizeModule().release(packed);
    cached.delete(key);
    return;
  }
}
