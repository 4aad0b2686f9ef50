/** Fraction bits of a coefficient: Pillow's `PRECISION_BITS`, 32 - 8 - 2. */
const PRECISION_BITS = 22;

/** A filter of Pillow's `Image.Resampling` that weighs its neighbours; `nearest` takes one and weighs nothing. */
export type Filter = "bicubic" | "bilinear" | "lanczos" | "box" | "hamming";

/** Each filter, and its half width in source pixels when nothing shrinks. */
const FILTERS: Readonly<Record<Filter, { readonly support: number; readonly weight: (x: number) => number }>> = {
  box: { support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  hamming: { support: 1, weight: hamming },
  bicubic: { support: 2, weight: bicubic },
  lanczos: { support: 3, weight: (x) => (-3 <= x && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

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
 * Pillow's coefficients from `inSize` to `outSize` pixels, in its fixed point and with its rounding.
 * @see precompute_coeffs and normalize_coeffs_8bpc in Pillow's src/libImaging/Resample.c
 */
export function coefficients(filter: Filter, inSize: number, outSize: number): Coefficients {
  const { support: halfWidth, weight: weigh } = FILTERS[filter];
  const scale = inSize / outSize;
  const filterScale = Math.max(scale, 1);
  const support = halfWidth * filterScale;
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
      const weight = weigh((i + first - center + 0.5) * reciprocal);
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

function hamming(x: number): number {
  const t = Math.abs(x);
  if (t === 0) return 1;
  if (t >= 1) return 0;
  const angle = t * Math.PI;
  // Pillow writes these two constants as floats.
  return (Math.sin(angle) / angle) * (Math.fround(0.54) + Math.fround(0.46) * Math.cos(angle));
}

function sinc(x: number): number {
  const angle = x * Math.PI;
  return angle === 0 ? 1 : Math.sin(angle) / angle;
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
