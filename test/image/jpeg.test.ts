import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { decodeImage } from "../../src/image";
import { decodeSimpleJpeg } from "../../src/image/jpeg";
import { golden } from "../support/golden";

interface Case {
  readonly file: string;
  readonly width: number;
  readonly subsampling: number;
  /** Of the RGB pixels; none where Pillow refuses the file. */
  readonly digest: string | null;
  /** A length that Pillow refuses. */
  readonly cut: number;
  readonly damages: readonly { readonly bytes: readonly [number, number][]; readonly digest: string | null }[];
}

describe("decodeSimpleJpeg", () => {
  const cases = golden<Case[]>("image_jpeg").map((one) => ({ ...one, bytes: Buffer.from(one.file, "base64") }));
  const damaged = cases.flatMap(({ bytes, damages }) =>
    damages.map((damage) => {
      const copy = Buffer.from(bytes);
      for (const [place, value] of damage.bytes) copy[place] = value;
      return { bytes: copy, digest: damage.digest };
    }),
  );

  it("decodes whole images as Pillow does, to the last bit", () => {
    expect(cases).toHaveLength(88);
    for (const { bytes, width, subsampling, digest } of cases) {
      const image = decodeSimpleJpeg(bytes, Number.MAX_SAFE_INTEGER);
      // Too narrow for libjpeg to interpolate chroma: left to the other decoder.
      const narrow = subsampling !== 0 && width < 5;
      if (!narrow) expect(image).toBeDefined();
      if (image) expect(sha256(image.data)).toBe(digest);
    }
  });

  it("never passes off a damaged image as something else than Pillow sees", async () => {
    let read = 0;
    for (const { bytes, digest } of damaged) {
      const image = decodeSimpleJpeg(bytes, Number.MAX_SAFE_INTEGER);
      if (!image) continue;
      expect(sha256(image.data)).toBe(digest);
      read++;
    }
    expect(read).toBeGreaterThan(50);
  });

  it("leaves the others to a decoder that answers as Pillow does", async () => {
    const different: number[] = [];
    for (const [i, { bytes, digest }] of damaged.entries()) {
      const image = await decodeImage(bytes).catch(() => undefined);
      if ((image ? sha256(image.data) : null) !== digest) different.push(i);
    }
    expect(different).toEqual([]);
  });

  it("leaves every image that is cut short to be refused, as Pillow refuses it", async () => {
    for (const { bytes, cut } of cases) {
      expect(decodeSimpleJpeg(bytes.subarray(0, cut), Number.MAX_SAFE_INTEGER)).toBeUndefined();
      await expect(decodeImage(bytes.subarray(0, cut))).rejects.toThrow("Cannot decode");
    }
  });

  it("leaves images over the limit and noise alone", () => {
    expect(decodeSimpleJpeg(cases[1]!.bytes, 1)).toBeUndefined();
    expect(decodeSimpleJpeg(Uint8Array.of(0xff, 0xd8, 0xff), 1e6)).toBeUndefined();
    const noise = Uint8Array.from({ length: 500 }, (_, i) => (i * 7919) & 255);
    expect(decodeSimpleJpeg(noise, 1e6)).toBeUndefined();
  });
});

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 16);
}
