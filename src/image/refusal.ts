/** Why bytes are no image that is read; `decodeImage` makes a `CorruptImageError` of it. */
export class Refusal extends Error {}

/** An image with more pixels than are allowed; `decodeImage` makes an `ImageTooLargeError` of it. */
export class TooManyPixels extends Error {
  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    super(`${width} x ${height}`);
  }
}

/** Refuses what has no pixels, and what has too many, before anything is decoded. */
export function checkSize(width: number, height: number, maxPixels: number): void {
  if (Math.max(1, width) * Math.max(1, height) > maxPixels) throw new TooManyPixels(width, height);
  if (width < 1 || height < 1) throw new Refusal(`its size is ${width} x ${height}`);
}
