// Dense products in double precision with 128-bit SIMD, for AssemblyScript. The caller lays out the memory.
//
// `multiply` adds L'R to a row-major C. L and R are packed into tiles of 4 columns: tile t holds, for every inner
// index k, the 4 values k,4t .. k,4t+3 back to back. Packing makes every read of the inner loop consecutive, and the
// 4 x 4 block of C stays in registers (Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication",
// ACM TOMS 34(3), 2008).

/** Tiles of L that stay in the first-level cache while the tiles of R go by. */
const LEFT_BLOCK: i32 = 4;

/** The first byte that the caller may use. */
export function memoryStart(): usize {
  return (__heap_base + 63) & ~63;
}

/**
 * C += L'R.
 * @param c row-major, `stride` values a row, with room for 4 x leftTiles rows and 4 x rightTiles columns
 * @param upper where not 0, only tiles on and right of the diagonal are computed
 */
export function multiply(
  c: usize, stride: usize, left: usize, leftTiles: i32, right: usize, rightTiles: i32, inner: i32, upper: i32,
): void {
  const tileBytes = <usize>inner << 5;
  for (let block = 0; block < leftTiles; block += LEFT_BLOCK) {
    const end = min(block + LEFT_BLOCK, leftTiles);
    for (let j = upper ? block : 0; j < rightTiles; j++) {
      const r = right + <usize>j * tileBytes;
      const last = upper ? min(end, j + 1) : end;
      for (let i = block; i < last; i++) {
        tile(c + ((<usize>i * stride + <usize>j) << 5), stride << 3, left + <usize>i * tileBytes, r, inner);
      }
    }
  }
}

/** One 4 x 4 tile of C += L'R. */
function tile(c: usize, stride: usize, l: usize, r: usize, inner: i32): void {
  let c00 = f64x2.splat(0), c01 = f64x2.splat(0);
  let c10 = f64x2.splat(0), c11 = f64x2.splat(0);
  let c20 = f64x2.splat(0), c21 = f64x2.splat(0);
  let c30 = f64x2.splat(0), c31 = f64x2.splat(0);
  const end = l + (<usize>inner << 5);
  while (l < end) {
    const r0 = v128.load(r), r1 = v128.load(r, 16);
    const l0 = v128.load64_splat(l);
    c00 = f64x2.add(c00, f64x2.mul(l0, r0));
    c01 = f64x2.add(c01, f64x2.mul(l0, r1));
    const l1 = v128.load64_splat(l, 8);
    c10 = f64x2.add(c10, f64x2.mul(l1, r0));
    c11 = f64x2.add(c11, f64x2.mul(l1, r1));
    const l2 = v128.load64_splat(l, 16);
    c20 = f64x2.add(c20, f64x2.mul(l2, r0));
    c21 = f64x2.add(c21, f64x2.mul(l2, r1));
    const l3 = v128.load64_splat(l, 24);
    c30 = f64x2.add(c30, f64x2.mul(l3, r0));
    c31 = f64x2.add(c31, f64x2.mul(l3, r1));
    l += 32;
    r += 32;
  }
  addTo(c, c00, c01);
  addTo(c + stride, c10, c11);
  addTo(c + 2 * stride, c20, c21);
  addTo(c + 3 * stride, c30, c31);
}

// @ts-ignore: decorator
@inline
function addTo(at: usize, first: v128, second: v128): void {
  v128.store(at, f64x2.add(v128.load(at), first));
  v128.store(at, f64x2.add(v128.load(at, 16), second), 16);
}

/**
 * Packs rows of a row-major matrix so that its columns become the tiles' columns and its rows the inner index.
 * @param firstInner the inner index of the first row in the packed tiles
 * @param shift what to subtract from every row (`tiles` x 4 values), or 0
 * @param factor what to multiply by after the shift
 */
export function packColumns(
  source: usize, stride: usize, rows: i32, tiles: i32, target: usize, inner: i32, firstInner: i32, shift: usize,
  factor: f64,
): void {
  const f = f64x2.splat(factor);
  const tileBytes = <usize>inner << 5;
  for (let row = 0; row < rows; row++) {
    const from = source + ((<usize>row * stride) << 3);
    let to = target + (<usize>(firstInner + row) << 5);
    for (let t: usize = 0; t < <usize>tiles; t++) {
      const at = t << 5;
      let x0 = v128.load(from + at), x1 = v128.load(from + at, 16);
      if (shift) {
        x0 = f64x2.sub(x0, v128.load(shift + at));
        x1 = f64x2.sub(x1, v128.load(shift + at, 16));
      }
      v128.store(to, f64x2.mul(x0, f));
      v128.store(to, f64x2.mul(x1, f), 16);
      to += tileBytes;
    }
  }
}

/**
 * Packs rows of a row-major matrix so that its rows become the tiles' columns and its columns the inner index.
 * @param source `tiles` x 4 rows of `stride` values, of which the first `inner` are packed
 */
export function packRows(source: usize, stride: usize, tiles: i32, target: usize, inner: i32): void {
  const rowBytes = stride << 3;
  for (let t = 0; t < tiles; t++) {
    let row = source + ((<usize>t * stride) << 5);
    const end = row + (<usize>inner << 3);
    while (row < end) {
      f64.store(target, f64.load(row));
      f64.store(target, f64.load(row + rowBytes), 8);
      f64.store(target, f64.load(row + 2 * rowBytes), 16);
      f64.store(target, f64.load(row + 3 * rowBytes), 24);
      row += 8;
      target += 32;
    }
  }
}
