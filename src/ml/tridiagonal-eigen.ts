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

/** An eigenvalue iteration that should converge in two or three steps did not in a hundred. */
export class EigenConvergenceError extends PomonaError {}

const EPSILON = Number.EPSILON;

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

/**
 * The eigenvectors of the `count` largest eigenvalues by inverse iteration, each kept orthogonal to the ones near it
 * (Ipsen, "Computing an Eigenvector with Inverse Iteration", SIAM Review 39, 1997; LAPACK's dstein). Inverse iteration
 * has no proof for tight clusters, so the result is checked; where it fails, the vectors come from the QL method.
 */
export function tridiagonalVectors(matrix: Tridiagonal, values: readonly PlacedValue[], count: number): Float64Array {
  return (
    inverseIteration(matrix, values, count) ?? tridiagonalQl(matrix).vectors.slice(0, count * matrix.diagonal.length)
  );
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

/** The eigenvectors, or undefined where some vector has not converged or is not orthogonal to the others. */
export function inverseIteration(
  matrix: Tridiagonal,
  values: readonly PlacedValue[],
  count: number,
): Float64Array | undefined {
  const n = matrix.diagonal.length;
  const vectors = new Float64Array(count * n);
  const groups = new Map<number, { members: Float64Array[]; used: number; value: number }>();
  const norm = normOf(matrix);
  const random = uniform(n);
  for (let i = 0; i < count; i++) {
    const { value, block } = values[i]!;
    const [from, to] = block;
    const target = vectors.subarray(i * n + from, i * n + to);
    if (to - from === 1) {
      target[0] = 1;
      continue;
    }
    const previous = groups.get(from);
    const isNear = previous !== undefined && previous.value - value <= GROUP_GAP * norm;
    // Equal eigenvalues get shifts just apart, so that their systems differ.
    const apart = 10 * EPSILON * Math.abs(value);
    const shift = isNear ? Math.min(value, previous.used - apart) : value;
    const members = isNear ? previous.members : [];
    if (!iterate(matrix, block, value, shift, norm, members, target, random)) return undefined;
    members.push(target);
    groups.set(from, { members, used: shift, value });
  }
  return isOrthonormal(vectors, count, n) ? vectors : undefined;
}

/** Eigenvalues closer than this share of the norm are kept orthogonal explicitly, as in LAPACK's dstein. */
const GROUP_GAP = 1e-3;
const LEAST_SOLVES = 3;
const MOST_SOLVES = 10;
const ORTHOGONALITY = 1e-10;

/** One eigenvector by inverse iteration; false where it does not converge. */
function iterate(
  matrix: Tridiagonal,
  block: readonly [number, number],
  value: number,
  shift: number,
  norm: number,
  near: readonly Float64Array[],
  x: Float64Array,
  random: () => number,
): boolean {
  const factors = factorize(matrix, block, shift, norm);
  const tolerance = 10 * EPSILON * norm * Math.sqrt(x.length);
  for (let j = 0; j < x.length; j++) x[j] = random();
  for (let solves = 1; solves <= MOST_SOLVES; solves++) {
    solve(factors, x);
    if (!normalize(x)) return false;
    // Twice is enough (Parlett and Kahan): the second pass removes what the first left by cancellation.
    for (let pass = 0; pass < 2; pass++) {
      for (const other of near) addScaled(x, other, -dot(x, other));
    }
    if (!normalize(x)) return false;
    if (solves >= LEAST_SOLVES && residual(matrix, block, value, x) <= tolerance) return true;
  }
  return false;
}

interface Factors {
  readonly u0: Float64Array;
  readonly u1: Float64Array;
  readonly u2: Float64Array;
  readonly multipliers: Float64Array;
  readonly swapped: Uint8Array;
}

/** LU factors of a block minus `shift` times the identity, with partial pivoting (LAPACK's dgttrf). */
function factorize(matrix: Tridiagonal, [from, to]: readonly [number, number], shift: number, norm: number): Factors {
  const n = to - from;
  const { diagonal, off } = matrix;
  const u0 = new Float64Array(n);
  const u1 = new Float64Array(n);
  const u2 = new Float64Array(n);
  const multipliers = new Float64Array(n);
  const swapped = new Uint8Array(n);
  const smallest = EPSILON * norm;
  let pivot = diagonal[from]! - shift;
  let right = n > 1 ? off[from]! : 0;
  for (let i = 0; i < n - 1; i++) {
    const below = off[from + i]!;
    const belowDiagonal = diagonal[from + i + 1]! - shift;
    const belowRight = i + 2 < n ? off[from + i + 1]! : 0;
    if (Math.abs(pivot) >= Math.abs(below)) {
      if (Math.abs(pivot) < smallest) pivot = pivot < 0 ? -smallest : smallest;
      const m = below / pivot;
      u0[i] = pivot;
      u1[i] = right;
      multipliers[i] = m;
      pivot = belowDiagonal - m * right;
      right = belowRight;
    } else {
      const m = pivot / below;
      u0[i] = below;
      u1[i] = belowDiagonal;
      u2[i] = belowRight;
      multipliers[i] = m;
      swapped[i] = 1;
      pivot = right - m * belowDiagonal;
      right = -m * belowRight;
    }
  }
  u0[n - 1] = Math.abs(pivot) < smallest ? (pivot < 0 ? -smallest : smallest) : pivot;
  return { u0, u1, u2, multipliers, swapped };
}

function solve({ u0, u1, u2, multipliers, swapped }: Factors, x: Float64Array): void {
  const n = x.length;
  for (let i = 0; i < n - 1; i++) {
    if (swapped[i]) {
      const first = x[i]!;
      x[i] = x[i + 1]!;
      x[i + 1] = first - multipliers[i]! * x[i]!;
    } else {
      x[i + 1]! -= multipliers[i]! * x[i]!;
    }
  }
  for (let i = n - 1; i >= 0; i--) {
    let sum = x[i]!;
    if (i + 1 < n) sum -= u1[i]! * x[i + 1]!;
    if (i + 2 < n) sum -= u2[i]! * x[i + 2]!;
    x[i] = sum / u0[i]!;
  }
}

/** Length of T x - value x within a block. */
function residual(
  { diagonal, off }: Tridiagonal,
  [from, to]: readonly [number, number],
  value: number,
  x: Float64Array,
): number {
  let sum = 0;
  for (let i = from, j = 0; i < to; i++, j++) {
    let r = (diagonal[i]! - value) * x[j]!;
    if (j > 0) r += off[i - 1]! * x[j - 1]!;
    if (i + 1 < to) r += off[i]! * x[j + 1]!;
    sum += r * r;
  }
  return Math.sqrt(sum);
}

interface Rotated {
  readonly rows: Float64Array;
  readonly n: number;
  /** Row of `rows` that belongs to the block's first eigenvalue. */
  readonly first: number;
}

/** Overwrites `d` with the eigenvalues, in no order; `e` is destroyed. Rotates `z`'s rows along, where given. */
function implicitQl(d: Float64Array, e: Float64Array, z?: Rotated): void {
  const n = d.length;
  let norm = 0;
  for (let i = 0; i < n; i++) norm = Math.max(norm, Math.abs(d[i]!), Math.abs(e[i]!));
  // Far below rounding error: it only spares work in the noise of a rank-deficient matrix.
  const negligible = norm * EPSILON * 1e-4;
  for (let l = 0; l < n; l++) {
    for (let steps = 0; ; steps++) {
      let m = l;
      for (; m < n - 1; m++) {
        const size = Math.abs(e[m]!);
        if (size <= negligible || size <= EPSILON * (Math.abs(d[m]!) + Math.abs(d[m + 1]!))) break;
      }
      if (m === l) break;
      if (steps === 100) {
        throw new EigenConvergenceError(`Eigenvalue ${l + 1} of ${n} did not converge.`, {
          remedy: "This should not happen with finite numbers; please report it with the data.",
        });
      }
      qlStep(d, e, l, m, z);
    }
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

/** Largest absolute row sum. */
function normOf({ diagonal, off }: Tridiagonal): number {
  let norm = 0;
  for (let i = 0; i < diagonal.length; i++) {
    const left = i > 0 ? Math.abs(off[i - 1]!) : 0;
    const right = i + 1 < diagonal.length ? Math.abs(off[i]!) : 0;
    norm = Math.max(norm, left + Math.abs(diagonal[i]!) + right);
  }
  return norm;
}

function isOrthonormal(vectors: Float64Array, count: number, n: number): boolean {
  const rows = Array.from({ length: count }, (_, i) => vectors.subarray(i * n, (i + 1) * n));
  return rows.every((row, i) => rows.slice(0, i).every((other) => Math.abs(dot(row, other)) <= ORTHOGONALITY));
}

function dot(x: Float64Array, y: Float64Array): number {
  const n = x.length;
  let s0 = 0;
  let s1 = 0;
  let j = 0;
  // Two sums, so that one addition need not wait for the other.
  for (; j + 1 < n; j += 2) {
    s0 += x[j]! * y[j]!;
    s1 += x[j + 1]! * y[j + 1]!;
  }
  if (j < n) s0 += x[j]! * y[j]!;
  return s0 + s1;
}

function addScaled(y: Float64Array, x: Float64Array, factor: number): void {
  for (let j = 0; j < y.length; j++) y[j]! += factor * x[j]!;
}

/** Scales to length 1, in two steps since the square of a solution may overflow; false where that cannot be done. */
function normalize(x: Float64Array): boolean {
  let largest = 0;
  for (const value of x) largest = Math.max(largest, Math.abs(value));
  if (!(largest > 0 && largest < Number.POSITIVE_INFINITY)) return false;
  for (let j = 0; j < x.length; j++) x[j]! /= largest;
  const length = Math.sqrt(dot(x, x));
  for (let j = 0; j < x.length; j++) x[j]! /= length;
  return true;
}

/** Numbers in -1..1 that depend on the seed alone: xorshift32 (Marsaglia, "Xorshift RNGs", 2003). */
function uniform(seed: number): () => number {
  let state = (seed ^ 0x9e3779b9) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state / 2 ** 31;
  };
}
