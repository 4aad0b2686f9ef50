import { PomonaError } from "../errors";

/** A symmetric tridiagonal matrix. `off[i]` stands between `diagonal[i]` and `diagonal[i + 1]`; the last is unused. */
export interface Tridiagonal {
  readonly diagonal: Float64Array;
  readonly off: Float64Array;
}

/** Eigenpairs of a tridiagonal matrix, largest eigenvalue first: row i of `vectors` belongs to `values[i]`. */
export interface TridiagonalEigen {
  readonly values: Float64Array;
  readonly vectors: Float64Array;
}

/** An eigenvalue, and the unreduced block of the matrix it belongs to. */
export interface PlacedValue {
  readonly value: number;
  /** First row of the block, and the row after its last. */
  readonly block: readonly [number, number];
}

/** An eigenvalue iteration that should converge in two or three steps did not in thirty. */
export class EigenConvergenceError extends PomonaError {}

/**
 * All eigenvalues, largest first, by the implicit QL method (Golub and Van Loan, "Matrix Computations", 8.3; EISPACK's
 * imtql1). Off-diagonals below rounding error relative to the norm are taken for 0, which splits the matrix.
 */
export function tridiagonalValues(matrix: Tridiagonal): PlacedValue[] {
  const placed: PlacedValue[] = [];
  for (const block of unreducedBlocks(matrix)) {
    const diagonal = matrix.diagonal.slice(...block);
    implicitQl(diagonal, blockOff(matrix, block));
    for (const value of diagonal) placed.push({ value, block });
  }
  return placed.sort((a, b) => b.value - a.value || a.block[0] - b.block[0]);
}

/** All eigenpairs by the implicit QL method with accumulated rotations: always orthogonal, but of cubic cost. */
export function tridiagonalQl(matrix: Tridiagonal): TridiagonalEigen {
  const n = matrix.diagonal.length;
  const diagonal = matrix.diagonal.slice();
  const rows = new Float64Array(n * n);
  for (let i = 0; i < n; i++) rows[i * n + i] = 1;
  for (const block of unreducedBlocks(matrix)) {
    implicitQl(diagonal.subarray(...block), blockOff(matrix, block), { rows, n, first: block[0] });
  }
  const order = Array.from(diagonal, (_, i) => i).sort((a, b) => diagonal[b]! - diagonal[a]! || a - b);
  const vectors = new Float64Array(n * n);
  order.forEach((from, to) => {
    vectors.set(rows.subarray(from * n, (from + 1) * n), to * n);
  });
  return { values: Float64Array.from(order, (i) => diagonal[i]!), vectors };
}

/** Largest absolute row sum. */
export function normOf({ diagonal, off }: Tridiagonal): number {
  let norm = 0;
  for (let i = 0; i < diagonal.length; i++) {
    const left = i > 0 ? Math.abs(off[i - 1]!) : 0;
    const right = i + 1 < diagonal.length ? Math.abs(off[i]!) : 0;
    norm = Math.max(norm, left + Math.abs(diagonal[i]!) + right);
  }
  return norm;
}

const EPSILON = Number.EPSILON;

interface Rotated {
  readonly rows: Float64Array;
  readonly n: number;
  /** Row of `rows` that belongs to the block's first eigenvalue. */
  readonly first: number;
}

/**
 * Overwrites `d` with the eigenvalues, in no order; `e` is destroyed. Rotates `z`'s rows along, where given.
 *
 * QL steps find the eigenvalues of small rows first only where those stand first, so a block that falls off towards its
 * end is turned around (LAPACK's dsteqr chooses between QL and QR instead). An off-diagonal is negligible where it is
 * below rounding error beside the whole block: the reduction to tridiagonal form was no more exact, and a limit relative
 * to its neighbours is never met in the noise that stands in for the zeros of a rank-deficient matrix.
 */
function implicitQl(d: Float64Array, e: Float64Array, z?: Rotated): void {
  const n = d.length;
  if (Math.abs(d[n - 1]!) < Math.abs(d[0]!)) turnAround(d, e, z);
  let norm = 0;
  for (let i = 0; i < n; i++) norm = Math.max(norm, Math.abs(d[i]!), Math.abs(e[i]!));
  const negligible = norm * EPSILON;
  let steps = 0;
  for (let l = 0; l < n; l++) {
    for (;;) {
      let m = l;
      while (m < n - 1 && Math.abs(e[m]!) > negligible) m++;
      if (m === l) break;
      if (++steps > MOST_STEPS * n) {
        throw new EigenConvergenceError(`Eigenvalue ${l + 1} of ${n} did not converge.`, {
          remedy: "This should not happen with finite numbers; please report it with the data.",
        });
      }
      qlStep(d, e, l, m, z);
    }
  }
}

/** Steps for each eigenvalue, all together; about 1.7 are usual, and LAPACK allows as many. */
const MOST_STEPS = 30;

function turnAround(d: Float64Array, e: Float64Array, z: Rotated | undefined): void {
  d.reverse();
  e.subarray(0, d.length - 1).reverse();
  if (!z) return;
  for (let i = z.first, j = z.first + d.length - 1; i < j; i++, j--) {
    const upper = z.rows.slice(i * z.n, (i + 1) * z.n);
    z.rows.copyWithin(i * z.n, j * z.n, (j + 1) * z.n);
    z.rows.set(upper, j * z.n);
  }
}

function qlStep(d: Float64Array, e: Float64Array, l: number, m: number, z: Rotated | undefined): void {
  let g = (d[l + 1]! - d[l]!) / (2 * e[l]!);
  const root = Math.hypot(g, 1);
  g = d[m]! - d[l]! + e[l]! / (g + (g >= 0 ? root : -root));
  let s = 1;
  let c = 1;
  let p = 0;
  for (let i = m - 1; i >= l; i--) {
    const f = s * e[i]!;
    const b = c * e[i]!;
    let square = f * f + g * g;
    square = square > 1e-280 ? Math.sqrt(square) : Math.hypot(f, g);
    e[i + 1] = square;
    if (square === 0) {
      d[i + 1]! -= p;
      e[m] = 0;
      return;
    }
    s = f / square;
    c = g / square;
    g = d[i + 1]! - p;
    const r = (d[i]! - g) * s + 2 * c * b;
    p = s * r;
    d[i + 1] = g + p;
    g = c * r - b;
    if (z) rotate(z, i, s, c);
  }
  d[l]! -= p;
  e[l] = g;
  e[m] = 0;
}

function rotate({ rows, n, first }: Rotated, i: number, s: number, c: number): void {
  const upper = (first + i) * n;
  const lower = upper + n;
  for (let k = 0; k < n; k++) {
    const a = rows[upper + k]!;
    const b = rows[lower + k]!;
    rows[lower + k] = s * a + c * b;
    rows[upper + k] = c * a - s * b;
  }
}

/** The stretches between off-diagonals that are nothing beside the norm. */
function unreducedBlocks(matrix: Tridiagonal): (readonly [number, number])[] {
  const { diagonal, off } = matrix;
  const least = EPSILON * normOf(matrix);
  const blocks: (readonly [number, number])[] = [];
  let from = 0;
  for (let i = 0; i < diagonal.length; i++) {
    if (i + 1 === diagonal.length || Math.abs(off[i]!) <= least) {
      blocks.push([from, i + 1]);
      from = i + 1;
    }
  }
  return blocks;
}

function blockOff(matrix: Tridiagonal, [from, to]: readonly [number, number]): Float64Array {
  const off = new Float64Array(to - from);
  off.set(matrix.off.subarray(from, to - 1));
  return off;
}
