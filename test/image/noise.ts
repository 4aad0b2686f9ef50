import type { RgbImage } from "../../src/image";

/** The image that `noise` of test/golden/image_resize.py makes of the same seed. */
export function noise(seed: number, width: number, height: number): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++) {
    let h = Math.imul(i + seed * 7919, 0x9e3779b1);
    h ^= h >>> 15;
    h = Math.imul(h, 0x85ebca6b);
    h ^= h >>> 13;
    const value = h & 255;
    data[i] = seed % 3 === 0 ? (value > 127 ? 255 : 0) : value;
  }
  return { width, height, data };
}
