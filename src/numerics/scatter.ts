import type { Matrix } from "../data/vectors";
import { columnMeans, packedLength, type Scatter } from "./moments";
import { layOutGram, padTo4 } from "./wasm";

/** Rows multiplied at a time: enough for the product to be bound by arithmetic, few enough to stay in the cache. */
const BLOCK_ROWS = 256;

/** Gathers the co-moments of rows that come batch by batch. */
export interface ScatterAccumulator {
  add(rows: Matrix<Float64Array>): void;
  finish(): Scatter;
}

/**
 * Starts an accumulator for rows of `dimension` values. Its memory is dimension² values and a block of rows, whatever
 * the number of rows: each full block is centred on its own mean, multiplied by itself, and merged as in
 * `mergeScatter`, whose rank-one term goes into the same product as one more row.
 */
export function startScatter(dimension: number): ScatterAccumulator {
  const padded = padTo4(dimension);
  const { kernels, regions } = layOutGram({
    products: padded * padded,
    block: BLOCK_ROWS * padded,
    // One row more than the block: the step between the means.
    packed: (BLOCK_ROWS + 1) * padded,
    shift: padded,
    step: padded,
  });
  const { products, block, packed, shift, step } = regions;
  const mean = new Float64Array(dimension);
  let count = 0;
  let waiting = 0;

  function add({ values, rows }: Matrix<Float64Array>): void {
    for (let row = 0; row < rows; row++) {
      block.values.set(values.subarray(row * dimension, (row + 1) * dimension), waiting * padded);
      if (++waiting === BLOCK_ROWS) flush();
    }
  }

  function flush(): void {
    if (waiting === 0) return;
    const blockMean = columnMeans(block.values, waiting, padded);
    const total = count + waiting;
    for (let j = 0; j < dimension; j++) {
      const delta = blockMean[j]! - mean[j]!;
      step.values[j] = delta;
      mean[j] = count === 0 ? blockMean[j]! : mean[j]! + delta * (waiting / total);
    }
    shift.values.set(blockMean);
    const tiles = padded / 4;
    const inner = count === 0 ? waiting : waiting + 1;
    kernels.packColumns(block.address, padded, waiting, tiles, packed.address, inner, 0, shift.address, 1);
    if (count > 0) {
      const weight = Math.sqrt((count * waiting) / total);
      kernels.packColumns(step.address, padded, 1, tiles, packed.address, inner, waiting, 0, weight);
    }
    kernels.multiply(products.address, padded, packed.address, tiles, packed.address, tiles, inner, 1);
    count = total;
    waiting = 0;
  }

  function finish(): Scatter {
    flush();
    const upper = new Float64Array(packedLength(dimension));
    for (let i = 0, at = 0; i < dimension; at += dimension - i, i++) {
      upper.set(products.values.subarray(i * padded + i, i * padded + dimension), at);
    }
    return { count, mean: mean.slice(), packed: upper };
  }

  return { add, finish };
}
