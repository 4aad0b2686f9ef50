import { normOf, type PlacedValue, type Tridiagonal, tridiagonalQl } from "./tridiagonal-ql";

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

const EPSILON = Number.EPSILON;

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
