/** Fraction bits of a coefficient: Pillow's `PRECISION_BITS`, 32 - 8 - 2. */
const PRECISION_BITS = 22;

/** The filter's half width in source pixels when nothing shrinks. */
const BICUBIC_SUPPORT = 2;

/** Which source pixels make each output pixel along one axis, and by how much. */
export interface Coefficients {
  /** First source pixel of each output pixel. */
  readonly bounds: Int32Array;
  /** Groups of four taps per output pixel. */
  readonly groups: number;
  /** Per output pixel and group, as `resize.as.ts` reads them: high 0|1, low 0|1, high 2|3, low 2|3, 16 bits each. */
  readonly packed: Int16Array;
}

/**
 * Pillow's bicubic coefficients from `inSize` to `outSize` pixels, in its fixed point and with its rounding.
 * @see precompute_coeffs and normalize_coeffs_8bpc in Pillow's src/libImaging/Resample.c
 */
export function bicubicCoefficients(inSize: number, outSize: number): Coefficients {
  const scale = inSize / outSize;
  const filterScale = Math.max(scale, 1);
  const support = BICUBIC_SUPPORT * filterScale;
  // Pillow multiplies by the reciprocal; dividing would round differently when shrinking.
  const reciprocal = 1 / filterScale;
  const bounds = new Int32Array(outSize);
  const taps: Float64Array[] = [];
  for (let out = 0; out < outSize; out++) {
    const center = (out + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - support + 0.5));
    const end = Math.min(inSize, Math.trunc(center + support + 0.5));
    const weights = new Float64Array(end - first);
    let sum = 0;
    for (let i = 0; i < weights.length; i++) {
      const weight = bicubic((i + first - center + 0.5) * reciprocal);
      weights[i] = weight;
      sum += weight;
    }
    if (sum !== 0) for (let i = 0; i < weights.length; i++) weights[i]! /= sum;
    bounds[out] = first;
    taps.push(weights);
  }
  return pack(bounds, taps);
}

/** Keys's cubic convolution with a = -0.5, in Pillow's order of operations. */
function bicubic(x: number): number {
  const a = -0.5;
  const t = Math.abs(x);
  if (t < 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  if (t < 2) return (((t - 5) * t + 8) * t - 4) * a;
  return 0;
}

function pack(bounds: Int32Array, taps: readonly Float64Array[]): Coefficients {
  const most = taps.reduce((max, weights) => Math.max(max, weights.length), 1);
  const groups = Math.ceil(most / 4);
  const packed = new Int16Array(taps.length * groups * 8);
  taps.forEach((weights, out) => {
    weights.forEach((weight, tap) => {
      const fixed = Math.trunc(weight * 2 ** PRECISION_BITS + (weight < 0 ? -0.5 : 0.5));
      const at = (out * groups + (tap >> 2)) * 8 + ((tap & 2) << 1) + (tap & 1);
      packed[at] = fixed >> 15;
      packed[at + 2] = fixed & 0x7fff;
    });
  });
  return { bounds, groups, packed };
}
