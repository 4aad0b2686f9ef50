// A decoder for the common kind of JPEG: baseline or extended sequential Huffman, 8 bits, one scan, grey or YCbCr
// 4:4:4, 4:2:2 and 4:2:0. It computes what libjpeg-turbo computes, to the last bit: the accurate integer IDCT
// (jidctint.c), "fancy" upsampling (jdsample.c), fixed-point colour conversion (jdcolor.c).
// Anything else, and anything irregular in the data, makes it return 0: another decoder then has the last word.
//
// See ITU-T T.81 (JPEG) for the format; table and figure numbers below are its.

const HUFFMAN_BITS = 9;
const LOOKUP_BYTES = (1 << HUFFMAN_BITS) * 2;
/** A Huffman table: the lookup, largest code + 1 by length (17 i32), value offset by length (17 i32), values (256). */
const CODES_AT = LOOKUP_BYTES;
const OFFSETS_AT = CODES_AT + 18 * 4;
const VALUES_AT = OFFSETS_AT + 18 * 4;
const TABLE_BYTES = VALUES_AT + 256;

const tables = memory.data(8 * TABLE_BYTES, 16); // DC 0 to 3, AC 0 to 3
const quantizers = memory.data(4 * 64 * 4, 16); // i32, in zigzag order
const coefficients = memory.data(64 * 4, 16); // i32, in natural order
const workspace = memory.data(64 * 4, 16); // i32
const zigzag = memory.data<u8>([
  0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
  35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47,
  55, 62, 63,
]);
/** A frame's components: id, horizontal and vertical sampling, quantizer, DC and AC table, prediction, plane. */
const components = memory.data(3 * 32, 16);
const ID = 0;
const H = 4;
const V = 8;
const QUANTIZER = 12;
const DC_TABLE = 16;
const AC_TABLE = 20;
const PREDICTION = 24;
const PLANE = 28;

let imageWidth: i32 = 0;
let imageHeight: i32 = 0;

export function width(): i32 {
  return imageWidth;
}

export function height(): i32 {
  return imageHeight;
}

export function allocate(bytes: usize): usize {
  return heap.alloc(bytes);
}

export function release(pointer: usize): void {
  heap.free(pointer);
}

/**
 * Decodes `length` bytes at `source` to RGB.
 * @returns the pixels, to be released by the caller; 0 where this is not for this decoder
 */
export function decode(source: usize, length: usize, maxPixels: i32): usize {
  pos = source;
  end = source + length;
  const count = readHeaders(maxPixels);
  if (count == 0) return 0;
  const h = component(0, H);
  const v = component(0, V);
  // A single component is not interleaved: its MCU is one block, whatever its sampling factors (A.2.2).
  const mcuWidth = count == 1 ? 8 : 8 * h;
  const mcuHeight = count == 1 ? 8 : 8 * v;
  const columns = (imageWidth + mcuWidth - 1) / mcuWidth;
  const rows = (imageHeight + mcuHeight - 1) / mcuHeight;
  const lumaStride = columns * mcuWidth;
  const chromaStride = columns * 8;
  const lumaBytes = <usize>(lumaStride * rows * mcuHeight);
  const chromaBytes = <usize>(chromaStride * rows * 8);
  const planes = heap.alloc(count == 1 ? lumaBytes : lumaBytes + 2 * chromaBytes);
  setComponent(0, PLANE, <i32>planes);
  setComponent(1, PLANE, <i32>(planes + lumaBytes));
  setComponent(2, PLANE, <i32>(planes + lumaBytes + chromaBytes));
  let pixels: usize = 0;
  if (decodeScan(count, columns, rows, count == 1 ? 1 : h, count == 1 ? 1 : v, lumaStride, chromaStride)) {
    pixels = heap.alloc(<usize>imageWidth * imageHeight * 3 + 16);
    if (count == 1) greyToRgb(planes, lumaStride, pixels);
    else toRgb(planes, lumaStride, planes + lumaBytes, planes + lumaBytes + chromaBytes, chromaStride, h, v, pixels);
  }
  heap.free(planes);
  return pixels;
}

// ---------------------------------------------------------------------------------------------------- markers (B)

let pos: usize = 0;
let end: usize = 0;
let restartInterval: i32 = 0;

/** Reads up to the first entropy-coded byte. @returns the number of components; 0 where this is not for this decoder */
function readHeaders(maxPixels: i32): i32 {
  let count = 0;
  let jfif = false;
  let adobe = -1;
  let dqt = 0;
  let dht = 0;
  restartInterval = 0;
  pos += 2;
  while (pos + 4 <= end) {
    if (load<u8>(pos) != 0xff) return 0;
    const marker = <i32>load<u8>(pos, 1);
    if (marker == 0xff) {
      pos++;
      continue;
    }
    const size = word(pos + 2);
    const at = pos + 4;
    const next = pos + 2 + size;
    if (size < 2 || next > end) return 0;
    switch (marker) {
      case 0xe0: // JFIF
        if (size >= 7 && load<u32>(at) == 0x4649464a && load<u8>(at, 4) == 0) jfif = true;
        break;
      case 0xee: // Adobe
        if (size >= 14 && load<u32>(at) == 0x626f6441 && load<u8>(at, 4) == 0x65) adobe = load<u8>(at, 11);
        break;
      case 0xdb: {
        const seen = readQuantizers(at, next);
        if (seen == 0) return 0;
        dqt |= seen;
        break;
      }
      case 0xc4: {
        const seen = readHuffmanTables(at, next);
        if (seen == 0) return 0;
        dht |= seen;
        break;
      }
      case 0xdd:
        if (size != 4) return 0;
        restartInterval = word(at);
        break;
      case 0xc0:
      case 0xc1:
        if (count != 0) return 0;
        count = readFrame(at, size, maxPixels);
        if (count == 0) return 0;
        break;
      case 0xda:
        if (count == 0 || !readScan(at, size, count, dqt, dht)) return 0;
        pos = next;
        // As libjpeg guesses the colour space (default_decompress_parms in jdapimin.c); others are not for here.
        if (count == 1 || jfif || adobe == 1) return count;
        if (adobe != -1) return 0;
        return component(0, ID) == 1 && component(1, ID) == 2 && component(2, ID) == 3 ? count : 0;
      default:
        // Comments and application data are skipped; other frames, arithmetic coding, DNL and so on are not for here.
        if (marker != 0xfe && (marker < 0xe0 || marker > 0xef)) return 0;
    }
    pos = next;
  }
  return 0;
}

function readQuantizers(at: usize, next: usize): i32 {
  let seen = 0;
  while (at < next) {
    const head = <i32>load<u8>(at++);
    const wide = head >> 4;
    const id = head & 15;
    if (wide > 1 || id > 3 || at + (64 << wide) > next) return 0;
    for (let i = 0; i < 64; i++) {
      const value = wide ? word(at) : <i32>load<u8>(at);
      at += 1 << wide;
      store<i32>(quantizers + (((id << 6) + i) << 2), value);
    }
    seen |= 1 << id;
  }
  return seen;
}

/** Annex C, and the lookup by the next nine bits. */
function readHuffmanTables(at: usize, next: usize): i32 {
  let seen = 0;
  while (at < next) {
    if (at + 17 > next) return 0;
    const head = <i32>load<u8>(at);
    const id = head & 15;
    if (head >> 4 > 1 || id > 3) return 0;
    const index = (head >> 4) * 4 + id;
    const table = tables + index * TABLE_BYTES;
    memory.fill(table, 0, TABLE_BYTES);
    const counts = at + 1;
    const values = at + 17;
    let code = 0;
    let value = 0;
    for (let length = 1; length <= 16; length++) {
      const n = <i32>load<u8>(counts + length - 1);
      if (value + n > 256 || values + value + n > next) return 0;
      // No code is all ones (C).
      if (n > 0 && code + n >= 1 << length) return 0;
      store<i32>(table + CODES_AT + length * 4, code + n);
      store<i32>(table + OFFSETS_AT + length * 4, value - code);
      for (let i = 0; i < n; i++, value++, code++) {
        const symbol = <i32>load<u8>(values + value);
        // In a DC table a symbol is a number of bits, 0 to 15.
        if (index < 4 && symbol > 15) return 0;
        store<u8>(table + VALUES_AT + value, <u8>symbol);
        if (length > HUFFMAN_BITS) continue;
        const first = code << (HUFFMAN_BITS - length);
        for (let fill = 0; fill < 1 << (HUFFMAN_BITS - length); fill++) {
          store<u16>(table + ((first + fill) << 1), <u16>((length << 8) | symbol));
        }
      }
      code <<= 1;
    }
    seen |= 1 << index;
    at = values + value;
  }
  return seen;
}

function readFrame(at: usize, size: i32, maxPixels: i32): i32 {
  if (size < 8 || load<u8>(at) != 8) return 0;
  imageHeight = word(at + 1);
  imageWidth = word(at + 3);
  const count = <i32>load<u8>(at, 5);
  if (imageHeight == 0 || imageWidth == 0 || size != 8 + 3 * count) return 0;
  if (<u64>imageHeight * <u64>imageWidth > <u64>maxPixels) return 0;
  if (count != 1 && count != 3) return 0;
  for (let i = 0; i < count; i++) {
    const entry = at + 6 + 3 * i;
    setComponent(i, ID, load<u8>(entry));
    setComponent(i, H, load<u8>(entry, 1) >> 4);
    setComponent(i, V, load<u8>(entry, 1) & 15);
    setComponent(i, QUANTIZER, load<u8>(entry, 2));
    if (component(i, QUANTIZER) > 3) return 0;
  }
  if (count == 1) return 1;
  for (let i = 1; i < 3; i++) if (component(i, H) != 1 || component(i, V) != 1) return 0;
  const h = component(0, H);
  const v = component(0, V);
  if (!((h == 1 && v == 1) || (h == 2 && v == 1) || (h == 2 && v == 2))) return 0;
  // Where chroma has one or two columns, libjpeg does not interpolate.
  return h == 2 && imageWidth < 5 ? 0 : 3;
}

function readScan(at: usize, size: i32, count: i32, dqt: i32, dht: i32): bool {
  if (size != 6 + 2 * count || load<u8>(at) != count) return false;
  for (let i = 0; i < count; i++) {
    const entry = at + 1 + 2 * i;
    if (load<u8>(entry) != component(i, ID)) return false;
    const dc = load<u8>(entry, 1) >> 4;
    const ac = load<u8>(entry, 1) & 15;
    if (dc > 3 || ac > 3) return false;
    const has = ((dht >> dc) & 1) + ((dht >> (ac + 4)) & 1) + ((dqt >> component(i, QUANTIZER)) & 1);
    if (has != 3) return false;
    setComponent(i, DC_TABLE, <i32>(tables + dc * TABLE_BYTES));
    setComponent(i, AC_TABLE, <i32>(tables + (ac + 4) * TABLE_BYTES));
  }
  const spectral = at + 1 + 2 * count;
  return load<u8>(spectral) == 0 && load<u8>(spectral, 1) == 63 && load<u8>(spectral, 2) == 0;
}

function word(at: usize): i32 {
  return (<i32>load<u8>(at) << 8) | load<u8>(at, 1);
}

function component(i: i32, field: usize): i32 {
  return load<i32>(components + (i << 5) + field);
}

function setComponent(i: i32, field: usize, value: i32): void {
  store<i32>(components + (i << 5) + field, value);
}

// ------------------------------------------------------------------------------------------- entropy-coded data (F)

/** The bits read ahead are the lowest `held` of `bits`; the last `padding` of them are zeros past the data. */
let bits: u64 = 0;
let held: i32 = 0;
let padding: i32 = 0;

function decodeScan(
  count: i32,
  columns: i32,
  rows: i32,
  h: i32,
  v: i32,
  lumaStride: i32,
  chromaStride: i32,
): bool {
  let untilRestart = restartInterval;
  let restart = 0;
  startBits();
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      if (restartInterval > 0) {
        if (untilRestart == 0) {
          if (!atMarker(0xd0 + restart)) return false;
          pos += 2;
          startBits();
          restart = (restart + 1) & 7;
          untilRestart = restartInterval;
        }
        untilRestart--;
      }
      const luma = <usize>component(0, PLANE) + (row * v * lumaStride + column * h) * 8;
      for (let y = 0; y < v; y++) {
        for (let x = 0; x < h; x++) {
          if (!decodeBlock(0, luma + (y * lumaStride + x) * 8, lumaStride)) return false;
        }
      }
      for (let i = 1; i < count; i++) {
        const chroma = <usize>component(i, PLANE) + (row * chromaStride + column) * 8;
        if (!decodeBlock(i, chroma, chromaStride)) return false;
      }
    }
  }
  return atMarker(0xd9);
}

function startBits(): void {
  bits = 0;
  held = 0;
  padding = 0;
  for (let i = 0; i < 3; i++) setComponent(i, PREDICTION, 0);
}

/** Whether the data ended exactly here, with less than a byte of padding, and this marker follows. */
function atMarker(marker: i32): bool {
  refill();
  if (padding > held || held - padding > 7) return false;
  return pos + 1 < end && load<u8>(pos) == 0xff && load<u8>(pos, 1) == marker;
}

// @ts-ignore: decorator
@inline
function refill(): void {
  while (held <= 56) {
    let byte: u64 = 0;
    if (pos < end) {
      byte = load<u8>(pos);
      if (byte != 0xff) pos++;
      else if (pos + 1 < end && load<u8>(pos, 1) == 0) pos += 2;
      else {
        byte = 0;
        padding += 8;
      }
    } else padding += 8;
    bits = (bits << 8) | byte;
    held += 8;
  }
}

// @ts-ignore: decorator
@inline
function take(count: i32): i32 {
  held -= count;
  return <i32>(bits >> held) & ((1 << count) - 1);
}

/** The next symbol; -1 for a code that the table does not have. */
// @ts-ignore: decorator
@inline
function symbol(table: usize): i32 {
  const entry = <i32>load<u16>(table + ((<usize>(bits >> (held - HUFFMAN_BITS)) & ((1 << HUFFMAN_BITS) - 1)) << 1));
  if (entry != 0) {
    held -= entry >> 8;
    return entry & 255;
  }
  return longSymbol(table);
}

function longSymbol(table: usize): i32 {
  for (let length = HUFFMAN_BITS + 1; length <= 16; length++) {
    const code = <i32>(bits >> (held - length)) & ((1 << length) - 1);
    if (code < load<i32>(table + CODES_AT + length * 4)) {
      held -= length;
      return load<u8>(table + VALUES_AT + code + load<i32>(table + OFFSETS_AT + length * 4));
    }
  }
  return -1;
}

/** F.2.2.1: the value of `size` more bits. */
// @ts-ignore: decorator
@inline
function extend(size: i32): i32 {
  const value = take(size);
  return value < 1 << (size - 1) ? value - (1 << size) + 1 : value;
}

/** Half of what 16 bits hold: beyond it, implementations of the IDCT differ in how they overflow. */
const LIMIT = 16383;

function decodeBlock(i: i32, target: usize, stride: usize): bool {
  const quantizer = quantizers + (component(i, QUANTIZER) << 8);
  const acTable = <usize>component(i, AC_TABLE);
  memory.fill(coefficients, 0, 256);
  refill();
  let size = symbol(component(i, DC_TABLE));
  if (size < 0 || size > 11) return false;
  let prediction = component(i, PREDICTION);
  if (size > 0) {
    prediction += extend(size);
    setComponent(i, PREDICTION, prediction);
  }
  const dc = prediction * load<i32>(quantizer);
  if (abs(dc) > LIMIT) return false;
  store<i32>(coefficients, dc);
  let last = 0;
  for (let k = 1; k < 64; k++) {
    // A code and its value take 16 + 15 bits at most.
    if (held < 32) refill();
    const runSize = symbol(acTable);
    if (runSize < 0) return false;
    size = runSize & 15;
    const run = runSize >> 4;
    if (size == 0) {
      if (run != 15) break;
      k += 15;
      continue;
    }
    k += run;
    if (k > 63) return false;
    const value = extend(size) * load<i32>(quantizer + (k << 2));
    if (abs(value) > LIMIT) return false;
    last = k;
    store<i32>(coefficients + (<usize>load<u8>(zigzag + k) << 2), value);
  }
  if (padding > held) return false;
  if (last == 0) {
    if (abs(dc) << 2 > LIMIT) return false;
    fillBlock(dc, target, stride);
    return true;
  }
  return inverseTransform(target, stride);
}

// ------------------------------------------------------------------------------------------------------------ IDCT

/** A block of the mean alone. */
function fillBlock(dc: i32, target: usize, stride: usize): void {
  const level = clamp((((dc << 2) + 16) >> 5) + 128);
  const row = i8x16.splat(<i8>level);
  for (let y = 0; y < 8; y++) {
    v128.store_lane<u64>(target, row, 0);
    target += stride;
  }
}

// @ts-ignore: decorator
@inline
function clamp(value: i32): i32 {
  return max(0, min(255, value));
}

/** Loeffler, Ligtenberg and Moschytz's algorithm in 13-bit fixed point, as in jidctint.c; four columns at a time. */
function inverseTransform(target: usize, stride: usize): bool {
  pass(coefficients, workspace, 11);
  pass(coefficients + 16, workspace + 16, 11);
  let extreme = i32x4.splat(0);
  for (let at: usize = 0; at < 256; at += 16) extreme = i32x4.max_u(extreme, i32x4.abs(v128.load(workspace + at)));
  if (v128.any_true(i32x4.gt_u(extreme, i32x4.splat(LIMIT)))) return false;
  transpose(workspace, coefficients);
  pass(coefficients, workspace, 18);
  pass(coefficients + 16, workspace + 16, 18);
  transpose(workspace, coefficients);
  const level = i16x8.splat(128);
  for (let y = 0; y < 8; y++) {
    const row = coefficients + (y << 5);
    const words = i16x8.add_sat_s(i16x8.narrow_i32x4_s(v128.load(row), v128.load(row, 16)), level);
    v128.store_lane<u64>(target, i8x16.narrow_i16x8_u(words, words), 0);
    target += stride;
  }
  return true;
}

/** One dimension: the columns of four lanes, from eight rows of 32 bytes to eight rows of 32 bytes. */
// @ts-ignore: decorator
@inline
function pass(from: usize, to: usize, shift: i32): void {
  const in0 = v128.load(from);
  const in1 = v128.load(from, 32);
  const in2 = v128.load(from, 64);
  const in3 = v128.load(from, 96);
  const in4 = v128.load(from, 128);
  const in5 = v128.load(from, 160);
  const in6 = v128.load(from, 192);
  const in7 = v128.load(from, 224);

  let z1 = times(i32x4.add(in2, in6), 4433);
  const even2 = i32x4.sub(z1, times(in6, 15137));
  const even3 = i32x4.add(z1, times(in2, 6270));
  const round = i32x4.splat(1 << (shift - 1));
  const even0 = i32x4.add(i32x4.shl(i32x4.add(in0, in4), 13), round);
  const even1 = i32x4.add(i32x4.shl(i32x4.sub(in0, in4), 13), round);
  const t10 = i32x4.add(even0, even3);
  const t13 = i32x4.sub(even0, even3);
  const t11 = i32x4.add(even1, even2);
  const t12 = i32x4.sub(even1, even2);

  let z3 = i32x4.add(in7, in3);
  let z4 = i32x4.add(in5, in1);
  const z5 = times(i32x4.add(z3, z4), 9633);
  z1 = times(i32x4.add(in7, in1), -7373);
  const z2 = times(i32x4.add(in5, in3), -20995);
  z3 = i32x4.add(times(z3, -16069), z5);
  z4 = i32x4.add(times(z4, -3196), z5);
  const t0 = i32x4.add(times(in7, 2446), i32x4.add(z1, z3));
  const t1 = i32x4.add(times(in5, 16819), i32x4.add(z2, z4));
  const t2 = i32x4.add(times(in3, 25172), i32x4.add(z2, z3));
  const t3 = i32x4.add(times(in1, 12299), i32x4.add(z1, z4));

  v128.store(to, i32x4.shr_s(i32x4.add(t10, t3), shift));
  v128.store(to, i32x4.shr_s(i32x4.add(t11, t2), shift), 32);
  v128.store(to, i32x4.shr_s(i32x4.add(t12, t1), shift), 64);
  v128.store(to, i32x4.shr_s(i32x4.add(t13, t0), shift), 96);
  v128.store(to, i32x4.shr_s(i32x4.sub(t13, t0), shift), 128);
  v128.store(to, i32x4.shr_s(i32x4.sub(t12, t1), shift), 160);
  v128.store(to, i32x4.shr_s(i32x4.sub(t11, t2), shift), 192);
  v128.store(to, i32x4.shr_s(i32x4.sub(t10, t3), shift), 224);
}

// @ts-ignore: decorator
@inline
function times(value: v128, factor: i32): v128 {
  return i32x4.mul(value, i32x4.splat(factor));
}

function transpose(from: usize, to: usize): void {
  transposeQuarter(from, to);
  transposeQuarter(from + 16, to + 128);
  transposeQuarter(from + 128, to + 16);
  transposeQuarter(from + 144, to + 144);
}

// @ts-ignore: decorator
@inline
function transposeQuarter(from: usize, to: usize): void {
  const a = v128.load(from);
  const b = v128.load(from, 32);
  const c = v128.load(from, 64);
  const d = v128.load(from, 96);
  const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
  const cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
  const ab2 = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
  const cd2 = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<i64>(ab, cd, 0, 2));
  v128.store(to, v128.shuffle<i64>(ab, cd, 1, 3), 32);
  v128.store(to, v128.shuffle<i64>(ab2, cd2, 0, 2), 64);
  v128.store(to, v128.shuffle<i64>(ab2, cd2, 1, 3), 96);
}

// -------------------------------------------------------------------------------------------- upsampling and colour

function greyToRgb(luma: usize, stride: usize, out: usize): void {
  for (let y = 0; y < imageHeight; y++) {
    for (let x = 0; x < imageWidth; x++) {
      const value = load<u8>(luma + x);
      store<u8>(out, value);
      store<u8>(out, value, 1);
      store<u8>(out, value, 2);
      out += 3;
    }
    luma += stride;
  }
}

function toRgb(
  luma: usize,
  lumaStride: usize,
  cb: usize,
  cr: usize,
  chromaStride: usize,
  h: i32,
  v: i32,
  out: usize,
): void {
  if (h == 1) {
    for (let y = 0; y < imageHeight; y++) {
      rowToRgb(luma, cb, cr, out);
      luma += lumaStride;
      cb += chromaStride;
      cr += chromaStride;
      out += <usize>imageWidth * 3;
    }
    return;
  }
  const chromaWidth = (imageWidth + 1) >> 1;
  const lastRow = ((imageHeight + v - 1) / v - 1) * <i32>chromaStride;
  // Rows as wide as whole chroma pixels, and 16 bytes that the last block of pixels may read.
  const rowBytes = <usize>chromaWidth * 2 + 16;
  const cbRow = heap.alloc(2 * rowBytes);
  const crRow = cbRow + rowBytes;
  for (let y = 0; y < imageHeight; y++) {
    if (v == 1) {
      const row = y * <i32>chromaStride;
      widen(cb + row, chromaWidth, cbRow);
      widen(cr + row, chromaWidth, crRow);
    } else {
      // The nearer row of chroma, and the next one on the other side of this pixel; the edge's own row at the edge.
      const near = (y >> 1) * <i32>chromaStride;
      const far = min(lastRow, max(0, near + (y & 1 ? <i32>chromaStride : -(<i32>chromaStride))));
      widenBoth(cb + near, cb + far, chromaWidth, cbRow);
      widenBoth(cr + near, cr + far, chromaWidth, crRow);
    }
    rowToRgb(luma, cbRow, crRow, out);
    luma += lumaStride;
    out += <usize>imageWidth * 3;
  }
  heap.free(cbRow);
}

/** Twice as wide: each output pixel is 3/4 the nearer and 1/4 the further. @see h2v1_fancy_upsample in jdsample.c */
function widen(from: usize, count: i32, to: usize): void {
  let value = <i32>load<u8>(from);
  let previous = value;
  store<u8>(to, <u8>value);
  for (let x = 1; x < count; x++) {
    const next = <i32>load<u8>(from + x);
    store<u8>(to, <u8>((3 * value + next + 2) >> 2), 1);
    previous = value;
    value = next;
    to += 2;
    store<u8>(to, <u8>((3 * value + previous + 1) >> 2));
  }
  store<u8>(to, <u8>value, 1);
}

/** As `widen`, with the same weights along y. @see h2v2_fancy_upsample in jdsample.c */
function widenBoth(near: usize, far: usize, count: i32, to: usize): void {
  let value = 3 * <i32>load<u8>(near) + load<u8>(far);
  let previous = value;
  store<u8>(to, <u8>((4 * value + 8) >> 4));
  for (let x = 1; x < count; x++) {
    const next = 3 * <i32>load<u8>(near + x) + load<u8>(far + x);
    store<u8>(to, <u8>((3 * value + next + 7) >> 4), 1);
    previous = value;
    value = next;
    to += 2;
    store<u8>(to, <u8>((3 * value + previous + 8) >> 4));
  }
  store<u8>(to, <u8>((4 * value + 7) >> 4), 1);
}

/** 16-bit fixed point, four pixels at a time; writes up to 16 bytes past the row. @see build_ycc_rgb_table in jdcolor.c */
function rowToRgb(luma: usize, cb: usize, cr: usize, out: usize): void {
  const half = i32x4.splat(1 << 15);
  const center = i32x4.splat(128);
  for (let x = 0; x < imageWidth; x += 4) {
    const y = widenFour(luma + x);
    const b = i32x4.sub(widenFour(cb + x), center);
    const r = i32x4.sub(widenFour(cr + x), center);
    const red = i32x4.add(y, i32x4.shr_s(i32x4.add(times(r, 91881), half), 16));
    const blue = i32x4.add(y, i32x4.shr_s(i32x4.add(times(b, 116130), half), 16));
    const mixed = i32x4.add(i32x4.add(times(b, -22554), times(r, -46802)), half);
    const green = i32x4.add(y, i32x4.shr_s(mixed, 16));
    // r0 r1 r2 r3 g0 g1 g2 g3 b0 b1 b2 b3, then by pixel.
    const planes = i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(red, green), i16x8.narrow_i32x4_s(blue, blue));
    const pixels = i8x16.swizzle(planes, i8x16(0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11, -1, -1, -1, -1));
    v128.store(out, pixels);
    out += 12;
  }
}

// @ts-ignore: decorator
@inline
function widenFour(at: usize): v128 {
  return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load_zero<u32>(at)));
}
