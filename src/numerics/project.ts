import type { Matrix } from "../data/vectors";
import { layOutGram, padTo4 } from "./wasm";

const BLOCK_ROWS = 64;
/** Length of the stretches in which the inner products are summed, so that a tile stays in the first-level cache. */
const STRETCH = 256;

/** Multiplies rows by a fixed matrix. */
export type Projection = (rows: Matrix<Float64Array>) => Matrix<Float64Array>;

/**
 * The function that maps a row x to its inner products with each row of `components` (k rows of d values). A row's
 * result does not depend on which rows are beside it.
 */
export function createProjection(components: Matrix<Float64Array>): Projection {
  const { dimension, rows: k } = components;
  const padded = padTo4(dimension);
  const width = padTo4(k);
  const { kernels, regions } = layOutGram({
    components: width * padded,
    right: width * padded,
    block: BLOCK_ROWS * padded,
    left: BLOCK_ROWS * STRETCH,
    out: BLOCK_ROWS * width,
  });
  const { block, left, out, right } = regions;
  copyRows(components.values, regions.components.values, k, dimension, padded);
  for (let from = 0; from < padded; from += STRETCH) {
    const inner = Math.min(STRETCH, padded - from);
    kernels.packRows(regions.components.address + from * 8, padded, width / 4, right.address + from * width * 8, inner);
  }

  return ({ values, rows }) => {
    const projected = new Float64Array(rows * k);
    for (let first = 0; first < rows; first += BLOCK_ROWS) {
      const count = Math.min(BLOCK_ROWS, rows - first);
      const tiles = padTo4(count) / 4;
      copyRows(values.subarray(first * dimension), block.values, count, dimension, padded);
      out.values.fill(0);
      for (let from = 0; from < padded; from += STRETCH) {
        const inner = Math.min(STRETCH, padded - from);
        kernels.packRows(block.address + from * 8, padded, tiles, left.address, inner);
        const stretch = right.address + from * width * 8;
        kernels.multiply(out.address, width, left.address, tiles, stretch, width / 4, inner, 0);
      }
      for (let row = 0; row < count; row++) {
        projected.set(out.values.subarray(row * width, row * width + k), (first + row) * k);
      }
    }
    return { values: projected, rows, dimension: k };
  };
}

function copyRows(from: Float64Array, to: Float64Array, rows: number, dimension: number, padded: number): void {
  for (let row = 0; row < rows; row++) {
    to.set(from.subarray(row * dimension, (row + 1) * dimension), row * padded);
  }
}
