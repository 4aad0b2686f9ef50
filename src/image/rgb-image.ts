/** An image as RGB bytes: `height` rows of `width` pixels of three bytes, back to back. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}
