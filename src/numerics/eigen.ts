import { setImmediate } from "node:timers/promises";
import { throwIfAborted } from "../errors";
import { type Tridiagonal, tridiagonalValues } from "./tridiagonal-ql";
import { tridiagonalVectors } from "./tridiagonal-vectors";
import { layOutTridiagonal, padTo4 } from "./wasm";

/** Eigenvalues and some eigenvectors of a symmetric matrix. */
export interface SymmetricEigen {
  /** All eigenvalues, largest first. */
  readonly values: Float64Array;
  /**
   * The eigenvectors of the `count` largest eigenvalues, each of length 1, back to back. The sign of each is such that
   * its component of largest magnitude is positive (the first of these, if equal), as in scikit-learn's `svd_flip`.
   */
  readonly vectors: Float64Array;
  readonly count: number;
}

export interface SymmetricEigenOptions {
  /** How many eigenvectors to compute, or a function that decides once it sees the eigenvalues. */
  readonly count: number | ((values: Float64Array) => number);
  readonly signal?: AbortSignal | undefined;
  /** Called between panels with the share of the reduction that is done, which takes nearly all of the time. */
  readonly onProgress?: ((share: number) => void) | undefined;
}

/**
 * Solves the symmetric eigenproblem: Householder reduction to tridiagonal form (in WebAssembly, in panels), all
 * eigenvalues by implicit QL, the wanted eigenvectors by inverse iteration, and back (Golub and Van Loan, "Matrix
 * Computations", chapter 8; the path that LAPACK's dsyevx takes).
 *
 * Works for any finite matrix, of any rank and with equal eigenvalues. Of the libraries on npm, ml-matrix is as exact but
 * takes a minute at order 1280 and holds up the process meanwhile; none has LAPACK's or Eigen's symmetric solver compiled.
 * Lets other work of the process run, and looks at `signal`, between panels.
 * @param packed the upper triangle, row by row
 * @param n the order
 * @throws CancelledError
 */
export async function symmetricEigen(
  packed: Float64Array,
  n: number,
  options: SymmetricEigenOptions,
): Promise<SymmetricEigen> {
  const scale = powerOfTwoNear(packed);
  const reduction = await reduce(packed, n, scale, options);
  const placed = tridiagonalValues(reduction.tridiagonal);
  const values = Float64Array.from(placed, ({ value }) => value * scale);
  const count = typeof options.count === "number" ? options.count : options.count(values);
  throwIfAborted(options.signal);
  const vectors = tridiagonalVectors(reduction.tridiagonal, placed, count);
  await pause(options.signal);
  const back = reduction.transformBack(vectors, count);
  flipSigns(back, count, n);
  return { values, vectors: back, count };
}

/** Columns reduced before the rest of the matrix is brought up to date; a multiple of 4. */
const PANEL = 32;

interface Reduction {
  readonly tridiagonal: Tridiagonal;
  /** Maps eigenvectors of the tridiagonal matrix to those of the full one. */
  transformBack(vectors: Float64Array, count: number): Float64Array;
}

async function reduce(
  packed: Float64Array,
  n: number,
  scale: number,
  { signal, onProgress }: SymmetricEigenOptions,
): Promise<Reduction> {
  const padded = padTo4(n);
  const { kernels, regions } = layOutTridiagonal({
    matrix: padded * padded,
    diagonal: n,
    off: n,
    tau: n,
    panel: 2 * PANEL * padded,
    // The panels are not needed any more when vectors are transformed back, in portions as large as these.
    packs: 4 * PANEL * padded,
  });
  const { matrix, diagonal, off, tau, panel, packs } = regions;
  for (let i = 0, at = 0; i < n; i++) {
    for (let j = i; j < n; j++, at++) matrix.values[i * padded + j] = packed[at]! / scale;
  }
  for (let from = 0; from < n; from += PANEL) {
    const width = Math.min(PANEL, n - from);
    kernels.reducePanel(
      matrix.address,
      n,
      padded,
      from,
      width,
      diagonal.address,
      off.address,
      tau.address,
      panel.address,
      packs.address,
    );
    onProgress?.(1 - ((n - from - width) / n) ** 3);
    await pause(signal);
  }

  function transformBack(vectors: Float64Array, count: number): Float64Array {
    const back = new Float64Array(count * n);
    for (let first = 0; first < count; first += 4 * PANEL) {
      const rows = Math.min(4 * PANEL, count - first);
      packs.values.fill(0);
      for (let i = 0; i < rows; i++) {
        packs.values.set(vectors.subarray((first + i) * n, (first + i + 1) * n), i * padded);
      }
      kernels.applyReflections(matrix.address, n, padded, tau.address, packs.address, rows, panel.address);
      for (let i = 0; i < rows; i++) {
        back.set(packs.values.subarray(i * padded, i * padded + n), (first + i) * n);
      }
    }
    return back;
  }

  return { tridiagonal: { diagonal: diagonal.values, off: off.values }, transformBack };
}

/** Lets other work of the process run. @throws CancelledError */
export async function pause(signal: AbortSignal | undefined): Promise<void> {
  await setImmediate();
  throwIfAborted(signal);
}

/** A power of two near the largest magnitude: dividing by it keeps squares in range and loses no digit. */
export function powerOfTwoNear(values: Float64Array): number {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  return largest > 0 ? 2 ** Math.max(-1000, Math.min(1000, Math.round(Math.log2(largest)))) : 1;
}

/** Makes the component of largest magnitude of each vector positive. */
export function flipSigns(vectors: Float64Array, count: number, n: number): void {
  for (let i = 0; i < count; i++) {
    const row = vectors.subarray(i * n, (i + 1) * n);
    let largest = 0;
    for (const value of row) if (Math.abs(value) > Math.abs(largest)) largest = value;
    const sign = largest < 0 ? -1 : 1;
    // Adding 0 turns -0 into 0, which survives JSON.
    for (let j = 0; j < n; j++) row[j] = sign * row[j]! + 0;
  }
}
