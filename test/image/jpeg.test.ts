import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { decodeImage } from "../../src/image";
import { decodeRegularJpeg } from "../../src/image/jpeg";
import { readJpegHeader } from "../../src/image/jpeg-header";
import { Refusal } from "../../src/image/refusal";
import { collectGarbage } from "../support/collect-garbage";
import { golden } from "../support/golden";

interface Case {
  readonly file: string;
  /** Of the RGB pixels; none where Pillow refuses the file. */
  readonly digest: string | null;
  /** A length that Pillow refuses. */
  readonly cut: number;
  readonly damages: readonly Damage[];
}

interface Damage {
  readonly bytes: readonly [number, number][];
  readonly digest: string | null;
  /** Where Pillow decodes without the processor's vector instructions; coefficients that overflow differ. */
  readonly plain: string | null;
}

describe("decodeImage", () => {
  const kinds = golden<{ kind: string; file: string; digest: string | null }[]>("image_jpeg_kinds");

  it.each(kinds)("decodes as Pillow does: $kind", async ({ file, digest }) => {
    const image = await decodeImage(Buffer.from(file, "base64")).catch(() => undefined);
    expect(image ? sha256(image.data) : null).toBe(digest);
  });
});

describe("decodeRegularJpeg", () => {
  const cases = golden<Case[]>("image_jpeg").map((one) => ({ ...one, bytes: Buffer.from(one.file, "base64") }));
  const damaged = cases.flatMap(({ bytes, damages }) =>
    damages.map((damage) => {
      const copy = Buffer.from(bytes);
      for (const [place, value] of damage.bytes) copy[place] = value;
      return { bytes: copy, digests: [damage.digest, damage.plain] };
    }),
  );

  it("decodes whole images as Pillow does, to the last bit", async () => {
    expect(cases).toHaveLength(88);
    for (const { bytes, digest } of cases) {
      const image = await decodeRegular(bytes);
      expect(sha256(image!.data)).toBe(digest);
    }
  });

  it("never passes off a damaged image as something else than Pillow sees", async () => {
    let read = 0;
    for (const { bytes, digests } of damaged) {
      const image = await decodeRegular(bytes);
      if (!image) continue;
      expect(digests).toContain(sha256(image.data));
      read++;
    }
    expect(read).toBeGreaterThan(50);
  });

  it("leaves the others to a decoder that answers as Pillow does", async () => {
    const different: number[] = [];
    for (const [i, { bytes, digests }] of damaged.entries()) {
      const image = await decodeImage(bytes).catch(() => undefined);
      if (!digests.includes(image ? sha256(image.data) : null)) different.push(i);
    }
    expect(different).toEqual([]);
  });

  it("leaves every image that is cut short to be refused, as Pillow refuses it", async () => {
    for (const { bytes, cut } of cases) {
      expect(await decodeRegular(bytes.subarray(0, cut))).toBeUndefined();
      await expect(decodeImage(bytes.subarray(0, cut))).rejects.toThrow("Cannot decode");
    }
  });

  it("decodes nothing that has another size than was read from its header", async () => {
    const { bytes } = cases[1]!;
    const header = readJpegHeader(bytes);
    expect(await decodeRegularJpeg(bytes, { ...header, width: header.width + 1 })).toBeUndefined();
    expect(await decodeRegularJpeg(bytes, { ...header, width: 1 << 18 })).toBeUndefined();
    expect(await decodeRegularJpeg(bytes, header)).toMatchObject({ width: header.width, height: header.height });
  });

  it("keeps its memory however many images it decodes, damaged ones too", async () => {
    await collectGarbage();
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 2000; i++) await decodeRegular(damaged[i % damaged.length]!.bytes);
    await collectGarbage();
    // What the module keeps is its own first 50 MiB; a leak of one image's coefficients would be over 100 MiB.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(40 * 2 ** 20);
  });
});

async function decodeRegular(bytes: Buffer) {
  try {
    return await decodeRegularJpeg(bytes, readJpegHeader(bytes));
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 16);
}
