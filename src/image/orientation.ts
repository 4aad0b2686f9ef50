import type { RgbImage } from "./rgb-image";

/** An image turned by an EXIF orientation, 1 to 8. @see ImageOps.exif_transpose in Pillow */
export function orient(image: RgbImage, orientation: number): RgbImage {
  if (!(orientation >= 2 && orientation <= 8)) return image;
  const { width, height } = image;
  const transposed = orientation >= 5;
  const mirrored = [2, 3, 7, 8].includes(orientation);
  const flipped = [3, 4, 6, 7].includes(orientation);
  const [outWidth, outHeight] = transposed ? [height, width] : [width, height];
  const data = new Uint8Array(image.data.length);
  let to = 0;
  for (let y = 0; y < outHeight; y++) {
    for (let x = 0; x < outWidth; x++) {
      const [column, row] = transposed ? [y, x] : [x, y];
      const from = ((flipped ? height - 1 - row : row) * width + (mirrored ? width - 1 - column : column)) * 3;
      data[to++] = image.data[from]!;
      data[to++] = image.data[from + 1]!;
      data[to++] = image.data[from + 2]!;
    }
  }
  return { width: outWidth, height: outHeight, data };
}
