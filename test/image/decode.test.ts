import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { CorruptImageError, decodeImage, ImageTooLargeError } from "../../src/image";
import { hugePng, jpegClaiming } from "../cli/huge-image";
import { golden } from "../support/golden";

/** Pillow's answer to a file: its size and the SHA-256 of its RGB bytes, or the name of its error. */
type Case = { readonly file: string } & (
  | { readonly size: readonly [number, number]; readonly digest: string }
  | { readonly refused: string }
);

const { pillow, files } = golden<{ pillow: string; files: Record<string, Case> }>("image_decode");
const bytesOf = (name: string) => Buffer.from(files[name]!.file, "base64");
const refusal = (bytes: Uint8Array, path?: string) =>
  decodeImage(bytes, { path }).then(
    () => undefined,
    (error: unknown) => error as CorruptImageError,
  );

describe("decodeImage", () => {
  it("gives Pillow's pixels to the last bit, and refuses what Pillow refuses", async () => {
    expect(pillow).toBe("13.0.0");
    const different: string[] = [];
    for (const [name, expected] of Object.entries(files)) {
      const found = await decodeImage(bytesOf(name)).catch((error: Error) => error);
      if (found instanceof Error) {
        if (!(found instanceof CorruptImageError) || !("refused" in expected)) different.push(`${name}: ${found}`);
      } else if ("refused" in expected) different.push(`${name}: Pillow refuses it`);
      else if (`${found.width},${found.height}` !== String(expected.size) || digest(found.data) !== expected.digest) {
        different.push(`${name}: other pixels`);
      }
    }
    expect(different).toEqual([]);
    expect(Object.keys(files).length).toBeGreaterThan(350);
    expect(Object.values(files).filter((expected) => "refused" in expected).length).toBeGreaterThan(100);
  });
});

describe("decodeImage refuses", () => {
  it.each([
    ["empty.jpg", /the file is empty/],
    ["text.jpg", /it is not an image in a format that is read: JPEG, PNG, GIF, WebP, BMP, TIFF and AVIF/],
    ["wrong-checksum-of-data.png", /its compressed data is damaged: incorrect data check/],
    ["12-bits.jpg", /it has 12 bits a sample instead of 8/],
    ["unknown-bits.bmp", /it has 2 bits a pixel/],
  ])("%s, and says why and where", async (name, reason) => {
    const error = await refusal(bytesOf(name), "a folder/ñ 1.jpg");
    expect(error).toBeInstanceOf(CorruptImageError);
    expect(error).toMatchObject({ name: "CorruptImageError", path: "a folder/ñ 1.jpg", retryable: false });
    expect(error?.message).toContain('Cannot decode "a folder/ñ 1.jpg": ');
    expect(error?.message).toMatch(reason);
  });

  it.each([
    ["SVG", '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'],
    ["JPEG 2000", "\0\0\0\x0cjP  \r\n\x87\n"],
    ["Netpbm", "P6 1 1 255 abc"],
    ["QOI", "qoif"],
    ["HEIC", "\0\0\0\x18ftypheic"],
  ])("%s by its name", async (format, text) => {
    const error = await refusal(Buffer.from(text, "latin1"));
    expect(error?.message).toContain(`it is in the format ${format}, which is not read; those that are: JPEG,`);
  });

  it("the parts of TIFF that are not read, by name", async () => {
    const rgb = bytesOf("rgb-raw.tif");
    const entry = rgb.indexOf(Buffer.from([0x03, 0x01, 0x03, 0, 1, 0, 0, 0]));
    for (const [compression, name] of [
      [50000, "Zstandard"],
      [34925, "LZMA"],
      [12345, "number 12345"],
    ] as const) {
      const changed = Buffer.from(rgb);
      changed.writeUInt16LE(compression, entry + 8);
      expect((await refusal(changed))?.message).toContain(`a TIFF with the compression ${name}, which is not read`);
    }
  });

  it("an image over the pixel limit, before decoding it", async () => {
    const huge = hugePng(20_000, 20_000);
    const error = await decodeImage(huge, { path: "large.png" }).catch((e: unknown) => e as ImageTooLargeError);
    expect(error).toBeInstanceOf(ImageTooLargeError);
    expect((error as Error).message).toContain("20000 x 20000 pixels is over the limit of 178,956,970");
    expect(error).toMatchObject({ path: "large.png", retryable: false });
  });

  it.each(["subsampling-2.jpg", "grey.jpg", "cmyk.jpg", "progressive.jpg"])(
    "%s that claims to be huge",
    async (name) => {
      await expect(decodeImage(jpegClaiming(bytesOf(name), 65_000, 65_000))).rejects.toThrow(ImageTooLargeError);
    },
  );

  it.each([
    "rgb.png",
    "palette.gif",
    "8-bits.bmp",
    "rgb-tiff_lzw.tif",
    "lossy.webp",
    "lossless.webp",
    "progressive.jpg",
  ])("%s over a limit of the caller's, and reads it at the limit", async (name) => {
    const { size } = files[name] as { size: readonly [number, number] };
    const pixels = size[0] * size[1];
    await expect(decodeImage(bytesOf(name), { maxPixels: pixels - 1 })).rejects.toThrow(ImageTooLargeError);
    await expect(decodeImage(bytesOf(name), { maxPixels: pixels })).resolves.toMatchObject({ width: size[0] });
  });
});

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 16);
}
