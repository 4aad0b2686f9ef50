import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runPython } from "../support/python";

/** A float64 array with its shape, on the way to or from numpy. */
export interface NumpyArray {
  readonly values: Float64Array;
  readonly shape: readonly number[];
}

/**
 * Runs Python with numpy as `np`, the inputs as float64 arrays by their names, and gives what the program puts into
 * the dictionary `out`. Arrays travel as raw float64, so that no digit is lost.
 */
export function numpy(source: string, inputs: Readonly<Record<string, NumpyArray>> = {}): Record<string, NumpyArray> {
  const folder = mkdtempSync(join(tmpdir(), "pomona-numpy-"));
  try {
    const load = Object.entries(inputs).map(([name, { values, shape }]) => {
      writeFileSync(join(folder, name), values);
      return `${name} = np.fromfile(folder + "/${name}").reshape(${JSON.stringify(shape)})`;
    });
    const program = [
      "import json, sys",
      "import numpy as np",
      "folder = sys.argv[1]",
      "out = {}",
      ...load,
      source,
      "for name, array in out.items(): np.ascontiguousarray(array, dtype=np.float64).tofile(folder + '/' + name)",
      "print(json.dumps({name: np.shape(array) for name, array in out.items()}))",
    ].join("\n");
    const shapes = JSON.parse(runPython(program, [folder])) as Record<string, number[]>;
    return Object.fromEntries(
      Object.entries(shapes).map(([name, shape]) => {
        const bytes = readFileSync(join(folder, name));
        return [name, { values: new Float64Array(new Uint8Array(bytes).buffer), shape }];
      }),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The upper triangle of a square matrix, row by row. */
export function packUpper({ values, shape }: NumpyArray): Float64Array {
  const n = shape[0]!;
  const packed: number[] = [];
  for (let i = 0; i < n; i++) for (let j = i; j < n; j++) packed.push(values[i * n + j]!);
  return Float64Array.from(packed);
}

/** Largest difference of two arrays of the same length, relative to the largest magnitude in the second. */
export function relativeDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let difference = 0;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const d = Math.abs(a[i]! - b[i]!);
    // NaN must not pass for small.
    difference = d >= 0 ? Math.max(difference, d) : Number.POSITIVE_INFINITY;
    largest = Math.max(largest, Math.abs(b[i]!));
  }
  return largest === 0 ? difference : difference / largest;
}

/** Largest difference of an element to its counterpart, relative to that counterpart. */
export function elementwiseDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  for (let i = 0; i < a.length; i++) {
    const d = Math.abs(a[i]! - b[i]!) / Math.abs(b[i]!);
    worst = d >= 0 ? Math.max(worst, d) : Number.POSITIVE_INFINITY;
  }
  return worst;
}

/** Largest difference between rows of `a` and rows of `b`, whichever sign brings them nearer. */
export function differenceUpToSign(a: Float64Array, b: Float64Array, length: number): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  for (let from = 0; from < a.length; from += length) {
    let same = 0;
    let opposite = 0;
    for (let j = from; j < from + length; j++) {
      same = Math.max(same, Math.abs(a[j]! - b[j]!));
      opposite = Math.max(opposite, Math.abs(a[j]! + b[j]!));
    }
    const least = Math.min(same, opposite);
    worst = least >= 0 ? Math.max(worst, least) : Number.POSITIVE_INFINITY;
  }
  return worst;
}
