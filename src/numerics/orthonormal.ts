import type { Matrix } from "../data/vectors";
import { pause } from "./eigen";
import { layOutTridiagonal, padTo4 } from "./wasm";

/** Rows made at a time. */
const PORTION = 64;

/**
 * `count` orthonormal rows of which the first span the same as the given ones, each the same as far (what Gram-Schmidt
 * gives), and the others complete them: by Householder reflections, so that they are orthonormal to rounding error
 * whatever the rows are (Golub and Van Loan, "Matrix Computations", 5.2).
 * @param rows at most `count` rows; overwritten
 * @throws CancelledError
 */
export async function orthonormalRows(
  rows: Matrix<Float64Array>,
  count: number,
  signal?: AbortSignal,
): Promise<Matrix<Float64Array>> {
  const { rows: given, dimension } = rows;
  const reflections = Math.min(given, dimension);
  // The kernel's reflection c acts on the elements from c + 1: everything is moved by one.
  const order = dimension + 1;
  const padded = padTo4(order);
  const { kernels, regions } = layOutTridiagonal({
    matrix: Math.max(1, reflections) * padded,
    tau: order,
    rows: PORTION * padded,
    work: padded,
  });
  const { matrix, tau } = regions;
  const signs = new Float64Array(count).fill(1);
  for (let i = 0; i < reflections; i++) {
    const row = rows.values.subarray(i * dimension, (i + 1) * dimension);
    const { factor, isNegative } = reflector(row.subarray(i));
    if (isNegative) signs[i] = -1;
    tau.values[i] = factor;
    for (let j = i + 1; j < given; j++) {
      reflect(rows.values.subarray(j * dimension + i, (j + 1) * dimension), row.subarray(i), factor);
    }
    matrix.values.set(row.subarray(i), i * padded + i + 1);
    if (i % PORTION === 0) await pause(signal);
  }
  const values = new Float64Array(count * dimension);
  for (let first = 0; first < count; first += PORTION) {
    const portion = Math.min(PORTION, count - first);
    regions.rows.values.fill(0);
    for (let i = 0; i < portion; i++) regions.rows.values[i * padded + first + i + 1] = signs[first + i]!;
    const { address } = regions.rows;
    kernels.applyReflections(matrix.address, order, padded, tau.address, address, portion, regions.work.address);
    for (let i = 0; i < portion; i++) {
      values.set(regions.rows.values.subarray(i * padded + 1, i * padded + order), (first + i) * dimension);
    }
    await pause(signal);
  }
  return { values, rows: count, dimension };
}

/** Turns x into the vector v (first element 1) of the reflection 1 - factor v v' that maps x onto its first element. */
function reflector(x: Float64Array): { factor: number; isNegative: boolean } {
  const alpha = x[0]!;
  let tail = 0;
  for (let j = 1; j < x.length; j++) tail += x[j]! * x[j]!;
  x[0] = 1;
  // A vector so short has no direction to keep: its squares have lost their digits.
  if (tail === 0 || alpha * alpha + tail < 1e-280) return { factor: 0, isNegative: alpha < 0 };
  const norm = Math.sqrt(alpha * alpha + tail);
  const beta = alpha >= 0 ? -norm : norm;
  for (let j = 1; j < x.length; j++) x[j]! /= alpha - beta;
  return { factor: (beta - alpha) / beta, isNegative: beta < 0 };
}

function reflect(x: Float64Array, v: Float64Array, factor: number): void {
  let product = 0;
  for (let j = 0; j < x.length; j++) product += x[j]! * v[j]!;
  const step = factor * product;
  for (let j = 0; j < x.length; j++) x[j]! -= step * v[j]!;
}
