// Reduction of a symmetric matrix to tridiagonal form by Householder reflections, in panels: each panel delays its
// rank-2 updates and applies them together as one matrix product (Dongarra, Sorensen and Hammarling, LAPACK Working
// Note 2, 1987; LAPACK's dsytrd and dlatrd). For AssemblyScript; the caller lays out the memory.
//
// The matrix is row-major, of which the upper triangle is used, padded with zeros to a multiple of 4 rows and columns.
// Vectors start at an index that is a multiple of 4, with zeros before their first element, so that no loop has a tail.

import { memoryStart, multiply, packColumns } from "./gram.as";

export { memoryStart };

/**
 * Reduces the rows `from` to before `from + width` and updates the rest of the matrix.
 * Row c of the matrix then holds, right of its diagonal, the Householder vector of step c (first element 1).
 * @param a the matrix, `padded` x `padded`
 * @param n its order without the padding
 * @param diagonal,offDiagonal,tau n values each
 * @param panel room for 2 x width rows of `padded` values: the Householder vectors, then their companions
 * @param packs room for 2 x (2 x width) rows of `padded` values
 */
export function reducePanel(
  a: usize, n: i32, padded: i32, from: i32, width: i32, diagonal: usize, offDiagonal: usize, tau: usize, panel: usize,
  packs: usize,
): void {
  const rowBytes = <usize>padded << 3;
  const vectors = panel;
  const companions = panel + <usize>width * rowBytes;
  memory.fill(panel, 0, 2 * <usize>width * rowBytes);
  for (let i = 0; i < width; i++) {
    const c = from + i;
    const row = a + <usize>c * rowBytes;
    const start = c & ~3;
    for (let m = 0; m < i; m++) {
      const v = vectors + <usize>m * rowBytes;
      const w = companions + <usize>m * rowBytes;
      addScaled(row, w, -element(v, c), start, padded);
      addScaled(row, v, -element(w, c), start, padded);
    }
    f64.store(diagonal + (<usize>c << 3), element(row, c));
    if (c + 1 >= n) {
      f64.store(tau + (<usize>c << 3), 0);
      continue;
    }
    const t = reflector(row, c + 1, n, offDiagonal + (<usize>c << 3));
    f64.store(tau + (<usize>c << 3), t);
    if (t == 0) continue;
    const v = vectors + <usize>i * rowBytes;
    const w = companions + <usize>i * rowBytes;
    memory.copy(v + (<usize>(c + 1) << 3), row + (<usize>(c + 1) << 3), <usize>(n - c - 1) << 3);
    const first = (c + 1) & ~3;
    symmetricTimesVector(a, rowBytes, first, padded, v, w);
    for (let m = 0; m < i; m++) {
      const vm = vectors + <usize>m * rowBytes;
      const wm = companions + <usize>m * rowBytes;
      const wv = dot(wm, v, first, padded);
      const vv = dot(vm, v, first, padded);
      addScaled(w, vm, -wv, first, padded);
      addScaled(w, wm, -vv, first, padded);
    }
    scale(w, t, first, padded);
    addScaled(w, v, -0.5 * t * dot(w, v, first, padded), first, padded);
    for (let j = first; j <= c; j++) f64.store(w + (<usize>j << 3), 0);
  }
  const next = from + width;
  if (next < n) updateTrailing(a, padded, next, width, panel, packs);
}

/** A -= V W' + W V' for the rows and columns from `next` (a multiple of 4) on. */
function updateTrailing(a: usize, padded: i32, next: i32, width: i32, panel: usize, packs: usize): void {
  const rowBytes = <usize>padded << 3;
  const offset = <usize>next << 3;
  const inner = 2 * width;
  const tiles = (padded - next) >> 2;
  const stride = <usize>padded;
  const vectors = panel + offset;
  const companions = vectors + <usize>width * rowBytes;
  const left = packs;
  const right = packs + <usize>inner * rowBytes;
  packColumns(vectors, stride, width, tiles, left, inner, 0, 0, -1);
  packColumns(companions, stride, width, tiles, left, inner, width, 0, -1);
  packColumns(companions, stride, width, tiles, right, inner, 0, 0, 1);
  packColumns(vectors, stride, width, tiles, right, inner, width, 0, 1);
  multiply(a + <usize>next * rowBytes + offset, stride, left, tiles, right, tiles, inner, 1);
}

/**
 * Multiplies each of `count` rows of z by Q, the product of the reflections that `reducePanel` left in the matrix.
 * @param z `count` x `padded`
 * @param work room for `padded` values
 */
export function applyReflections(
  a: usize, n: i32, padded: i32, tau: usize, z: usize, count: i32, work: usize,
): void {
  const rowBytes = <usize>padded << 3;
  memory.fill(work, 0, rowBytes);
  for (let c = n - 2; c >= 0; c--) {
    const t = element(tau, c);
    if (t == 0) continue;
    const first = (c + 1) & ~3;
    for (let j = first; j <= c; j++) f64.store(work + (<usize>j << 3), 0);
    const from = <usize>(c + 1) << 3;
    memory.copy(work + from, a + <usize>c * rowBytes + from, <usize>(n - c - 1) << 3);
    for (let i = 0; i < count; i++) {
      const row = z + <usize>i * rowBytes;
      addScaled(row, work, -t * dot(row, work, first, padded), first, padded);
    }
  }
}

/** Squares far enough above the least normal number for their sum to have all digits. */
const LEAST_SQUARE: f64 = 1e-280;

/**
 * Turns x[first..n) into the Householder vector that maps it onto its first element, and returns tau (LAPACK's
 * dlarfg). 0 means that there is nothing to do.
 */
function reflector(x: usize, first: i32, n: i32, beta: usize): f64 {
  const alpha = element(x, first);
  let tail: f64 = 0;
  for (let j = first + 1; j < n; j++) tail += element(x, j) * element(x, j);
  // Beside a matrix of magnitude 1 such a vector is nothing; its squares have lost the digits that make v orthogonal.
  if (tail == 0 || alpha * alpha + tail < LEAST_SQUARE) {
    f64.store(beta, alpha);
    return 0;
  }
  const norm = Math.sqrt(alpha * alpha + tail);
  const b = alpha >= 0 ? -norm : norm;
  const factor = 1 / (alpha - b);
  for (let j = first + 1; j < n; j++) f64.store(x + (<usize>j << 3), element(x, j) * factor);
  f64.store(x + (<usize>first << 3), 1);
  f64.store(beta, b);
  return (b - alpha) / b;
}

/** y = A x for the rows and columns from..to, reading the upper triangle once, four rows at a time. */
function symmetricTimesVector(a: usize, rowBytes: usize, from: i32, to: i32, x: usize, y: usize): void {
  for (let j = from; j < to; j++) f64.store(y + (<usize>j << 3), 0);
  for (let i = from; i < to; i += 4) {
    const at = <usize>i << 3;
    const row = a + <usize>i * rowBytes;
    for (let r = 0; r < 4; r++) {
      const ri = row + <usize>r * rowBytes;
      let sum = element(ri, i + r) * element(x, i + r);
      for (let j = r + 1; j < 4; j++) {
        sum += element(ri, i + j) * element(x, i + j);
        const yj = y + (<usize>(i + j) << 3);
        f64.store(yj, f64.load(yj) + element(ri, i + j) * element(x, i + r));
      }
      const yr = y + (<usize>(i + r) << 3);
      f64.store(yr, f64.load(yr) + sum);
    }
    const x0 = v128.load64_splat(x + at), x1 = v128.load64_splat(x + at, 8);
    const x2 = v128.load64_splat(x + at, 16), x3 = v128.load64_splat(x + at, 24);
    let s0 = f64x2.splat(0), s1 = f64x2.splat(0), s2 = f64x2.splat(0), s3 = f64x2.splat(0);
    const end = <usize>to << 3;
    for (let j = at + 32; j < end; j += 16) {
      const xj = v128.load(x + j);
      const a0 = v128.load(row + j);
      const a1 = v128.load(row + rowBytes + j);
      const a2 = v128.load(row + 2 * rowBytes + j);
      const a3 = v128.load(row + 3 * rowBytes + j);
      s0 = f64x2.add(s0, f64x2.mul(a0, xj));
      s1 = f64x2.add(s1, f64x2.mul(a1, xj));
      s2 = f64x2.add(s2, f64x2.mul(a2, xj));
      s3 = f64x2.add(s3, f64x2.mul(a3, xj));
      const low = f64x2.add(f64x2.mul(a0, x0), f64x2.mul(a1, x1));
      const high = f64x2.add(f64x2.mul(a2, x2), f64x2.mul(a3, x3));
      v128.store(y + j, f64x2.add(v128.load(y + j), f64x2.add(low, high)));
    }
    const yi = y + at;
    f64.store(yi, f64.load(yi) + sum2(s0));
    f64.store(yi, f64.load(yi, 8) + sum2(s1), 8);
    f64.store(yi, f64.load(yi, 16) + sum2(s2), 16);
    f64.store(yi, f64.load(yi, 24) + sum2(s3), 24);
  }
}

// @ts-ignore: decorator
@inline
function element(x: usize, index: i32): f64 {
  return f64.load(x + (<usize>index << 3));
}

// @ts-ignore: decorator
@inline
function sum2(x: v128): f64 {
  return f64x2.extract_lane(x, 0) + f64x2.extract_lane(x, 1);
}

/** y += factor x, over from..to: multiples of 4. */
function addScaled(y: usize, x: usize, factor: f64, from: i32, to: i32): void {
  const f = f64x2.splat(factor);
  const end = <usize>to << 3;
  for (let j = <usize>from << 3; j < end; j += 32) {
    v128.store(y + j, f64x2.add(v128.load(y + j), f64x2.mul(f, v128.load(x + j))));
    v128.store(y + j, f64x2.add(v128.load(y + j, 16), f64x2.mul(f, v128.load(x + j, 16))), 16);
  }
}

function scale(x: usize, factor: f64, from: i32, to: i32): void {
  const f = f64x2.splat(factor);
  const end = <usize>to << 3;
  for (let j = <usize>from << 3; j < end; j += 16) v128.store(x + j, f64x2.mul(f, v128.load(x + j)));
}

/** The sum of x y, over from..to: multiples of 4. */
function dot(x: usize, y: usize, from: i32, to: i32): f64 {
  let s0 = f64x2.splat(0), s1 = f64x2.splat(0);
  const end = <usize>to << 3;
  for (let j = <usize>from << 3; j < end; j += 32) {
    s0 = f64x2.add(s0, f64x2.mul(v128.load(x + j), v128.load(y + j)));
    s1 = f64x2.add(s1, f64x2.mul(v128.load(x + j, 16), v128.load(y + j, 16)));
  }
  return sum2(f64x2.add(s0, s1));
}
