import type { Matrix } from "../data/vectors";
import {
  flipSigns,
  pause,
  powerOfTwoNear,
  type SymmetricEigen,
  type SymmetricEigenOptions,
  symmetricEigen,
} from "./eigen";
import { columnMeans, packedLength } from "./moments";
import { orthonormalRows } from "./orthonormal";
import { createProjection } from "./project";
import { layOutGram, padTo4 } from "./wasm";

/**
 * Eigenvalues and eigenvectors of the scatter matrix of fewer rows than columns, from the rows' own matrix of inner
 * products, which is smaller and has the same eigenvalues but for zeros.
 *
 * An eigenvector u of that matrix gives the direction X'u. Where its eigenvalue is small, rounding leaves parts of the
 * directions before it in it: they are taken out, and the eigenvalue is then measured anew along the direction, which makes
 * small ones more exact than either matrix has them. Directions beyond the rank complete the others to an orthonormal basis.
 * @param rows n rows of d values, n < d, not centred
 * @param countFor how many eigenvectors, from the eigenvalues
 * @returns as `symmetricEigen`, with n eigenvalues, or as many as vectors if these are more
 * @throws CancelledError
 */
export async function fewRowsEigen(
  rows: Matrix<Float64Array>,
  countFor: (values: Float64Array) => number,
  { signal, onProgress }: Omit<SymmetricEigenOptions, "count"> = {},
): Promise<SymmetricEigen> {
  const { rows: n, dimension } = rows;
  const deviations = centred(centred(rows));
  const scale = powerOfTwoNear(deviations.values);
  for (let i = 0; i < deviations.values.length; i++) deviations.values[i]! /= scale;
  const small = await symmetricEigen(await innerProducts(deviations, signal), n, {
    count: (all) => Math.min(countFor(all), n),
    signal,
    onProgress,
  });
  const wanted = countFor(small.values);
  const directions = { values: await combinations(small, deviations, signal), rows: small.count, dimension };
  const basis = await orthonormalRows(directions, wanted, signal);
  const measured = await variances(basis, deviations, signal);
  const order = Array.from(measured, (_, i) => i).sort((a, b) => measured[b]! - measured[a]! || a - b);
  const vectors = new Float64Array(wanted * dimension);
  order.forEach((from, to) => {
    vectors.set(basis.values.subarray(from * dimension, (from + 1) * dimension), to * dimension);
  });
  flipSigns(vectors, wanted, dimension);
  const values = Float64Array.from({ length: Math.max(n, wanted) }, (_, i) => {
    return (i < wanted ? measured[order[i]!]! : small.values[i]!) * scale * scale;
  });
  return { values, vectors, count: wanted };
}

/** The rows less their mean. Done twice, it takes off what rounding left in the mean. */
function centred({ values, rows, dimension }: Matrix<Float64Array>): Matrix<Float64Array> {
  const mean = columnMeans(values, rows, dimension);
  const out = new Float64Array(rows * dimension);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let j = 0; j < dimension; j++, at++) out[at] = values[at]! - mean[j]!;
  }
  return { values: out, rows, dimension };
}

/** Columns that are multiplied at a time, so that a tile stays in the first-level cache. */
const STRETCH = 256;

/** X X', its upper triangle packed row by row. */
async function innerProducts(
  { values, rows, dimension }: Matrix<Float64Array>,
  signal: AbortSignal | undefined,
): Promise<Float64Array> {
  const padded = padTo4(rows);
  const tiles = padded / 4;
  const { kernels, regions } = layOutGram({
    products: padded * padded,
    block: padded * STRETCH,
    packed: padded * STRETCH,
  });
  const { products, block, packed } = regions;
  for (let from = 0; from < dimension; from += STRETCH) {
    const width = Math.min(STRETCH, dimension - from);
    for (let row = 0; row < rows; row++) {
      const at = row * dimension + from;
      block.values.set(values.subarray(at, at + width), row * STRETCH);
    }
    kernels.packRows(block.address, STRETCH, tiles, packed.address, width);
    kernels.multiply(products.address, padded, packed.address, tiles, packed.address, tiles, width, 1);
    await pause(signal);
  }
  const upper = new Float64Array(packedLength(rows));
  for (let i = 0, at = 0; i < rows; at += rows - i, i++) {
    upper.set(products.values.subarray(i * padded + i, i * padded + rows), at);
  }
  return upper;
}

/** U X. */
async function combinations(
  { vectors, count }: SymmetricEigen,
  { values, rows, dimension }: Matrix<Float64Array>,
  signal: AbortSignal | undefined,
): Promise<Float64Array> {
  const height = padTo4(count);
  const inner = padTo4(rows);
  const { kernels, regions } = layOutGram({
    weights: height * inner,
    left: height * inner,
    block: inner * STRETCH,
    right: inner * STRETCH,
    products: height * STRETCH,
  });
  for (let i = 0; i < count; i++) {
    regions.weights.values.set(vectors.subarray(i * rows, (i + 1) * rows), i * inner);
  }
  kernels.packRows(regions.weights.address, inner, height / 4, regions.left.address, inner);
  const out = new Float64Array(count * dimension);
  const { block, right, left, products } = regions;
  for (let from = 0; from < dimension; from += STRETCH) {
    const width = Math.min(STRETCH, dimension - from);
    block.values.fill(0);
    for (let row = 0; row < rows; row++) {
      const at = row * dimension + from;
      block.values.set(values.subarray(at, at + width), row * STRETCH);
    }
    products.values.fill(0);
    kernels.packColumns(block.address, STRETCH, inner, STRETCH / 4, right.address, inner, 0, 0, 1);
    kernels.multiply(products.address, STRETCH, left.address, height / 4, right.address, STRETCH / 4, inner, 0);
    for (let i = 0; i < count; i++) {
      out.set(products.values.subarray(i * STRETCH, i * STRETCH + width), i * dimension + from);
    }
    await pause(signal);
  }
  return out;
}

/** Rows projected between two looks at the signal. */
const PROJECTED_ROWS = 256;

/** The sum of squares of the rows along each direction. */
async function variances(
  directions: Matrix<Float64Array>,
  { values, rows, dimension }: Matrix<Float64Array>,
  signal: AbortSignal | undefined,
): Promise<Float64Array> {
  const projection = createProjection(directions);
  const sums = new Float64Array(directions.rows);
  for (let first = 0; first < rows; first += PROJECTED_ROWS) {
    const count = Math.min(PROJECTED_ROWS, rows - first);
    const part = values.subarray(first * dimension, (first + count) * dimension);
    const { values: along } = projection({ values: part, rows: count, dimension });
    for (let i = 0; i < along.length; i++) sums[i % sums.length]! += along[i]! * along[i]!;
    await pause(signal);
  }
  return sums;
}
