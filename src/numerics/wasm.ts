import { IllegalArgumentError } from "../errors";
import { wasmBase64 as gramBase64 } from "./gram.wasm";
import { wasmBase64 as tridiagonalBase64 } from "./tridiagonal.wasm";

/** The functions of `gram.as.ts`. All numbers are addresses, counts of values or counts of tiles. */
export interface GramKernels {
  multiply(
    c: number,
    stride: number,
    left: number,
    leftTiles: number,
    right: number,
    rightTiles: number,
    inner: number,
    upper: 0 | 1,
  ): void;
  packColumns(
    source: number,
    stride: number,
    rows: number,
    tiles: number,
    target: number,
    inner: number,
    firstInner: number,
    shift: number,
    factor: number,
  ): void;
  packRows(source: number, stride: number, tiles: number, target: number, inner: number): void;
}

/** The functions of `tridiagonal.as.ts`. */
export interface TridiagonalKernels {
  reducePanel(
    a: number,
    n: number,
    padded: number,
    from: number,
    width: number,
    diagonal: number,
    offDiagonal: number,
    tau: number,
    panel: number,
    packs: number,
  ): void;
  applyReflections(a: number, n: number, padded: number, tau: number, z: number, count: number, work: number): void;
}

/** A region of float64 values in a module's memory. The view is valid because memory never grows again. */
export interface Region {
  readonly address: number;
  readonly values: Float64Array;
}

/** A module with its memory laid out once, as the named regions of the given lengths (in float64 values). */
export interface Laid<Kernels, Name extends string> {
  readonly kernels: Kernels;
  readonly regions: Readonly<Record<Name, Region>>;
}

export function layOutGram<Name extends string>(lengths: Readonly<Record<Name, number>>): Laid<GramKernels, Name> {
  gramModule ??= compile(gramBase64);
  return layOut<GramKernels, Name>(gramModule, lengths);
}

export function layOutTridiagonal<Name extends string>(
  lengths: Readonly<Record<Name, number>>,
): Laid<TridiagonalKernels, Name> {
  tridiagonalModule ??= compile(tridiagonalBase64);
  return layOut<TridiagonalKernels, Name>(tridiagonalModule, lengths);
}

/** `n` rounded up to a multiple of 4: the width of a tile. */
export function padTo4(n: number): number {
  return (n + 3) & ~3;
}

const PAGE = 65_536;
const MAX_BYTES = 2 ** 32;
/** A cache line, so that a row of 8 values never straddles two. */
const ALIGNMENT = 64;

let gramModule: WebAssembly.Module | undefined;
let tridiagonalModule: WebAssembly.Module | undefined;

function compile(base64: string): WebAssembly.Module {
  return new WebAssembly.Module(Buffer.from(base64, "base64"));
}

function layOut<Kernels, Name extends string>(
  module: WebAssembly.Module,
  lengths: Readonly<Record<Name, number>>,
): Laid<Kernels, Name> {
  const exports = new WebAssembly.Instance(module, {}).exports as unknown as Kernels & {
    memory: WebAssembly.Memory;
    memoryStart(): number;
  };
  let end = exports.memoryStart();
  const starts = Object.entries<number>(lengths).map(([name, length]) => {
    const address = end;
    end = Math.ceil((end + length * 8) / ALIGNMENT) * ALIGNMENT;
    return { name, address, length };
  });
  if (end > MAX_BYTES) {
    throw new IllegalArgumentError(`Vectors this long need ${Math.ceil(end / 2 ** 30)} GiB for their co-moments.`, {
      remedy: "Reduce the dimension first; about 20,000 values a row is the most.",
    });
  }
  const missing = Math.ceil((end - exports.memory.buffer.byteLength) / PAGE);
  if (missing > 0) exports.memory.grow(missing);
  const regions = starts.map(({ name, address, length }) => [
    name,
    { address, values: new Float64Array(exports.memory.buffer, address, length) },
  ]);
  return { kernels: exports, regions: Object.fromEntries(regions) as Record<Name, Region> };
}
