// The two passes of Pillow's resampling (src/libImaging/Resample.c, 8 bits per channel) with 128-bit SIMD.
//
// A coefficient has 22 fraction bits and does not fit 16 bits, so it is split into `high * 2^15 + low`, 0 <= low < 2^15.
// Two pixels times two coefficients is then one `dot`, once for the high and once for the low halves. Sums wrap modulo
// 2^32, and as the true sum fits 32 bits, the result is exact however many taps there are.
//
// Coefficients come in groups of four taps, 16 bytes each: high of taps 0|1, low of 0|1, high of 2|3, low of 2|3.
// Missing taps have coefficient 0; what is read for them is past the row and counts nothing.

const ROUND: i32 = 1 << 21;

/** Pixels of three bytes, as 16-bit pairs of two neighbouring taps: r0 r1, g0 g1, b0 b1, nothing. */
const PAIR_01 = i8x16(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1);
const PAIR_23 = i8x16(6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1);

export function allocate(bytes: usize): usize {
  return heap.alloc(bytes);
}

export function release(pointer: usize): void {
  heap.free(pointer);
}

/**
 * Resamples rows of RGB along x, four rows at a time. `bounds` holds the first source pixel of each of the `outWidth`
 * output pixels. Writes one byte past each row's end, reads up to 16 past the source's.
 */
export function horizontal(
  source: usize,
  sourceStride: usize,
  rows: i32,
  target: usize,
  targetStride: usize,
  outWidth: i32,
  bounds: usize,
  coefficients: usize,
  groups: i32,
): void {
  for (let y = 0; y < rows; y += 4) {
    let c = coefficients;
    let out = target;
    for (let x = 0; x < outWidth; x++) {
      let p0 = source + <usize>load<i32>(bounds + (<usize>x << 2)) * 3;
      let p1 = p0 + sourceStride;
      let p2 = p1 + sourceStride;
      let p3 = p2 + sourceStride;
      let h0 = i32x4.splat(0);
      let h1 = h0;
      let h2 = h0;
      let h3 = h0;
      let l0 = i32x4.splat(ROUND);
      let l1 = l0;
      let l2 = l0;
      let l3 = l0;
      for (let g = 0; g < groups; g++) {
        const high01 = v128.load_splat<u32>(c, 0);
        const low01 = v128.load_splat<u32>(c, 4);
        const high23 = v128.load_splat<u32>(c, 8);
        const low23 = v128.load_splat<u32>(c, 12);
        c += 16;

        let pixels = v128.load(p0);
        let a = i8x16.swizzle(pixels, PAIR_01);
        let b = i8x16.swizzle(pixels, PAIR_23);
        h0 = i32x4.add(h0, i32x4.add(i32x4.dot_i16x8_s(a, high01), i32x4.dot_i16x8_s(b, high23)));
        l0 = i32x4.add(l0, i32x4.add(i32x4.dot_i16x8_s(a, low01), i32x4.dot_i16x8_s(b, low23)));

        pixels = v128.load(p1);
        a = i8x16.swizzle(pixels, PAIR_01);
        b = i8x16.swizzle(pixels, PAIR_23);
        h1 = i32x4.add(h1, i32x4.add(i32x4.dot_i16x8_s(a, high01), i32x4.dot_i16x8_s(b, high23)));
        l1 = i32x4.add(l1, i32x4.add(i32x4.dot_i16x8_s(a, low01), i32x4.dot_i16x8_s(b, low23)));

        pixels = v128.load(p2);
        a = i8x16.swizzle(pixels, PAIR_01);
        b = i8x16.swizzle(pixels, PAIR_23);
        h2 = i32x4.add(h2, i32x4.add(i32x4.dot_i16x8_s(a, high01), i32x4.dot_i16x8_s(b, high23)));
        l2 = i32x4.add(l2, i32x4.add(i32x4.dot_i16x8_s(a, low01), i32x4.dot_i16x8_s(b, low23)));

        pixels = v128.load(p3);
        a = i8x16.swizzle(pixels, PAIR_01);
        b = i8x16.swizzle(pixels, PAIR_23);
        h3 = i32x4.add(h3, i32x4.add(i32x4.dot_i16x8_s(a, high01), i32x4.dot_i16x8_s(b, high23)));
        l3 = i32x4.add(l3, i32x4.add(i32x4.dot_i16x8_s(a, low01), i32x4.dot_i16x8_s(b, low23)));

        p0 += 12;
        p1 += 12;
        p2 += 12;
        p3 += 12;
      }
      // Saturating twice, to 16 bits signed and to 8 bits unsigned, is Pillow's clip8.
      const bytes = i8x16.narrow_i16x8_u(
        i16x8.narrow_i32x4_s(finish(h0, l0), finish(h1, l1)),
        i16x8.narrow_i32x4_s(finish(h2, l2), finish(h3, l3)),
      );
      v128.store_lane<u32>(out, bytes, 0);
      v128.store_lane<u32>(out + targetStride, bytes, 1);
      v128.store_lane<u32>(out + 2 * targetStride, bytes, 2);
      v128.store_lane<u32>(out + 3 * targetStride, bytes, 3);
      out += 3;
    }
    source += 4 * sourceStride;
    target += 4 * targetStride;
  }
}

/**
 * Resamples along y, 16 bytes at a time. `bounds` holds the first source row of each output row. Output rows follow
 * each other without padding: a row's last block may run into the next row, which is then written over.
 */
export function vertical(
  source: usize,
  sourceStride: usize,
  target: usize,
  rowBytes: i32,
  outHeight: i32,
  bounds: usize,
  coefficients: usize,
  groups: i32,
): void {
  for (let y = 0; y < outHeight; y++) {
    const first = source + <usize>load<i32>(bounds + (<usize>y << 2)) * sourceStride;
    const c = coefficients + ((<usize>(y * groups)) << 4);
    for (let x = 0; x < rowBytes; x += 16) {
      resampleColumn(first + x, sourceStride, c, groups);
      v128.store(target + x, i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(sum0, sum1), i16x8.narrow_i32x4_s(sum2, sum3)));
    }
    target += rowBytes;
  }
}

/** As `vertical`, but each byte v becomes the float32 `v / 127.5 - 1`. */
export function verticalToSignedUnit(
  source: usize,
  sourceStride: usize,
  target: usize,
  rowBytes: i32,
  outHeight: i32,
  bounds: usize,
  coefficients: usize,
  groups: i32,
): void {
  for (let y = 0; y < outHeight; y++) {
    const first = source + <usize>load<i32>(bounds + (<usize>y << 2)) * sourceStride;
    const c = coefficients + ((<usize>(y * groups)) << 4);
    for (let x = 0; x < rowBytes; x += 16) {
      resampleColumn(first + x, sourceStride, c, groups);
      const out = target + (<usize>x << 2);
      v128.store(out, signedUnit(sum0), 0);
      v128.store(out, signedUnit(sum1), 16);
      v128.store(out, signedUnit(sum2), 32);
      v128.store(out, signedUnit(sum3), 48);
    }
    target += <usize>rowBytes << 2;
  }
}

let sum0: v128 = i32x4.splat(0);
let sum1: v128 = i32x4.splat(0);
let sum2: v128 = i32x4.splat(0);
let sum3: v128 = i32x4.splat(0);

// @ts-ignore: decorator
@inline
function resampleColumn(p: usize, stride: usize, c: usize, groups: i32): void {
  let h0 = i32x4.splat(0);
  let h1 = h0;
  let h2 = h0;
  let h3 = h0;
  let l0 = i32x4.splat(ROUND);
  let l1 = l0;
  let l2 = l0;
  let l3 = l0;
  for (let g = 0; g < groups; g++) {
    const high01 = v128.load_splat<u32>(c, 0);
    const low01 = v128.load_splat<u32>(c, 4);
    const high23 = v128.load_splat<u32>(c, 8);
    const low23 = v128.load_splat<u32>(c, 12);
    c += 16;

    const r0 = v128.load(p);
    const r1 = v128.load(p + stride);
    const r2 = v128.load(p + 2 * stride);
    const r3 = v128.load(p + 3 * stride);
    p += 4 * stride;

    let ab = v128.shuffle<u8>(r0, r1, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    let cd = v128.shuffle<u8>(r2, r3, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    let a = i16x8.extend_low_i8x16_u(ab);
    let b = i16x8.extend_low_i8x16_u(cd);
    h0 = i32x4.add(h0, i32x4.add(i32x4.dot_i16x8_s(a, high01), i32x4.dot_i16x8_s(b, high23)));
    l0 = i32x4.add(l0, i32x4.add(i32x4.dot_i16x8_s(a, low01), i32x4.dot_i16x8_s(b, low23)));
    a = i16x8.extend_high_i8x16_u(ab);
    b = i16x8.extend_high_i8x16_u(cd);
    h1 = i32x4.add(h1, i32x4.add(i32x4.dot_i16x8_s(a, high01), i32x4.dot_i16x8_s(b, high23)));
    l1 = i32x4.add(l1, i32x4.add(i32x4.dot_i16x8_s(a, low01), i32x4.dot_i16x8_s(b, low23)));

    ab = v128.shuffle<u8>(r0, r1, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    cd = v128.shuffle<u8>(r2, r3, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    a = i16x8.extend_low_i8x16_u(ab);
    b = i16x8.extend_low_i8x16_u(cd);
    h2 = i32x4.add(h2, i32x4.add(i32x4.dot_i16x8_s(a, high01), i32x4.dot_i16x8_s(b, high23)));
    l2 = i32x4.add(l2, i32x4.add(i32x4.dot_i16x8_s(a, low01), i32x4.dot_i16x8_s(b, low23)));
    a = i16x8.extend_high_i8x16_u(ab);
    b = i16x8.extend_high_i8x16_u(cd);
    h3 = i32x4.add(h3, i32x4.add(i32x4.dot_i16x8_s(a, high01), i32x4.dot_i16x8_s(b, high23)));
    l3 = i32x4.add(l3, i32x4.add(i32x4.dot_i16x8_s(a, low01), i32x4.dot_i16x8_s(b, low23)));
  }
  sum0 = finish(h0, l0);
  sum1 = finish(h1, l1);
  sum2 = finish(h2, l2);
  sum3 = finish(h3, l3);
}

// @ts-ignore: decorator
@inline
function finish(high: v128, low: v128): v128 {
  return i32x4.shr_s(i32x4.add(i32x4.shl(high, 15), low), 22);
}

// @ts-ignore: decorator
@inline
function signedUnit(value: v128): v128 {
  const clipped = i32x4.min_s(i32x4.max_s(value, i32x4.splat(0)), i32x4.splat(255));
  return f32x4.sub(f32x4.div(f32x4.convert_i32x4_s(clipped), f32x4.splat(127.5)), f32x4.splat(1));
}
