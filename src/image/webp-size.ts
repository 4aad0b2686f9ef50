/** The canvas of a WebP file, from its header. @see https://developers.google.com/speed/webp/docs/riff_container */
export function webpSize(file: Buffer): { readonly width: number; readonly height: number } | undefined {
  if (file.length < 30) return undefined;
  switch (file.toString("latin1", 12, 16)) {
    case "VP8 ":
      if (file.readUIntBE(23, 3) !== 0x9d012a) return undefined;
      return { width: file.readUInt16LE(26) & 0x3fff, height: file.readUInt16LE(28) & 0x3fff };
    case "VP8L": {
      if (file[20] !== 0x2f) return undefined;
      const bits = file.readUInt32LE(21);
      return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
    }
    case "VP8X":
      return { width: file.readUIntLE(24, 3) + 1, height: file.readUIntLE(27, 3) + 1 };
    default:
      return undefined;
  }
}
